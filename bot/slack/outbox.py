"""Everything we tell people through Slack goes through here: durable, in order, at Slack's pace, never twice.

A card is one row; what it shows is asked for when it is sent, so changes that come quicker than Slack allows are told
as one, and the last state always arrives. All else is a row of its own, in order within its lane (a channel, a thread).
One replica at a time does the sending, because Slack's limits are for the whole app; the others only add rows.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.canonical import JSON
from bot.slack.delivery import Card, CardSource, Delivery
from bot.slack.gateway import Gateway
from bot.slack.message import Message, Picture, TextFile
from bot.slack.outbox_rows import CLAIM_S, THREAD, CardPlace, CardRow, OutboxRow, Priority, Row, RowKind, Rows, Turn
from bot.slack.pace import SystemTimer, Timer
from bot.slack.uploads import in_words, is_too_large, told
from bot.storage.database import Database

__all__ = ["Card", "CardSource", "Outbox", "Priority", "Turn"]

log = logging.getLogger(__name__)

POLL_S = 0.5
"""How often the sender looks for rows that other replicas added, in seconds. Our own rows wake it at once."""

AT_ONCE = 8
"""Most deliveries at the same time."""

KEY = 64
"""Longest key of a row."""
_DELIVERY_S = CLAIM_S - 3
"""Longest delivery, in seconds; what takes longer is looked for before it is done again."""

_METHODS = {
    RowKind.MESSAGE: "chat.postMessage",
    RowKind.EPHEMERAL: "chat.postEphemeral",
    RowKind.RESPONSE: "response_url",
    RowKind.FILE: "files.completeUploadExternal",
    RowKind.TOLD: "chat.postMessage",
}

Blocks = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _Candidate:
    row: Row
    urgency: tuple[int, float]
    method: str
    channel: str | None


class Outbox:
    """Call `operation_changed` and the others inside the transaction of what they announce, or without one."""

    def __init__(
        self,
        database: Database,
        gateway: Gateway,
        source: CardSource,
        *,
        fallback_channel: str = "",
        timer: Timer | None = None,
        owner: str | None = None,
    ) -> None:
        """`fallback_channel` takes what its own channel refuses; `owner` names this replica, unique for each start."""
        self._timer = timer or SystemTimer()
        self._gateway = gateway
        self._source = source
        self._rows = Rows(database, owner or uuid4().hex)
        self._delivery = Delivery(gateway, self._rows, source, fallback_channel=fallback_channel, timer=self._timer)
        self._wake = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None

    # --- In ---------------------------------------------------------------------------------------------------------

    async def operation_changed(
        self,
        connection: AsyncConnection,
        operation_id: str,
        revision: int,
        *,
        urgent: bool = False,
        turn: Turn | None = None,
    ) -> None:
        """Have the operation's card drawn anew: soon, or at once where somebody waits for just this.

        With `turn` it is posted after those of its lane with a smaller number, whatever keeps those.
        """
        await self._rows.card_changed(connection, operation_id, revision, urgent=urgent, turn=turn)
        self._wake.set()

    async def message(
        self,
        *,
        channel: str,
        text: str,
        blocks: Blocks = (),
        thread_ts: str | None = None,
        key: str | None = None,
        priority: Priority = Priority.REPLY,
        connection: AsyncConnection | None = None,
    ) -> None:
        """Post in a channel or thread. The same `key` twice is one message while the first is unsent."""
        payload = _with_blocks({"channel": channel, "text": text}, blocks)
        if thread_ts:
            payload["thread_ts"] = thread_ts
        lane = f"{channel}:{thread_ts or ''}"
        await self._add(RowKind.MESSAGE, lane, payload, key=key, priority=priority, connection=connection)

    async def ephemeral(
        self,
        *,
        channel: str,
        user: str,
        text: str,
        blocks: Blocks = (),
        key: str | None = None,
        connection: AsyncConnection | None = None,
    ) -> None:
        """Tell one person, in the channel where they are; directly where that cannot be."""
        payload = _with_blocks({"channel": channel, "user": user, "text": text}, blocks)
        await self._add(RowKind.EPHEMERAL, f"{channel}:{user}", payload, key=key, connection=connection)

    async def tell(
        self,
        identifier: str,
        *,
        channel: str,
        user: str,
        text: str,
        blocks: Blocks = (),
        thread_ts: str | None = None,
        key: str | None = None,
        connection: AsyncConnection | None = None,
    ) -> None:
        """Post a message in a channel or thread, or directly to `user` where the channel does not let us in (or is
        the user); told again by the same id, the same message is changed, in the order of the calls. An id begins
        with `told-`."""
        payload = _with_blocks({"told": identifier, "channel": channel or user, "user": user, "text": text}, blocks)
        if thread_ts:
            payload["thread_ts"] = thread_ts
        await self._add(RowKind.TOLD, f"told:{identifier}", payload, key=key, connection=connection)

    async def file(
        self,
        *,
        channel: str,
        user: str,
        file: TextFile | Picture,
        comment: str,
        thread_ts: str | None = None,
        key: str | None = None,
        connection: AsyncConnection | None = None,
    ) -> None:
        """Post a file in a channel; directly to `user` without a channel, or where we cannot post. `comment` is mrkdwn
        that stands above it. A picture that cannot be shown is told in its words."""
        if isinstance(file, Picture) and is_too_large(file):
            place, words = channel or user, in_words(file.title, file.alt)
            await self.message(channel=place, text=words, thread_ts=thread_ts, key=key, connection=connection)
            return
        payload: dict[str, JSON] = {"user": user, "comment": comment, **told(file)}
        if channel:
            payload |= {"channel": channel, "thread_ts": thread_ts}
        await self._add(RowKind.FILE, f"{channel or user}:{user}", payload, key=key, connection=connection)

    async def respond(
        self,
        *,
        response_url: str,
        text: str,
        blocks: Blocks = (),
        replace_original: bool = False,
        key: str | None = None,
        connection: AsyncConnection | None = None,
    ) -> None:
        """Answer through a `response_url`; the only way to change an ephemeral message. Slack takes 5 in 30 minutes."""
        payload: dict[str, JSON] = {"response_url": response_url, "text": text, "replace_original": replace_original}
        lane = f"response:{response_url[-250:]}"
        await self._add(RowKind.RESPONSE, lane, _with_blocks(payload, blocks), key=key, connection=connection)

    async def thread(
        self,
        operation_id: str,
        messages: Sequence[Message],
        *,
        key: str | None = None,
        connection: AsyncConnection | None = None,
    ) -> None:
        """Reply in the thread of an operation's card, in this order, once the card stands."""
        for number, message in enumerate(messages):
            own = f"{key}:{number}" if key else None
            if message.file is not None:
                await self.thread_file(operation_id, message.file, key=own, connection=connection)
                continue
            payload = _with_blocks({"operation": operation_id, "text": message.text}, message.blocks)
            if message.metadata:
                payload["metadata"] = dict(message.metadata)
            await self._add(RowKind.MESSAGE, f"{THREAD}{operation_id}", payload, key=own, connection=connection)
            if message.picture is not None:
                below = f"{key}:{number}:picture" if key else None
                await self.thread_file(operation_id, message.picture, key=below, connection=connection)

    async def thread_file(
        self,
        operation_id: str,
        file: TextFile | Picture,
        *,
        key: str | None = None,
        connection: AsyncConnection | None = None,
    ) -> None:
        """Upload a file into the thread of an operation's card. A picture that cannot be shown is told in its words."""
        if isinstance(file, Picture) and is_too_large(file):
            await self.thread(
                operation_id, [Message(text=in_words(file.title, file.alt))], key=key, connection=connection
            )
            return
        payload: dict[str, JSON] = {"operation": operation_id, **told(file)}
        await self._add(RowKind.FILE, f"{THREAD}{operation_id}", payload, key=key, connection=connection)

    async def has_card(self, connection: AsyncConnection, operation_id: str) -> bool:
        """Return whether a card was ever asked for, as seen inside the caller's transaction."""
        return await self._rows.has_card(connection, operation_id)

    async def place(self, operation_id: str) -> CardPlace | None:
        """Return channel and `ts` of an operation's card, or None while it has not been posted."""
        return await self._rows.place(operation_id)

    async def operation_at(self, channel: str, ts: str) -> str | None:
        """Return the operation whose card a message is, or None."""
        return await self._rows.operation_at(channel, ts)

    async def _add(
        self,
        kind: RowKind,
        lane: str,
        payload: Mapping[str, JSON],
        *,
        key: str | None,
        priority: Priority = Priority.REPLY,
        connection: AsyncConnection | None,
    ) -> None:
        now = self._timer.now()
        key = key or uuid4().hex
        if len(key) > KEY:
            key = hashlib.sha256(key.encode()).hexdigest()
        async with self._rows.within(connection) as own:
            await self._rows.add(own, key=key, lane=lane, kind=kind, priority=priority, payload=payload, now=now)
        self._wake.set()

    # --- Out --------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin sending in the background."""
        self._loop = asyncio.create_task(self._run(), name="slack-outbox")

    async def close(self, *, within_s: float = 5.0) -> None:
        """Stop. Deliveries under way may finish; the rest goes out after the next start, or from another replica."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
            self._loop = None
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=within_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._rows.leave()

    async def tick(self) -> int:
        """Send what may go out now, and wait for it. Return how many deliveries that were."""
        started = await self._begin()
        await asyncio.gather(*started)
        return len(started)

    async def drain(self) -> None:
        """Send until nothing is left that can be sent; rows that Slack refused for good are not waited for."""
        while True:
            if await self.tick():
                continue
            due = await self._rows.next_due()
            if due is None:
                return
            await self._timer.sleep(min(max(due - self._timer.now(), 0.1), 60.0))

    async def _run(self) -> None:
        idle = 0
        while True:
            try:
                started = await self._begin()
            except Exception:
                log.exception("outbox_stalled")  # the loop must outlive a database that is away
                started = []
            for task in started:
                task.add_done_callback(lambda _task: self._wake.set())
            if not started:
                idle = 0 if await self._woken(min(0.01 * 2**idle, POLL_S)) else min(idle + 1, 10)

    async def _woken(self, seconds: float) -> bool:
        """Wait for news. They come before their transaction is committed: hence the quick looks at first."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return False
        self._wake.clear()
        return True

    async def _begin(self) -> list[asyncio.Task[None]]:
        """Claim what may go out now, most urgent first, and begin to send it."""
        now = self._timer.now()
        if not await self._rows.lead(now):
            return []
        started: list[asyncio.Task[None]] = []
        going: Counter[str] = Counter()
        for candidate in await self._candidates(now):
            if len(self._running) >= AT_ONCE:
                break
            method, ahead = candidate.method, going[candidate.method]
            if self._gateway.delay(method, candidate.channel, ahead=ahead) > 0:
                continue
            going[method] += 1
            if await self._rows.claim(candidate.row, now):
                task = asyncio.create_task(self._deliver(candidate.row))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
                started.append(task)
        return started

    async def _candidates(self, now: float) -> list[_Candidate]:
        cards, rows = await self._rows.due(now)
        if (
            self._gateway.delay("chat.update") > 0
        ):  # nothing can be redrawn now, so nothing needs to be drawn to rank it
            cards = [row for row in cards if row.ts is None]
        found = [await self._card_candidate(row, alone=len(cards) == 1) for row in cards]
        found += [_row_candidate(row) for row in rows]
        return sorted(found, key=lambda candidate: candidate.urgency)

    async def _card_candidate(self, row: CardRow, *, alone: bool) -> _Candidate:
        """A card that is new, waits for a decision, or has ended, goes before those that only made progress.

        Of one that is posted in turn its row says enough: there may be many, and drawing each would cost more.
        """
        if row.lane is not None:
            is_urgent = row.urgent > row.sent
            if row.ts is None:
                rank = Priority.REPLY if is_urgent else Priority.ALERT
                return _Candidate(row, (rank, float(row.turn or 0)), "chat.postMessage", row.channel or row.lane)
            rank = Priority.APPROVAL if is_urgent and not alone else Priority.PROGRESS
            return _Candidate(row, (rank, row.sent_at), "chat.update", row.channel)
        if row.ts is None:
            return _Candidate(row, (Priority.APPROVAL, row.sent_at), "chat.postMessage", row.channel)
        priority = Priority.APPROVAL if not alone and await self._is_urgent(row) else Priority.PROGRESS
        return _Candidate(row, (priority, row.sent_at), "chat.update", row.channel)

    async def _is_urgent(self, row: CardRow) -> bool:
        try:
            card = await self._source.card(row.operation)
        except Exception:
            log.exception("card_not_drawn", extra={"operation": row.operation})
            return False
        return card is not None and card.urgent

    async def _deliver(self, row: Row) -> None:
        try:
            async with asyncio.timeout(_DELIVERY_S):
                await (self._delivery.card(row) if isinstance(row, CardRow) else self._delivery.row(row))
        except TimeoutError:  # the claim runs out by itself, and the next try looks first
            log.warning("delivery_too_slow")
        except Exception:
            # One broken row must not stop the others; it is tried again when its claim runs out.
            log.exception("delivery_failed", extra={"row": _name(row)})
            if isinstance(row, CardRow):
                await self._set_back(row)

    async def _set_back(self, row: CardRow) -> None:
        try:
            await self._delivery.broken(row)
        except Exception:
            log.exception("delivery_not_set_back", extra={"row": _name(row)})


def _row_candidate(row: OutboxRow) -> _Candidate:
    return _Candidate(row, (row.priority, float(row.id)), _METHODS[row.kind], row.payload.get("channel"))


def _name(row: Row) -> str:
    return row.operation if isinstance(row, CardRow) else f"{row.kind.value} {row.id}"


def _with_blocks(payload: dict[str, JSON], blocks: Blocks) -> dict[str, JSON]:
    return payload | {"blocks": [dict(block) for block in blocks]} if blocks else payload
