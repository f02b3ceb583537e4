"""How one row of the outbox is sent: safe to be killed at any point, never a second message for the same thing."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from bot.errors import OutcomeUnknown, UpstreamUnavailable
from bot.slack import blocks, limits
from bot.slack.gateway import Gateway, SlackRefused
from bot.slack.message import CARD_EVENT, MESSAGE_EVENT, Message
from bot.slack.mrkdwn import escape
from bot.slack.outbox_rows import CardRow, OutboxRow, RowKind, Rows
from bot.slack.pace import Timer
from bot.slack.uploads import PATIENCE_S, Uploads, is_picture

log = logging.getLogger(__name__)

BACKOFF_MOST_S = 60.0
_HISTORY_PAGES = 5
_LOOK_BACK_S = 120.0
"""How much earlier than our own note of it a lost message is looked for: clocks differ."""

NO_WAY_IN = frozenset(
    {"not_in_channel", "channel_not_found", "is_archived", "restricted_action", "restricted_action_read_only_channel",
     "restricted_action_non_threadable_channel", "posting_to_channel_denied", "user_not_in_channel", "team_not_found"}
)  # fmt: skip
_UNREADABLE = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "invalid_attachments"})
_DISPLACED = "It could not be posted in "
"""Begins the stored problem of a card that stands in the fallback channel; the channel it belongs in follows."""

_CARD_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
_OURS_TO_MEND = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "missing_scope",
     "no_permission", "org_login_required", "ekm_access_denied", "accesslimited"}
)  # fmt: skip
"""The message is fine, the installation is not: such rows wait until somebody has mended it."""
_OF_FILES = frozenset({"missing_scope", "no_permission"})
"""Of a picture they mean that we may send no files: then it is told in words, and holds nothing up."""
TURN_ATTEMPTS = 4
"""After so many, some seconds, a card that cannot be drawn loses its turn."""
PICTURE_ATTEMPTS = 8
"""After so many, some minutes, a picture is told in words: whatever stands behind it has waited long enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A card as it is now."""

    message: Message
    revision: int
    channel: str
    """Where it belongs, if it has not been posted yet (`C…`)."""
    urgent: bool = False
    """It waits for a decision or shows how it ended: goes before mere progress."""


class CardSource(Protocol):
    async def card(self, operation_id: str) -> Card | None:
        """Return the newest state of an operation's card, or None when there is nothing to show."""


