"""`/idp alert unsilence`: the silence that was made from an alert's card ends now."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

from bot.alerting.asking import GROUP, Facts, alert_plan, change, group_said, read_alert, who
from bot.command import Command, Context
from bot.deps import Deps
from bot.effects import EndSilence
from bot.errors import Conflict
from bot.model.plan import Plan

USAGE = "<id>"


class AlertUnsilence(BaseModel, frozen=True, extra="forbid"):
    """Which one."""

    group: str = Field(pattern=GROUP.pattern, description="Id of the alert", examples=["ag-0123456789abcdef0123"])


def parse(words: Sequence[str]) -> AlertUnsilence:
    return AlertUnsilence(group=group_said(list(words), f"/idp alert unsilence {USAGE}"))


async def read_facts(request: AlertUnsilence, context: Context, deps: Deps) -> Facts:
    return await read_alert(request.group, context, deps, also_closed=True)


def plan(request: AlertUnsilence, facts: Facts) -> Plan:
    quieted = facts.group.quieted
    if quieted is None:
        raise Conflict(
            "Nobody has silenced it from its card.",
            hint="Silences that were made elsewhere are on Alertmanager's page.",
        )
    ended = EndSilence(id="unsilence", silence=quieted.id)
    line = f"{who(facts.name)} has ended the silence."
    noted = change(facts, {"quieted": None}, line, "Write down that it is told again")
    return alert_plan(f"End the silence of {facts.title}", facts, ended, noted)


COMMAND: Command[AlertUnsilence, Facts] = Command(
    name="alert.unsilence",
    summary="Have a silenced alert be told again",
    usage=USAGE,
    request=AlertUnsilence,
    facts=read_facts,
    plan=plan,
    owner=lambda _: None,
    parse=parse,
    beside=lambda request: request.group,
)
