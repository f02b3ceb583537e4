"""Answers in two parts, and with pictures: where each stands in Slack."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bot import completing
from bot.command import Answer, Picture, TextFile
from bot.errors import UpstreamUnavailable
from bot.slack.envelope import Envelope, Kind
from bot.slack.telling import Telling
from tests.fakes.slack_inbound import CHANNEL, USER, FakeReplies

PICTURE = Picture(name="latency.png", title="Latency of orders-api", png=b"png", alt="p99: now 412 ms.")
LINE: dict[str, Any] = {"type": "section", "text": {"type": "mrkdwn", "text": "so far"}}


def asked(channel: str = CHANNEL, *, attempt: int = 1, **payload: Any) -> Envelope:
    return Envelope(Kind.COMMAND, "key-1", {"user_id": USER, "channel_id": channel, **payload}, "", 0.0, attempt)


def mentioned(**event: Any) -> Envelope:
    payload = {"event": {"type": "app_mention", "user": USER, "channel": CHANNEL, "ts": "7.1", **event}}
    return Envelope(Kind.EVENT, "key-1", payload, "", 0.0)


def two_parts(complete: Callable[[], Awaitable[Answer]], *, shared: bool = False) -> Answer:
    return Answer(text="so far", blocks=[LINE], complete=complete, shared=shared)


async def the_whole() -> Answer:
    return Answer(text="the whole", picture=PICTURE)


async def told(envelope: Envelope, answer: Answer) -> list[dict[str, Any]]:
    replies = FakeReplies()
    await Telling(replies, "#platform").answer(envelope, answer)
    return replies.said


async def test_an_answer_that_everybody_may_read_is_one_message_and_its_picture_follows() -> None:
    first, whole, picture = await told(asked(), two_parts(the_whole, shared=True))
    assert (first["channel"], first["text"], first["thread"]) == (CHANNEL, "so far", None)
    assert (whole["channel"], whole["text"], whole["id"]) == (CHANNEL, "the whole", first["id"])
    assert first["id"].startswith("told-")
    assert (picture["channel"], picture["file"]) == (CHANNEL, PICTURE)


async def test_the_first_part_is_told_before_the_rest_is_waited_for() -> None:
    replies, arrived = FakeReplies(), asyncio.Event()

    async def late() -> Answer:
        assert replies.texts == ["so far"]
        arrived.set()
        return Answer(text="the whole")

    await Telling(replies, "#platform").answer(asked(), two_parts(late))
    assert arrived.is_set()
    assert replies.texts == ["so far", "the whole"]


async def test_who_asks_directly_gets_one_message_too() -> None:
    first, whole, picture = await told(asked("D0DIRECT001"), two_parts(the_whole))
    assert (first["channel"], whole["channel"], whole["id"]) == (USER, USER, first["id"])
    assert (picture["channel"], picture["user"]) == ("", USER)


async def test_a_mention_is_answered_in_its_thread() -> None:
    for event, thread in (({}, "7.1"), ({"thread_ts": "6.5"}, "6.5")):
        first, _whole, picture = await told(mentioned(**event), two_parts(the_whole, shared=True))
        assert (first["channel"], first["thread"]) == (CHANNEL, thread)
        assert (picture["channel"], picture["thread"]) == (CHANNEL, thread)


async def test_what_is_for_one_person_in_a_channel_stands_below_its_first_part_and_the_picture_goes_directly() -> None:
    """Slack lets nobody edit what it shows to one person alone, nor put a file there."""
    first, whole, picture = await told(asked(), two_parts(the_whole))
    assert [(one["channel"], one["user"], "id" in one) for one in (first, whole)] == [(CHANNEL, USER, False)] * 2
    assert whole["text"].startswith("the whole\nThe chart is in our direct messages")
    assert "The chart is in our direct messages" in str(whole["blocks"])
    assert (picture["channel"], picture["user"], picture["file"]) == ("", USER, PICTURE)


async def test_a_whole_answer_is_told_as_before() -> None:
    (only,) = await told(asked(), Answer(text="all"))
    assert only == {"channel": CHANNEL, "user": USER, "text": "all", "blocks": []}


async def test_a_text_goes_where_it_may_be_read() -> None:
    file = TextFile(name="a.txt", title="Log", text="x")
    for_all = await told(asked(), Answer(text="all", file=file, file_for_channel=True))
    for_one = await told(asked(), Answer(text="all", file=file))
    assert [said[-1]["channel"] for said in (for_all, for_one)] == [CHANNEL, ""]


async def fails() -> Answer:
    raise UpstreamUnavailable("Loki did not answer.", hint="Try `again` <soon>.")


async def breaks() -> Answer:
    raise ZeroDivisionError


async def hangs() -> Answer:
    await asyncio.Event().wait()
    raise AssertionError


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize(
    ("rest", "why"),
    [
        (fails, "The rest of this answer did not come. Loki did not answer. Try `again` &lt;soon&gt;."),
        (breaks, "The rest of this answer did not come. That did not work, and it is our fault. Quote"),
        (hangs, "The rest of this answer did not come. It took too long."),
    ],
)
async def test_a_first_part_is_marked_when_the_rest_does_not_come(
    rest: Callable[[], Awaitable[Answer]], why: str, *, shared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completing, "WITHIN_S", 0.05 if rest is hangs else 30.0)
    first, last = await told(asked(), two_parts(rest, shared=shared))
    assert first["text"] == "so far"
    if shared:
        assert last["text"].startswith(f"so far\n{why}")
        assert last["blocks"][0] == LINE
        assert why in last["blocks"][-1]["elements"][0]["text"]
        assert last["id"] == first["id"]
    else:
        assert last["text"].startswith(why)


async def test_whoever_takes_up_the_work_of_a_dead_process_does_not_go_back_to_the_first_part() -> None:
    whole, _picture = await told(asked(attempt=2), two_parts(the_whole, shared=True))
    assert whole["text"] == "the whole"


async def test_an_answer_may_come_in_more_than_two_parts() -> None:
    async def second() -> Answer:
        return two_parts(the_whole)

    first, whole, _picture = await told(asked(), two_parts(second, shared=True))
    assert (first["text"], whole["text"]) == ("so far", "the whole")
