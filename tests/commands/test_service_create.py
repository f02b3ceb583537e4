"""`/service create` without any system: the form, the answers, the plan."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from bot.deps import Deps
from bot.effects import CommitFiles, CreateRepository
from bot.errors import Conflict, Invalid, NotFound, Refused, UsageError
from bot.forms.schema import form_of_pages
from bot.golden_paths.sandbox import Sandbox
from bot.golden_paths.steps import ForgeNames, OutputText, Rendered, Requester, Runner
from bot.model.canonical import JSON
from bot.ports import File
from commands.service_create import (
    COMMAND,
    MAX_DETAIL,
    ServiceCreate,
    ServiceFacts,
    ServiceForm,
    checked_answers,
    known_owner,
    plan,
    read_facts,
    requested_owner,
)
from tests.commands.company import NODE, PYTHON, context, deps, known, person
from tests.fakes.forge import FakeForge
from tests.golden_paths.helpers import TEXTBOOK, path_of

OWNER = "group:default/team-orders"
FORM = form_of_pages(PYTHON.template.parameters)
REQUEST = ServiceCreate(template="python-service", values={"name": "payload-api", "owner": OWNER})

_RENDERED: dict[str, Rendered] = {}


@pytest.fixture
async def rendered() -> Rendered:
    """What the golden path comes to; run once for all tests."""
    if not _RENDERED:
        async with Sandbox() as sandbox:
            runner = Runner(sandbox=sandbox, forge=ForgeNames(owner="acme"))
            _RENDERED["one"] = await runner.run(PYTHON, REQUEST.values, Requester(ref="user:default/author"))
    return _RENDERED["one"]


def facts(rendered: Rendered, **changed: Any) -> ServiceFacts:
    found = ServiceFacts(
        title="Python Microservice", owner=OWNER, rendered=rendered, existing={}, taken={}, private=True
    )
    return replace(found, **changed)


# --- The request


def test_answers_may_stand_beside_the_template() -> None:
    beside = ServiceCreate.model_validate({"template": "x", "name": "a", "values": {"owner": "b"}})
    assert beside == ServiceCreate(template="x", values={"name": "a", "owner": "b"})


@pytest.mark.parametrize(
    "wrong", [{}, {"template": 3}, {"template": "x", "values": []}, {"template": "x", "values": "y"}]
)
def test_a_request_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        ServiceCreate.model_validate(wrong)


def test_the_owner_is_known_from_the_answers_alone() -> None:
    assert requested_owner(ServiceCreate(template="x", values={"owner": "team-orders"})) == OWNER
    assert requested_owner(ServiceCreate(template="x", values={"owner": ["team-orders"]})) is None
    assert requested_owner(ServiceCreate(template="x")) is None
    assert COMMAND.owner(REQUEST) == OWNER


# --- The answers


def test_complete_answers_pass() -> None:
    assert checked_answers(FORM, REQUEST.values) == REQUEST.values


def test_every_wrong_missing_and_unknown_answer_is_named() -> None:
    with pytest.raises(Invalid) as refused:
        checked_answers(FORM, {"name": 3, "colour": "red"})
    assert {mistake.path for mistake in refused.value.mistakes} == {"name", "owner", "colour"}


@pytest.mark.parametrize("owner", ["team-order", "component:default/orders-api", "group:other/team-orders", "../x"])
def test_an_owner_that_the_catalog_does_not_know_is_refused(owner: str) -> None:
    with pytest.raises(UsageError, match="There is no group"):
        known_owner(PYTHON, {"owner": owner}, known())


def test_an_owner_is_a_group_or_a_person_of_the_catalog() -> None:
    assert known_owner(PYTHON, {"owner": "team-orders"}, known()) == OWNER


def test_a_person_cannot_own_what_the_form_gives_to_groups_only() -> None:
    picker = "ui:field: OwnerPicker"
    groups = TEXTBOOK.replace(picker, f"{picker}\n          ui:options: {{catalogFilter: {{kind: Group}}}}")
    assert known_owner(path_of(groups), {"owner": "team-orders"}, known()) == OWNER
    with pytest.raises(UsageError, match="cannot be the owner here"):
        known_owner(path_of(groups), {"owner": "user:default/author"}, known())
    assert known_owner(PYTHON, {"owner": "user:author"}, known()) == "user:default/author"
    assert known_owner(PYTHON, {}, known()) is None


# --- The plan


def test_the_repository_is_made_before_it_is_filled(rendered: Rendered) -> None:
    made = plan(REQUEST, facts(rendered))
    assert [step.effect.kind for step in made.steps][:2] == [CreateRepository.kind, CommitFiles.kind]
    assert made.summary == "Create payload-api from Python Microservice for team-orders"
    assert made.owner == OWNER


def test_the_same_facts_give_the_same_plan_and_others_another(rendered: Rendered) -> None:
    first = plan(REQUEST, facts(rendered)).digest
    assert plan(REQUEST, facts(rendered)).digest == first
    changed = [replace(action, files=(*action.files, File("more", b"x"))) for action in rendered.actions]
    assert plan(REQUEST, facts(replace(rendered, actions=tuple(changed)))).digest != first
    assert plan(REQUEST, facts(rendered, private=False)).digest != first


def test_taken_names_are_refused(rendered: Rendered) -> None:
    with pytest.raises(Conflict, match=r"The repository acme/payload-api exists already\. Choose another name\."):
        plan(REQUEST, facts(rendered, existing={"acme/payload-api": "empty"}))
    taken = {"component:default/payload-api": "github:acme/other"}
    with pytest.raises(Conflict, match="is in the catalog already, declared by github:acme/other"):
        plan(REQUEST, facts(rendered, taken=taken))


def test_a_golden_path_that_changes_nothing_is_told(rendered: Rendered) -> None:
    with pytest.raises(UsageError, match="changes nothing for these answers"):
        plan(REQUEST, facts(replace(rendered, actions=())))


def test_long_and_binary_files_are_shown_in_short(rendered: Rendered) -> None:
    files = (File("big.txt", b"x" * (MAX_DETAIL + 1)), File("logo.png", b"\x89PNG\xff"))
    shown = {one.title: one.text for one in plan(REQUEST, facts(replace(rendered, files=files))).details}
    assert shown["big.txt"] == "x" * MAX_DETAIL + "\n… (cut)"
    assert shown["logo.png"] == "(binary, 5 bytes)"


def test_what_the_golden_path_says_is_a_note(rendered: Rendered) -> None:
    text = (OutputText(title="Next ", content="Clone it.\n"), OutputText(title="", content="Good luck."))
    notes = plan(REQUEST, facts(replace(rendered, text=text))).notes
    assert notes[-2:] == ("Next: Clone it.", "Good luck.")


# --- The form


@cache
def two() -> ServiceForm:
    return ServiceForm(deps([PYTHON, NODE]))


def test_with_one_golden_path_its_form_opens_at_once() -> None:
    start = ServiceForm(deps()).start([], person("team-orders"))
    assert [field.name for field in start.form.fields()] == ["name", "owner"]
    assert start.values["owner"] == OWNER, "whoever is in one team only need not say which"
    assert len(start.title) <= 24


def test_with_several_the_person_chooses_first() -> None:
    start = two().start([], person("team-orders"))
    (field,) = start.form.fields()
    assert [option.value for option in field.options] == ["python-service", "node-service"]
    assert start.submit == "Next"
    chosen = two().resume({"template": "node-service"}, person("team-orders"))
    assert [field.name for field in chosen.form.fields()] == ["template", "name", "owner"]


def test_a_named_golden_path_opens_directly() -> None:
    start = two().start(["node-service"], person("team-orders", "team-checkout"))
    assert [field.name for field in start.form.fields()] == ["name", "owner"]
    assert start.values["template"] == "node-service"
    assert "owner" not in start.values, "of two teams nobody guesses one"


def test_an_unknown_golden_path_or_none_is_told() -> None:
    with pytest.raises(NotFound, match="There is no golden path `ruby`"):
        two().start(["ruby"], person())
    with pytest.raises(UsageError, match="There is no golden path to create a service from"):
        ServiceForm(deps([])).start([], person())


def test_the_form_gives_the_request_without_its_own_helpers() -> None:
    values: dict[str, JSON] = {"template": "python-service", "direct": True, "name": "a", "owner": OWNER}
    assert two().request(values) == {"template": "python-service", "values": {"name": "a", "owner": OWNER}}


def test_what_was_typed_comes_back() -> None:
    again = two().resume({"template": "python-service", "direct": True, "name": "typed"}, person("team-orders"))
    assert again.values["name"] == "typed"
    assert [field.name for field in again.form.fields()] == ["name", "owner"]


SYSTEM = "        system: {type: string, ui:field: EntityPicker, ui:options: {catalogFilter: {kind: System}}}\n"
WITH_SYSTEM = TEXTBOOK.replace("        owner:\n", f"{SYSTEM}        owner:\n")


@pytest.mark.parametrize("given", ["nope", "system:default/nope", "x" * 10_000])
async def test_an_entity_that_is_not_in_the_catalog_is_refused_by_name(given: str) -> None:
    values = {"name": "orders", "owner": "team-orders", "system": given}
    request = ServiceCreate.model_validate({"template": "python-service", "values": values})
    with pytest.raises(Invalid) as caught:
        await read_facts(request, context("team-orders"), deps([path_of(WITH_SYSTEM)]))
    (mistake,) = caught.value.mistakes
    assert mistake.path == "system"
    assert len(str(mistake)) < 200


async def refused(template: str, **values: JSON) -> Refused:
    """Run the template's reading steps and the plan; return the refusal."""
    path = path_of(template, {"skeleton/README.md": "# hello\n"})
    async with Sandbox() as sandbox:
        found = deps([path])
        company = Deps(
            catalog=found.catalog,
            templates=found.templates,
            runner=Runner(sandbox=sandbox, forge=ForgeNames(owner="acme")),
            organizations=frozenset({"acme"}),
            forge=FakeForge(),
        )
        request = ServiceCreate.model_validate({"template": "python-service", "values": values})
        with pytest.raises(Refused) as caught:
            plan(request, await read_facts(request, context("team-orders"), company))
        return caught.value


