"""Where a group is told: on a card of its own, on that of its cause, or on the day's digest.

Decided a moment after it began, once for each group, in the transaction of whoever has the duty; what is read there
stands in rows, so whichever replica decides, it decides the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Select, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.alerting.budget import begin_of_day, day_of, goes_on_digest
from bot.alerting.cards import where
from bot.alerting.drawing import Drawing
from bot.alerting.folding import RANK, Candidate, Chain, fold
from bot.alerting.identity import digest_id, event_key
from bot.alerting.rows import read_groups
from bot.alerting.timeline import Event, noted, say_all, tell
from bot.model.alerts import AlertGroup, AlertState, Severity
from bot.model.notifications import TeamWishes
from bot.notifications.deciding import How, began_in_quiet, decide_alert
from bot.slack.mrkdwn import cut, escape
from bot.slack.outbox import Turn
from bot.storage.alerts import alert_digests, alert_groups, alert_told

LINGER = timedelta(minutes=2)
"""A cause that has ended keeps what is folded into it for so long: mostly that ends as well."""
SILENT = timedelta(seconds=30)
"""When it is looked again whether a group still is silenced, or nobody wants to hear of it yet, before it was told."""
AT_ONCE = 200
"""Most groups that are decided in one transaction."""
_OTHERS = 500
_NOTICE = "notice:"
"""Begins the name under which lines outside of cards are counted; the channel follows."""
_TITLES = 5


class Budgets(Protocol):
    def __call__(self, channel: str) -> int: ...


WishesOf = Callable[[str | None], TeamWishes]
"""What the owner's channel wants to hear of, from memory."""


def everything(_owner: str | None) -> TeamWishes:
    return TeamWishes()


@dataclass(frozen=True, slots=True)
class _Round:
    """One transaction in which places are given."""

    connection: AsyncConnection
    now: datetime
    told: dict[str, int] = field(default_factory=dict)
    """Channel → top-level messages of today, as far as it was asked."""

    async def told_today(self, channel: str) -> int:
        """Return how many top-level messages about alerts this channel has had today, digests aside."""
        if channel not in self.told:
            begin = begin_of_day(self.now).timestamp()
            cards = select(func.count()).where(alert_groups.c.channel == channel, alert_groups.c.carded_at >= begin)
            lines = select(func.count()).where(alert_told.c.group == notices_of(channel), alert_told.c.at >= begin)
            self.told[channel] = sum([(await self.connection.execute(one)).scalar_one() for one in (cards, lines)])
        return self.told[channel]

    def tells(self, channel: str) -> None:
        self.told[channel] = self.told.get(channel, 0) + 1

    async def set(self, group: str, **values: Any) -> None:
        await self.connection.execute(update(alert_groups).where(alert_groups.c.id == group).values(**values))

    async def renew(self, group: str, **values: Any) -> int:
        """Set them, and return the new revision. The database counts: people may decide something meanwhile."""
        newer = update(alert_groups).where(alert_groups.c.id == group)
        newer = newer.values(**values, revision=alert_groups.c.revision + 1)
        return int((await self.connection.execute(newer.returning(alert_groups.c.revision))).scalar_one())


