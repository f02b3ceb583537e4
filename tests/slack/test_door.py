from __future__ import annotations

from pathlib import Path

from bot.errors import UpstreamUnavailable
from tests.fakes.slack_inbound import rig


async def test_a_query_is_acknowledged_with_nothing_and_answered_to_the_person_alone(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        response = await slack.command("/service", "list mine")
        assert (response.status, await response.text()) == (200, "")
        assert slack.replies.texts == ["Services: mine"]
        assert slack.replies.said[0]["channel"] == "C0TEAMORDER"


async def test_a_service_is_asked_for_through_both_pages_of_its_form(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        await slack.command("/service", "create orders")
        first = slack.api.last_view()
        assert first["callback_id"] == "service.create"
        second = (await slack.submit(first))["view"]
        assert [b["block_id"] for b in second["blocks"] if b["type"] == "input"] == ["owner"]
        assert await slack.submit(second, {"owner": "group:default/team-orders"}) == {"response_action": "clear"}
        [asked] = slack.operations.submitted
        assert asked.request["name"] == "orders"
        assert asked.request["owner"] == "group:default/team-orders"
        assert asked.principal.user == "user:default/author"
        assert asked.origin.slack_channel == "C0TEAMORDER"


async def test_a_request_that_cannot_be_handed_over_comes_back_with_everything_typed(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        slack.operations.fails = [UpstreamUnavailable("The engine is away.", hint="Try again.")]
        await slack.command("/service", "create orders")
        second = (await slack.submit(slack.api.last_view()))["view"]
        await slack.submit(second, {"owner": "group:default/team-orders"})
        assert slack.replies.texts == ["The engine is away. Try again."]
        await slack.click("form.open", slack.replies.button("form.open"))
        again = slack.api.last_view()
        await slack.submit(again)
        [asked] = slack.operations.submitted
        assert asked.request["owner"] == "group:default/team-orders"
        assert asked.request["name"] == "orders"
