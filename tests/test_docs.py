"""The guides: every setting is there and nothing else is, links lead somewhere, examples are taken as they stand."""

from __future__ import annotations

import re
import shlex
import types
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from bot.cli import _parser
from bot.forms.schema import form_of
from bot.golden_paths.template import read_template
from bot.http.openapi import describe
from bot.intake import Registry
from bot.model.duration import format_duration
from bot.settings import LATER, PREFIX, Configuration, Environment
from commands import COMMANDS

ROOT = Path(__file__).parent.parent
GUIDES = ROOT / "docs" / "guides"
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BESIDE = {"CAUSEWAY_GITHUB_APP_KEY_FILE": "–"}
"""Variables that are no field of `Environment`: the file of another."""
ROW = re.compile(r"^\| `([A-Za-z_.*\[\]0-9]+)` \| (?:`([^`]*)`|([^|`]*)) \|", re.MULTILINE)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CAUSEWAY = re.compile(r"(?<![\w/-])(?<!namespace )causeway ")
"""The program in a line of a shell, and not what kubectl calls by the same name."""
LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")


def documented() -> dict[str, str]:
    """Key or variable → default, as the guide's tables have them."""
    rows = ROW.findall((GUIDES / "configuration.md").read_text())
    return {name: code or plain.strip() for name, code, plain in rows}


def known() -> dict[str, str]:
    """The same, as the settings have them."""
    variables = {PREFIX + name.upper(): shown(field) for name, field in Environment.model_fields.items()}
    return {**variables, **BESIDE, **dict(keys(Configuration, ""))}


def keys(model: type[BaseModel], above: str) -> Iterator[tuple[str, str]]:
    for name, field in model.model_fields.items():
        path = f"{above}{name}"
        inner, many = part_of(field.annotation)
        if inner is None or many or not isinstance(field.default, inner):
            yield path, shown(field)
        if inner is not None:
            yield from keys(inner, f"{path}{many}.")


def part_of(annotation: Any) -> tuple[type[BaseModel] | None, str]:
    """Return the settings below this one, and what stands between the two paths where there may be several of them:
    `[]` in a list, `.*` where each has a name."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, ""
    many = {tuple: "[]", dict: ".*"}.get(get_origin(annotation), "")
    if many or get_origin(annotation) in (Union, types.UnionType):
        found = [arg for arg in get_args(annotation) if isinstance(arg, type) and issubclass(arg, BaseModel)]
        return (found[0], many) if found else (None, "")
    return None, ""


def shown(field: FieldInfo) -> str:
    """Return the default as the guide writes it."""
    if field.is_required():
        return "required"
    match field.get_default(call_default_factory=True):
        case dict(named) if named:
            return ", ".join(named)
        case SecretStr() | "" | None | () | {}:
            return "–"
        case bool(value):
            return str(value).lower()
        case timedelta() as span:
            return format_duration(span)
        case (BaseModel(),):
            return "one rule"
        case (str(only),):
            return only
        case value:
            return str(value)


def test_every_setting_is_in_the_guide_and_nothing_else() -> None:
    assert set(documented()) == set(known())


def test_the_guide_gives_the_defaults_of_the_code() -> None:
    told = documented()
    assert {name: told.get(name) for name in known()} == known()


def test_every_variable_that_a_page_names_is_read_by_something() -> None:
    read = {*known(), *(PREFIX + name.upper() for name in LATER)}
    for page in PAGES:
        prose = re.sub(r"^```text\n.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
        assert set(re.findall(r"CAUSEWAY_[A-Z_]+[A-Z]", prose)) <= read, page


def links() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        yield from ((page, link) for link in LINK.findall(page.read_text()))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_between_our_pages_leads_somewhere() -> None:
    lost = []
    for page, link in links():
        if link.startswith(("https://", "http://")):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(f"{page.relative_to(ROOT)}: {link}")
    assert not lost


def test_every_guide_can_be_reached_from_the_readme() -> None:
    named = {(page.parent / link.partition("#")[0]).resolve() for page, link in links() if "://" not in link}
    assert set(GUIDES.glob("*.md")) <= named


def command_lines() -> list[str]:
    """Every `causeway …` line of the pages' shell examples."""
    found = []
    for page in PAGES:
        found += re.findall(r"^    (causeway .+)$", page.read_text(), re.MULTILINE)
        for language, text in BLOCK.findall(page.read_text()):
            lines = text.replace("\\\n", " ").splitlines() if language == "sh" else []
            found += [line[match.start() :] for line in lines if (match := CAUSEWAY.search(line))]
    return found


@pytest.mark.parametrize("line", sorted(set(command_lines())))
def test_a_documented_command_is_understood(line: str) -> None:
    words = shlex.split(line)[1:]
    if words == ["--help"]:
        return
    _parser().parse_args(words)


def test_there_are_commands_in_the_guides() -> None:
    assert {line.split()[1] for line in command_lines()} >= {"serve", "plan", "run", "doctor", "ledger", "template"}


def documents(page: str) -> list[Any]:
    blocks = BLOCK.findall((GUIDES / page).read_text())
    return [found for language, text in blocks if language == "yaml" for found in yaml.safe_load_all(text)]


@pytest.mark.parametrize("page", sorted(path.name for path in GUIDES.glob("*.md")))
def test_examples_of_causeway_yaml_are_taken(page: str) -> None:
    for document in documents(page):
        if "kind" not in document:
            Configuration.model_validate(document)


def test_the_example_of_a_golden_path_is_taken() -> None:
    template = next(
        text for language, text in BLOCK.findall((GUIDES / "golden-paths.md").read_text()) if "kind" in text
    )
    read = read_template(template)
    form = form_of(read.form_schema())
    assert [field.name for field in form.fields()] == ["name", "owner"]


def test_the_catalog_of_the_first_steps_holds_people_and_groups() -> None:
    kinds = [document["kind"] for document in documents("first-steps.md") if "kind" in document]
    assert kinds == ["Group", "Group", "User", "User"]


def test_documented_calls_exist() -> None:
    calls = set(re.findall(r"`(?:GET|POST) /api/v1(/[^`?]+)`", (GUIDES / "doors.md").read_text()))
    paths = describe(Registry(COMMANDS))["paths"]
    requests = {"/requests/{command}" if path.startswith("/requests/") else path for path in paths}
    assert calls == requests
