from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.command import Command
from bot.forms.model import Option
from bot.model.operation import Decided
from bot.model.principal import Principal
from bot.slack.contracts import Click
from bot.slack.router import slack_options
from bot.storage.slack_inbound import inbox
from tests.fakes.slack_inbound import HOME, USER, CreateForm, filled, rig, sample_commands


async def test_the_same_command_by_mention_offers_a_button_because_a_mention_has_no_trigger(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        await slack.event({"type": "app_mention", "channel": "C1", "text": "<@U0CAUSEWAY1> service create orders"})
        assert "views.open" not in slack.api.methods()
        await slack.click("form.open", slack.replies.button("form.open"))
        assert slack.api.last_view()["callback_id"] == "service.create"


@pytest.mark.parametrize("extra", [{"bot_id": "B1"}, {"subtype": "message_changed"}])
async def test_bots_and_edits_are_not_answered(tmp_path: Path, extra: dict[str, str]) -> None:
    async with rig(tmp_path) as slack:
        event = {"type": "app_mention", "channel": "C1", "text": "<@U0CAUSEWAY1> service list"}
        await slack.event(event | extra)
        assert slack.replies.said == []


async def test_help_lists_what_is_built_and_nothing_else(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        await slack.command("/idp", "help")
        [text] = slack.replies.texts
        assert "`/service create [name]`" in text
        assert "`/idp catalog [filter]`" in text
        assert "database" not in text


async def test_an_unknown_word_is_answered_with_a_line_to_paste(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        await slack.command("/service", "craete orders")
        assert slack.replies.texts == ["I do not know `service craete orders`. Did you mean `/service create orders`?"]


async def test_hostile_words_come_back_as_words(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        await slack.command("/idp", "`*<!channel>*` &lt;!here&gt; <@U999>")
        [text] = slack.replies.texts
        assert "<!channel>" not in text
        assert "<!here>" not in text
        assert "<@U999>" not in text


async def test_a_command_without_a_form_is_asked_for_in_words(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        await slack.command("/service", "restart orders")
        [asked] = slack.operations.submitted
        assert asked.command == "service.restart"
        assert asked.request == {"words": ["orders"]}


async def test_words_pass_the_form_by_where_the_command_reads_them(tmp_path: Path) -> None:
    restart = next(one for one in sample_commands() if one.name == "service.restart")
    assert isinstance(restart, Command)
    async with rig(tmp_path, commands=[replace(restart, form=lambda _: CreateForm())]) as slack:
        await slack.command("/service", "restart orders")
        [asked] = slack.operations.submitted
        assert asked.request == {"words": ["orders"]}
        await slack.command("/service", "restart")
        assert len(slack.operations.submitted) == 1
        assert slack.api.last_view()["callback_id"] == "service.restart"


@pytest.mark.parametrize("action", ["approve", "reject", "undo", "retry", "keep"])
async def test_a_decision_is_made_as_whoever_clicked_it(tmp_path: Path, action: str) -> None:
    async with rig(tmp_path) as slack:
        await slack.click(action, "opaque-id")
        [(button, principal)] = slack.operations.pressed
        assert button == "opaque-id"
        assert principal.user == "user:default/author"
        assert slack.replies.said == []  # the card says it


async def test_a_decision_that_does_not_count_is_explained_to_the_one_who_clicked(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        slack.operations.decided = Decided(accepted=False, text="You asked for it <yourself>.", refused=True)
        await slack.click("approve", "opaque-id")
        assert slack.replies.texts == ["You asked for it &lt;yourself&gt;."]
        assert slack.replies.said[0]["user"] == USER


async def test_a_click_on_the_home_tab_is_answered_directly(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        slack.operations.decided = Decided(accepted=False, text="Too late.")
        view = {"type": "home", "callback_id": "", "id": "V9", "private_metadata": ""}
        await slack.click("approve", "opaque-id", channel=None, view=view)
        assert slack.replies.said[0]["channel"] == USER


async def test_a_create_button_opens_the_form_with_its_words(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        await slack.click("create:service.create orders", "service.create orders")
        assert slack.api.last_view()["callback_id"] == "service.create"
        assert '"orders"' in json.dumps(slack.api.last_view())


@pytest.mark.parametrize("action", ["rollback", "why", "health:orders"])
async def test_a_button_of_an_answer_types_its_line_for_whoever_presses_it(tmp_path: Path, action: str) -> None:
    async with rig(tmp_path) as slack:
        await slack.click(action, "/service restart orders")
        asked = slack.operations.submitted[0]
        assert (asked.command, asked.principal.handle) == ("service.restart", "author")


async def test_only_buttons_of_answers_type_lines(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        await slack.click("approve", "/service restart orders")
        assert slack.operations.submitted == []


async def test_buttons_of_other_rooms_get_the_click_and_may_answer(tmp_path: Path) -> None:
    clicks: list[Click] = []

    async def details(click: Click) -> str:
        clicks.append(click)
        return "Here they are."

    async with rig(tmp_path, actions={"details": details}) as slack:
        await slack.click("details", "op-1", container={"message_ts": "1.2"})
        assert (clicks[0].value, clicks[0].message_ts, clicks[0].principal.handle) == ("op-1", "1.2", "author")
        assert slack.replies.texts == ["Here they are."]


async def test_an_unknown_button_is_answered_helpfully(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        response = await slack.click("from-an-older-release", "x")
        assert response.status == 200
        assert "Type `/idp help`" in slack.replies.texts[0]


async def test_the_home_tab_is_drawn_for_whoever_opens_it(tmp_path: Path) -> None:
    opened: list[tuple[str, str]] = []

    async def home(principal: Principal, user: str) -> None:
        opened.append((principal.handle, user))

    async with rig(tmp_path, home=home) as slack:
        await slack.event({"type": "app_home_opened", "tab": "home", "channel": "D1"}, "Ev1")
        await slack.event({"type": "app_home_opened", "tab": "messages", "channel": "D1"}, "Ev2")
        await slack.event({"type": "some_event_of_next_year"}, "Ev3")
        assert opened == [("author", USER)]


# --- Option lists -----------------------------------------------------------------------------------------------------

GROUPS = [Option(value=f"group:default/team-{n}", label=f"Team {n}") for n in range(300)]


async def ask(slack: Any, view: dict[str, Any], query: str) -> Any:
    payload = {"type": "block_suggestion", "action_id": "owner", "block_id": "owner", "value": query, "view": view}
    response = await slack.interact(payload)
    return (await response.json())["options"]


async def test_a_picker_is_answered_for_its_field_while_slack_waits_and_leaves_no_row(tmp_path: Path) -> None:
    async with rig(tmp_path, options=GROUPS) as slack:
        await slack.command("/service", "create orders")
        second = (await slack.submit(slack.api.last_view()))["view"]
        options = await ask(slack, {"id": "V1", "hash": "h1", **filled(second, {})}, "Team 29")
        assert [one["value"] for one in options] == [
            "group:default/team-29",
            *(f"group:default/team-{n}" for n in range(290, 300)),
        ]
        async with slack.database.read() as connection:
            kinds = set((await connection.execute(select(inbox.c.kind))).scalars())
        assert "options" not in kinds
        field, action_id, query = slack.options.asked[-1]
        assert (field and field.name, action_id, query) == ("owner", "owner", "Team 29")


async def test_a_list_that_fails_is_empty_and_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(tmp_path) as slack:

        def broken(*_: Any) -> None:
            raise RuntimeError("a defect")

        monkeypatch.setattr(slack.options, "options", broken)
        assert await ask(slack, {"type": "modal", "callback_id": "x", "private_metadata": ""}, "o") == []


async def test_a_list_that_is_late_is_the_last_one_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(tmp_path, options=GROUPS[:2]) as slack:
        view = {"type": "modal", "callback_id": "x", "private_metadata": ""}
        known = await ask(slack, view, "")

        async def late(_user: str, _team: str) -> None:
            raise TimeoutError

        monkeypatch.setattr(slack.door._router._identities, "resolve", late)
        assert await ask(slack, view, "Team") == known
        assert len(known) == 2


async def test_who_is_refused_gets_no_options(tmp_path: Path) -> None:
    async with rig(tmp_path, options=GROUPS) as slack:
        slack.api.users[USER]["is_restricted"] = True
        assert await ask(slack, {"type": "modal", "callback_id": "x", "private_metadata": ""}, "") == []


def test_options_keep_slacks_limits() -> None:
    long = Option(value="v", label="l" * 200, description="d" * 200)
    shown = slack_options(
        [long, Option(value="x" * 151, label="cut, it would be another"), Option(value="", label="e")]
    )
    assert [(len(o["text"]["text"]), len(o["description"]["text"]), o["value"]) for o in shown] == [(75, 75, "v")]
    assert len(slack_options(GROUPS)) == 100


async def test_a_team_that_is_not_ours_sees_nothing(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        await slack.command("/service", "list", team_id="T0PARTNER")
        assert "other organisations" in slack.replies.texts[0]
        assert HOME not in slack.replies.texts[0]
