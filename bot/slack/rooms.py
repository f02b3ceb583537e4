"""Channels that we open, and words to one person. Satisfies the port `Conversations`."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from bot.errors import Conflict, PlatformError
from bot.ports import Room
from bot.slack.gateway import Gateway
from bot.slack.mrkdwn import cut
from bot.slack.outbox import Outbox

log = logging.getLogger(__name__)

TOPIC = 250
"""Slack's limit of a topic, in characters."""
PAGE, MOST_PAGES = 200, 25
THERE = frozenset({"already_in_channel", "cant_invite_self"})
CLOSED = frozenset({"already_archived"})
UNKNOWN = frozenset(
    {"user_not_found", "cant_invite", "user_is_restricted", "user_is_ultra_restricted", "user_team_not_in_channel"}
)
NameInSlack = Callable[[str], Awaitable[str | None]]
"""`(full reference)`: the Slack user, or None where nobody is known by it."""


class SlackRooms:
    def __init__(self, gateway: Gateway, outbox: Outbox, name_in_slack: NameInSlack) -> None:
        self._gateway = gateway
        self._outbox = outbox
        self._name_in_slack = name_in_slack
        self._own: str | None = None

    async def room(self, name: str) -> Room | None:
        cursor = ""
        for _ in range(MOST_PAGES):
            page: dict[str, Any] = {"cursor": cursor} if cursor else {}
            answer = await self._gateway.call("conversations.list", types="public_channel", limit=PAGE, **page)
            for channel in answer.get("channels", []):
                if channel.get("name") == name:
                    return await self._read(channel)
            cursor = (answer.get("response_metadata") or {}).get("next_cursor", "")
            if not cursor:
                break
        return None

    async def create_room(self, name: str) -> Room:
        try:
            answer = await self._gateway.call("conversations.create", name=name, is_private=False)
        except PlatformError as error:
            if _code(error) == "name_taken":
                raise Conflict(f"There is a channel called #{name} already.") from error
            raise
        return await self._read(answer["channel"])

    async def set_topic(self, room: str, topic: str) -> None:
        await self._gateway.call("conversations.setTopic", channel=room, topic=cut(topic, TOPIC))

    async def add_people(self, room: str, people: Collection[str]) -> tuple[str, ...]:
        missing: list[str] = []
        for person in sorted(set(people)):
            user = await self._name_in_slack(person)
            if user is None or not await self._invited(room, user):
                missing.append(person)
        return tuple(missing)

    async def _invited(self, room: str, user: str) -> bool:
        """One at a time: Slack refuses all of them for one who may not come in."""
        try:
            await self._gateway.call("conversations.invite", channel=room, users=user)
        except PlatformError as error:
            if _code(error) in UNKNOWN:
                return False
            if _code(error) not in THERE:
                raise
        return True

    async def archive_room(self, room: str) -> None:
        try:
            await self._gateway.call("conversations.archive", channel=room)
        except PlatformError as error:
            if _code(error) not in CLOSED:
                raise

    async def post(self, room: str, text: str, *, key: str) -> None:
        await self._outbox.message(channel=room, text=text, key=key)

    async def tell(self, person: str, text: str, *, key: str) -> bool:
        user = await self._name_in_slack(person)
        if user is None:
            return False
        await self._outbox.message(channel=user, text=text, key=key)
        return True

    async def address_of(self, card: str) -> str:
        place = await self._outbox.place(card)
        if place is None:
            return ""
        try:
            answer = await self._gateway.call("chat.getPermalink", channel=place.channel, message_ts=place.ts)
        except PlatformError as error:
            log.info("slack_no_permalink", extra={"code": _code(error)})  # the words say enough without it
            return ""
        return str(answer.get("permalink", ""))

    async def _read(self, channel: dict[str, Any]) -> Room:
        return Room(
            id=channel["id"],
            name=channel["name"],
            topic=str((channel.get("topic") or {}).get("value", "")),
            is_ours=channel.get("creator") == await self._ourselves(),
            is_closed=bool(channel.get("is_archived")),
        )

    async def _ourselves(self) -> str:
        if self._own is None:
            self._own = str((await self._gateway.call("auth.test")).get("user_id", ""))
        return self._own


def _code(error: PlatformError) -> str:
    return str(getattr(error, "code", ""))
