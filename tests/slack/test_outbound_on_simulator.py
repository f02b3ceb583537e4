"""The outbound half against the playground's Slack, over HTTP: what we send is taken, shown, and never doubled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.charts import alt_text, chart
from bot.command import FormStart, Picture, TextFile
from bot.model.operation import OperationView, State
from bot.slack import forms
from bot.slack.cards import card, thread
from bot.slack.delivery import Card
from bot.slack.gateway import SlackGateway
from bot.slack.home import HomePublisher
from bot.slack.message import Message
from bot.slack.outbox import Outbox
from bot.storage.database import Database, metadata
from integrations.resvg import connect as connect_pictures
from tests.charts.examples import LATENCY
from tests.fakes.slack import FakeTimer
from tests.playground.slack.rig import AUTHOR, ORDERS, TOKENS, Rig, running, running_bot
from tests.slack.test_forms import FORM
from tests.slack.test_home import PAGE, Pages
from tests.slack.views import MONDAY, STORIES


@dataclass
class Shown:
    """The card source: whichever view the test shows."""

    views: dict[str, OperationView] = field(default_factory=dict)
    channel: str = ORDERS

    async def card(self, operation_id: str) -> Card | None:
        view = self.views[operation_id]
        return Card(message=card(view, now=MONDAY), revision=view.revision, channel=self.channel)


@dataclass
class Room:
    rig: Rig
    gateway: SlackGateway
    outbox: Outbox
    shown: Shown
    database: Database

    async def show(self, operation: str, story: str) -> None:
        revision = self.shown.views[operation].revision + 1 if operation in self.shown.views else 1
        changes: dict[str, Any] = {"id": operation, "revision": revision}
        self.shown.views[operation] = STORIES[story].model_copy(update=changes)
        async with self.database.write() as connection:
            await self.outbox.operation_changed(connection, operation, revision)

    async def cards(self, channel: str = "team-orders") -> list[dict[str, Any]]:
        messages = await self.rig.messages(channel)
        return [m for m in messages if (m.get("metadata") or {}).get("event_type") == "causeway_operation"]


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    database = Database(f"sqlite:///{tmp_path / 'bot.db'}")
    async with database.write() as connection:
        await connection.run_sync(metadata.create_all)
    async with (
        running_bot() as bot,
        running(tmp_path / "slack", bot, rate_limits=False) as rig,
        aiohttp.ClientSession() as session,
    ):
        timer = FakeTimer()
        gateway = SlackGateway(session, TOKENS.bot, base_url=f"{rig.url}/api/", timer=timer)
        shown = Shown()
        outbox = Outbox(database, gateway, shown, fallback_channel="platform", timer=timer)
        yield Room(rig, gateway, outbox, shown, database)
        await outbox.close()
    await database.close()


@pytest.mark.parametrize("story", STORIES)
async def test_slack_takes_the_card_of_every_state(room: Room, story: str) -> None:
    await room.show("op-1", "awaiting-approval")
    await room.outbox.drain()
    await room.show("op-1", story)
    await room.outbox.drain()
    (message,) = await room.cards()
    assert message["metadata"]["event_payload"]["state"] == STORIES[story].state.value
    assert message["blocks"]
    assert [entry for entry in await room.rig.log() if entry.get("violations")] == []


async def test_a_card_whose_answer_was_lost_is_found_by_its_metadata(room: Room) -> None:
    await room.rig.sim("faults", method="chat.postMessage", times=1, drop="after")
    await room.show("op-1", "awaiting-approval")
    await room.outbox.drain()
    await room.show("op-1", "succeeded")
    await room.outbox.drain()
    (message,) = await room.cards()
    assert message["metadata"]["event_payload"]["state"] == State.SUCCEEDED.value


@pytest.mark.parametrize(
    "fault", [{"drop": "before"}, {"status": 500}, {"status": 429, "retry_after": 2}, {"truncate": True}]
)
async def test_the_last_state_arrives_once_through_every_fault(room: Room, fault: dict[str, Any]) -> None:
    for method in ("chat.postMessage", "chat.update"):
        await room.rig.sim("faults", method=method, times=2, **fault)
    for story in ("awaiting-approval", "running", "succeeded"):
        await room.show("op-1", story)
        await room.outbox.tick()
    await room.outbox.drain()
    (message,) = await room.cards()
    assert message["metadata"]["event_payload"]["state"] == State.SUCCEEDED.value


async def test_details_stand_in_the_thread_with_their_file(room: Room) -> None:
    await room.show("op-1", "awaiting-approval")
    plan = room.shown.views["op-1"].plan
    assert plan is not None
    long = plan.details[0].model_copy(update={"text": "x\n" * 3_000})
    view = room.shown.views["op-1"].model_copy(update={"plan": plan.model_copy(update={"details": (long,)})})
    await room.outbox.thread("op-1", thread(view))
    await room.outbox.drain()
    (message,) = await room.cards()
    replies = [m for m in await room.rig.messages(thread_ts=message["ts"]) if m["ts"] != message["ts"]]
    assert len(replies) == 2
    assert replies[1]["files"][0]["title"] == "1 detail of the plan"


FILE = TextFile(name="orders-logs.txt", title="Logs of orders", text="line\n" * 900)


async def test_a_file_stands_in_the_channel_with_who_asked_for_it(room: Room) -> None:
    await room.outbox.file(channel=ORDERS, user=AUTHOR, file=FILE, comment=f"Logs, asked for by <@{AUTHOR}>")
    await room.outbox.drain()
    message = (await room.rig.messages("team-orders"))[-1]
    assert message["text"] == f"Logs, asked for by <@{AUTHOR}>"
    assert message["files"][0]["title"] == "Logs of orders"


@pytest.mark.parametrize("drop", [None, "before", "after"])
async def test_a_file_that_no_channel_takes_goes_to_the_person_alone(room: Room, drop: str | None) -> None:
    if drop:
        await room.rig.sim("faults", method="files.completeUploadExternal", times=1, skip=1, drop=drop)
    await room.outbox.file(channel="C0NOWHERE", user=AUTHOR, file=FILE, comment="Logs")
    await room.outbox.drain()
    refused, *shared = [one for one in await room.rig.log("call") if one["name"] == "files.completeUploadExternal"]
    assert refused["result"]["error"] == "channel_not_found"
    assert {one["arguments"]["channel_id"] for one in shared} == {"D0AUTHOR01"}
    shown = await room.rig.messages("D0AUTHOR01", user="author")
    assert [len(message["files"]) for message in shown] == [0, 1]


async def test_a_channel_we_are_not_in_sends_the_card_to_the_fallback(room: Room) -> None:
    room.shown.channel = "C0NOWHERE"
    await room.show("op-1", "awaiting-approval")
    await room.outbox.drain()
    (message,) = await room.cards("platform")
    assert "This belongs in" in str(message["blocks"])


async def test_a_whisper_is_seen_by_its_person_only(room: Room) -> None:
    await room.outbox.ephemeral(channel=ORDERS, user=AUTHOR, text="Only you can read this.")
    await room.outbox.drain()
    seen = [m["text"] for m in await room.rig.messages(user="author")]
    others = [m["text"] for m in await room.rig.messages(user="teammate")]
    assert "Only you can read this." in seen
    assert "Only you can read this." not in others


@pytest.mark.parametrize("page", [0, 1])
async def test_slack_opens_every_page_of_a_form(room: Room, page: int) -> None:
    start = FormStart(title="Create a service", form=FORM)
    view = forms.modal(
        start, page=page, values={"database": "postgresql"}, callback_id="service.create", private_metadata="d"
    )
    opened = await room.rig.open_modal(view)
    assert opened["callback_id"] == "service.create"


async def test_slack_shows_the_home_tab(room: Room) -> None:
    pages = Pages()
    pages.pages[AUTHOR] = PAGE
    publisher = HomePublisher(room.gateway, pages, room.database, timer=FakeTimer())
    assert await publisher.publish(AUTHOR)
    home = (await room.rig.see("views", user="author"))["home"]
    assert home["blocks"][0]["text"]["text"] == "Hello, Sample"


async def drawn() -> Picture:
    pictures = connect_pictures()
    try:
        png = await pictures.png(chart(LATENCY))
    finally:
        await pictures.close()
    return Picture(name="latency.png", title=LATENCY.title, png=png, alt=alt_text(LATENCY))


async def test_a_chart_stands_in_the_thread_with_its_bytes_and_its_words(room: Room) -> None:
    picture = await drawn()
    await room.show("op-1", "awaiting-approval")
    await room.outbox.thread("op-1", [Message(text="Why it is slow", picture=picture)])
    await room.outbox.drain()
    (root,) = await room.cards()
    _root, text, shown = await room.rig.messages("team-orders", thread_ts=root["ts"])
    assert text["text"] == "Why it is slow"
    (file,) = shown["files"]
    told = {"title": LATENCY.title, "alt_txt": picture.alt, "mimetype": "image/png", "original_w": 1440}
    assert file.items() >= told.items()
    async with room.rig.http.get(file["url_private"]) as response:
        assert await response.read() == picture.png


async def test_a_chart_for_one_person_is_seen_by_nobody_else(room: Room) -> None:
    await room.outbox.file(channel="", user=AUTHOR, file=await drawn(), comment="Latency")
    await room.outbox.drain()
    assert await room.rig.messages("team-orders") == []
    ims = [one for one in (await room.rig.see("channels"))["channels"] if one["is_im"] and one["user"] == AUTHOR]
    said, shown = await room.rig.messages(ims[0]["id"], user="author")
    assert (said["text"], len(shown["files"])) == ("Latency", 1)


async def test_an_answer_in_two_parts_is_one_message(room: Room) -> None:
    for text in ("So far.", "The whole."):
        await room.outbox.tell("told-1", channel=ORDERS, user=AUTHOR, text=text)
    await room.outbox.drain()
    (message,) = await room.rig.messages("team-orders")
    assert (message["text"], message["ephemeral_to"]) == ("The whole.", None)


async def test_an_answer_in_two_parts_to_one_person_is_one_direct_message(room: Room) -> None:
    for text in ("So far.", "The whole."):
        await room.outbox.tell("told-1", channel=AUTHOR, user=AUTHOR, text=text)
    await room.outbox.drain()
    ims = [one for one in (await room.rig.see("channels"))["channels"] if one["is_im"] and one["user"] == AUTHOR]
    (message,) = await room.rig.messages(ims[0]["id"], user="author")
    assert message["text"] == "The whole."
