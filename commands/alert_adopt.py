"""`/idp alert adopt`: an alert that is nobody's becomes a team's, from now on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, Field

from bot.alerting.asking import GROUP, Facts, alert_plan, called, change, group_said, read_alert, who
from bot.catalog.index import Index, owner_of
from bot.command import Command, Context, FormStart
from bot.deps import Deps
from bot.errors import Conflict, NotFound, UsageError
from bot.forms.model import Form, FormField, Kind, Page
from bot.model.canonical import JSON
from bot.model.entities import Group, full_ref
from bot.model.plan import Plan
from bot.model.principal import Principal

USAGE = "<id> <team or service>"


class AlertAdopt(BaseModel, frozen=True, extra="forbid"):
    """Which one, and whose it becomes."""

    group: str = Field(pattern=GROUP.pattern, description="Id of the alert", examples=["ag-0123456789abcdef0123"])
    owner: str = Field(
        min_length=1,
        max_length=200,
        description="A group, or a service whose owner it becomes",
        examples=["team-orders"],
    )


def parse(words: Sequence[str]) -> AlertAdopt:
    usage = f"/idp alert adopt {USAGE}"
    group = group_said(list(words), usage)
    match list(words[1:]):
        case [owner] | ["for", owner]:
            return AlertAdopt(group=group, owner=owner)
    raise UsageError("Whose is it?", hint=f"Try `{usage}`.")


class AdoptForm:
    """Asks for the team or the service."""

    def __init__(self, deps: Deps) -> None:
        """The picker asks the catalog itself."""

    def start(self, words: Sequence[str], principal: Principal) -> FormStart:
        return self._form({"group": group_said(list(words), f"/idp alert adopt {USAGE}")})

    def resume(self, values: Mapping[str, JSON], principal: Principal) -> FormStart:
        return self._form({"group": values.get("group")})

    def request(self, values: Mapping[str, JSON]) -> dict[str, JSON]:
        return {name: values[name] for name in ("group", "owner") if values.get(name)}

    def _form(self, values: dict[str, JSON]) -> FormStart:
        owner = FormField(
            name="owner",
            kind=Kind.ENTITY,
            title="Team or service",
            required=True,
            catalog_filter=[{"kind": "Group"}, {"kind": "Component"}],
            help="The next alert like this one is told in their channel.",
        )
        page = Page(title="Adopt", fields=(owner,))
        return FormStart(title="Adopt an alert", form=Form(pages=(page,)), values=values, submit="Adopt")


async def read_facts(request: AlertAdopt, context: Context, deps: Deps) -> Facts:
    return await read_alert(request.group, context, deps)


def plan(request: AlertAdopt, facts: Facts) -> Plan:
    if facts.group.owner is not None:
        raise Conflict(f"It is {called(facts.group.owner, facts.index)}'s already.")
    owner = _owner(request.owner, facts.index)
    name = called(owner, facts.index)
    line = f"{who(facts.name)} has adopted it for {who(name)}. The next one like it is told in their channel."
    noted = change(facts, {"owner": owner}, line, f"Write down that alerts like this one are {name}'s")
    return alert_plan(f"Adopt {facts.title} for {name}", facts, noted, owner=owner)


def _owner(named: str, index: Index) -> str:
    """Return the group that is meant, by its own name or by that of a service. Raise `NotFound`."""
    found = index.get(full_ref(named, kind="group"))
    if found is not None and isinstance(found.entity, Group):
        return found.ref
    service = index.service(named)
    owner = owner_of(service.entity) if service is not None else None
    if owner is None or index.get(owner) is None:
        raise NotFound(f"There is no group and no owned service `{named[:80]}` in the catalog.")
    return owner


COMMAND: Command[AlertAdopt, Facts] = Command(
    name="alert.adopt",
    summary="Make an alert that is nobody's a team's",
    usage=USAGE,
    request=AlertAdopt,
    facts=read_facts,
    plan=plan,
    owner=lambda _: None,
    form=AdoptForm,
    parse=parse,
    beside=lambda request: request.group,
)
