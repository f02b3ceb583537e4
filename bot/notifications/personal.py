"""What a person is told directly of an operation, where they have said that they want it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.catalog.index import Index
from bot.model.notifications import Personal, PersonalWishes
from bot.model.operation import Need, State
from bot.model.principal import Door
from bot.notifications.deciding import decide_for
from bot.notifications.gate import ASKS, LINE, Change
from bot.slack.mrkdwn import cut, escape

_ENDS = {State.SUCCEEDED: "✅ It has ended well", State.REJECTED: "⚠️ It was not approved"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Direct:
    """One line to one person."""

    id: str
    """The same for the same news to the same person."""
    person: str
    """Full reference."""
    news: Personal
    line: str
    due: datetime


def told_directly(
    change: Change, need: Need | None, digest: str, wishes: Mapping[str, PersonalWishes], index: Index, *, now: datetime
) -> Iterator[Direct]:
    """`wishes` are those of everybody who has written some down, by full reference."""
    asked = change.asked
    said = escape(cut(change.plan.summary if change.plan else asked.command.replace(".", " "), LINE))
    if change.state is State.AWAITING_APPROVAL and need is not None:
        for person, own in wishes.items():
            if person != asked.principal.user and _may_approve(person, need, index):
                line = f"Somebody waits for your approval: {said}, asked by {escape(asked.principal.display_name)}."
                yield from _one(Personal.APPROVALS, person, own, line, about=f"{asked.operation} {digest}", now=now)
        return
    own_wishes = wishes.get(asked.principal.user)
    if own_wishes is None or not change.state.final:
        return
    if asked.command == ASKS and change.state is State.SUCCEEDED:
        line = f"A preview of yours ends soon: {said}."
        yield from _one(Personal.ENDINGS, asked.principal.user, own_wishes, line, about=asked.operation, now=now)
    elif asked.door not in (Door.FORGE, Door.AGENDA):
        line = f"{_ENDS.get(change.state, '⚠️ It has not gone well')}: {said}."
        told_as = f"{asked.operation} {change.state}"
        yield from _one(Personal.ENDED, asked.principal.user, own_wishes, line, about=told_as, now=now)


def _one(
    news: Personal, person: str, wishes: PersonalWishes, line: str, *, about: str, now: datetime
) -> Iterator[Direct]:
    decided = decide_for(news, wishes, now, pressing=news is Personal.APPROVALS)
    if decided.how == "never":
        return
    digest = hashlib.sha256(f"{news}\n{person}\n{about}".encode()).hexdigest()
    yield Direct(id=f"d-{digest[:40]}", person=person, news=news, line=line, due=decided.at or now)


def _may_approve(person: str, need: Need, index: Index) -> bool:
    principal = index.principal(person)
    return principal is not None and bool(need.approvers & {person, *principal.groups})