class Deciding:
    """Decides what is due."""

    def __init__(self, drawing: Drawing, chain: Chain, budget: Budgets, wishes_of: WishesOf = everything) -> None:
        """`chain` tells what a service depends on; `budget` how much a channel is told a day."""
        self._wishes_of = wishes_of
        self._drawing = drawing
        self._chain = chain
        self._budget = budget

    async def is_due(self, connection: AsyncConnection, now: datetime) -> bool:
        """Return whether there is anything to decide."""
        due = select(alert_groups.c.id).where(alert_groups.c.due_at <= now.timestamp())
        for statement in (due, _freed(now), _risen()):
            if (await connection.execute(statement.limit(1))).first() is not None:
                return True
        return False

    async def decide(self, connection: AsyncConnection, now: datetime) -> int:
        """Return how many groups got their place."""
        this = _Round(connection, now)
        await self._unfold(this)
        table = alert_groups.c
        due = await read_groups(connection, table.due_at <= now.timestamp(), newest_first=False, limit=AT_ONCE)
        loud = [group for group in due if await self._is_loud(this, group)]
        if not loud:
            return 0
        others = [group for group in await _others(this) if group.has_card or self._how(group, now) == "now"]
        known = {group.id: group for group in (*others, *loud)}
        causes = fold((_candidate(group) for group in known.values() if group.is_open), self._chain)
        folded = {group.id: known[causes[group.id]] for group in loud if group.id in causes}
        needed = {cause.id for cause in folded.values()}
        own = {group.id for group in loud} - set(folded) | {id_ for id_ in needed if not known[id_].has_card}
        for group in sorted((known[id_] for id_ in own), key=lambda one: one.number):
            await self._give_card(this, group, must=group.id in needed)
        await self._fold_in(this, [(known[id_], cause) for id_, cause in folded.items()])
        return len(loud)

    def _how(self, group: AlertGroup, now: datetime) -> How:
        return decide_alert(group.severity, self._wishes_of(group.owner), now).how

    async def _is_loud(self, this: _Round, group: AlertGroup) -> bool:
        """Whether it gets its place now. Otherwise it is looked at again, or stands on the digest already.

        What was held and has ended by itself is one line there: nobody has to do anything about it any more.
        """
        how = "later" if group.silenced else self._how(group, this.now)
        if how == "now" and (group.is_open or not began_in_quiet(self._wishes_of(group.owner), group.started_at)):
            return True
        if how in ("now", "summary"):
            await self._to_digest(this, group)
        elif how == "never" and not group.is_open:
            await this.set(group.id, due_at=None)
        else:
            await this.set(group.id, due_at=(this.now + SILENT).timestamp())
        return False

    # --- The three places

    async def _give_card(self, this: _Round, group: AlertGroup, *, must: bool) -> None:
        """`must`: others are told on it, so it is no use on a digest."""
        told = await this.told_today(group.channel)
        if not must and goes_on_digest(group.severity, told, self._budget(group.channel)):
            await self._to_digest(this, group)
            return
        this.tells(group.channel)
        revision = await this.renew(group.id, due_at=None, carded_at=this.now.timestamp(), digest="")
        turn = Turn(group.channel, group.number)
        urgent = group.severity is Severity.CRITICAL
        outbox = self._drawing.threads
        await outbox.operation_changed(this.connection, group.id, revision, urgent=urgent, turn=turn)
        await say_all(this.connection, outbox, group.id)

    async def _to_digest(self, this: _Round, group: AlertGroup) -> None:
        day = day_of(this.now)
        id_ = digest_id(group.channel, day)
        found = await this.connection.execute(select(alert_digests.c.id).where(alert_digests.c.id == id_))
        if found.first() is None:
            row = {"id": id_, "channel": group.channel, "day": day, "revision": 0}
            await this.connection.execute(alert_digests.insert().values(row))
        await this.set(group.id, due_at=None, digest=id_)
        await self._drawing.redraw_digest(this.connection, id_, turn=Turn(group.channel, group.number))

    async def _fold_in(self, this: _Round, pairs: Iterable[tuple[AlertGroup, AlertGroup]]) -> None:
        """Note each on the card of its cause; tell those whose channel is another one once."""
        into: dict[str, list[AlertGroup]] = defaultdict(list)
        cause_of: dict[str, AlertGroup] = {}
        for group, cause in sorted(pairs, key=lambda pair: pair[0].number):
            await this.renew(group.id, due_at=None, cause=cause.id)
            into[cause.id].append(group)
            cause_of[cause.id] = cause
        for id_, groups in into.items():
            cause = cause_of[id_]
            await self._drawing.redraw(this.connection, id_)
            line = f"{_named(groups)} with it, probably for the same cause."
            event = Event(event_key("folded", *(group.id for group in groups)), this.now, line)
            await tell(this.connection, self._drawing.threads, id_, event)
            for channel in dict.fromkeys(group.channel for group in groups if group.channel != cause.channel):
                await self._tell_elsewhere(this, [group for group in groups if group.channel == channel], cause)

    async def _tell_elsewhere(self, this: _Round, groups: Sequence[AlertGroup], cause: AlertGroup) -> None:
        """A team whose alert is told in another channel reads so in its own: one line for each cause."""
        channel = groups[0].channel
        worst = min((group.severity for group in groups), key=lambda one: RANK[one])
        if goes_on_digest(worst, await this.told_today(channel), self._budget(channel)):
            for group in groups:
                await self._to_digest(this, group)
            return
        is_new = await noted(this.connection, notices_of(channel), Event(event_key("folded", cause.id), this.now))
        if worst is Severity.CRITICAL:  # not hidden behind a line that spoke of less
            critical = Event(event_key("critical elsewhere", channel), this.now)
            is_new = await noted(this.connection, cause.id, critical) or is_new
        if not is_new:
            return
        this.tells(channel)
        is_id = cause.channel[:1] in ("C", "G") and cause.channel.isalnum() and cause.channel.isupper()
        there = f"<#{cause.channel}>" if is_id else escape(cause.channel)
        text = (
            f"{_named(groups)} here. The cause is probably {where(cause)}: {escape(cut(cause.title, 120))}, "
            f"which is told in {there}."
        )
        key = event_key("elsewhere", cause.id, channel, worst.value if worst is Severity.CRITICAL else "")
        await self._drawing.threads.message(channel=channel, text=text, key=key, connection=this.connection)

    # --- What changes later

    async def _unfold(self, this: _Round) -> None:
        """What still fires when its cause has ended, or has become worse than it, gets a place of its own.

        So does what has become critical while it stood on a digest.
        """
        connection, now = this.connection, this.now.timestamp()
        for row in (await connection.execute(_freed(this.now))).all():
            await this.set(row.id, cause="", digest="", due_at=now)
            await self._drawing.redraw(connection, row.cause)
            if row.digest:
                await self._drawing.redraw_digest(connection, row.digest)
        for row in (await connection.execute(_risen())).all():
            await this.set(row.id, cause="", digest="", due_at=now)
            await self._drawing.redraw(connection, row.cause)
            await self._drawing.redraw_digest(connection, row.digest)


