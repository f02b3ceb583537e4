"""Events: sent for what the app asked for, and sent again as Slack does."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from playground.clock import PlaygroundClock
from tests.playground.slack.rig import AUTHOR, ORDERS, Bot, Json, Rig, running


async def mention(slack: Rig) -> None:
    await slack.sim("messages", user="author", channel="team-orders", text="@causeway help")


async def test_a_mention_is_an_event_with_an_id(slack: Rig) -> None:
    await mention(slack)
    [heard] = await slack.bot.wait_for(1)
    payload = heard.payload
    assert payload["type"] == "event_callback"
    assert payload["event_id"].startswith("Ev")
    event = payload["event"]
    assert (event["type"], event["user"], event["channel"]) == ("app_mention", AUTHOR, ORDERS)
    assert event["text"] == "<@U0CAUSEWAY1> help"
    assert "X-Slack-Retry-Num" not in heard.headers


async def test_a_message_to_the_app_is_an_event(slack: Rig) -> None:
    await slack.sim("messages", user="author", channel="D0AUTHOR01", text="hello")
    [heard] = await slack.bot.wait_for(1)
    assert heard.payload["event"]["channel_type"] == "im"


@pytest.mark.parametrize(
    "options",
    [
        {"scopes": frozenset({"chat:write"})},
        {"manifest": {"settings": {"event_subscriptions": {"bot_events": ["app_home_opened"]}}}},
    ],
)
async def test_events_without_scope_or_subscription_are_not_sent(tmp_path: Path, bot: Bot, options: Json) -> None:
    async with running(tmp_path, bot, **options) as slack:
        await mention(slack)
        await slack.sim("home", user="author")
        [heard] = await bot.wait_for(1)
        assert heard.payload["event"]["type"] == "app_home_opened"


async def test_an_event_that_fails_is_sent_three_times_more(slack: Rig) -> None:
    async def fail(_payload: Json) -> web.Response:
        return web.Response(status=503)

    slack.bot.behave = fail
    await mention(slack)
    await slack.until_logged(2)
    await slack.clock.advance(timedelta(minutes=1))
    await slack.until_logged(3)
    await slack.clock.advance(timedelta(minutes=5))
    await slack.until_logged(4)
    heard = slack.bot.heard
    assert [one.headers.get("X-Slack-Retry-Num") for one in heard] == [None, "1", "2", "3"]
    assert {one.headers.get("X-Slack-Retry-Reason") for one in heard[1:]} == {"http_error"}
    assert len({one.payload["event_id"] for one in heard}) == 1
    assert slack.peer.workspace.store.all("retry") == []


async def test_a_bot_can_forbid_the_retries(slack: Rig) -> None:
    slack.bot.answers["event_callback"] = web.Response(status=400, headers={"x-slack-no-retry": "1"})
    await mention(slack)
    await slack.until("delivered")
    assert slack.peer.workspace.store.all("retry") == []


async def test_a_retry_outlives_a_restart(tmp_path: Path, bot: Bot) -> None:
    async def fail(_payload: Json) -> web.Response:
        return web.Response(status=503)

    bot.behave = fail
    async with running(tmp_path, bot, clock=PlaygroundClock(tmp_path / "clock.json")) as slack:
        await mention(slack)
        await slack.until_logged(2)
    bot.behave = None
    async with running(tmp_path, bot, clock=PlaygroundClock(tmp_path / "clock.json")) as slack:
        await slack.clock.advance(timedelta(minutes=2))
        heard = await bot.wait_for(3)
        assert heard[2].headers["X-Slack-Retry-Num"] == "2"
        await slack.until_logged(3)


async def test_a_reaction_is_an_event_where_it_was_asked_for(tmp_path: Path, bot: Bot) -> None:
    asked = {"settings": {"event_subscriptions": {"bot_events": ["reaction_added"]}}}
    async with running(tmp_path, bot, manifest=asked) as slack:
        ts = (await slack.sim("messages", user="author", channel="team-orders", text="hi"))["ts"]
        await slack.sim("reactions", user="teammate", channel="team-orders", ts=ts, name="eyes")
        [heard] = await bot.wait_for(1)
        assert heard.payload["event"]["item"] == {"type": "message", "channel": ORDERS, "ts": ts}


async def test_any_2xx_takes_an_event(slack: Rig) -> None:
    slack.bot.answers["event_callback"] = web.Response(status=204)
    await mention(slack)
    assert (await slack.until("delivered"))["error"] is None
    assert (await slack.log("delivery"))[0]["violations"] == []
    assert slack.peer.workspace.store.all("retry") == []
