"""Everything without a mouse."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.page.conftest import World
from tests.page.samples import option
from tests.page.slack_fake import HANDLES
from tests.page.test_channels import sit_down
from tests.page.test_forms import opens_a_form

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_service_is_asked_for_with_the_keyboard_alone(page: Page, world: World) -> None:
    world.slack.options = [option("team-orders", "Team Orders"), option("team-checkout", "Team Checkout")]
    opens_a_form(world)
    await sit_down(page, world)
    await expect(page.locator("main").get_by_role("combobox")).to_be_focused()
    await page.keyboard.type("/service create")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("textbox", name="Name")).to_be_focused()
    await page.keyboard.type("user-api")
    await page.keyboard.press("Tab")
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("option", name="Team Orders")).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("combobox", name="Owner")).to_have_value("Team Checkout")
    await page.keyboard.press("Tab")
    await page.keyboard.type("nod")
    await expect(page.get_by_role("option", name="Node.js")).to_be_visible()
    await page.keyboard.press("Enter")
    world.slack.answers["/sim/views/submit"] = lambda _: world.slack.close_modals(HANDLES["author"])
    await page.get_by_role("textbox", name="Name").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    (sent,) = world.slack.bodies("/sim/views/submit")
    assert sent["values"] == {
        "name": {"name": "user-api"},
        "owner": {"owner": "team-checkout"},
        "language": {"language": "node"},
    }


async def test_tab_stays_inside_a_form_and_escape_closes_it(page: Page, world: World) -> None:
    opens_a_form(world)
    await sit_down(page, world)
    await page.keyboard.type("/service create")
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Create a service")
    await expect(dialog).to_be_visible()
    seen = set()
    for _ in range(20):
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.closest('dialog') !== null")
        seen.add(
            await page.evaluate(
                "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
            )
        )
    assert {"Close", "Cancel", "Create"} <= seen
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert len(world.slack.bodies("/sim/views/close")) == 1


async def test_escape_closes_an_open_list_before_the_form(page: Page, world: World) -> None:
    opens_a_form(world)
    await sit_down(page, world)
    await page.keyboard.type("/service create")
    await page.keyboard.press("Enter")
    language = page.get_by_role("combobox", name="Language")
    await language.click()
    await expect(page.get_by_role("option", name="Python")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("option", name="Python")).to_be_hidden()
    await expect(page.get_by_role("dialog", name="Create a service")).to_be_visible()


async def test_the_quick_switcher_jumps_to_a_channel_and_to_a_user(page: Page, world: World) -> None:
    await sit_down(page, world)
    await page.keyboard.press("Control+k")
    await page.keyboard.type("gener")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="general", level=1)).to_be_visible()
    await page.keyboard.press("Control+k")
    await page.keyboard.type("approver")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="you are Sample Approver")).to_be_visible()


async def test_arrow_keys_walk_through_the_channel_list(page: Page, world: World) -> None:
    await sit_down(page, world)
    await page.get_by_role("button", name="team-orders").focus()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("button", name="general")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="general", level=1)).to_be_visible()


async def test_arrow_up_brings_back_what_was_sent(page: Page, world: World) -> None:
    await sit_down(page, world)
    composer = page.locator("main").get_by_role("combobox")
    for line in ("/idp help", "/service list"):
        await composer.fill(line)
        await composer.press("Enter")
        await expect(composer).to_have_value("")
        await expect(page.locator("main form")).not_to_have_attribute("aria-busy", "true")
    await composer.press("ArrowUp")
    await expect(composer).to_have_value("/service list")
    await composer.press("ArrowUp")
    await expect(composer).to_have_value("/idp help")
    await composer.press("ArrowDown")
    await composer.press("ArrowDown")
    await expect(composer).to_have_value("")


async def test_the_first_tab_offers_to_skip_to_the_message_field(page: Page, world: World) -> None:
    await sit_down(page, world)
    await page.evaluate("document.activeElement.blur()")
    await page.evaluate("document.body.tabIndex = -1; document.body.focus()")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the message field")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("main").get_by_role("combobox")).to_be_focused()


async def test_messages_are_walked_with_the_arrow_keys(page: Page, world: World) -> None:
    for words in ("first", "second"):
        world.slack.post("team-orders", words)
    await sit_down(page, world)
    await page.get_by_role("log").focus()
    await page.keyboard.press("ArrowUp")
    await expect(page.locator(".message").last).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await expect(page.locator(".message").first).to_be_focused()
