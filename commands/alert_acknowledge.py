"""`/idp alert acknowledge`: somebody is on it."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

from bot.alerting.asking import GROUP, Facts, alert_plan, called, change, group_said, read_alert, who
from bot.command import Command, Context
from bot.deps import Deps
from bot.errors import Conflict
from bot.model.plan import Plan

USAGE = "<id>"


class AlertAcknowledge(BaseModel, frozen=True, extra="forbid"):
    """Which one."""

    group: str = Field(pattern=GROUP.pattern, description="Id of the alert", examples=["ag-0123456789abcdef0123"])


def parse(words: Sequence[str]) -> AlertAcknowledge:
    return AlertAcknowledge(group=group_said(list(words), f"/idp alert acknowledge {USAGE}"))


async def read_facts(request: AlertAcknowledge, context: Context, deps: Deps) -> Facts:
    return await read_alert(request.group, context, deps)


def plan(request: AlertAcknowledge, facts: Facts) -> Plan:
    taken = facts.group.acknowledged_by
    if taken is not None:
        name = "You are" if taken == facts.user else f"{called(taken, facts.index)} is"
        raise Conflict(f"{name} on it already.", hint="Assign it to somebody else where they should go on.")
    changes = {"acknowledged_by": facts.user, "acknowledged_at": facts.now.isoformat()}
    line = f"{who(facts.name)} is on it."
    noted = change(facts, {**changes}, line, f"Write down that {facts.name} is on it")
    return alert_plan(f"Acknowledge {facts.title}", facts, noted)


COMMAND: Command[AlertAcknowledge, Facts] = Command(
    name="alert.acknowledge",
    summary="Say that you are on an alert",
    usage=USAGE,
    request=AlertAcknowledge,
    facts=read_facts,
    plan=plan,
    owner=lambda _: None,
    parse=parse,
    beside=lambda request: request.group,
)
