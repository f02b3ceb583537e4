"""Whether people have talked below a card, and who somebody is in Slack."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from bot.slack.contracts import Web
from bot.slack.outbox import Outbox
from bot.storage.database import Database
from bot.storage.slack_inbound import identities

REPLIES = 50
"""Messages of a thread that are looked at: one by a person is enough."""


class Talk:
    """Reads the thread of a card."""

    def __init__(self, web: Web, outbox: Outbox) -> None:
        self._web = web
        self._outbox = outbox

    async def __call__(self, operation: str, since: datetime) -> bool | None:
        """Return whether a person has written below the card of that operation since then; None where it has no card.
        Raise what Slack raises."""
        place = await self._outbox.place(operation)
        if place is None:
            return None
        answer = await self._web.call(
            "conversations.replies",
            channel=place.channel,
            ts=place.ts,
            oldest=f"{since.timestamp():.6f}",
            limit=REPLIES,
        )
        return any(_is_a_persons(message, place.ts) for message in answer.get("messages", []))


def _is_a_persons(message: dict[str, Any], card: str) -> bool:
    return message.get("ts") != card and not message.get("bot_id") and bool(message.get("user"))


class SlackNames:
    """Who somebody is in Slack, as far as it was learnt: nothing is asked for it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, email: str) -> str | None:
        """Return the Slack user (`U…`) with that verified address; None where nobody is known by it."""
        mine = (identities.c.email == email) & (identities.c.refusal == "")
        statement = select(identities.c.user).where(mine).order_by(identities.c.checked_at.desc()).limit(1)
        async with self._database.read() as connection:
            return (await connection.execute(statement)).scalar_one_or_none()
