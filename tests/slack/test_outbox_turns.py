"""Cards that are posted in turn: the order of a channel is kept, whatever Slack does, and nobody else waits for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.model.canonical import JSON
from bot.slack.message import Message
from bot.slack.outbox import Card, Turn
from tests.fakes.slack import Fault
from tests.slack.test_outbox import Room, a_room


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with a_room(tmp_path) as made:
        yield made


async def asked(room: Room, card: str, turn: int, *, lane: str = "C1") -> None:
    async with room.database.write() as connection:
        room.cards.revisions[card] = room.cards.revisions.get(card, 0) + 1
        await room.outbox.operation_changed(connection, card, room.cards.revisions[card], turn=Turn(lane, turn))


def posted(room: Room, channel: str = "C1") -> list[str]:
    return [one.text.partition(" ")[0] for one in room.slack.messages if one.channel == channel and not one.thread_ts]


async def test_they_come_in_turn_and_not_by_name(room: Room) -> None:
    for turn in (3, 1, 2):
        await asked(room, f"ag-{9 - turn}", turn)
    await room.outbox.drain()
    assert posted(room) == ["ag-8", "ag-7", "ag-6"]


FAULTS = (Fault.BUSY, Fault.UNREACHABLE, Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.KILLED_BEFORE, Fault.KILLED_AFTER)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(faults=st.lists(st.sampled_from(FAULTS), max_size=8))
async def test_each_comes_once_and_in_turn_whatever_fails(
    tmp_path_factory: pytest.TempPathFactory, faults: list[Fault]
) -> None:
    async with a_room(tmp_path_factory.mktemp("turns")) as room:
        for turn in range(5):
            await asked(room, f"ag-{turn}", turn)
        room.slack.fail("chat.postMessage", *faults)
        for _ in range(len(faults) + 1):
            await room.tick()
            await room.timer.sleep(1.0)
        await room.settle()
        assert posted(room) == [f"ag-{turn}" for turn in range(5)]


async def test_what_one_channel_refuses_keeps_no_other_waiting(room: Room) -> None:
    room.outbox._delivery._fallback = ""
    room.slack.refusals["C1"] = "is_archived"
    room.cards.channel = "C1"
    await asked(room, "ag-1", 1)
    await room.outbox.tick()
    room.cards.channel = "C2"
    await asked(room, "ag-2", 2, lane="C2")
    await asked(room, "ag-3", 3, lane="C1")
    await room.outbox.tick()
    assert posted(room, "C2") == ["ag-2", "ag-3"]  # the second of the lane goes on, the refused one is tried later


async def test_one_that_cannot_be_drawn_keeps_no_other_waiting_for_ever(room: Room) -> None:
    source, broken = room.cards.card, {"ag-1"}

    async def card(operation_id: str) -> Card | None:
        if operation_id in broken:
            raise ZeroDivisionError
        return await source(operation_id)

    room.cards.card = card  # type: ignore[method-assign]
    for turn in (1, 2, 3):
        await asked(room, f"ag-{turn}", turn)
    for _ in range(20):
        await room.outbox.tick()
        await room.timer.sleep(10.0)
    assert posted(room) == ["ag-2", "ag-3"]
    broken.clear()
    await room.settle()
    assert posted(room) == ["ag-2", "ag-3", "ag-1"]


async def test_a_revoked_token_changes_no_order(room: Room) -> None:
    for turn in range(3):
        await asked(room, f"ag-{turn}", turn)
    room.slack.refusals["chat.postMessage"] = "token_revoked"
    await room.outbox.tick()
    room.slack.refusals.clear()
    await room.settle()
    assert posted(room) == ["ag-0", "ag-1", "ag-2"]


async def test_many_that_wait_hide_nobody_else(room: Room) -> None:
    """Neither their cards nor what stands in their threads may use up what is looked at."""
    room.slack.refusals["C1"] = "token_revoked"
    for turn in range(150):
        await asked(room, f"ag-{turn}", turn)
        await room.outbox.thread(f"ag-{turn}", [Message(text="It fires.")])
    await room.outbox.tick()
    room.cards.channel = "C2"
    await room.changed("op-1")
    await room.outbox.message(channel="C2", text="hello")
    await room.outbox.tick()
    await room.timer.sleep(1.0)
    await room.outbox.tick()
    assert sorted(posted(room, "C2")) == ["hello", "op-1"]


async def test_an_alert_that_was_posted_is_found_by_its_own_mark(room: Room) -> None:
    class Alerts:
        async def card(self, operation_id: str) -> object:
            card = await room.cards.card(operation_id)
            assert card is not None
            marks: dict[str, JSON] = {"group": operation_id, "state": "firing", "service": ""}
            metadata: dict[str, JSON] = {"event_type": "causeway_alert", "event_payload": marks}
            message = Message(text=card.message.text, metadata=metadata)
            return type(card)(message=message, revision=card.revision, channel=card.channel)

    room.outbox._delivery._source = Alerts()  # type: ignore[assignment]
    await asked(room, "ag-1", 1)
    room.slack.fail("chat.postMessage", Fault.LOST_AFTER)
    await room.outbox.tick()
    await room.timer.sleep(5.0)
    await room.outbox.drain()
    assert posted(room) == ["ag-1"]
