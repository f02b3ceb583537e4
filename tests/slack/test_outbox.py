from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.slack.delivery import Card
from bot.slack.message import CARD_EVENT, Message, TextFile
from bot.slack.outbox import Outbox, Priority
from bot.slack.outbox_rows import CLAIM_S, LEAD_S
from bot.slack.pace import Pace
from bot.storage.database import Database, metadata
from tests.fakes.slack import FakeSlack, FakeTimer, Fault, Killed


@dataclass
class Cards:
    """The newest state of each operation, as the engine would have it."""

    revisions: dict[str, int] = field(default_factory=dict)
    urgent: set[str] = field(default_factory=set)
    channel: str = "C1"

    async def card(self, operation_id: str) -> Card | None:
        revision = self.revisions.get(operation_id)
        if revision is None:
            return None
        payload: dict[str, Any] = {"operation": operation_id}
        text = f"{operation_id} at {revision}"
        blocks: tuple[Any, ...] = ({"type": "section", "text": {"type": "mrkdwn", "text": text}},)
        message = Message(text=text, blocks=blocks, metadata={"event_type": CARD_EVENT, "event_payload": payload})
        return Card(message=message, revision=revision, channel=self.channel, urgent=operation_id in self.urgent)


class Room:
    """An outbox on a database of its own, with a Slack that fails as told."""

    def __init__(self, database: Database) -> None:
        self.timer = FakeTimer()
        self.slack = FakeSlack(self.timer)
        self.cards = Cards()
        self.database = database
        self.starts = 0
        self.outbox = self.replica()

    def replica(self) -> Outbox:
        self.starts += 1
        return Outbox(
            self.database,
            self.slack,
            self.cards,
            fallback_channel="CFALLBACK",
            timer=self.timer,
            owner=f"replica-{self.starts}",
        )

    async def changed(self, operation: str) -> None:
        async with self.database.write() as connection:
            self.cards.revisions[operation] = self.cards.revisions.get(operation, 0) + 1
            revision, urgent = self.cards.revisions[operation], operation in self.cards.urgent
            await self.outbox.operation_changed(connection, operation, revision, urgent=urgent)

    async def tick(self) -> bool:
        """Return False when the process died in it; another takes its place."""
        try:
            await self.outbox.tick()
        except Killed:
            await asyncio.gather(*self.outbox._running, return_exceptions=True)
            self.outbox = self.replica()
            return False
        return True

    async def settle(self) -> None:
        self.slack.faults.clear()
        await self.timer.sleep(LEAD_S + CLAIM_S)
        await self.outbox.drain()


@asynccontextmanager
async def a_room(path: Path) -> AsyncIterator[Room]:
    database = Database(f"sqlite:///{path / 'outbox.db'}")
    try:
        async with database.write() as connection:
            await connection.run_sync(metadata.create_all)
        yield Room(database)
    finally:
        await database.close()


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with a_room(tmp_path) as made:
        yield made


# --- Cards ----------------------------------------------------------------------------------------------------------


async def test_a_changed_operation_gets_a_card_with_its_newest_state(room: Room) -> None:
    await room.changed("op-1")
    await room.changed("op-1")
    await room.outbox.drain()
    (card,) = room.slack.messages
    assert (card.channel, card.text) == ("C1", "op-1 at 2")


async def test_a_card_is_edited_and_never_posted_again(room: Room) -> None:
    for _ in range(3):
        await room.changed("op-1")
        await room.outbox.drain()
    assert [card.text for card in room.slack.cards("op-1")] == ["op-1 at 3"]


async def test_a_card_is_redrawn_at_most_once_in_two_seconds(room: Room) -> None:
    await room.changed("op-1")
    await room.outbox.drain()
    for _ in range(20):
        await room.changed("op-1")
        await room.outbox.tick()
        await room.timer.sleep(0.4)
    await room.outbox.drain()
    (card,) = room.slack.cards("op-1")
    gaps = [later - earlier for earlier, later in zip(card.drawn_at, card.drawn_at[1:], strict=False)]
    assert min(gaps) >= 2.0
    assert card.text == "op-1 at 21"


