"""`/idp alert assign`: somebody is to look after an alert, and is told directly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, Field

from bot.alerting.asking import GROUP, Facts, alert_plan, called, change, group_said, read_alert, who
from bot.command import Command, Context, FormStart
from bot.deps import Deps
from bot.effects import TellPeople
from bot.errors import Conflict, NotFound, UsageError
from bot.forms.model import Form, FormField, Kind, Page
from bot.model.canonical import JSON
from bot.model.entities import full_ref
from bot.model.notifications import Personal
from bot.model.plan import Plan
from bot.model.principal import Principal
from bot.slack.mrkdwn import escape

USAGE = "<id> <person>"


class AlertAssign(BaseModel, frozen=True, extra="forbid"):
    """Which one, and to whom."""

    group: str = Field(pattern=GROUP.pattern, description="Id of the alert", examples=["ag-0123456789abcdef0123"])
    person: str = Field(min_length=1, max_length=200, description="A user of the catalog", examples=["author"])


def parse(words: Sequence[str]) -> AlertAssign:
    usage = f"/idp alert assign {USAGE}"
    group = group_said(list(words), usage)
    match list(words[1:]):
        case [person] | ["to", person]:
            return AlertAssign(group=group, person=person.lstrip("@"))
    raise UsageError("To whom?", hint=f"Try `{usage}`.")


class AssignForm:
    """Asks for the person."""

    def __init__(self, deps: Deps) -> None:
        """The picker asks the catalog itself."""

    def start(self, words: Sequence[str], principal: Principal) -> FormStart:
        return self._form({"group": group_said(list(words), f"/idp alert assign {USAGE}")})

    def resume(self, values: Mapping[str, JSON], principal: Principal) -> FormStart:
        return self._form({"group": values.get("group")})

    def request(self, values: Mapping[str, JSON]) -> dict[str, JSON]:
        return {name: values[name] for name in ("group", "person") if values.get(name)}

    def _form(self, values: dict[str, JSON]) -> FormStart:
        person = FormField(
            name="person",
            kind=Kind.ENTITY,
            title="Person",
            required=True,
            catalog_filter={"kind": "User"},
            help="They are told directly.",
        )
        page = Page(title="Assign", fields=(person,))
        return FormStart(title="Assign an alert", form=Form(pages=(page,)), values=values, submit="Assign")


async def read_facts(request: AlertAssign, context: Context, deps: Deps) -> Facts:
    return await read_alert(request.group, context, deps)


def plan(request: AlertAssign, facts: Facts) -> Plan:
    person = facts.index.principal(full_ref(request.person, kind="user"))
    if person is None:
        raise NotFound(f"There is no `{request.person[:80]}` in the catalog.", hint="Use the name they have there.")
    if facts.group.assigned_to == person.user:
        raise Conflict(f"It is assigned to {called(person.user, facts.index)} already.")
    line = f"{who(facts.name)} has assigned it to {who(person.display_name)}."
    noted = change(facts, {"assigned_to": person.user}, line, f"Write down that {person.display_name} looks after it")
    told = TellPeople(
        id="tell",
        people=(person.user,),
        text=f"{who(facts.name)} has assigned an alert to you: {escape(facts.title)}",
        card=facts.group.id,
        news=Personal.ASSIGNED,
    )
    effects = (noted,) if person.user == facts.user else (noted, told)
    return alert_plan(f"Assign {facts.title} to {person.display_name}", facts, *effects)


COMMAND: Command[AlertAssign, Facts] = Command(
    name="alert.assign",
    summary="Have somebody look after an alert",
    usage=USAGE,
    request=AlertAssign,
    facts=read_facts,
    plan=plan,
    owner=lambda _: None,
    form=AssignForm,
    parse=parse,
    beside=lambda request: request.group,
)
