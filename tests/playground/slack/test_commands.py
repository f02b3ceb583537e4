"""Slash commands: what the app is sent, and what people see of its answer."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from pathlib import Path

import pytest
from aiohttp import web

from tests.playground.slack.rig import AUTHOR, ORDERS, TOKENS, Bot, Json, Rig, running


async def test_a_command_arrives_signed_over_its_raw_body(slack: Rig) -> None:
    await slack.sim("commands", user="author", channel="team-orders", command="/service", text="create")
    heard = slack.bot.heard[0]
    timestamp = heard.headers["X-Slack-Request-Timestamp"]
    base = b"v0:" + timestamp.encode() + b":" + heard.body
    expected = "v0=" + hmac.new(TOKENS.signing_secret.encode(), base, hashlib.sha256).hexdigest()
    assert heard.headers["X-Slack-Signature"] == expected
    assert abs(int(timestamp) - slack.clock().timestamp()) < 60


async def test_a_command_carries_what_slack_sends(slack: Rig) -> None:
    await slack.sim("commands", user="author", channel="team-orders", command="/service", text="create web")
    payload = slack.bot.heard[0].payload
    assert (payload["command"], payload["text"]) == ("/service", "create web")
    assert (payload["user_id"], payload["user_name"]) == (AUTHOR, "author")
    assert (payload["channel_id"], payload["channel_name"]) == (ORDERS, "team-orders")
    assert {"team_id", "team_domain", "response_url", "trigger_id", "api_app_id", "token"} <= payload.keys()
    assert "thread_ts" not in payload


async def test_names_links_and_signs_in_a_command_arrive_escaped(slack: Rig) -> None:
    text = "ask @approver in #platform about <b> & https://example.com/a?b=1&c=2"
    await slack.sim("commands", user="author", channel="team-orders", command="/idp", text=text)
    assert slack.bot.heard[0].payload["text"] == (
        "ask <@U0APPROVER1|approver> in <#C0PLATFORM1|platform> about &lt;b&gt; &amp; "
        "<https://example.com/a?b=1&amp;c=2>"
    )


async def test_the_answer_tells_status_time_body_and_where_the_stream_stood(slack: Rig) -> None:
    slack.bot.answers["/idp"] = {"response_type": "ephemeral", "text": "help"}
    before = (await slack.see("events", timeout_s=0))["last"]
    answer = await slack.sim("commands", user="author", channel="team-orders", command="/idp", text="help")
    assert answer["status"] == 200
    assert answer["body"] == {"response_type": "ephemeral", "text": "help"}
    assert answer["ack_ms"] > 0
    assert answer["after"] == before


async def test_an_answer_is_shown_to_the_asker_alone(slack: Rig) -> None:
    slack.bot.answers["/idp"] = "only for you"
    await slack.sim("commands", user="author", channel="team-orders", command="/idp")
    assert [m["text"] for m in await slack.messages(user="author")] == ["only for you"]
    assert await slack.messages(user="teammate") == []
    assert await slack.messages() == []


async def test_an_in_channel_answer_is_shown_to_all(slack: Rig) -> None:
    slack.bot.answers["/idp"] = {"response_type": "in_channel", "text": "for all"}
    await slack.sim("commands", user="author", channel="team-orders", command="/idp")
    assert [m["ephemeral_to"] for m in await slack.messages()] == [None]


async def test_an_empty_answer_shows_nothing(slack: Rig) -> None:
    await slack.sim("commands", user="author", channel="team-orders", command="/idp")
    assert await slack.messages(user="author") == []


async def test_a_late_answer_is_a_time_out_that_the_person_sees(tmp_path: Path, bot: Bot) -> None:
    release = asyncio.Event()

    async def too_slow(_payload: Json) -> None:
        await release.wait()

    bot.behave = too_slow
    async with running(tmp_path, bot, ack_timeout_s=0.05) as slack:
        answer = await slack.sim("commands", user="author", channel="team-orders", command="/idp")
        assert (answer["status"], answer["error"]) == (None, "operation_timeout")
        [shown] = await slack.messages(user="author")
        assert (shown["user"], shown["ephemeral_to"]) == ("USLACKBOT", AUTHOR)
        assert "operation_timeout" in shown["text"]
        [entry] = await slack.log("delivery")
        assert entry["violations"] == ["There was no acknowledgement within 3 seconds."]
        release.set()


async def test_a_failing_bot_is_a_dispatch_failure_and_a_violation(slack: Rig) -> None:
    slack.bot.answers["/idp"] = web.Response(status=500)
    answer = await slack.sim("commands", user="author", channel="team-orders", command="/idp")
    assert (answer["status"], answer["error"]) == (500, "dispatch_failed")
    assert (await slack.log("delivery"))[0]["violations"]


async def test_a_dead_replica_is_passed_over(slack: Rig, unused_tcp_port: int) -> None:
    slack.peer.deliver_to([f"http://127.0.0.1:{unused_tcp_port}/slack/events", slack.bot.url])
    for _ in range(4):
        answer = await slack.sim("commands", user="author", channel="team-orders", command="/idp")
        assert answer["status"] == 200
    assert len(slack.bot.heard) == 4


async def test_no_replica_at_all_is_a_dispatch_failure(slack: Rig) -> None:
    slack.peer.deliver_to([])
    answer = await slack.sim("commands", user="author", channel="team-orders", command="/idp")
    assert (answer["status"], answer["error"]) == (None, "dispatch_failed")


async def test_a_redelivery_repeats_the_body_under_a_new_signature(slack: Rig) -> None:
    await slack.sim("commands", user="author", channel="team-orders", command="/idp", text="one")
    answer = await slack.sim("redeliver", last=1)
    first, second = slack.bot.heard
    assert first.body == second.body
    assert second.headers["X-Slack-Retry-Num"] == "1"
    assert [(d["status"], d["kind"]) for d in answer["deliveries"]] == [(200, "command")]


@pytest.mark.parametrize(("field", "value"), [("user", "nobody"), ("channel", "nowhere")])
async def test_an_unknown_name_is_refused(slack: Rig, field: str, value: str) -> None:
    wanted = {"user": "author", "channel": "team-orders", "command": "/idp", field: value}
    status, answer = await slack.try_sim("commands", **wanted)
    assert (status, answer["error"]) == (404, f"{field}_not_found")


async def test_only_commands_of_the_manifest_exist(tmp_path: Path, bot: Bot) -> None:
    told = {"features": {"slash_commands": [{"command": "/idp", "description": "Portal"}]}}
    async with running(tmp_path, bot, manifest=told) as slack:
        assert (await slack.see("commands"))["commands"] == [
            {"command": "/idp", "description": "Portal", "usage_hint": ""}
        ]
        wanted = {"user": "author", "channel": "team-orders", "command": "/other"}
        assert (await slack.try_sim("commands", **wanted))[0] == 404


async def test_an_answer_that_slack_would_not_show_is_a_violation(slack: Rig) -> None:
    slack.bot.answers["/idp"] = {"text": "x", "blocks": [{"type": "nonsense"}]}
    await slack.sim("commands", user="author", channel="team-orders", command="/idp")
    assert await slack.messages(user="author") == []
    assert "invalid_blocks" in (await slack.log("delivery"))[0]["violations"][0]


async def test_a_second_redelivery_repeats_what_was_sent_first(slack: Rig) -> None:
    for text in ("one", "two"):
        await slack.sim("commands", user="author", channel="team-orders", command="/idp", text=text)
    for _ in range(2):
        await slack.sim("redeliver", last=2)
    assert [heard.payload["text"] for heard in slack.bot.heard] == ["one", "two"] * 3
