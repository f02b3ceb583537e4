"""`/idp incident open`: a channel of its own for an alert that many have to talk about."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import BaseModel, Field

from bot.alerting.asking import GROUP, Facts, alert_plan, change, group_said, lead_of, read_alert, who
from bot.command import Command, Context
from bot.deps import Deps
from bot.effects import AddPeople, OpenRoom, SayInRoom
from bot.errors import Conflict
from bot.model.late import Late, OutputRef
from bot.model.plan import Plan
from bot.slack.mrkdwn import escape

USAGE = "<id>"
LONGEST_NAME = 80
LONGEST_TOPIC = 180


class IncidentOpen(BaseModel, frozen=True, extra="forbid"):
    """For which alert."""

    group: str = Field(pattern=GROUP.pattern, description="Id of the alert", examples=["ag-0123456789abcdef0123"])


def parse(words: Sequence[str]) -> IncidentOpen:
    return IncidentOpen(group=group_said(list(words), f"/idp incident open {USAGE}"))


async def read_facts(request: IncidentOpen, context: Context, deps: Deps) -> Facts:
    return await read_alert(request.group, context, deps)


def plan(request: IncidentOpen, facts: Facts) -> Plan:
    group = facts.group
    if group.incident_channel:
        raise Conflict("There is a channel for it already.", hint="The alert's card names it.")
    named = (facts.user, group.acknowledged_by, group.assigned_to, *lead_of(facts))
    people = tuple(dict.fromkeys(person for person in named if person))
    room = Late(parts=(OutputRef(effect="room", output="room"),))
    opened = OpenRoom(id="room", name=room_name(facts), topic=facts.title[:LONGEST_TOPIC])
    there = AddPeople(id="people", room=room, people=people)
    said = SayInRoom(
        id="say",
        room=room,
        text=f"{who(facts.name)} has opened this channel for an alert: {escape(facts.title)}",
        card=group.id,
    )
    line = Late(parts=(f"{who(facts.name)} has opened <#", OutputRef(effect="room", output="room"), "> for it."))
    late = room.model_dump(mode="json", by_alias=True)
    noted = change(facts, {"incident_channel": late}, line, "Write down which channel it is")
    return alert_plan(f"Open an incident channel for {facts.title}", facts, opened, there, said, noted)


def room_name(facts: Facts) -> str:
    """Return the channel's name: `inc-2026-11-28-orders-api-1a2b`. The end tells episodes apart."""
    about = re.sub(r"[^a-z0-9]+", "-", (facts.group.service or facts.group.title).lower()).strip("-") or "alert"
    end = facts.group.id[-4:]
    begin = f"inc-{facts.now:%Y-%m-%d}-"
    return f"{begin}{about[: LONGEST_NAME - len(begin) - len(end) - 1].strip('-')}-{end}"


COMMAND: Command[IncidentOpen, Facts] = Command(
    name="incident.open",
    summary="Open a channel of its own for an alert",
    usage=USAGE,
    request=IncidentOpen,
    facts=read_facts,
    plan=plan,
    owner=lambda _: None,
    parse=parse,
    beside=lambda request: request.group,
)
