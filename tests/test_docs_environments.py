"""The guide to platform documents has every field of an Environment; the documents that are shown become previews."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bot.errors import Invalid
from bot.model.environment import KIND, Spec
from bot.rendering.environments import read_environment
from bot.rendering.previews import outline, render_preview
from bot.rendering.previews.render import namespace_labels, template_values
from tests.guides import BLOCK, GUIDES, PAGES, cells, code
from tests.rendering.environment_examples import PLATFORM

GUIDE = "platform-documents.md"


def section() -> str:
    text = (GUIDES / GUIDE).read_text()
    return text.partition("## Several services for a while")[2].partition("\n## ")[0]


def documented() -> dict[str, list[str]]:
    """Path below `spec` → the row's other cells."""
    table = section().partition("### Its fields")[2]
    found = [cells(line) for line in table.splitlines() if line.startswith("| `")]
    return {code(row[0])[0]: row[1:] for row in found}


def fields() -> dict[str, FieldInfo]:
    return dict(_below(Spec, ""))


def _below(model: type[BaseModel], above: str) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        path = f"{above}{field.alias or name}"
        yield path, field
        for part in get_args(field.annotation):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from _below(part, f"{path}{'[]' if get_origin(field.annotation) is tuple else ''}.")


def test_every_field_is_in_the_guide_and_nothing_else() -> None:
    assert set(documented()) == set(fields())


@pytest.mark.parametrize("path", sorted(fields()))
def test_the_guide_gives_default_example_and_meaning_of_the_model(path: str) -> None:
    field, (default, example, meaning) = fields()[path], documented()[path]
    there: Any = None if field.is_required() else field.get_default(call_default_factory=True)
    assert default == ("required" if field.is_required() else "–" if there in (None, "", (), {}) else default)
    if default.startswith("`"):
        assert yaml.safe_load(code(default)[0]) == there
    assert [yaml.safe_load(text) for text in code(example)] == (field.examples or [])
    assert meaning == field.description


def test_the_guide_says_what_the_labels_of_a_namespace_are() -> None:
    table = section().partition("what a preview's namespace tells")[2].partition("### Its fields")[0]
    told = {code(cells(line)[0])[0] for line in table.splitlines() if line.startswith("| `")}
    labels = namespace_labels(outline(read_environment(examples()[0]), {}, PLATFORM))
    assert told <= set(labels)
    assert {label for label in labels if label.startswith("causeway.io/")} <= told


def test_the_guide_says_what_the_templates_see() -> None:
    told = section().partition("The templates in `manifests/environment/` see ")[2].partition(";")[0]
    assert set(code(told)) == set(template_values(outline(read_environment(examples()[0]), {}, PLATFORM)))


def examples() -> list[str]:
    blocks = [found for page in PAGES for found in BLOCK.findall(page.read_text())]
    return [text for language, text in blocks if language == "yaml" and f"kind: {KIND}\n" in text]


@pytest.mark.parametrize("number", range(len(examples())))
def test_a_shown_environment_becomes_a_preview(number: int) -> None:
    assert render_preview(read_environment(examples()[number]), {}, PLATFORM)


def test_the_mistakes_that_are_shown_are_told_in_these_words() -> None:
    head = "apiVersion: environments.platform.io/v1\nkind: Environment\nmetadata: {name: pr-1}\n"
    with pytest.raises(Invalid) as refused:
        read_environment(f"{head}spec: {{services: [{{name: a}}], databases: [{{seedForm: x}}]}}\n")
    assert str(refused.value.mistakes[0]) in section()
    assert re.search(r"too short for an environment; write from 10m to 30d, such as `7d`", section())