class Delivery:
    """Sends claimed rows and stores what became of them."""

    def __init__(
        self, gateway: Gateway, rows: Rows, source: CardSource, *, fallback_channel: str, timer: Timer
    ) -> None:
        self._gateway = gateway
        self._rows = rows
        self._source = source
        self._fallback = fallback_channel
        self._timer = timer
        self._uploads = Uploads(gateway, rows, timer, self._shared)

    # --- Cards ------------------------------------------------------------------------------------------------------

    async def card(self, row: CardRow) -> None:
        try:
            card = await self._source.card(row.operation)
            if card is None:
                await self._rows.release(row, sent=row.wanted)
            elif row.ts is None:
                await self._first(row, card)
            else:
                await self._redraw(row, card)
        except SlackRefused as error:
            await self._card_refused(row, error)
        except UpstreamUnavailable as error:
            await self._card_later(row, error)

    async def _first(self, row: CardRow, card: Card) -> None:
        """Post the card, unless an earlier attempt without an answer did."""
        channel = row.channel or card.channel or self._fallback
        if row.sending_since is not None:
            ts = await self._find(channel, None, _known(card, row), row.sending_since)
            if ts is not None:
                await self._rows.change(row, channel=channel, ts=ts, sending_since=None)
                await self._redraw(replace(row, channel=channel, ts=ts), card)
                return
        try:
            await self._post_card(row, card, channel)
        except SlackRefused as error:
            if error.code not in NO_WAY_IN or channel == self._fallback or not self._fallback:
                raise
            log.warning("card_displaced", extra={"operation": row.operation, "code": error.code, "channel": channel})
            displaced = replace(row, problem=f"{_DISPLACED}{channel}: {error.code}.")
            await self._rows.change(row, problem=displaced.problem)
            await self._post_card(displaced, card, self._fallback)

    async def _post_card(self, row: CardRow, card: Card, channel: str) -> None:
        await self._rows.change(row, channel=channel, sending_since=self._timer.now())
        answer = await self._readable("chat.postMessage", channel=channel, **_content(_placed(card, row)))
        now = self._timer.now()
        await self._rows.release(
            row,
            channel=str(answer.get("channel") or channel),
            ts=str(answer["ts"]),
            sending_since=None,
            sent=card.revision,
            sent_at=now,
            not_before=now if card.revision >= row.wanted else now + 0.1,
            attempts=0,
        )

    async def _redraw(self, row: CardRow, card: Card) -> None:
        if row.channel is None:  # a row with `ts` has a channel
            return
        if card.revision > row.sent:
            content = _content(_placed(card, row))
            try:
                await self._readable("chat.update", channel=row.channel, ts=row.ts, **content)
            except SlackRefused as error:
                if error.code not in _CARD_GONE:
                    raise
                log.warning("card_gone", extra={"operation": row.operation, "code": error.code})
                await self._rows.change(row, ts=None, sent=-1)
                await self._post_card(row, card, row.channel)
                return
        now = self._timer.now()
        after = now + limits.CARD_UPDATE_EVERY_S
        await self._rows.release(
            row, sent=max(card.revision, row.sent), sent_at=now, not_before=after, sending_since=None, attempts=0
        )

    async def _card_refused(self, row: CardRow, error: SlackRefused) -> None:
        """Slack does not want it. It stays due, slowly: whoever invites the bot or mends the token gets the card."""
        log.error("card_refused", extra={"operation": row.operation, "code": error.code})
        wait = BACKOFF_MOST_S if error.code in _OURS_TO_MEND else 5 * BACKOFF_MOST_S
        unposted: dict[str, Any] = {}
        if row.ts is None and error.method == "chat.postMessage":
            unposted = {"channel": None, "sending_since": None}
            if error.code not in _OURS_TO_MEND:  # it loses its turn: those behind it may be welcome
                unposted["lane"] = None
        await self._rows.release(
            row, problem=str(error), not_before=self._timer.now() + wait, attempts=row.attempts + 1, **unposted
        )

    async def broken(self, row: CardRow) -> None:
        """It cannot be drawn. It stays due, slowly; those behind it do not wait for it for ever."""
        unposted = {"lane": None} if row.ts is None and row.attempts + 1 >= TURN_ATTEMPTS else {}
        after = self._timer.now() + min(2.0**row.attempts, BACKOFF_MOST_S)
        await self._rows.release(row, not_before=after, attempts=min(row.attempts + 1, 30), **unposted)

    async def _card_later(self, row: CardRow, error: UpstreamUnavailable) -> None:
        known = {} if row.ts or isinstance(error, OutcomeUnknown) else {"sending_since": row.sending_since}
        await self._rows.release(row, **self._later(row, error), **known)

    # --- Everything else --------------------------------------------------------------------------------------------

    async def row(self, row: OutboxRow) -> None:
        try:
            if await self._send(row):
                await self._rows.done(row)
        except SlackRefused as error:
            await self._refused(row, error)
        except UpstreamUnavailable as error:
            if is_picture(row) and row.attempts >= PICTURE_ATTEMPTS:
                await self._uploads.in_words(row)
                return
            known = {} if isinstance(error, OutcomeUnknown) else {"sending_since": row.sending_since}
            await self._rows.release(row, **self._later(row, error), **known)

    async def _send(self, row: OutboxRow) -> bool:
        """Return whether it is out; False: it was put back, to wait for its card."""
        payload = dict(row.payload)
        operation = payload.pop("operation", None)
        if operation:
            place = await self._rows.place(operation)
            if place is None:
                await self._rows.release(row, not_before=self._timer.now() + 0.5)
                return False
            payload |= {"channel": place.channel, "thread_ts": place.ts}
        match row.kind:
            case RowKind.MESSAGE:
                await self._message(row, payload)
            case RowKind.EPHEMERAL:
                await self._ephemeral(payload)
            case RowKind.RESPONSE:
                if self._timer.now() - row.created_at > limits.RESPONSE_URL_S:
                    raise SlackRefused("response_url", "expired_url")
                await self._gateway.respond(payload.pop("response_url"), payload)
            case RowKind.FILE:
                await self._file(row, payload)
            case RowKind.TOLD:
                await self._told(row, payload)
        return True

    async def _message(self, row: OutboxRow, payload: dict[str, Any]) -> None:
        channel, thread = payload.pop("channel"), payload.get("thread_ts")
        if row.sending_since is not None:
            known = (MESSAGE_EVENT, "id", row.key)
            if await self._find(payload.get("sent_to") or channel, thread, known, row.sending_since):
                return
        payload.pop("sent_to", None)
        metadata = payload.pop("metadata", None) or {"event_type": MESSAGE_EVENT, "event_payload": {}}
        marked = {**metadata, "event_payload": {**metadata["event_payload"], "id": row.key}}
        await self._rows.change(row, sending_since=self._timer.now())
        try:
            await self._readable("chat.postMessage", channel=channel, metadata=marked, **payload)
        except SlackRefused as error:
            if error.code not in NO_WAY_IN or thread or not self._fallback or channel == self._fallback:
                raise
            log.warning("message_displaced", extra={"code": error.code, "channel": channel})
            sent_to = {**row.payload, "sent_to": self._fallback}
            problem = f"It could not be posted in {channel}: {error.code}."
            await self._rows.change(row, payload=sent_to, problem=problem)
            await self._readable("chat.postMessage", channel=self._fallback, metadata=marked, **payload)

    async def _ephemeral(self, payload: dict[str, Any]) -> None:
        """Whisper; where that cannot be, write to the person directly, so that nobody stays without an answer."""
        try:
            await self._readable("chat.postEphemeral", **payload)
        except SlackRefused as error:
            if error.code not in NO_WAY_IN:
                raise
            direct = {name: value for name, value in payload.items() if name in ("text", "blocks")}
            await self._readable("chat.postMessage", channel=payload["user"], **direct)

    async def _file(self, row: OutboxRow, payload: dict[str, Any]) -> None:
        """Post it where it belongs; where that cannot be, or it belongs nowhere, directly to the person."""
        if not payload.get("channel"):
            payload = await self._uploads.to_person(row, payload)
        try:
            await self._uploads.share(row, payload)
        except SlackRefused as error:
            if error.code not in NO_WAY_IN or not payload.get("user"):
                raise
            log.warning("file_displaced", extra={"code": error.code, "channel": payload["channel"]})
            await self._uploads.share(row, await self._uploads.to_person(row, payload))

    async def _told(self, row: OutboxRow, payload: dict[str, Any]) -> None:
        """Post what can be changed later, or change it: rows with one id go out in their order. Where the channel
        lets us not in, directly to the person."""
        identifier, user = payload.pop("told"), payload.pop("user")
        place = await self._rows.place(identifier)
        if place is not None:
            content = {"text": payload["text"], "blocks": payload.get("blocks", [])}
            try:
                await self._readable("chat.update", channel=place.channel, ts=place.ts, **content)
            except SlackRefused as error:
                if error.code not in _CARD_GONE:
                    raise
            else:
                return
        channel, thread = payload.pop("channel"), payload.get("thread_ts")
        if row.sending_since is not None and channel != user:  # what we wrote to a person we may not read again
            ts = await self._find(channel, thread, (MESSAGE_EVENT, "id", row.key), row.sending_since)
            if ts is not None:
                await self._rows.placed(identifier, channel, ts, self._timer.now())
                return
        marked = {"event_type": MESSAGE_EVENT, "event_payload": {"id": row.key}}
        await self._rows.change(row, sending_since=self._timer.now())
        try:
            answer = await self._readable("chat.postMessage", channel=channel, metadata=marked, **payload)
        except SlackRefused as error:
            if error.code not in NO_WAY_IN or channel == user:
                raise
            payload.pop("thread_ts", None)
            answer = await self._readable("chat.postMessage", channel=user, metadata=marked, **payload)
        await self._rows.placed(identifier, str(answer["channel"]), str(answer["ts"]), self._timer.now())

    async def _refused(self, row: OutboxRow, error: SlackRefused) -> None:
        log.error("message_refused", extra={"kind": row.kind.value, "code": error.code})
        if is_picture(row) and error.code not in _OURS_TO_MEND - _OF_FILES:
            await self._uploads.in_words(row)
            return
        if error.code in _OURS_TO_MEND:
            after = self._timer.now() + BACKOFF_MOST_S
            await self._rows.release(
                row, problem=str(error), not_before=after, attempts=row.attempts + 1, sending_since=row.sending_since
            )
        else:
            await self._rows.release(row, problem=str(error), failed=True)

    # --- Shared -----------------------------------------------------------------------------------------------------

    def _later(self, row: CardRow | OutboxRow, error: UpstreamUnavailable) -> dict[str, Any]:
        backoff = min(2.0**row.attempts, BACKOFF_MOST_S)
        wait = error.retry_after_s if error.retry_after_s is not None else backoff
        later: dict[str, Any] = {"not_before": self._timer.now() + wait, "attempts": min(row.attempts + 1, 30)}
        displaced = isinstance(row, CardRow) and row.problem.startswith(_DISPLACED)
        return later if displaced else later | {"problem": str(error)}

    async def _call(self, method: str, **arguments: Any) -> dict[str, Any]:
        return await self._gateway.call(method, patience_s=PATIENCE_S, **arguments)

    async def _readable(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Call; when Slack cannot read the blocks, say the same in text alone."""
        try:
            return await self._call(method, **arguments)
        except SlackRefused as error:
            if error.code not in _UNREADABLE or not arguments.get("blocks"):
                raise
            log.warning("blocks_refused", extra={"method": method, "hint": error.hint})
            return await self._call(method, **{**arguments, "blocks": []})

    async def _find(self, channel: str, thread: str | None, known: tuple[str, str, str], since: float) -> str | None:
        """Return the `ts` of our message with this metadata (event type, key, value), or None when there is none."""
        event, key, value = known
        for message in await self._history(channel, thread, since):
            metadata = message.get("metadata") or {}
            if metadata.get("event_type") == event and (metadata.get("event_payload") or {}).get(key) == value:
                return str(message["ts"])
        return None

    async def _shared(self, channel: str, thread: str | None, file_id: str, since: float) -> bool:
        messages = await self._history(channel, thread, since)
        return any(file.get("id") == file_id for message in messages for file in message.get("files") or ())

    async def _history(self, channel: str, thread: str | None, since: float) -> list[Mapping[str, Any]]:
        method = "conversations.replies" if thread else "conversations.history"
        found: list[Mapping[str, Any]] = []
        cursor: str | None = None
        for _ in range(_HISTORY_PAGES):
            answer = await self._call(
                method,
                channel=channel,
                ts=thread,
                include_all_metadata=True,
                oldest=f"{since - _LOOK_BACK_S:.6f}",
                limit=200,
                cursor=cursor,
            )
            found += answer.get("messages") or []
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                break
        return found


def _content(message: Message) -> dict[str, Any]:
    return {"text": message.text, "blocks": list(message.blocks), "metadata": message.metadata, "unfurl_links": False}


def _known(card: Card, row: CardRow) -> tuple[str, str, str]:
    """Return by what the card's message is known: its event type, and the part of its metadata that is its id."""
    metadata: Mapping[str, Any] = card.message.metadata or {}
    payload = metadata.get("event_payload") or {}
    key = next((name for name, value in payload.items() if value == row.operation), "operation")
    return str(metadata.get("event_type") or CARD_EVENT), key, row.operation


def _placed(card: Card, row: CardRow) -> Message:
    """Return the message; in a channel where the card does not belong it says so."""
    if not row.problem.startswith(_DISPLACED):
        return card.message
    home = row.problem.removeprefix(_DISPLACED).partition(":")[0]
    named = f"<#{home}>" if re.fullmatch(r"[CG][A-Z0-9]+", home) else escape(home)
    note = blocks.context(f"This belongs in {named}, but I cannot post there. Add me to that channel.")
    shown = blocks.guarded([*card.message.blocks, note], keep_last=3)
    return replace(card.message, blocks=tuple(shown))
