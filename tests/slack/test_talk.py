"""Whether people talk below a card, and who somebody is in Slack."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from bot.slack.outbox import Outbox
from bot.slack.outbox_rows import CardPlace
from bot.slack.talk import SlackNames, Talk
from bot.storage.slack_inbound import identities
from tests.fakes.slack_inbound import rig

SINCE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CARD = {"ts": "100.000001", "user": "U0CAUSEWAY1", "bot_id": "B0CAUSEWAY1"}


class Thread:
    """Answers with these messages, and notes what it was asked."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self.messages = messages
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        self.asked.append((method, arguments))
        return {"ok": True, "messages": list(self.messages)}


class Cards:
    def __init__(self, place: CardPlace | None) -> None:
        self._place = place

    async def place(self, operation: str) -> CardPlace | None:
        return self._place


def talk(thread: Thread, place: CardPlace | None = CardPlace("C0TEAMORDER", "100.000001")) -> Talk:  # noqa: B008  # a constant
    return Talk(thread, cast("Outbox", Cards(place)))


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([CARD], False),
        ([CARD, {"ts": "101.0", "user": "U0CAUSEWAY1", "bot_id": "B0CAUSEWAY1"}], False),
        ([CARD, {"ts": "102.0", "user": "U0AUTHOR01"}], True),
    ],
    ids=["nobody", "only ourselves", "a person"],
)
async def test_only_a_persons_word_counts(messages: list[dict[str, Any]], said: bool) -> None:
    thread = Thread(*messages)
    assert await talk(thread)("op-1", SINCE) is said
    [(method, asked)] = thread.asked
    assert (method, asked["channel"], asked["ts"]) == ("conversations.replies", "C0TEAMORDER", "100.000001")
    assert float(asked["oldest"]) == SINCE.timestamp()


async def test_without_a_card_nobody_knows() -> None:
    assert await talk(Thread(), None)("op-1", SINCE) is None


async def test_somebody_is_found_by_their_address_as_far_as_they_were_recognised(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        rows = [("U0AUTHOR01", "author@acme.example", ""), ("U0GUEST0001", "guest@acme.example", "guest")]
        async with slack.database.write() as connection:
            for user, email, refusal in rows:
                values = {
                    "team": "T1",
                    "user": user,
                    "email": email,
                    "name": user,
                    "refusal": refusal,
                    "checked_at": 1.0,
                }
                await connection.execute(identities.insert().values(values))
        names = SlackNames(slack.database)
        assert await names("author@acme.example") == "U0AUTHOR01"
        assert await names("guest@acme.example") is None
        assert await names("nobody@acme.example") is None
