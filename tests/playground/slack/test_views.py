"""Modals and Home: opened, stacked, updated, submitted and closed under Slack's rules."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.playground.slack.forms import field, home, modal, option, plain
from tests.playground.slack.rig import AUTHOR, Bot, Json, Rig, running

BUTTON = {"type": "button", "action_id": "more", "text": {"type": "plain_text", "text": "More"}, "value": "id-1"}
WITH_BUTTON = modal(field("name", {"type": "plain_text_input"}), {"type": "actions", "elements": [BUTTON]})


async def submit(slack: Rig, view: Json, values: Json | None = None) -> Json:
    return await slack.sim("views/submit", user="author", view_id=view["id"], values=values or {})


async def refused(slack: Rig, view: Json, values: Json) -> Json:
    status, answer = await slack.try_sim("views/submit", user="author", view_id=view["id"], values=values)
    assert (status, answer["error"]) == (409, "invalid_values")
    return dict(answer["errors"])


async def test_a_modal_opens_for_the_person_of_the_trigger(slack: Rig) -> None:
    view = await slack.open_modal(modal())
    [shown] = await slack.modals("author")
    assert (shown["id"], shown["callback_id"]) == (view["id"], "service.create")
    assert shown["root_view_id"] == view["id"]
    assert await slack.modals("teammate") == []
    assert (await slack.until("view_opened"))["view"]["id"] == view["id"]


async def test_a_trigger_works_once(slack: Rig) -> None:
    trigger = await slack.trigger()
    await slack.ok("views.open", trigger_id=trigger, view=modal())
    assert (await slack.api("views.open", trigger_id=trigger, view=modal()))["error"] == "exchanged_trigger_id"


async def test_a_trigger_lives_three_seconds(slack: Rig) -> None:
    trigger = await slack.trigger()
    await slack.clock.advance(timedelta(seconds=3.1))
    assert (await slack.api("views.open", trigger_id=trigger, view=modal()))["error"] == "expired_trigger_id"


async def test_an_invented_trigger_is_invalid(slack: Rig) -> None:
    assert (await slack.api("views.open", trigger_id="1.2.abc", view=modal()))["error"] == "invalid_trigger_id"


async def test_a_view_that_slack_refuses_does_not_use_the_trigger_up(slack: Rig) -> None:
    trigger = await slack.trigger()
    wrong = await slack.api("views.open", trigger_id=trigger, view=modal(title=plain("x" * 25)))
    assert wrong["error"] == "invalid_arguments"
    assert "json-pointer:/view/title/text" in wrong["response_metadata"]["messages"][0]
    await slack.ok("views.open", trigger_id=trigger, view=modal())


async def test_a_view_beyond_250_kilobytes_is_too_large(slack: Rig) -> None:
    texts = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3000}} for _ in range(90)]
    answer = await slack.api("views.open", trigger_id=await slack.trigger(), view=modal(*texts))
    assert answer["error"] == "view_too_large"


async def test_at_most_three_modals_lie_on_each_other(slack: Rig) -> None:
    view = await slack.open_modal(WITH_BUTTON)
    for depth in (2, 3, 4):
        await slack.sim("actions", user="author", view_id=view["id"], action_id="more")
        trigger = slack.bot.heard[-1].payload["trigger_id"]
        answer = await slack.api("views.push", trigger_id=trigger, view=WITH_BUTTON)
        if depth == 4:
            assert answer["error"] == "push_limit_reached"
        else:
            assert answer["view"]["previous_view_id"] == view["id"]
            view = answer["view"]
    assert len(await slack.modals()) == 3


async def test_only_a_trigger_from_inside_a_modal_can_push(slack: Rig) -> None:
    await slack.open_modal(modal())
    answer = await slack.api("views.push", trigger_id=await slack.trigger(), view=modal())
    assert answer["error"] == "invalid_trigger_id"


async def test_a_stale_hash_is_a_conflict(slack: Rig) -> None:
    view = await slack.open_modal(modal())
    changed = (await slack.ok("views.update", view_id=view["id"], hash=view["hash"], view=modal()))["view"]
    stale = await slack.api("views.update", view_id=view["id"], hash=view["hash"], view=modal())
    assert changed["hash"] != view["hash"]
    assert stale["error"] == "hash_conflict"


async def test_a_view_can_be_updated_by_its_external_id_which_is_unique(slack: Rig) -> None:
    await slack.open_modal(modal(external_id="draft-1"))
    await slack.ok("views.update", external_id="draft-1", view=modal(external_id="draft-1", title=plain("Two")))
    assert (await slack.modals())[0]["title"]["text"] == "Two"
    trigger = await slack.trigger("teammate")
    second = await slack.api("views.open", trigger_id=trigger, view=modal(external_id="draft-1"))
    assert second["error"] == "duplicate_external_id"


async def test_a_closed_view_cannot_be_updated(slack: Rig) -> None:
    view = await slack.open_modal(modal())
    await slack.sim("views/close", user="author", view_id=view["id"])
    assert (await slack.api("views.update", view_id=view["id"], view=modal()))["error"] == "not_found"


async def test_what_was_typed_stays_where_the_ids_stay(slack: Rig) -> None:
    dispatching = field("name", {"type": "plain_text_input"}, dispatch_action=True)
    view = await slack.open_modal(modal(dispatching))
    await slack.sim("actions", user="author", view_id=view["id"], action_id="name", value="orders")
    await slack.ok("views.update", view_id=view["id"], view=modal(dispatching, field("more", {"type": "datepicker"})))
    assert (await slack.modals())[0]["state"]["values"]["name"]["name"]["value"] == "orders"
    renamed = {**dispatching, "block_id": "name-2"}
    await slack.ok("views.update", view_id=view["id"], view=modal(renamed))
    assert (await slack.modals())[0]["state"]["values"]["name-2"]["name"]["value"] is None


async def test_a_submission_carries_the_state_of_every_field(slack: Rig) -> None:
    view = await slack.open_modal(
        modal(
            field("name", {"type": "plain_text_input"}),
            field("tier", {"type": "static_select", "options": [option("gold"), option("tin")]}),
            field("tags", {"type": "checkboxes", "options": [option("a"), option("b")]}, optional=True),
            field("start", {"type": "datepicker", "initial_date": "2026-11-23"}),
            field("owner", {"type": "users_select"}),
            field("where", {"type": "multi_channels_select"}),
            field("size", {"type": "number_input", "is_decimal_allowed": False}),
            field("note", {"type": "rich_text_input"}, optional=True),
        )
    )
    values = {
        "name": {"name": "orders"},
        "tier": {"tier": "gold"},
        "owner": {"owner": "approver"},
        "where": {"where": ["platform", "C0GENERAL01"]},
        "size": {"size": 3},
    }
    await submit(slack, view, values)
    payload = slack.bot.heard[-1].payload
    state = payload["view"]["state"]["values"]
    assert payload["type"] == "view_submission"
    assert state["name"]["name"] == {"type": "plain_text_input", "value": "orders"}
    assert state["tier"]["tier"]["selected_option"]["value"] == "gold"
    assert state["tags"]["tags"] == {"type": "checkboxes", "selected_options": []}
    assert state["start"]["start"] == {"type": "datepicker", "selected_date": "2026-11-23"}
    assert state["owner"]["owner"]["selected_user"] == "U0APPROVER1"
    assert state["where"]["where"]["selected_channels"] == ["C0PLATFORM1", "C0GENERAL01"]
    assert state["size"]["size"]["value"] == "3"
    assert state["note"]["note"]["rich_text_value"] is None


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ({"type": "plain_text_input", "min_length": 3}, "ab"),
        ({"type": "plain_text_input", "max_length": 3}, "abcd"),
        ({"type": "email_text_input"}, "nobody"),
        ({"type": "url_text_input"}, "example.com"),
        ({"type": "number_input", "is_decimal_allowed": False}, "1.5"),
        ({"type": "number_input", "is_decimal_allowed": True, "min_value": "2"}, "1"),
        ({"type": "number_input", "is_decimal_allowed": True, "max_value": "2"}, "3"),
        ({"type": "number_input", "is_decimal_allowed": True}, "many"),
        ({"type": "static_select", "options": [option("gold")]}, "silver"),
        ({"type": "radio_buttons", "options": [option("gold")]}, "silver"),
        ({"type": "multi_static_select", "options": [option("a"), option("b")], "max_selected_items": 1}, ["a", "b"]),
        ({"type": "users_select"}, "nobody"),
        ({"type": "conversations_select"}, "nowhere"),
        ({"type": "datepicker"}, "tomorrow"),
        ({"type": "timepicker"}, "25:00"),
        ({"type": "datetimepicker"}, "noon"),
        ({"type": "file_input", "filetypes": ["txt"]}, [{"name": "virus.exe", "content": ""}]),
        ({"type": "plain_text_input"}, ""),
        ({"type": "checkboxes", "options": [option("a")]}, []),
    ],
)
async def test_what_a_client_would_not_let_a_person_submit_is_not_sent(slack: Rig, element: Json, value: Any) -> None:
    view = await slack.open_modal(modal(field("it", element)))
    before = len(slack.bot.heard)
    assert (await refused(slack, view, {"it": {"it": value}})).keys() == {"it"}
    assert len(slack.bot.heard) == before


async def test_an_unknown_field_is_refused(slack: Rig) -> None:
    view = await slack.open_modal(modal())
    status, answer = await slack.try_sim("views/submit", user="author", view_id=view["id"], values={"x": {"x": "1"}})
    assert (status, answer["error"]) == (409, "no_such_element")


async def test_an_empty_answer_closes_the_modal_and_shows_the_one_below(slack: Rig) -> None:
    first = await slack.open_modal(WITH_BUTTON)
    await slack.sim("actions", user="author", view_id=first["id"], action_id="more")
    trigger = slack.bot.heard[-1].payload["trigger_id"]
    second = (await slack.ok("views.push", trigger_id=trigger, view=modal()))["view"]
    answer = await submit(slack, second, {"name": {"name": "orders"}})
    assert (answer["status"], answer["body"]) == (200, "")
    assert [view["id"] for view in await slack.modals()] == [first["id"]]


async def test_errors_stand_at_their_fields_and_the_modal_stays(slack: Rig) -> None:
    slack.bot.answers["view_submission"] = {"response_action": "errors", "errors": {"name": "is taken"}}
    view = await slack.open_modal(modal())
    answer = await submit(slack, view, {"name": {"name": "orders"}})
    assert answer["body"]["errors"] == {"name": "is taken"}
    [shown] = await slack.modals()
    assert (shown["errors"], shown["hash"]) == ({"name": "is taken"}, view["hash"])
    assert shown["state"]["values"]["name"]["name"]["value"] == "orders"


async def test_an_update_in_the_answer_replaces_the_modal(slack: Rig) -> None:
    slack.bot.answers["view_submission"] = {"response_action": "update", "view": modal(title=plain("Page 2"))}
    view = await slack.open_modal(modal())
    await submit(slack, view, {"name": {"name": "orders"}})
    [shown] = await slack.modals()
    assert (shown["id"], shown["title"]["text"]) == (view["id"], "Page 2")


async def test_a_push_in_the_answer_lays_a_modal_on_top(slack: Rig) -> None:
    slack.bot.answers["view_submission"] = {"response_action": "push", "view": modal(title=plain("Page 2"))}
    view = await slack.open_modal(modal())
    await submit(slack, view, {"name": {"name": "orders"}})
    assert [shown["title"]["text"] for shown in await slack.modals()] == ["New service", "Page 2"]


async def test_clear_closes_them_all(slack: Rig) -> None:
    slack.bot.answers["view_submission"] = {"response_action": "push", "view": modal()}
    await submit(slack, await slack.open_modal(modal()), {"name": {"name": "orders"}})
    slack.bot.answers["view_submission"] = {"response_action": "clear"}
    await submit(slack, (await slack.modals())[-1], {"name": {"name": "orders"}})
    assert await slack.modals() == []


@pytest.mark.parametrize(
    "answer",
    [
        {"response_action": "errors", "errors": {"elsewhere": "x"}},
        {"response_action": "errors", "errors": {}},
        {"response_action": "update", "view": {"type": "modal"}},
        {"response_action": "dance"},
        "thank you",
    ],
)
async def test_an_answer_that_makes_no_sense_is_trouble_and_a_violation(slack: Rig, answer: Any) -> None:
    slack.bot.answers["view_submission"] = answer
    view = await slack.open_modal(modal())
    await submit(slack, view, {"name": {"name": "orders"}})
    [shown] = await slack.modals()
    assert "trouble" in shown["notice"]
    assert (await slack.log("delivery"))[-1]["violations"]


async def test_a_failing_submission_leaves_the_modal_with_slacks_notice(slack: Rig) -> None:
    slack.bot.answers["view_submission"] = web.Response(status=500)
    view = await slack.open_modal(modal())
    answer = await submit(slack, view, {"name": {"name": "orders"}})
    assert (answer["status"], answer["error"]) == (500, "dispatch_failed")
    assert "trouble" in (await slack.modals())[0]["notice"]


async def test_a_late_submission_leaves_the_modal_with_slacks_notice(tmp_path: Path, bot: Bot) -> None:
    release = asyncio.Event()

    async def slow(payload: Json) -> None:
        if payload.get("type") == "view_submission":
            await release.wait()

    bot.behave = slow
    async with running(tmp_path, bot, ack_timeout_s=0.5) as slack:
        view = await slack.open_modal(modal())
        answer = await submit(slack, view, {"name": {"name": "orders"}})
        assert answer["error"] == "operation_timeout"
        assert "trouble" in (await slack.modals())[0]["notice"]
        release.set()


async def test_an_answer_for_a_modal_that_was_closed_meanwhile_changes_nothing(slack: Rig) -> None:
    async def close_first(payload: Json) -> web.Response | None:
        if payload.get("type") != "view_submission":
            return None
        await slack.sim("views/close", user="author", view_id=payload["view"]["id"])
        return web.json_response({"response_action": "update", "view": modal()})

    view = await slack.open_modal(modal())
    slack.bot.behave = close_first
    assert (await submit(slack, view, {"name": {"name": "orders"}}))["status"] == 200
    assert await slack.modals() == []


async def test_closing_is_told_only_where_it_was_asked_for(slack: Rig) -> None:
    silent = await slack.open_modal(modal())
    before = len(slack.bot.heard)
    await slack.sim("views/close", user="author", view_id=silent["id"])
    assert len(slack.bot.heard) == before
    telling = await slack.open_modal(modal(notify_on_close=True))
    await slack.sim("views/close", user="author", view_id=telling["id"])
    payload = slack.bot.heard[-1].payload
    assert (payload["type"], payload["is_cleared"], payload["view"]["id"]) == ("view_closed", False, telling["id"])
    assert await slack.modals() == []


async def test_home_is_published_for_one_person(slack: Rig) -> None:
    published = (await slack.ok("views.publish", user_id=AUTHOR, view=home()))["view"]
    assert (await slack.until("home_published"))["view_id"] == published["id"]
    assert (await slack.see("views", user="author"))["home"]["type"] == "home"
    assert (await slack.see("views", user="teammate"))["home"] is None
    again = (await slack.ok("views.publish", user_id=AUTHOR, view=home(), hash=published["hash"]))["view"]
    assert again["id"] == published["id"]
    stale = await slack.api("views.publish", user_id=AUTHOR, view=home(), hash=published["hash"])
    assert stale["error"] == "hash_conflict"


async def test_home_refuses_modals_and_strangers(slack: Rig) -> None:
    assert (await slack.api("views.publish", user_id=AUTHOR, view=modal()))["error"] == "invalid_arguments"
    assert (await slack.api("views.publish", user_id="U0NOBODY", view=home()))["error"] == "invalid_arguments"
    assert (await slack.api("views.open", trigger_id=await slack.trigger(), view=home()))[
        "error"
    ] == "invalid_arguments"


async def test_opening_home_is_an_event_with_the_view(slack: Rig) -> None:
    await slack.ok("views.publish", user_id=AUTHOR, view=home())
    await slack.sim("home", user="author")
    [heard] = await slack.bot.wait_for(1)
    event = heard.payload["event"]
    assert (event["type"], event["user"], event["tab"]) == ("app_home_opened", AUTHOR, "home")
    assert event["view"]["type"] == "home"


async def test_a_channel_chosen_with_a_response_url_comes_with_one(slack: Rig) -> None:
    chooser = field("where", {"type": "conversations_select", "response_url_enabled": True})
    view = await slack.open_modal(modal(chooser))
    await submit(slack, view, {"where": {"where": "platform"}})
    [granted] = slack.bot.heard[-1].payload["response_urls"]
    assert granted["channel_id"] == "C0PLATFORM1"
    async with slack.http.post(granted["response_url"], json={"text": "hi", "response_type": "in_channel"}) as response:
        assert response.status == 200
    assert [message["text"] for message in await slack.messages("platform")] == ["hi"]