async def test_an_end_does_not_wait_for_the_pause_between_two_updates(room: Room) -> None:
    await room.changed("op-1")
    await room.outbox.drain()
    await room.changed("op-1")
    await room.outbox.drain()
    before = room.timer.now()
    room.cards.urgent.add("op-1")
    await room.changed("op-1")
    await room.tick()
    assert room.slack.messages[-1].text == "op-1 at 3"
    assert room.timer.now() == before


async def test_after_a_failure_even_an_end_waits(room: Room) -> None:
    await room.changed("op-1")
    await room.outbox.drain()
    room.cards.urgent.add("op-1")
    room.slack.fail("chat.update", Fault.UNREACHABLE)
    await room.changed("op-1")
    await room.tick()
    calls = len(room.slack.calls)
    await room.tick()
    assert len(room.slack.calls) == calls
    await room.outbox.drain()
    assert room.slack.messages[-1].text == "op-1 at 2"


async def test_many_running_cards_share_the_minute_fairly_and_every_end_goes_out(room: Room) -> None:
    operations = [f"op-{number:02}" for number in range(15)]
    for operation in operations:
        await room.changed(operation)
    await room.outbox.drain()
    room.slack.pace = Pace(room.timer)
    for second in range(100):
        for operation in operations if second % 5 == 0 else ():
            await room.changed(operation)
        await room.outbox.tick()
        await room.timer.sleep(1)
    drawn = [room.slack.cards(operation)[0].drawn_at for operation in operations]
    every = sorted(at for times in drawn for at in times)
    assert max(sum(start <= at < start + 60 for at in every) for start in every) <= 45
    counts = [len(times) for times in drawn]
    assert max(counts) - min(counts) <= 1
    for operation in operations:
        await room.changed(operation)
    room.cards.urgent.update(operations[:3])
    await room.outbox.drain()
    assert [room.slack.cards(o)[0].text for o in operations] == [f"{o} at 22" for o in operations]
    last = [room.slack.cards(operation)[0].drawn_at[-1] for operation in operations]
    assert max(last[:3]) <= min(last[3:])


async def test_what_is_urgent_is_redrawn_before_what_only_moved(room: Room) -> None:
    for operation in ("op-1", "op-2"):
        await room.changed(operation)
        await room.outbox.drain()
    await room.timer.sleep(5)
    for operation in ("op-1", "op-2"):
        await room.changed(operation)
    room.cards.urgent.add("op-2")
    candidates = await room.outbox._candidates(room.timer.now())
    assert [getattr(c.row, "operation", "") for c in candidates] == ["op-2", "op-1"]


async def test_nothing_is_sent_while_the_gateway_says_wait(room: Room) -> None:
    room.slack.busy["chat.postMessage"] = 5.0
    await room.changed("op-1")
    assert await room.outbox.tick() == 0
    room.slack.busy.clear()
    assert await room.outbox.tick() == 1


async def test_a_rolled_back_change_draws_no_card(room: Room) -> None:
    with contextlib.suppress(RuntimeError):
        async with room.database.write() as connection:
            room.cards.revisions["op-1"] = 1
            await room.outbox.operation_changed(connection, "op-1", 1)
            raise RuntimeError
    await room.outbox.drain()
    assert room.slack.messages == []


@pytest.mark.parametrize("fault", [Fault.LOST_AFTER, Fault.KILLED_AFTER])
async def test_a_card_whose_posting_got_no_answer_is_found_and_not_posted_again(room: Room, fault: Fault) -> None:
    room.slack.fail("chat.postMessage", fault)
    await room.changed("op-1")
    await room.tick()
    await room.changed("op-1")
    await room.settle()
    assert [card.text for card in room.slack.messages] == ["op-1 at 2"]


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.KILLED_BEFORE, Fault.BUSY, Fault.UNREACHABLE])
async def test_a_card_that_was_not_posted_is_posted_once(room: Room, fault: Fault) -> None:
    room.slack.fail("chat.postMessage", fault)
    await room.changed("op-1")
    await room.tick()
    await room.settle()
    assert [card.text for card in room.slack.messages] == ["op-1 at 1"]


async def test_nothing_is_posted_again_while_the_history_cannot_be_read(room: Room) -> None:
    room.slack.fail("chat.postMessage", Fault.LOST_AFTER)
    room.slack.refusals["conversations.history"] = "missing_scope"
    await room.changed("op-1")
    for _ in range(5):
        await room.outbox.tick()
        await room.timer.sleep(400)
    assert len(room.slack.messages) == 1
    room.slack.refusals.clear()
    await room.settle()
    assert len(room.slack.messages) == 1


