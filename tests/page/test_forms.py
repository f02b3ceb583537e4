"""Commands and the forms they open."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.page.conftest import World
from tests.page.samples import every_input, field, option, service_form
from tests.page.slack_fake import HANDLES, Json, text
from tests.page.test_channels import sit_down

pytestmark = pytest.mark.asyncio(loop_scope="session")

AUTHOR = HANDLES["author"]


def opens_a_form(world: World, blocks: list[Json] | None = None, **view: Any) -> None:
    """Let the bot answer any command with a form."""

    def answer(_: Json) -> None:
        world.slack.open_modal(AUTHOR, blocks=blocks or service_form(), **view)

    world.slack.answers["/sim/commands"] = answer


async def command(page: Page, line: str) -> None:
    composer = page.locator("main").get_by_role("combobox")
    await composer.fill(line)
    await composer.press("Enter")


async def opened(page: Page, world: World, blocks: list[Json] | None = None, **view: Any) -> Locator:
    opens_a_form(world, blocks, **view)
    await sit_down(page, world)
    await command(page, "/service create")
    dialog = page.get_by_role("dialog", name="Create a service")
    await expect(dialog).to_be_visible()
    return dialog


async def submitted(page: Page, world: World) -> Json:
    async with page.expect_response("**/sim/views/submit"):
        await page.get_by_role("dialog").get_by_role("button", name="Create", exact=True).click()
    values: Json = world.slack.bodies("/sim/views/submit")[-1]["values"]
    return values


async def test_a_command_is_completed_sent_and_opens_a_form(page: Page, world: World) -> None:
    opens_a_form(world)
    await sit_down(page, world)
    composer = page.locator("main").get_by_role("combobox")
    await composer.press_sequentially("/ser")
    await expect(page.get_by_role("option", name="/service")).to_contain_text("Create and run services")
    await composer.press("Enter")
    await expect(composer).to_have_value("/service ")
    await composer.press_sequentially("create python-service")
    await composer.press("Enter")
    await expect(page.get_by_role("dialog", name="Create a service")).to_be_visible()
    assert world.slack.bodies("/sim/commands") == [
        {"user": AUTHOR, "channel": "C0TEAMORDER", "command": "/service", "text": "create python-service"}
    ]


async def test_a_form_is_filled_in_and_submitted(page: Page, world: World) -> None:
    world.slack.options = [option("team-orders", "Team Orders"), option("team-checkout", "Team Checkout")]
    dialog = await opened(page, world)
    await dialog.get_by_label("Name").fill("user-api")
    await dialog.get_by_role("combobox", name="Owner").press_sequentially("check")
    await dialog.get_by_role("option", name="Team Checkout").click()
    await dialog.get_by_role("combobox", name="Language").click()
    await dialog.get_by_role("option", name="Node.js").click()
    world.slack.answers["/sim/views/submit"] = lambda _: world.slack.close_modals(AUTHOR)
    values = await submitted(page, world)
    assert values == {
        "name": {"name": "user-api"},
        "owner": {"owner": "team-checkout"},
        "language": {"language": "node"},
    }
    await expect(dialog).to_be_hidden()
    await expect(page.locator("main").get_by_role("combobox")).to_be_focused()


async def test_typeahead_asks_the_app_with_what_was_typed(page: Page, world: World) -> None:
    world.slack.options = [option(f"service-{n}") for n in range(300)]
    dialog = await opened(page, world)
    await dialog.get_by_role("combobox", name="Owner").press_sequentially("service-29")
    await expect(dialog.get_by_role("option")).to_have_count(11)
    asked = world.slack.bodies("/sim/options")[-1]
    assert asked["query"] == "service-29"
    assert asked["action_id"] == asked["block_id"] == "owner"


async def test_an_error_stands_beside_its_field_and_what_was_typed_stays(page: Page, world: World) -> None:
    dialog = await opened(page, world)
    await dialog.get_by_label("Name").fill("checkout")
    world.slack.answers["/sim/views/submit"] = lambda _: world.slack.update_modal(
        AUTHOR, errors={"name": "This name is taken."}
    )
    await submitted(page, world)
    name = dialog.get_by_role("textbox", name="Name")
    await expect(name).to_have_accessible_description("This name is taken. Lower case letters, digits and dashes.")
    await expect(name).to_have_attribute("aria-invalid", "true")
    await expect(name).to_be_focused()
    await expect(name).to_have_value("checkout")


async def test_what_a_client_itself_refuses_is_said_beside_the_field(page: Page, world: World) -> None:
    dialog = await opened(page, world)
    refusal = {
        "error": "invalid_values",
        "message": "Not sent.",
        "errors": {"owner": "Please complete this required field."},
    }
    world.slack.answers["/sim/views/submit"] = lambda _: refusal
    await submitted(page, world)
    await expect(dialog.get_by_role("alert").filter(has_text="Please complete")).to_be_visible()
    await expect(dialog.get_by_role("combobox", name="Owner")).to_be_focused()


async def test_typed_values_survive_an_update_and_new_fields_appear(page: Page, world: World) -> None:
    dialog = await opened(page, world)
    await dialog.get_by_label("Name").fill("user-api")
    world.slack.update_modal(
        AUTHOR,
        hash="2",
        blocks=[*service_form(), field("port", "Port", {"type": "number_input", "is_decimal_allowed": False})],
    )
    await dialog.get_by_label("Port").fill("8080")
    await expect(dialog.get_by_label("Name")).to_have_value("user-api")
    values = await submitted(page, world)
    assert values == {"name": {"name": "user-api"}, "port": {"port": "8080"}}


async def test_a_choice_that_changes_the_form_is_sent_at_once_with_what_was_typed(page: Page, world: World) -> None:
    blocks = [*service_form()[:1], service_form()[2] | {"dispatch_action": True}]
    dialog = await opened(page, world, blocks)
    await dialog.get_by_label("Name").fill("user-api")
    await dialog.get_by_role("combobox", name="Language").click()
    async with page.expect_response("**/sim/actions"):
        await dialog.get_by_role("option", name="Python").click()
    (action,) = world.slack.bodies("/sim/actions")
    assert (action["action_id"], action["value"]) == ("language", "python")
    assert action["values"] == {"name": {"name": "user-api"}, "language": {"language": "python"}}


async def test_every_kind_of_field_can_be_filled_in(page: Page, world: World) -> None:
    world.slack.options = [option("orders-db", "Orders database"), option("orders-queue", "Orders queue")]
    dialog = await opened(page, world, every_input())
    await dialog.get_by_label("Replicas").fill("3")
    await dialog.get_by_label("Contact").fill("team@acme.example")
    await dialog.get_by_label("Runbook").fill("https://acme.example/runbook")
    await dialog.get_by_role("radio", name="Large").check()
    await dialog.get_by_role("checkbox", name="Database").check()
    await dialog.get_by_role("checkbox", name="Cache").check()
    for name, choices in {
        "Zones": ("a", "c"),
        "Depends on": ("Orders queue",),
        "Reviewer": ("Sample Approver",),
        "Crew": ("Sample Teammate",),
        "Channel": ("#general",),
        "Conversation": ("#platform",),
    }.items():
        for choice in choices:
            await dialog.get_by_role("combobox", name=name).press_sequentially(choice)
            await dialog.get_by_role("option", name=choice).first.click()
    await dialog.get_by_label("From").fill("2026-12-24")
    await dialog.get_by_label("At", exact=True).fill("18:15")
    values = {
        block: value
        for entry in (await submitted(page, world)).items()
        for block, value in [(entry[0], entry[1][entry[0]])]
    }
    assert values == {
        "number": "3",
        "mail": "team@acme.example",
        "link": "https://acme.example/runbook",
        "size": "large",
        "addons": ["db", "cache"],
        "zones": ["a", "c"],
        "needs": ["orders-queue"],
        "reviewer": HANDLES["approver"],
        "crew": [HANDLES["teammate"]],
        "channel": "C0GENERAL01",
        "talk": "C0PLATFORM1",
        "from": "2026-12-24",
        "at": "18:15",
    }


async def test_fields_show_what_they_begin_with(page: Page, world: World) -> None:
    dialog = await opened(page, world, every_input())
    await expect(dialog.get_by_label("Replicas")).to_have_value("2")
    await expect(dialog.get_by_role("radio", name="Small")).to_be_checked()
    await expect(dialog.get_by_label("From")).to_have_value("2026-12-01")
    await expect(dialog.get_by_label("At", exact=True)).to_have_value("09:30")
    assert await submitted(page, world) == {}


async def test_a_pushed_view_goes_back_to_what_was_typed_below(page: Page, world: World) -> None:
    dialog = await opened(page, world)
    await dialog.get_by_label("Name").fill("user-api")
    world.slack.open_modal(AUTHOR, title=text("Details"))
    above = page.get_by_role("dialog", name="Details")
    await above.get_by_role("button", name="Back").click()
    await expect(dialog.get_by_label("Name")).to_have_value("user-api")


async def test_the_cross_closes_the_whole_stack(page: Page, world: World) -> None:
    await opened(page, world)
    root = world.slack.modals[AUTHOR][0]["id"]
    world.slack.open_modal(AUTHOR, title=text("Details"))
    above = page.get_by_role("dialog", name="Details")
    await above.get_by_role("button", name="Close", exact=True).click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert world.slack.bodies("/sim/views/close") == [{"user": AUTHOR, "view_id": root}]


async def test_a_form_that_the_app_did_not_answer_says_so_and_stays(page: Page, world: World) -> None:
    dialog = await opened(page, world)
    notice = "We had some trouble connecting. Try again?"
    world.slack.answers["/sim/views/submit"] = lambda _: world.slack.update_modal(AUTHOR, notice=notice)
    await submitted(page, world)
    await expect(dialog.get_by_role("alert").filter(has_text="trouble connecting")).to_be_visible()


async def test_another_user_does_not_see_the_form(page: Page, world: World) -> None:
    opens_a_form(world)
    await sit_down(page, world, "teammate/team-orders")
    world.slack.open_modal(AUTHOR, blocks=service_form())
    world.slack.post("team-orders", "after the form")
    await expect(page.get_by_role("log")).to_contain_text("after the form")
    await expect(page.get_by_role("dialog")).to_have_count(0)
