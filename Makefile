# Two commands do everything on a machine with Python 3.11+, make and git:
#   make playground    try Causeway with embedded peers, no account needed
#   make test          set up what the tests need, then check everything
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: playground test check peers pytest fuzz bench format manifest clean

$(VENV)/.runtime: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@

playground: $(VENV)/.runtime
	$(BIN)/causeway playground

test: check peers pytest

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/causeway manifest --check

peers: $(VENV)/.dev
	$(BIN)/python -m tests.peers.tools

pytest: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist loadgroup

# The long hunt for inputs that nobody handles: FUZZ examples for each property.
FUZZ_TESTS := tests/rendering/test_properties.py tests/slack/test_grammar.py tests/slack/test_edge.py tests/forms tests/golden_paths/test_properties.py
fuzz: $(VENV)/.dev
	FUZZ=$${FUZZ:-10000} $(BIN)/python -m pytest -n 2 --timeout 3600 -k "test_no_ or test_any_ or test_what_is_written" $(FUZZ_TESTS)

bench: $(VENV)/.dev
	$(BIN)/python -m tests.bench

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

manifest: $(VENV)/.runtime
	$(BIN)/causeway manifest

clean:
	rm -rf $(VENV) build
