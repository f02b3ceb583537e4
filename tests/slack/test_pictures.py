"""Pictures and messages that are told again, through the outbox: whatever Slack does, people are told, and once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.command import Picture
from bot.slack import limits
from bot.slack.message import Message
from tests.fakes.slack import Fault
from tests.slack.test_outbox import Room, a_room

PICTURE = Picture(name="latency.png", title="Latency <p99>", png=b"\x89PNG\x00\xff", alt="p99: now 412 ms & rising.")
SECTION: dict[str, Any] = {"type": "section", "text": {"type": "mrkdwn", "text": "Why"}}
IN_WORDS = "Latency &lt;p99&gt; (the picture could not be shown)\np99: now 412 ms &amp; rising."
FAULTS = [fault for fault in Fault if not fault.value.startswith("killed")]


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with a_room(tmp_path) as made:
        yield made


async def below_a_card(room: Room, picture: Picture = PICTURE) -> None:
    await room.changed("op-1")
    await room.outbox.thread("op-1", [Message(text="Why", blocks=(SECTION,), picture=picture)], key="why")
    await room.outbox.thread("op-1", [Message(text="next")])


async def test_a_picture_stands_below_its_text_in_the_thread_of_a_card(room: Room) -> None:
    await below_a_card(room)
    await room.outbox.drain()
    card, text, picture, following = room.slack.messages
    assert [text.text, following.text] == ["Why", "next"]
    assert {one.thread_ts for one in (text, picture, following)} == {card.ts}
    assert picture.files[0]["title"] == "Latency <p99>"
    assert list(room.slack.files.values()) == [PICTURE.png]
    asked = next(given for method, given in room.slack.calls if method == "files.getUploadURLExternal")
    assert asked == {"filename": "latency.png", "length": 6, "alt_txt": PICTURE.alt}


@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
async def test_a_picture_is_shown_once_through_every_fault(room: Room, method: str, fault: Fault) -> None:
    await below_a_card(room)
    room.slack.fail(method, fault)
    for _ in range(6):
        await room.tick()
    await room.settle()
    assert [len(message.files) for message in room.slack.messages] == [0, 0, 1, 0]


@pytest.mark.parametrize("code", ["file_uploads_disabled", "file_type_not_allowed", "missing_scope", "storage_limit"])
async def test_a_picture_that_slack_refuses_is_told_in_words_and_holds_nothing_up(room: Room, code: str) -> None:
    await below_a_card(room)
    room.slack.refusals["files.getUploadURLExternal"] = code
    await room.outbox.drain()
    assert [message.text for message in room.slack.messages] == ["op-1 at 1", "Why", IN_WORDS, "next"]
    assert len({message.thread_ts for message in room.slack.messages[1:]}) == 1


async def test_a_picture_that_cannot_be_uploaded_for_minutes_is_told_in_words(room: Room) -> None:
    await below_a_card(room)
    room.slack.fail("files.getUploadURLExternal", *[Fault.UNREACHABLE] * 40)
    for _ in range(15):
        await room.tick()
        await room.timer.sleep(61)
    assert [message.text for message in room.slack.messages] == ["op-1 at 1", "Why", IN_WORDS, "next"]


async def test_a_token_that_has_to_be_mended_is_waited_for(room: Room) -> None:
    await below_a_card(room)
    room.slack.refusals["files.getUploadURLExternal"] = "token_expired"
    for _ in range(3):
        await room.tick()
        await room.timer.sleep(61)
    room.slack.refusals.clear()
    await room.settle()
    assert [len(message.files) for message in room.slack.messages] == [0, 0, 1, 0]


async def test_a_picture_too_large_to_be_kept_is_told_in_words(room: Room) -> None:
    huge = Picture(name="x.png", title=PICTURE.title, png=bytes(limits.PICTURE_BYTES + 1), alt=PICTURE.alt)
    await below_a_card(room, huge)
    await room.outbox.file(channel="", user="U1", file=huge, comment="Latency, asked for by <@U1>")
    await room.outbox.drain()
    assert [message.text for message in room.slack.messages].count(IN_WORDS) == 2
    assert room.slack.files == {}


async def test_a_picture_for_one_person_goes_directly_to_them(room: Room) -> None:
    await room.outbox.file(channel="", user="U1", file=PICTURE, comment="Latency, asked for by <@U1>")
    await room.outbox.drain()
    said, picture = room.slack.messages
    assert (said.channel, said.text) == ("U1", "Latency, asked for by <@U1>")
    assert (picture.channel, len(picture.files)) == ("DU1", 1)


async def test_a_picture_for_one_person_that_slack_refuses_is_told_to_them_in_words(room: Room) -> None:
    room.slack.refusals["files.getUploadURLExternal"] = "file_uploads_disabled"
    await room.outbox.file(channel="", user="U1", file=PICTURE, comment="Latency, asked for by <@U1>")
    await room.outbox.drain()
    assert [(message.channel, message.text) for message in room.slack.messages][-1] == ("U1", IN_WORDS)


async def test_a_picture_in_a_thread_that_lets_us_not_in_goes_to_the_person_and_to_no_thread(room: Room) -> None:
    room.slack.refusals["C1"] = "not_in_channel"
    await room.outbox.file(channel="C1", user="U1", file=PICTURE, comment="Latency", thread_ts="1.5")
    await room.outbox.drain()
    assert [(one.channel, one.thread_ts) for one in room.slack.messages] == [("U1", None), ("DU1", None)]


async def test_a_long_description_is_cut_to_what_slack_takes(room: Room) -> None:
    long = Picture(name="x.png", title="x", png=b"x", alt="y" * 5000)
    await room.outbox.file(channel="C1", user="U1", file=long, comment="x")
    await room.outbox.drain()
    asked = next(given for method, given in room.slack.calls if method == "files.getUploadURLExternal")
    assert len(asked["alt_txt"]) == limits.ALT_TEXT


# --- Told again -----------------------------------------------------------------------------------------------------


async def tell(room: Room, text: str, *, channel: str = "C1", blocks: Any = ()) -> None:
    await room.outbox.tell("told-1", channel=channel, user="U1", text=text, blocks=blocks, key=f"told-1:{text}")


async def test_what_is_told_again_changes_the_same_message(room: Room) -> None:
    await tell(room, "first", blocks=[SECTION])
    await tell(room, "whole")
    await room.outbox.drain()
    (message,) = room.slack.messages
    assert (message.channel, message.text, message.blocks) == ("C1", "whole", [])


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
async def test_a_message_never_goes_back_to_its_first_part(room: Room, method: str, fault: Fault) -> None:
    room.slack.fail(method, fault, fault)
    await tell(room, "first")
    await tell(room, "whole")
    await room.outbox.drain()
    assert [message.text for message in room.slack.messages] == ["whole"]


@pytest.mark.parametrize("fault", [Fault.KILLED_BEFORE, Fault.KILLED_AFTER])
@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
async def test_a_message_is_one_however_often_the_process_is_killed(room: Room, method: str, fault: Fault) -> None:
    room.slack.fail(method, fault)
    await tell(room, "first")
    await tell(room, "whole")
    for _ in range(4):
        await room.tick()
    await room.settle()
    assert [message.text for message in room.slack.messages] == ["whole"]


async def test_a_channel_that_lets_us_not_in_is_passed_by_for_the_person_alone(room: Room) -> None:
    """Never for the fallback channel: it was an answer to one person."""
    room.slack.refusals["C1"] = "not_in_channel"
    await tell(room, "first")
    await tell(room, "whole")
    await room.outbox.drain()
    first, *more = room.slack.messages
    assert (first.channel, more) == ("U1", [])


async def test_a_message_that_somebody_deleted_is_told_anew(room: Room) -> None:
    await tell(room, "first")
    await room.outbox.drain()
    room.slack.messages.clear()
    await tell(room, "whole")
    await room.outbox.drain()
    assert [message.text for message in room.slack.messages] == ["whole"]


async def test_places_of_long_ago_are_forgotten(room: Room) -> None:
    await tell(room, "first")
    await room.outbox.drain()
    await room.timer.sleep(25 * 3600)
    await room.outbox.tell("told-2", channel="C1", user="U1", text="another")
    await room.outbox.drain()
    assert await room.outbox.place("told-1") is None
    assert await room.outbox.place("told-2") is not None