@pytest.mark.parametrize("code", ["not_in_channel", "channel_not_found", "is_archived"])
async def test_a_channel_that_does_not_take_us_is_replaced_and_the_card_says_so(room: Room, code: str) -> None:
    room.slack.refusals["C1"] = code
    await room.changed("op-1")
    await room.outbox.drain()
    await room.changed("op-1")
    await room.outbox.drain()
    (card,) = room.slack.messages
    assert (card.channel, card.text) == ("CFALLBACK", "op-1 at 2")
    assert "This belongs in <#C1>" in str(card.blocks)


async def test_a_card_that_somebody_deleted_is_posted_anew(room: Room) -> None:
    await room.changed("op-1")
    await room.outbox.drain()
    room.slack.messages.clear()
    await room.changed("op-1")
    await room.outbox.drain()
    assert [card.text for card in room.slack.messages] == ["op-1 at 2"]


async def test_blocks_that_slack_does_not_take_are_left_out_and_the_text_still_arrives(room: Room) -> None:
    original = room.slack._chat_postMessage

    def picky(channel: str, text: str, **rest: Any) -> dict[str, Any]:
        if rest.get("blocks"):
            from bot.slack.gateway import SlackRefused  # noqa: PLC0415 - only here

            raise SlackRefused("chat.postMessage", "invalid_blocks")
        return original(channel, text, **rest)

    room.slack._chat_postMessage = picky  # type: ignore[method-assign]  # the fake's own way to be picky
    await room.changed("op-1")
    await room.outbox.drain()
    assert [card.text for card in room.slack.messages] == ["op-1 at 1"]


async def test_a_revoked_token_keeps_everything_until_it_is_mended(room: Room) -> None:
    room.slack.refusals["chat.postMessage"] = "token_revoked"
    await room.changed("op-1")
    await room.outbox.message(channel="C1", text="hello")
    for _ in range(3):
        await room.outbox.tick()
        await room.timer.sleep(100)
    room.slack.refusals.clear()
    await room.outbox.drain()
    assert sorted(message.text for message in room.slack.messages) == ["hello", "op-1 at 1"]


async def test_a_card_that_cannot_be_drawn_does_not_stop_the_others(room: Room) -> None:
    original = room.cards.card

    async def broken(operation_id: str) -> Card | None:
        if operation_id == "op-1":
            raise ValueError
        return await original(operation_id)

    room.cards.card = broken  # type: ignore[method-assign]  # a defect in the drawing
    await room.changed("op-1")
    await room.changed("op-2")
    await room.outbox.tick()
    assert [card.text for card in room.slack.messages] == ["op-2 at 1"]


async def test_where_a_card_stands_is_remembered(room: Room) -> None:
    assert await room.outbox.place("op-1") is None
    await room.changed("op-1")
    await room.outbox.drain()
    place = await room.outbox.place("op-1")
    assert place is not None
    assert await room.outbox.operation_at(place.channel, place.ts) == "op-1"


# --- Replicas -------------------------------------------------------------------------------------------------------


async def test_only_one_replica_sends(room: Room) -> None:
    await room.changed("op-1")
    other = room.replica()
    await asyncio.gather(room.outbox.tick(), other.tick())
    await room.changed("op-2")
    counts = [await room.outbox.tick(), await other.tick()]
    assert sorted(counts) == [0, 1]
    assert len(room.slack.messages) == 2


async def test_a_second_replica_takes_over_when_the_first_is_silent(room: Room) -> None:
    await room.changed("op-1")
    await room.outbox.tick()
    other = room.replica()
    await room.changed("op-2")
    assert await other.tick() == 0
    await room.timer.sleep(LEAD_S + 0.1)
    assert await other.tick() == 1


async def test_a_stopped_replica_hands_over_at_once(room: Room) -> None:
    await room.outbox.tick()
    other = room.replica()
    await room.outbox.close()
    await room.changed("op-1")
    assert await other.tick() == 1


async def test_a_started_outbox_sends_by_itself(room: Room) -> None:
    await room.outbox.start()
    try:
        await room.changed("op-1")
        async with asyncio.timeout(30):
            await room.slack.heard.wait()
        assert len(room.slack.messages) == 1
    finally:
        await room.outbox.close()


