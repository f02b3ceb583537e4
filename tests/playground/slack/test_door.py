"""The simulator's own door: streams, pages of this machine, and what survives a restart."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.playground.slack.forms import field, home, modal
from tests.playground.slack.rig import AUTHOR, DEADLINE_S, ORDERS, Bot, Rig, running


async def test_a_reader_is_woken_by_the_next_event(slack: Rig) -> None:
    last = (await slack.see("events", timeout_s=0))["last"]
    waiting = asyncio.create_task(slack.see("events", after=last, timeout_s=DEADLINE_S))
    await slack.sim("messages", user="author", channel="team-orders", text="hello")
    answer = await waiting
    assert [event["type"] for event in answer["events"]][:1] == ["message_posted"]
    assert answer["events"][0]["n"] == last + 1


async def test_nothing_new_is_an_empty_answer(slack: Rig) -> None:
    last = (await slack.see("events", timeout_s=0))["last"]
    assert (await slack.see("events", after=last, timeout_s=0.01)) == {"events": [], "last": last}


async def test_server_sent_events_carry_the_same_stream(slack: Rig) -> None:
    await slack.sim("messages", user="author", channel="team-orders", text="before")
    async with slack.http.get(f"{slack.url}/sim/stream", params={"after": 0}) as response:
        assert response.content_type == "text/event-stream"
        await slack.sim("messages", user="author", channel="team-orders", text="after")
        texts: list[str] = []
        number = 0
        while len(texts) < 2:
            line = (await response.content.readline()).decode().strip()
            if line.startswith("data: "):
                event = json.loads(line.removeprefix("data: "))
                assert event["n"] == number + 1
                number = event["n"]
                texts += [event["message"]["text"]] if event["type"] == "message_posted" else []
        assert texts == ["before", "after"]


async def test_a_stream_can_be_taken_up_where_it_broke_off(slack: Rig) -> None:
    for text in ("one", "two"):
        await slack.sim("messages", user="author", channel="team-orders", text=text)
    first = (await slack.until("message_posted"))["n"]
    async with slack.http.get(f"{slack.url}/sim/stream", headers={"Last-Event-ID": str(first)}) as response:
        assert (await response.content.readline()).decode().strip() == f"id: {first + 1}"


async def test_pages_of_this_machine_may_call(slack: Rig) -> None:
    origin = "http://127.0.0.1:8800"
    async with slack.http.get(f"{slack.url}/sim/users", headers={"Origin": origin}) as response:
        assert response.headers["Access-Control-Allow-Origin"] == origin
    async with slack.http.options(f"{slack.url}/sim/commands", headers={"Origin": origin}) as response:
        assert response.status == 200
        assert "POST" in response.headers["Access-Control-Allow-Methods"]


async def test_pages_of_other_machines_may_not(slack: Rig) -> None:
    headers = {"Origin": "https://example.com"}
    body = {"user": "author", "channel": "team-orders", "text": "gotcha"}
    async with slack.http.post(f"{slack.url}/sim/messages", json=body, headers=headers) as response:
        assert response.status == 403
    assert await slack.messages() == []


async def test_a_call_that_makes_no_sense_is_told_so(slack: Rig) -> None:
    async with slack.http.post(f"{slack.url}/sim/messages", data=b"not json") as response:
        assert (response.status, (await response.json())["error"]) == (400, "invalid_json")
    status, answer = await slack.try_sim("messages", user="author")
    assert (status, answer["error"]) == (400, "missing_argument")


async def test_everything_is_there_after_a_restart(tmp_path: Path, bot: Bot) -> None:
    async with running(tmp_path, bot) as slack:
        posted = await slack.ok("chat.postMessage", channel=ORDERS, text="before")
        await slack.open_modal(modal(field("name", {"type": "plain_text_input", "initial_value": "orders"})))
        await slack.ok("views.publish", user_id=AUTHOR, view=home())
        await slack.sim("channels", name="incident-1", members=["author"], bot=True)
        url = bot.heard[-1].payload["response_url"].removeprefix(slack.url)
        views, channels = await slack.see("views", user="author"), await slack.see("channels")
        messages, log, last = await slack.messages(), await slack.log(), (await slack.see("events"))["last"]
    async with running(tmp_path, bot) as slack:
        assert await slack.see("views", user="author") == views
        assert await slack.see("channels") == channels
        assert await slack.messages() == messages
        assert await slack.log() == log
        assert (await slack.see("events", timeout_s=0))["last"] == last
        later = await slack.ok("chat.postMessage", channel=ORDERS, text="after")
        assert later["ts"] > posted["ts"]
        async with slack.http.post(f"{slack.url}{url}", json={"text": "still good"}) as response:
            assert response.status == 200


async def test_flags_of_people_can_be_changed(slack: Rig) -> None:
    await slack.sim("users", user="teammate", deleted=True)
    assert (await slack.ok("users.info", user="U0TEAMMATE1"))["user"]["deleted"] is True
    assert (await slack.until("user_changed"))["user"]["name"] == "teammate"


async def test_a_person_deletes_only_own_messages(slack: Rig) -> None:
    ts = (await slack.sim("messages", user="author", channel="team-orders", text="oops"))["ts"]
    status, _ = await slack.try_sim("messages/delete", user="teammate", channel="team-orders", ts=ts)
    assert status == 409
    await slack.sim("messages/delete", user="author", channel="team-orders", ts=ts)
    assert await slack.messages() == []


async def test_a_deleted_root_keeps_its_thread_readable(slack: Rig) -> None:
    root = (await slack.sim("messages", user="author", channel="team-orders", text="root"))["ts"]
    await slack.sim("messages", user="teammate", channel="team-orders", text="reply", thread_ts=root)
    await slack.sim("messages/delete", user="author", channel="team-orders", ts=root)
    thread = await slack.messages(thread_ts=root)
    assert [message["deleted"] for message in thread] == [True, False]


async def test_a_thread_knows_its_replies(slack: Rig) -> None:
    said = {"user": "author", "channel": "team-orders"}
    root = (await slack.sim("messages", **said, text="root"))["ts"]
    first = (await slack.sim("messages", **said, text="one", thread_ts=root))["ts"]
    second = (await slack.sim("messages", **said, text="two", thread_ts=first))["ts"]
    [shown] = await slack.messages()
    assert (shown["reply_count"], shown["latest_reply"], shown["thread_ts"]) == (2, second, root)
    await slack.sim("messages/delete", **said, ts=second)
    assert [(m["reply_count"], m["latest_reply"]) for m in await slack.messages()] == [(1, first)]
    await slack.sim("messages/delete", **said, ts=first)
    assert [(m["reply_count"], m["thread_ts"]) for m in await slack.messages()] == [(0, None)]


async def test_a_foreign_name_that_leads_here_is_refused(slack: Rig) -> None:
    async with slack.http.get(f"{slack.url}/sim/users", headers={"Host": "evil.example"}) as response:
        assert response.status == 403


async def test_rate_limits_can_be_lifted_for_measuring(slack: Rig) -> None:
    assert await slack.sim("rates", enabled=False) == {"enabled": False}
    for _ in range(30):
        await slack.ok("chat.postMessage", channel=ORDERS, text="hello")
    assert await slack.sim("rates", enabled=True) == {"enabled": True}


async def test_no_call_reads_through_all_messages(slack: Rig) -> None:
    """Ten thousand messages must not slow the next one: every statement finds what it needs by an index."""
    root = (await slack.ok("chat.postMessage", channel=ORDERS, text="root"))["ts"]
    database = slack.peer.workspace.store._db
    statements: list[str] = []
    database.set_trace_callback(statements.append)
    reply = await slack.ok("chat.postMessage", channel=ORDERS, text="reply", thread_ts=root)
    await slack.ok("chat.update", channel=ORDERS, ts=reply["ts"], text="changed")
    await slack.ok("conversations.history", channel=ORDERS, limit=10)
    await slack.ok("conversations.replies", channel=ORDERS, ts=root)
    await slack.messages(user="author", limit=10)
    await slack.see("channels")
    await slack.see("events", after=1)
    await slack.see("log", since=1)
    await slack.sim("commands", user="author", channel="team-orders", command="/idp")
    await slack.sim("redeliver", last=1)
    database.set_trace_callback(None)
    asked = {statement for statement in statements if statement.startswith("SELECT")}
    assert len(asked) >= 8
    for statement in asked:
        steps = [str(row[3]) for row in database.execute(f"EXPLAIN QUERY PLAN {statement}")]
        assert all(step.startswith("SEARCH") for step in steps), (statement, steps)
