"""Editors, `kubectl` and Causeway read one format."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from bot.rendering import schema
from tests.rendering.environment_examples import DESIGN as ENVIRONMENT
from tests.rendering.examples import CASES

FOLDER = Path("manifests/crds")


FILES = {
    name: text
    for of in schema.FORMATS
    for name, text in ((of.crd_file, schema.crd_text(of)), (of.file, schema.json_schema_text(of)))
}


@pytest.mark.parametrize(("name", "text"), FILES.items(), ids=list(FILES))
def test_the_files_are_what_the_model_says(name: str, text: str) -> None:
    file = FOLDER / name
    if os.environ.get("UPDATE_GOLDEN"):
        FOLDER.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == text, f"{file} is out of date; UPDATE_GOLDEN=1 writes it"


@pytest.mark.parametrize("case", CASES)
def test_editors_find_nothing_wrong_with_a_right_document(case: str) -> None:
    validator = Draft202012Validator(schema.json_schema())
    assert list(validator.iter_errors(yaml.safe_load(CASES[case][0]))) == []


@pytest.mark.parametrize("spec", [{"repicas": 1}, {"replicas": "1"}, {"ports": [{"name": "a"}]}, {"size": "B!"}])
def test_editors_find_a_wrong_document_wrong(spec: dict[str, Any]) -> None:
    document = {
        "apiVersion": "platform.company.io/v1",
        "kind": "WebService",
        "metadata": {"name": "a"},
        "spec": spec,
    }
    assert list(Draft202012Validator(schema.json_schema()).iter_errors(document))


@pytest.mark.parametrize("text", [ENVIRONMENT])
def test_editors_find_nothing_wrong_with_a_right_environment(text: str) -> None:
    validator = Draft202012Validator(schema.json_schema(schema.ENVIRONMENT))
    assert list(validator.iter_errors(yaml.safe_load(text))) == []


@pytest.mark.parametrize("spec", [{"ttl": "a week"}, {"services": []}, {"services": [{"nam": "a"}]}, {}])
def test_editors_find_a_wrong_environment_wrong(spec: dict[str, Any]) -> None:
    document = yaml.safe_load(ENVIRONMENT) | {"spec": spec}
    assert list(Draft202012Validator(schema.json_schema(schema.ENVIRONMENT)).iter_errors(document))


@pytest.mark.parametrize("of", schema.FORMATS, ids=lambda of: of.kind)
def test_every_field_is_described_and_every_example_is_right(of: schema.Format) -> None:
    definitions = schema.json_schema(of)["$defs"]
    for path, field in _fields(schema.json_schema(of)):
        assert field.get("description"), f"{path} has no description"
        assert field.get("examples") or "$ref" in field or "const" in field, f"{path} has no example"
        for example in field.get("examples", ()):
            Draft202012Validator({**field, "$defs": definitions}).validate(example)


def _fields(part: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, field in part.get("properties", {}).items():
        yield f"{path}.{name}", field
    for name, definition in part.get("$defs", {}).items():
        if name != "Overrides":  # the same fields once more
            yield from _fields(definition, name)