async def _others(this: _Round) -> tuple[AlertGroup, ...]:
    """Return what fires and is told on a card of its own, or will be decided soon: the possible causes.

    What is silenced is none: nobody looks there, so nothing new may be hidden on its card.
    """
    table = alert_groups.c
    placed = and_(table.carded_at.is_not(None), table.cause == "")
    soon = table.due_at > this.now.timestamp()
    fires = (table.state == AlertState.FIRING.value, table.digest == "")
    found = await read_groups(this.connection, *fires, or_(placed, soon), limit=_OTHERS)
    return tuple(group for group in found if not group.silenced)


def _freed(now: datetime) -> Select[Any]:
    folded, cause = alert_groups, alert_groups.alias("cause_of_it")
    ended = and_(cause.c.state == AlertState.RESOLVED.value, cause.c.ended_at <= (now - LINGER).timestamp())
    worse = and_(folded.c.severity == Severity.CRITICAL.value, cause.c.severity != Severity.CRITICAL.value)
    joined = select(folded.c.id, folded.c.cause, folded.c.digest).join_from(folded, cause, cause.c.id == folded.c.cause)
    return joined.where(folded.c.state == AlertState.FIRING.value, folded.c.due_at.is_(None), or_(ended, worse))


def _risen() -> Select[Any]:
    table = alert_groups.c
    rose = (table.digest != "", table.severity == Severity.CRITICAL.value, table.due_at.is_(None))
    return select(table.id, table.cause, table.digest).where(table.state == AlertState.FIRING.value, *rose)


def notices_of(channel: str) -> str:
    """Return under which name the lines outside of cards are counted that a channel was told."""
    return f"{_NOTICE}{channel}"[:64]


def _candidate(group: AlertGroup) -> Candidate:
    return Candidate(
        id=group.id,
        number=group.number,
        severity=group.severity,
        began_at=group.started_at,
        service=group.service,
        environment=group.environment,
        labels={**_common(group), **group.labels},
        has_card=group.has_card,
    )


def _common(group: AlertGroup) -> Mapping[str, str]:
    firing = [alert.labels for alert in group.alerts if alert.state is AlertState.FIRING]
    if not firing:
        return {}
    first, *others = firing
    return {name: text for name, text in first.items() if all(other.get(name) == text for other in others)}


def _named(groups: Sequence[AlertGroup]) -> str:
    """Return the begin of a sentence: which groups fire, a few of them by name."""
    texts = [
        f"{escape(cut(group.title, 80))} of {where(group)}" if group.service else escape(cut(group.title, 80))
        for group in groups[:_TITLES]
    ]
    more = len(groups) - len(texts)
    verb = "fires" if len(groups) == 1 else "fire"
    return f"{', '.join(texts)}{f' and {more} more' if more else ''} {verb}"
