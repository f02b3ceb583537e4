"""`/idp alert escalate`: whom the catalog names is called."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

from bot.alerting.asking import GROUP, LEAD, Facts, alert_plan, called, change, group_said, lead_of, read_alert, who
from bot.command import Command, Context
from bot.deps import Deps
from bot.effects import TellPeople
from bot.errors import Conflict, NotFound
from bot.model.plan import Plan
from bot.slack.mrkdwn import escape

USAGE = "<id>"


class AlertEscalate(BaseModel, frozen=True, extra="forbid"):
    """Which one."""

    group: str = Field(pattern=GROUP.pattern, description="Id of the alert", examples=["ag-0123456789abcdef0123"])


def parse(words: Sequence[str]) -> AlertEscalate:
    return AlertEscalate(group=group_said(list(words), f"/idp alert escalate {USAGE}"))


async def read_facts(request: AlertEscalate, context: Context, deps: Deps) -> Facts:
    return await read_alert(request.group, context, deps)


def plan(request: AlertEscalate, facts: Facts) -> Plan:
    group = facts.group
    if group.escalated_to is not None:
        raise Conflict(f"{called(group.escalated_to, facts.index)} has been called already.")
    people = tuple(person for person in lead_of(facts) if person != facts.user)
    if not people:
        hint = "Adopt it first." if group.owner is None else f"Name a lead: the annotation `{LEAD}` of the group."
        raise NotFound("The catalog names nobody else to call for this alert.", hint=hint)
    called_ref = people[0] if len(people) == 1 else group.owner or people[0]
    name = called(called_ref, facts.index)
    told = TellPeople(
        id="tell",
        people=people,
        text=f"{who(facts.name)} asks you to look at an alert: {escape(facts.title)}",
        card=group.id,
    )
    line = f"{who(facts.name)} has called {who(name)}."
    noted = change(facts, {"escalated_to": called_ref}, line, f"Write down that {name} was called")
    return alert_plan(f"Escalate {facts.title} to {name}", facts, told, noted)


COMMAND: Command[AlertEscalate, Facts] = Command(
    name="alert.escalate",
    summary="Call whoever leads the team that owns an alert",
    usage=USAGE,
    request=AlertEscalate,
    facts=read_facts,
    plan=plan,
    owner=lambda _: None,
    parse=parse,
    beside=lambda request: request.group,
)
