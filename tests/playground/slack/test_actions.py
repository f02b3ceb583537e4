"""Clicks and option lists: only what is there can be used, and the app hears of it in Slack's shape."""

from __future__ import annotations

from typing import Any

import pytest

from tests.playground.slack.forms import field, home, modal, option, plain
from tests.playground.slack.rig import AUTHOR, ORDERS, Json, Rig


def button(value: str, action_id: str = "approve") -> Json:
    return {"type": "button", "action_id": action_id, "text": plain(value), "value": value}


def actions(*elements: Json, block_id: str = "buttons") -> Json:
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


async def card(slack: Rig, *blocks: Json, **more: Any) -> str:
    answer = await slack.ok("chat.postMessage", channel=ORDERS, text="card", blocks=list(blocks), **more)
    return str(answer["ts"])


async def click(slack: Rig, ts: str, action_id: str = "approve", **more: Any) -> tuple[int, Json]:
    wanted = {"user": "author", "channel": "team-orders", "message_ts": ts, "action_id": action_id, **more}
    return await slack.try_sim("actions", **wanted)


async def test_a_click_tells_who_where_and_what(slack: Rig) -> None:
    ts = await card(slack, actions(button("op-1")), metadata={"event_type": "x", "event_payload": {"operation": "1"}})
    status, answer = await click(slack, ts)
    payload = slack.bot.heard[-1].payload
    assert (status, answer["status"]) == (200, 200)
    assert payload["type"] == "block_actions"
    assert payload["user"] == {"id": AUTHOR, "username": "author", "name": "author", "team_id": "T0ACME00001"}
    assert payload["container"] == {
        "type": "message", "message_ts": ts, "channel_id": ORDERS, "is_ephemeral": False,
    }  # fmt: skip
    assert payload["message"]["metadata"]["event_payload"] == {"operation": "1"}
    [action] = payload["actions"]
    assert (action["type"], action["block_id"], action["action_id"], action["value"]) == (
        "button", "buttons", "approve", "op-1",
    )  # fmt: skip
    assert {"response_url", "trigger_id", "state", "channel", "team", "api_app_id"} <= payload.keys()


async def test_among_several_buttons_the_value_picks_one(slack: Rig) -> None:
    ts = await card(slack, actions(button("op-1"), block_id="a"), actions(button("op-2"), block_id="b"))
    await click(slack, ts, value="op-2")
    assert slack.bot.heard[-1].payload["actions"][0]["block_id"] == "b"


@pytest.mark.parametrize(
    "wanted",
    [
        {"action_id": "reject"},
        {"action_id": "approve", "value": "op-9"},
        {"action_id": "approve", "block_id": "elsewhere"},
        {"action_id": "approve", "message_ts": "1.000001"},
    ],
)
async def test_what_is_not_there_cannot_be_clicked(slack: Rig, wanted: Json) -> None:
    ts = await card(slack, actions(button("op-1")))
    status, answer = await click(slack, **{"ts": wanted.pop("message_ts", ts), **wanted})
    assert (status, answer["error"]) == (409, "not_clickable")
    assert slack.bot.heard == []


async def test_a_button_that_was_taken_away_cannot_be_clicked(slack: Rig) -> None:
    ts = await card(slack, actions(button("op-1")))
    await slack.ok("chat.update", channel=ORDERS, ts=ts, text="done", blocks=[{"type": "divider"}])
    assert (await click(slack, ts))[0] == 409
    await slack.ok("chat.delete", channel=ORDERS, ts=ts)
    assert (await click(slack, ts))[0] == 409


async def test_an_ephemeral_message_is_clicked_by_its_reader_alone(slack: Rig) -> None:
    answer = await slack.ok(
        "chat.postEphemeral", channel=ORDERS, user=AUTHOR, text="card", blocks=[actions(button("op-1"))]
    )
    ts = answer["message_ts"]
    assert (await click(slack, ts, user="teammate"))[0] == 409
    assert (await click(slack, ts))[0] == 200
    payload = slack.bot.heard[-1].payload
    assert payload["container"]["is_ephemeral"] is True
    assert "message" not in payload, "Slack does not send an ephemeral message back"


async def test_a_choice_in_a_message_is_in_action_and_state(slack: Rig) -> None:
    select = {"type": "static_select", "action_id": "size", "options": [option("small"), option("large")]}
    ts = await card(slack, actions(select))
    assert (await click(slack, ts, "size", value="large"))[0] == 200
    payload = slack.bot.heard[-1].payload
    assert payload["actions"][0]["selected_option"]["value"] == "large"
    assert payload["state"]["values"]["buttons"]["size"]["selected_option"]["value"] == "large"
    status, answer = await click(slack, ts, "size", value="huge")
    assert (status, answer["error"]) == (409, "invalid_values")


async def test_a_button_in_an_attachment_can_be_clicked(slack: Rig) -> None:
    attachment = {"color": "#1f3a4d", "blocks": [actions(button("op-1"))]}
    posted = await slack.ok("chat.postMessage", channel=ORDERS, text="card", attachments=[attachment])
    assert (await click(slack, posted["ts"]))[0] == 200
    assert slack.bot.heard[-1].payload["actions"][0]["value"] == "op-1"


