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
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from bot.cli import _parser
from bot.forms.schema import form_of
from bot.golden_paths.template import read_template
from bot.model.duration import format_duration
from bot.model.platform import Platform
from bot.settings import LATER, PREFIX, Configuration, Environment
from tests.guides import BLOCK, GUIDES, PAGES, ROOT, documents

SETTINGS = ("configured", "databases", "platform", "previews")
"""Modules of `bot.model` that only say which settings there are."""
BESIDE = {"CAUSEWAY_GITHUB_APP_KEY_FILE": "–"}
"""Variables that are no field of `Environment`: the file of another."""
SAME_AS_ONE = ("databases",)
"""Several of what `database` is one of: the guide says so, and lists its keys once."""
ROW = re.compile(r"^\| `([A-Za-z_.*\[\]0-9]+)` \| (?:`([^`]*)`|([^|`]*)) \|", re.MULTILINE)
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
        if inner is not None and name not in SAME_AS_ONE:
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


def test_an_example_shows_every_setting_of_the_platform() -> None:
    examples = [document["platform"] for document in documents("configuration.md") if "platform" in document]
    shown_in_one = [{_general(path) for path in paths_of(example, "platform")} for example in examples]
    assert any(set(dict(keys(Platform, "platform."))) <= paths for paths in shown_in_one)


def paths_of(value: Any, path: str) -> Iterator[str]:
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths_of(inner, f"{path}.{key}")


def _general(path: str) -> str:
    """`platform.sizes.small.cpu` → `platform.sizes.*.cpu`, `….databases.mysql.region` → `….database.region`."""
    path = re.sub(r"\.databases\.[^.]+\.", ".database.", path)
    return re.sub(r"^(platform\.(?:environments|clusters|sizes|database_sizes|budgets))\.[^.]+", r"\1.*", path)


def test_the_guide_says_which_settings_nothing_reads_yet() -> None:
    text = (GUIDES / "configuration.md").read_text()
    told = set(re.findall(r"^\| `([^`]+)` \|.*Nothing reads it yet", text, re.MULTILINE))
    sources = [path for room in ("bot", "integrations", "commands", "manifests") for path in (ROOT / room).rglob("*")]
    readers = [
        path
        for path in sources
        if path.suffix in (".py", ".j2") and not (path.parts[-2] == "model" and path.stem in SETTINGS)
    ]
    words = set(re.findall(r"\w+", "\n".join(path.read_text() for path in readers)))
    assert told == {path for path in dict(keys(Platform, "platform.")) if path.rpartition(".")[2] not in words}


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


def test_the_readme_links_every_guide() -> None:
    named = {(ROOT / link.partition("#")[0]).resolve() for page, link in links() if page == ROOT / "README.md"}
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
