from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.errors import UpstreamUnavailable
from bot.slack.drafts import KEEP_S, read_metadata
from tests.fakes.slack_inbound import USER, CreateForm, Rig, account, filled, rig


def inputs(view: dict[str, Any]) -> list[str]:
    return [block["block_id"] for block in view["blocks"] if block["type"] == "input"]


def initial(view: dict[str, Any], name: str) -> Any:
    [element] = [block["element"] for block in view["blocks"] if block.get("block_id") == name]
    option = element.get("initial_option")
    return element.get("initial_value") or (option and option["value"])


async def opened_form(slack: Rig, text: str = "create orders") -> dict[str, Any]:
    """Return the first page, as a person sees it whom we know already."""
    await slack.command("/service", "list")
    await slack.command("/service", text)
    return slack.api.last_view()


async def test_the_modal_of_a_known_person_is_the_first_call_that_is_made(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        await slack.command("/service", "list")
        slack.api.calls.clear()
        await slack.command("/service", "create orders")
        assert slack.api.methods() == ["views.open"]
        assert initial(slack.api.last_view(), "name") == "orders"


async def test_for_an_unknown_person_a_loading_view_holds_the_place(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        await slack.command("/service", "create orders")
        assert slack.api.methods() == ["views.open", "users.info", "views.update"]
        _, update = slack.api.calls[-1]
        assert (update["view_id"], update["hash"]) == ("V1", "h1")
        assert update["view"]["callback_id"] == "service.create"


async def test_who_is_refused_reads_it_where_the_form_would_have_been(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        slack.api.users[USER] = account(is_restricted=True)
        await slack.command("/service", "create orders")
        assert slack.api.methods() == ["views.open", "users.info", "views.update"]
        assert "Guests" in str(slack.api.last_view()["blocks"])
        assert "submit" not in slack.api.last_view()


async def test_a_modal_carries_the_drafts_id_and_version_and_nothing_typed(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        view = await opened_form(slack)
        identifier, version = read_metadata(view["private_metadata"])
        assert len(identifier) == 20
        assert version == 1
        assert "orders" not in view["private_metadata"]
        assert view["notify_on_close"] is True


async def test_words_that_do_not_fit_the_form_are_answered_with_a_line_to_try(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        await slack.command("/service", "list")
        await slack.command("/service", "create one two")
        assert slack.replies.texts[-1] == "Only one name fits. Try `/service create orders`."


async def test_a_trigger_that_slack_refuses_becomes_a_button(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        slack.api.refuses["views.open"] = "expired_trigger_id"
        await opened_form(slack)
        assert "too long" in slack.replies.texts[-1]
        del slack.api.refuses["views.open"]
        await slack.click("form.open", slack.replies.button("form.open"))
        assert initial(slack.api.last_view(), "name") == "orders"


async def test_a_mistake_is_shown_beside_its_field_and_nothing_else_changes(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        view = await opened_form(slack)
        answer = await slack.submit(view, {"name": "Not A Name"})
        assert answer["response_action"] == "errors"
        assert list(answer["errors"]) == ["name"]
        assert (await slack.submit(view, {"name": "orders"}))["response_action"] == "update"


async def test_back_keeps_what_was_typed_on_both_pages(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        second = (await slack.submit(await opened_form(slack), {"name": "orders", "version": "3.12"}))["view"]
        await slack.click("back", "back", view=filled(second, {"owner": "group:default/team-orders"}))
        first = slack.api.last_view()
        assert inputs(first) == ["name", "language", "version"]
        assert initial(first, "version") == "3.12"
        again = (await slack.submit(first))["view"]
        assert initial(again, "owner") == "group:default/team-orders"


async def test_what_a_form_fills_in_by_itself_stands_on_later_pages_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {"owner": "group:default/team-orders"}
    monkeypatch.setattr(CreateForm, "resume", lambda form, values, principal: form._form({**own, **values}))
    async with rig(tmp_path) as slack:
        second = (await slack.submit(await opened_form(slack), {"name": "orders"}))["view"]
        assert initial(second, "owner") == "group:default/team-orders"
        await slack.submit(second, {"owner": "group:default/platform"})
        assert slack.operations.submitted[0].request["owner"] == "group:default/platform"


async def test_a_choice_that_decides_about_other_fields_redraws_the_view_in_place(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        view = filled(await opened_form(slack), {"name": "orders", "language": "node"})
        action = {"action_id": "language", "block_id": "language", "type": "static_select"}
        await slack.interact({"type": "block_actions", "actions": [action], "view": view})
        method, arguments = slack.api.calls[-1]
        assert (method, arguments["view_id"], arguments["hash"]) == ("views.update", "V1", "h1")
        assert inputs(arguments["view"]) == ["name", "language"]
        second = (await slack.submit(arguments["view"]))["view"]
        await slack.submit(second, {"owner": "group:default/team-orders"})
        assert slack.operations.submitted[0].request["version"] is None


async def test_a_redraw_that_came_too_late_is_no_error(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        view = filled(await opened_form(slack), {"language": "node"})
        slack.api.refuses["views.update"] = "hash_conflict"
        said = len(slack.replies.said)
        await slack.click("language", view=view)
        assert len(slack.replies.said) == said


async def test_a_second_press_on_the_last_page_asks_for_nothing_more(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        second = (await slack.submit(await opened_form(slack)))["view"]
        for _ in range(3):
            assert await slack.submit(second, {"owner": "group:default/team-orders"}) == {"response_action": "clear"}
        assert len(slack.operations.submitted) == 1


async def test_a_second_press_on_an_old_page_shows_the_page_that_counts(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        first = await opened_form(slack)
        await slack.submit(first)
        answer = await slack.submit(first)
        assert inputs(answer["view"]) == ["owner"]


async def test_somebody_elses_draft_is_not_opened_shown_or_sent(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        slack.api.users["U2"] = account("U2")
        view = await opened_form(slack)
        other = {"user": {"id": "U2", "team_id": "T0ACME00001"}}
        response = await slack.interact({"type": "view_submission", "view": filled(view, {})} | other)
        assert "expired, or it is not yours" in await response.text()
        calls = len(slack.api.calls)
        await slack.click("form.open", read_metadata(view["private_metadata"])[0], **other)
        assert "views.open" not in [method for method, _ in slack.api.calls[calls:]]


@pytest.mark.parametrize("metadata", ["", "x", "x.y", "nobody.1", "a.b.c", "x." + "9" * 30])
async def test_a_view_without_a_draft_of_ours_is_answered_with_what_to_do(tmp_path: Path, metadata: str) -> None:
    async with rig(tmp_path) as slack:
        view = await opened_form(slack)
        answer = await slack.submit(view | {"private_metadata": metadata})
        assert "Type the command again" in str(answer["view"]["blocks"])


async def test_a_draft_expires(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        view = await opened_form(slack)
        slack.clock.advance(KEEP_S + 1)
        await slack.door.tick()
        assert "expired" in str((await slack.submit(view))["view"]["blocks"])


async def test_closing_a_form_changes_nothing_and_keeps_what_was_typed(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        second = (await slack.submit(await opened_form(slack)))["view"]
        await slack.interact({"type": "view_closed", "view": {"id": "V1", "hash": "h", **second}, "is_cleared": False})
        assert "nothing was changed" in slack.replies.texts[-1]
        await slack.click("form.open", slack.replies.button("form.open"))
        again = slack.api.last_view()
        assert inputs(again) == ["owner"]
        await slack.submit(again, {"owner": "group:default/team-orders"})
        assert slack.operations.submitted[0].request["name"] == "orders"


async def test_closing_a_form_that_nobody_touched_is_not_worth_a_word(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        view = filled(await opened_form(slack), {})
        said = len(slack.replies.said)
        await slack.interact({"type": "view_closed", "view": view})
        assert len(slack.replies.said) == said


async def test_a_sent_form_cannot_be_opened_again(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        second = (await slack.submit(await opened_form(slack)))["view"]
        await slack.submit(second, {"owner": "group:default/team-orders"})
        await slack.click("form.open", read_metadata(second["private_metadata"])[0])
        assert "sent already" in slack.replies.texts[-1]


async def test_a_second_try_after_a_failure_is_another_operation(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        slack.operations.fails = [RuntimeError("a defect")]
        second = (await slack.submit(await opened_form(slack)))["view"]
        await slack.submit(second, {"owner": "group:default/team-orders"})
        assert "our fault" in slack.replies.texts[-1]
        await slack.click("form.open", slack.replies.button("form.open"))
        await slack.submit(slack.api.last_view())
        assert [asked.request["owner"] for asked in slack.operations.submitted] == ["group:default/team-orders"]


async def test_a_failure_while_slack_waits_keeps_the_form_open_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(tmp_path) as slack:
        view = await opened_form(slack)

        async def away(*_: Any, **__: Any) -> None:
            raise UpstreamUnavailable("The database is away.", hint="Try again.")

        monkeypatch.setattr(slack.door._drafts, "get", away)
        answer = await slack.submit(view)
        assert answer == {"response_action": "errors", "errors": {"name": "The database is away. Try again."}}


async def test_work_that_takes_too_long_while_slack_waits_is_broken_off_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(tmp_path) as slack:
        view = await opened_form(slack)

        async def slow(_envelope: Any) -> None:
            raise TimeoutError

        monkeypatch.setattr(slack.door, "bolt", slow)
        answer = await slack.submit(view)
        assert "Press the button again" in answer["errors"]["name"]


async def test_the_request_names_who_asked_when_and_where(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        second = (await slack.submit(await opened_form(slack)))["view"]
        await slack.submit(second, {"owner": "group:default/team-orders"})
        [asked] = slack.operations.submitted
        assert asked.command == "service.create"
        assert asked.now == slack.clock()
        assert asked.origin.slack_user == USER
        assert asked.principal.email == "author@acme.example"