async def test_an_overflow_menu_sends_the_chosen_option(slack: Rig) -> None:
    menu = {"type": "overflow", "action_id": "menu", "options": [option("logs"), option("restart")]}
    section = {"type": "section", "block_id": "s", "text": plain("x"), "accessory": menu}
    ts = await card(slack, section)
    await click(slack, ts, "menu", value="restart")
    assert slack.bot.heard[-1].payload["actions"][0]["selected_option"]["value"] == "restart"
    assert (await click(slack, ts, "menu", value="other"))[0] == 409


async def test_a_click_in_home_has_the_view_and_no_response_url(slack: Rig) -> None:
    view = (await slack.ok("views.publish", user_id=AUTHOR, view=home(actions(button("create")))))["view"]
    await slack.sim("actions", user="author", view_id=view["id"], action_id="approve")
    payload = slack.bot.heard[-1].payload
    assert payload["container"] == {"type": "view", "view_id": view["id"]}
    assert payload["view"]["id"] == view["id"]
    assert "response_url" not in payload
    await slack.ok("views.open", trigger_id=payload["trigger_id"], view=modal())


async def test_a_field_is_told_only_when_it_dispatches(slack: Rig) -> None:
    select = {"type": "static_select", "options": [option("small"), option("large")]}
    view = await slack.open_modal(modal(field("quiet", select), field("loud", select, dispatch_action=True)))
    wanted = {"user": "author", "view_id": view["id"], "value": "small"}
    assert (await slack.try_sim("actions", **wanted, action_id="quiet"))[0] == 409
    typed = {"quiet": {"quiet": "large"}}
    assert (await slack.try_sim("actions", **wanted, action_id="loud", values=typed))[0] == 200
    state = slack.bot.heard[-1].payload["view"]["state"]["values"]
    assert state["quiet"]["quiet"]["selected_option"]["value"] == "large", "what was typed by then comes along"
    assert state["loud"]["loud"]["selected_option"]["value"] == "small"


EXTERNAL = {"type": "external_select", "min_query_length": 0}


async def ask(slack: Rig, view: Json, query: str = "") -> Json:
    return await slack.see("options", user="author", view_id=view["id"], action_id="service", query=query)


async def test_options_are_asked_of_the_app(slack: Rig) -> None:
    slack.bot.answers["block_suggestion"] = {"options": [option("orders"), option("checkout")]}
    view = await slack.open_modal(modal(field("service", EXTERNAL)))
    answer = await ask(slack, view, "or")
    assert [offered["value"] for offered in answer["options"]] == ["orders", "checkout"]
    payload = slack.bot.heard[-1].payload
    assert (payload["type"], payload["action_id"], payload["block_id"], payload["value"]) == (
        "block_suggestion", "service", "service", "or",
    )  # fmt: skip
    assert payload["view"]["id"] == view["id"]


async def test_groups_of_options_come_flat_as_well(slack: Rig) -> None:
    groups = [{"label": plain("Orders"), "options": [option("orders")]}]
    slack.bot.answers["block_suggestion"] = {"option_groups": groups}
    view = await slack.open_modal(modal(field("service", EXTERNAL)))
    answer = await ask(slack, view)
    assert (answer["option_groups"], answer["options"]) == (groups, [option("orders")])


@pytest.mark.parametrize(
    "body",
    [
        {"options": [option(f"s{number}") for number in range(101)]},
        {"options": [{"text": plain("x" * 76), "value": "x"}]},
        {"options": [{"text": plain("x"), "value": "x" * 151}]},
        {"nothing": []},
    ],
)
async def test_options_that_slack_would_not_show_are_none_and_a_violation(slack: Rig, body: Json) -> None:
    slack.bot.answers["block_suggestion"] = body
    view = await slack.open_modal(modal(field("service", EXTERNAL)))
    assert (await ask(slack, view))["options"] == []
    assert (await slack.log("delivery"))[-1]["violations"]


async def test_a_client_asks_only_from_the_least_query_on(slack: Rig) -> None:
    view = await slack.open_modal(modal(field("service", {"type": "external_select"})))
    query = {"user": "author", "view_id": view["id"], "action_id": "service", "query": "or"}
    async with slack.http.get(f"{slack.url}/sim/options", params=query) as response:
        assert (response.status, (await response.json())["error"]) == (409, "query_too_short")


async def test_an_external_choice_must_have_been_offered(slack: Rig) -> None:
    slack.bot.answers["block_suggestion"] = {"options": [option("orders")]}
    view = await slack.open_modal(modal(field("service", EXTERNAL)))
    wanted = {"user": "author", "view_id": view["id"]}
    status, answer = await slack.try_sim("views/submit", **wanted, values={"service": {"service": "invented"}})
    assert (status, answer["errors"].keys()) == (409, {"service"})
    await slack.sim("views/submit", **wanted, values={"service": {"service": "orders"}})
    state = slack.bot.heard[-1].payload["view"]["state"]["values"]["service"]["service"]
    assert state == {"type": "external_select", "selected_option": option("orders")}