async def test_a_golden_path_reaches_no_other_organisation() -> None:
    template = TEXTBOOK.replace("github.com?repo=", "github.com?owner=evil&repo=")
    told = await refused(template, name="orders", owner="team-orders")
    assert "`evil` is not an organisation" in told.message


async def test_a_golden_path_pushes_to_no_repository_that_it_has_not_made() -> None:
    template = TEXTBOOK.replace("publish:github", "github:repo:push")
    told = await refused(template, name="catalog", owner="team-orders")
    assert "acme/catalog" in told.message
    assert "pull-request" in told.hint


async def test_a_catalog_file_that_nobody_could_read_is_refused_before_anybody_approves() -> None:
    register = {"id": "register", "action": "catalog:register", "input": {"catalogInfoUrl": "https://x.example/c.yaml"}}
    path = path_of(
        f"{TEXTBOOK}    - {register}\n",
        {"skeleton/catalog-info.yaml": "kind: Component\nmetadata: {name: ${{ values.name }}}\n"},
    )
    async with Sandbox() as sandbox:
        found = deps([path])
        runner = Runner(sandbox=sandbox, forge=ForgeNames(owner="acme"))
        company = Deps(catalog=found.catalog, templates=found.templates, runner=runner, forge=FakeForge())
        request = ServiceCreate.model_validate(
            {"template": "python-service", "values": {"name": "orders", "owner": "team-orders"}}
        )
        with pytest.raises(Invalid, match="could not read the service"):
            await read_facts(request, context("team-orders"), company)