# --- Messages -------------------------------------------------------------------------------------------------------


async def test_messages_of_one_conversation_keep_their_order_through_faults(room: Room) -> None:
    room.slack.fail("chat.postMessage", Fault.LOST_AFTER, Fault.BUSY, Fault.LOST_BEFORE)
    for number in range(5):
        await room.outbox.message(channel="C1", text=str(number))
    await room.outbox.drain()
    assert [message.text for message in room.slack.messages] == list("01234")


async def test_the_same_key_is_one_message(room: Room) -> None:
    for _ in range(2):
        await room.outbox.message(channel="C1", text="once", key="alert-1")
    await room.outbox.drain()
    assert len(room.slack.messages) == 1


async def test_approvals_go_before_replies_and_replies_before_alerts(room: Room) -> None:
    await room.outbox.message(channel="C3", text="alert", priority=Priority.ALERT)
    await room.outbox.message(channel="C2", text="reply")
    await room.changed("op-1")
    await room.outbox.drain()
    assert [message.text for message in room.slack.messages] == ["op-1 at 1", "reply", "alert"]


async def test_a_whisper_reaches_its_person(room: Room) -> None:
    await room.outbox.ephemeral(channel="C1", user="U1", text="psst")
    await room.outbox.drain()
    assert room.slack.whispers == [{"channel": "C1", "user": "U1", "text": "psst"}]


async def test_a_whisper_that_the_channel_refuses_becomes_a_direct_message(room: Room) -> None:
    room.slack.refusals["C1"] = "not_in_channel"
    await room.outbox.ephemeral(channel="C1", user="U1", text="psst")
    await room.outbox.drain()
    assert [(m.channel, m.text) for m in room.slack.messages] == [("U1", "psst")]


async def test_a_response_url_is_answered(room: Room) -> None:
    room.slack.fail("response_url", Fault.UNREACHABLE)
    await room.outbox.respond(response_url="https://hooks.example/1", text="later", replace_original=True)
    await room.outbox.drain()
    expected = {"response_url": "https://hooks.example/1", "text": "later", "replace_original": True}
    assert room.slack.responses == [expected]


async def test_a_response_url_that_has_run_out_is_left_alone(room: Room) -> None:
    room.slack.fail("response_url", *[Fault.UNREACHABLE] * 40)
    await room.outbox.respond(response_url="https://hooks.example/1", text="too late")
    await room.outbox.drain()
    assert room.slack.responses == []


async def test_thread_replies_wait_for_the_card_and_stand_under_it(room: Room) -> None:
    await room.outbox.thread("op-1", [Message(text="the plan"), _file("all of it")])
    await room.outbox.tick()
    assert room.slack.messages == []
    await room.changed("op-1")
    await room.outbox.drain()
    card, plan, file = room.slack.messages
    assert (plan.thread_ts, plan.text) == (card.ts, "the plan")
    assert (file.thread_ts, file.text) == (card.ts, "The plan")
    assert list(room.slack.files.values()) == [b"all of it"]


@pytest.mark.parametrize("fault", [Fault.LOST_AFTER, Fault.KILLED_AFTER, Fault.LOST_BEFORE, Fault.KILLED_BEFORE])
async def test_a_file_is_shared_once(room: Room, fault: Fault) -> None:
    await room.changed("op-1")
    await room.outbox.thread("op-1", [_file("x")])
    room.slack.fail("files.completeUploadExternal", fault)
    for _ in range(3):
        await room.tick()
        await room.timer.sleep(1)
    await room.settle()
    assert [message.text for message in room.slack.messages] == ["op-1 at 1", "The plan"]


async def test_a_file_for_a_person_is_posted_where_they_asked_and_names_them(room: Room) -> None:
    await _asked(room, channel="C1")
    await room.outbox.drain()
    (shared,) = room.slack.messages
    assert (shared.channel, shared.text, shared.files[0]["title"]) == ("C1", "Asked for by <@U1>", "The plan")
    assert list(room.slack.files.values()) == [b"secret plan"]


