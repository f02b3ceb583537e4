"""Programs that tests need beyond Python: where they are, and how `make test` gets them.

`python -m tests.peers.tools` installs what is missing where it may (root for Debian packages, a network for the rest)
into a user cache keyed by version, so that a second run is quick. A test asks with `need("chromium")`: it gets a path,
or is skipped with the reason; with REQUIRE_PEERS=1 the skip is a failure.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("CAUSEWAY_TEST_CACHE", Path.home() / ".cache" / "causeway-tests"))


class Unavailable(Exception):
    """The program is not here and could not be installed; the text says why."""


@dataclass(frozen=True)
class Tool:
    find: Callable[[], Path | None]
    install: Callable[[], None]


def need(name: str) -> Path:
    """Return where the program (or folder) is. Skip the test with a reason, or fail it with REQUIRE_PEERS=1."""
    found = TOOLS[name].find()
    if found is not None:
        return found
    reason = f"{name} is not installed here; `make test` installs it where it may (see the lines it prints first)"
    if os.environ.get("REQUIRE_PEERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def _apt(*packages: str) -> None:
    if shutil.which("apt-get") is None:
        raise Unavailable("this is not Debian: install " + ", ".join(packages) + " yourself")
    if os.geteuid() != 0:
        raise Unavailable("not root: run `apt-get install --no-install-recommends " + " ".join(packages) + "`")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    _run(["apt-get", "update", "-q"], env=environment)
    _run(["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages], env=environment)


def _run(command: list[str], *, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    try:
        subprocess.run(command, cwd=cwd, env=env, check=True, capture_output=True, text=True, timeout=1200)
    except subprocess.CalledProcessError as error:
        tail = (error.stderr or error.stdout or "").strip().splitlines()[-1:]
        raise Unavailable(f"`{' '.join(command[:3])} …` failed: {''.join(tail)}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"`{command[0]}` could not be run: {error.__class__.__name__}") from error


def _which(*names: str) -> Path | None:
    return next((Path(path) for name in names if (path := shutil.which(name))), None)


def _postgresql() -> Path | None:
    """Return the folder that holds `initdb` and `postgres`."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    found = [folder for folder in folders if (folder / "initdb").exists()]
    if found:
        return found[-1]
    initdb = _which("initdb")
    return initdb.resolve().parent if initdb else None


def _keyed(prefix: str, *files: Path) -> Path:
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    return CACHE / f"{prefix}-{digest}"


def _node_folder() -> Path:
    return _keyed("node", HERE / "node" / "package.json", HERE / "node" / "package-lock.json")


def _node_modules() -> Path | None:
    folder = _node_folder()
    return folder / "node_modules" if (folder / ".complete").exists() else None


def _install_node_modules() -> None:
    if _which("npm") is None:
        _apt("nodejs", "npm")
    folder = _node_folder()
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / "node" / name, folder / name)
    _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder)
    (folder / ".complete").touch()


def _actionlint_file() -> Path:
    return _keyed("actionlint", HERE / "actionlint" / "go.mod", HERE / "actionlint" / "go.sum") / "actionlint"


def _actionlint() -> Path | None:
    file = _actionlint_file()
    return file if file.exists() else None


def _install_actionlint() -> None:
    if _which("go") is None:
        _apt("golang-go")
    file = _actionlint_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"CGO_ENABLED": "0"}
    package = "github.com/rhysd/actionlint/cmd/actionlint"
    _run(["go", "build", "-trimpath", "-o", str(file), package], cwd=HERE / "actionlint", env=environment)


TOOLS: dict[str, Tool] = {
    "git": Tool(lambda: _which("git"), lambda: _apt("git")),
    "node": Tool(lambda: _which("node"), lambda: _apt("nodejs", "npm")),
    "node_modules": Tool(_node_modules, _install_node_modules),
    "chromium": Tool(lambda: _which("chromium", "chromium-browser", "google-chrome"), lambda: _apt("chromium")),
    "postgresql": Tool(_postgresql, lambda: _apt("postgresql")),
    "actionlint": Tool(_actionlint, _install_actionlint),
}


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> int:
    """Install what is missing; print one line for each program; fail only where every one of them is demanded."""
    missing = 0
    with _one_at_a_time():
        for name, tool in TOOLS.items():
            try:
                if tool.find() is None:
                    tool.install()
                print(f"peer {name}: ready")  # noqa: T201  # the line a person reads
            except Unavailable as reason:
                missing += 1
                print(f"peer {name}: its tests are skipped, because {reason}")  # noqa: T201  # the same
    return 1 if missing and os.environ.get("REQUIRE_PEERS") == "1" else 0


if __name__ == "__main__":
    sys.exit(main())
