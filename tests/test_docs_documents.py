"""The guide to platform documents has every field and every value that templates see; its examples can be deployed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeGuard, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bot.model.platform import Platform
from bot.model.web_service import KIND, Spec
from bot.model.web_service.document import Metadata
from bot.rendering.documents import read
from bot.rendering.render import render
from bot.rendering.rollout import Rollout
from bot.rendering.stores.git import facts_of_file
from bot.rendering.stores.told import standing_alone
from bot.rendering.values import values_of
from tests.guides import BLOCK, GUIDES, PAGES, code, documents, rows
from tests.rendering.store_examples import CASES as STORES
from tests.rendering.store_examples import PLATFORM as COMPANY

GUIDE = "platform-documents.md"
PLATFORM = Platform.model_validate(
    {
        "environments": {
            "staging": {"domain": "staging.acme.example", "monitoring": {"enabled": True}},
            "production": {"domain": "acme.example", "max_replicas": 20},
        },
        "image_owner": "acme",
    }
)
ROLLOUT = Rollout(image="ghcr.io/acme/user-api:1a2b3c4")
PROBES = ("liveness", "readiness", "startup")


def fields() -> dict[str, FieldInfo]:
    """Path → field of everything that a document may say; what an environment may say is the same once more."""
    return {**dict(_below(Metadata, "metadata.")), **dict(_below(Spec, "spec."))}


def _below(model: type[BaseModel], above: str) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        path = f"{above}{field.alias or name}"
        yield path, field
        inner = next((part for part in get_args(field.annotation) if _is_part(part)), field.annotation)
        if _is_part(inner) and name != "environments":
            yield from _below(inner, f"{path}{'[]' if get_origin(field.annotation) is tuple else ''}.")


def _is_part(annotation: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def documented() -> dict[str, list[str]]:
    """Path → the row's other cells. A row for `spec.probes.*` counts for each probe that has none of its own."""
    told = {code(row[0])[0]: row[1:] for row in rows(GUIDE) if re.match(r"`(metadata|spec)\.[^ `]+`$", row[0])}
    each = {path: told.pop(path) for path in list(told) if ".*." in path}
    return {path.replace("*", probe): row for path, row in each.items() for probe in PROBES} | told


def test_every_field_is_in_the_guide_and_nothing_else() -> None:
    assert set(documented()) == set(fields())


@pytest.mark.parametrize("path", sorted(fields()))
def test_the_guide_gives_default_example_and_meaning_of_the_model(path: str) -> None:
    field, (default, example, meaning) = fields()[path], documented()[path]
    assert default == "required" if field.is_required() else _value(default) == _plain(field)
    assert [yaml.safe_load(text) for text in code(example)] == (field.examples or [])
    assert meaning == field.description


def _value(cell: str) -> Any:
    return None if cell == "–" else yaml.safe_load(code(cell)[0])


def _plain(field: FieldInfo) -> Any:
    """The default as a document would say it; None where it says nothing."""
    found = field.get_default(call_default_factory=True)
    if isinstance(found, BaseModel):
        found = found.model_dump(exclude_unset=True)
    if isinstance(found, tuple):
        found = [part.model_dump(exclude_unset=True) if isinstance(part, BaseModel) else part for part in found]
    return found if found or isinstance(found, (bool, int)) else None


def examples() -> list[str]:
    """Every WebService that a page shows."""
    blocks = [found for page in PAGES for found in BLOCK.findall(page.read_text())]
    return [text for language, text in blocks if language == "yaml" and f"kind: {KIND}" in text]


@pytest.mark.parametrize("number", range(len(examples())))
def test_a_shown_document_can_be_deployed(number: int) -> None:
    (document,) = read(examples()[number])
    for environment in PLATFORM.environments:
        assert render(document, environment=environment, platform=PLATFORM, rollout=ROLLOUT)


def test_the_guide_lists_the_values_that_templates_see() -> None:
    text = (GUIDES / GUIDE).read_text()
    table = text[text.index("### What templates see") :]
    told = {name for line in table.splitlines() if line.startswith("| `") for name in code(line.split(" | ")[0])}
    (document,) = read(examples()[0])
    assert told == set(values_of(document, environment="staging", platform=PLATFORM, rollout=ROLLOUT))


def test_the_guide_lists_what_templates_see_of_a_database() -> None:
    text = (GUIDES / GUIDE).read_text()
    table = text[text.index("| In `database` |") : text.index("### What templates see")]
    told = {name for line in table.splitlines()[2:] if line.startswith("| `") for name in code(line.split(" | ")[0])}
    seen = {name for store in STORES.values() for name in standing_alone(store, COMPANY)["database"]}
    assert told == seen


def test_the_guide_lists_what_a_file_sees() -> None:
    text = (GUIDES / GUIDE).read_text()
    sentence = text[text.index("A **file** is Jinja2 too") : text.index("It must say somewhere")]
    told = set(re.findall(r"\{\{ (\w+) \}\}", sentence))
    assert told == set(facts_of_file(STORES["file"]))


def test_the_first_document_is_the_promise() -> None:
    assert documents(GUIDE)[0] == {
        "apiVersion": "platform.company.io/v1",
        "kind": "WebService",
        "metadata": {"name": "user-api"},
        "spec": {
            "image": "user-api:latest",
            "replicas": 3,
            "database": {"type": "postgresql", "size": "small"},
            "ingress": {"host": "api.example.com"},
        },
    }