@pytest.mark.parametrize("channel", ["", "C1"])
async def test_a_file_that_belongs_nowhere_or_cannot_be_posted_goes_to_the_person(room: Room, channel: str) -> None:
    room.slack.refusals["C1"] = "not_in_channel"
    await _asked(room, channel=channel)
    await room.outbox.drain()
    said, shared = room.slack.messages
    assert (said.channel, said.text) == ("U1", "Asked for by <@U1>")
    assert (shared.channel, shared.files[0]["title"]) == ("DU1", "The plan")
    assert "CFALLBACK" not in [message.channel for message in room.slack.messages], "others must not read it"


@pytest.mark.parametrize("fault", [Fault.LOST_AFTER, Fault.KILLED_AFTER, Fault.LOST_BEFORE, Fault.KILLED_BEFORE])
async def test_a_file_for_a_person_arrives_whatever_happens(room: Room, fault: Fault) -> None:
    room.slack.refusals["conversations.history"] = "missing_scope"
    await _asked(room, channel="")
    room.slack.fail("files.completeUploadExternal", fault)
    for _ in range(3):
        await room.tick()
        await room.timer.sleep(1)
    await room.settle()
    shared = [message for message in room.slack.messages if message.files]
    assert {message.channel for message in shared} == {"DU1"}
    assert len(room.slack.files) == 1


async def test_a_file_that_slack_refuses_for_good_does_not_block_the_next(room: Room) -> None:
    room.slack.refusals["C1"] = "file_upload_disabled"
    await _asked(room, channel="C1")
    await room.outbox.tick()
    room.slack.refusals.clear()
    await room.outbox.ephemeral(channel="C1", user="U1", text="next")
    await room.outbox.drain()
    assert [whisper["text"] for whisper in room.slack.whispers] == ["next"]


async def _asked(room: Room, *, channel: str) -> None:
    file = TextFile(name="plan.txt", title="The plan", text="secret plan")
    await room.outbox.file(channel=channel, user="U1", file=file, comment="Asked for by <@U1>")


async def test_a_message_that_slack_refuses_for_good_does_not_block_the_next(room: Room) -> None:
    room.slack.refusals["C1"] = "msg_too_long"
    await room.outbox.message(channel="C1", text="too long")
    await room.outbox.tick()
    room.slack.refusals.clear()
    await room.outbox.message(channel="C1", text="next")
    await room.outbox.drain()
    assert [message.text for message in room.slack.messages] == ["next"]


def _file(text: str) -> Message:
    return Message(text="The plan, as a file.", file=TextFile(name="plan.txt", title="The plan", text=text))


# --- Whatever happens -----------------------------------------------------------------------------------------------

_METHODS = ("chat.postMessage", "chat.postMessage", "chat.update", "conversations.history")


@dataclass(frozen=True)
class Scene:
    """Something to tell, what will go wrong about it, and how long until the next."""

    about: str
    fault: tuple[str, Fault] | None
    wait: float


_SCENES = st.builds(
    Scene,
    about=st.sampled_from(["op-1", "op-2", "C1", "C2"]),
    fault=st.none() | st.tuples(st.sampled_from(_METHODS), st.sampled_from(list(Fault))),
    wait=st.sampled_from([0.0, 0.5, 3.0, 25.0]),
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(story=st.lists(_SCENES, min_size=1, max_size=12))
def test_the_last_state_arrives_on_one_card_and_every_message_once_in_order(story: Sequence[Scene]) -> None:
    asyncio.run(_play(story))


async def _play(story: Sequence[Scene]) -> None:
    said: dict[str, list[str]] = {"C1": [], "C2": []}
    with tempfile.TemporaryDirectory() as folder:
        async with a_room(Path(folder)) as room:
            for scene in story:
                if scene.fault:
                    room.slack.fail(*scene.fault)
                if scene.about in said:
                    said[scene.about].append(f"{scene.about}-{len(said[scene.about])}")
                    await room.outbox.message(channel=scene.about, text=said[scene.about][-1])
                else:
                    await room.changed(scene.about)
                await room.tick()
                await room.timer.sleep(scene.wait)
            await room.settle()
            for operation, revision in room.cards.revisions.items():
                assert [card.text for card in room.slack.cards(operation)] == [f"{operation} at {revision}"]
            for channel, texts in said.items():
                found = [m.text for m in room.slack.messages if m.channel == channel and m.text.startswith(channel)]
                assert found == texts
