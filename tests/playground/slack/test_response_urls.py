"""Response URLs: five uses in half an hour, with which the app answers one person or changes what was clicked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.playground.slack.rig import AUTHOR, ORDERS, Json, Rig

BUTTONS = [
    {
        "type": "actions",
        "elements": [{"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}],
    }
]


async def of_command(slack: Rig) -> str:
    await slack.trigger()
    return str(slack.bot.heard[-1].payload["response_url"])


async def of_click(slack: Rig, ts: str) -> str:
    await slack.sim("actions", user="author", channel="team-orders", message_ts=ts, action_id="go")
    return str(slack.bot.heard[-1].payload["response_url"])


async def use(slack: Rig, url: str, **body: Any) -> tuple[int, Json]:
    async with slack.http.post(url, json=body) as response:
        return response.status, await response.json()


async def test_an_answer_is_ephemeral_unless_it_says_otherwise(slack: Rig) -> None:
    url = await of_command(slack)
    await use(slack, url, text="only you")
    await use(slack, url, text="all of you", response_type="in_channel")
    assert [message["ephemeral_to"] for message in await slack.messages(user="author")] == [AUTHOR, None]


async def test_a_sixth_use_is_refused(slack: Rig) -> None:
    url = await of_command(slack)
    for _ in range(5):
        assert (await use(slack, url, text="x"))[0] == 200
    assert await use(slack, url, text="x") == (404, {"ok": False, "error": "used_url"})


async def test_after_half_an_hour_it_is_refused(slack: Rig) -> None:
    url = await of_command(slack)
    await slack.clock.advance(timedelta(minutes=31))
    assert await use(slack, url, text="x") == (404, {"ok": False, "error": "expired_url"})


async def test_an_invented_url_is_refused(slack: Rig) -> None:
    assert (await use(slack, f"{slack.url}/hooks/invented", text="x"))[0] == 404


async def test_it_replaces_the_message_that_was_clicked(slack: Rig) -> None:
    ts = (await slack.ok("chat.postMessage", channel=ORDERS, text="card", blocks=BUTTONS))["ts"]
    await use(slack, await of_click(slack, ts), replace_original=True, text="done")
    [message] = await slack.messages()
    assert (message["ts"], message["text"], message["blocks"]) == (ts, "done", [])


async def test_that_of_a_command_changes_nothing_not_even_what_was_posted_through_it(slack: Rig) -> None:
    url = await of_command(slack)
    await use(slack, url, text="first")
    await use(slack, url, text="second", replace_original=True)
    assert [message["text"] for message in await slack.messages(user="author")] == ["first", "second"]
    assert (await use(slack, url, delete_original=True))[1]["error"] == "message_not_found"


async def test_it_is_the_only_way_to_change_an_ephemeral_message(slack: Rig) -> None:
    private = await slack.ok("chat.postEphemeral", channel=ORDERS, user=AUTHOR, text="card", blocks=BUTTONS)
    url = await of_click(slack, private["message_ts"])
    await use(slack, url, replace_original=True, text="changed")
    assert [message["text"] for message in await slack.messages(user="author")] == ["changed"]
    await use(slack, url, delete_original=True)
    assert await slack.messages(user="author") == []


async def test_it_needs_no_membership_of_the_channel(slack: Rig) -> None:
    await slack.sim("channels/kick", channel="team-orders", user="causeway")
    assert (await use(slack, await of_command(slack), text="hi", response_type="in_channel"))[0] == 200


async def test_what_slack_refuses_elsewhere_is_refused_here(slack: Rig) -> None:
    url = await of_command(slack)
    assert (await use(slack, url))[1]["error"] == "no_text"
    assert (await use(slack, url, text="x", blocks=[{"type": "nonsense"}]))[1]["error"] == "invalid_blocks"
