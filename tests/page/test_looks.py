"""Light and dark, narrow and wide, and a playground that goes away."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from playground.clock import PlaygroundClock
from playground.page.peer import PagePeer
from tests.page.conftest import COMMANDS, World, listen
from tests.page.samples import card, service_form
from tests.page.slack_fake import HANDLES, FakeSlack
from tests.page.test_channels import sit_down

pytestmark = pytest.mark.asyncio(loop_scope="session")

GROUND = "getComputedStyle(document.querySelector('main')).backgroundColor"
CONTRAST = (Path(__file__).parent / "contrast.js").read_text()


async def test_the_theme_follows_the_system_and_can_be_turned(page: Page, world: World) -> None:
    await page.emulate_media(color_scheme="dark")
    await sit_down(page, world)
    assert await page.evaluate(GROUND) == "rgb(23, 27, 29)"
    await page.get_by_role("button", name="Light theme").click()
    assert await page.evaluate(GROUND) == "rgb(255, 255, 255)"
    await page.reload()
    await expect(page.get_by_role("button", name="Dark theme")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_is_told_apart_from_its_ground(page: Page, world: World, scheme: str) -> None:
    world.slack.post("team-orders", "Create service user-api", blocks=card())
    world.slack.post("team-orders", "only you", ephemeral_to="U0AUTHOR01")
    world.slack.post("team-orders", "*a* `code` <https://a.test|link> <@U0APPROVER1>", user="U0TEAMMATE1")
    await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type] # two of its literals
    await page.add_init_script("localStorage.removeItem('playground.toured')")
    await sit_down(page, world)
    await expect(page.locator(".message")).to_have_count(3)
    await page.get_by_role("button", name="Developer drawer").click()
    assert await page.evaluate(CONTRAST) == []
    world.slack.open_modal(HANDLES["author"], blocks=service_form(), errors={"name": "This name is taken."})
    await expect(page.get_by_text("This name is taken.")).to_be_visible()
    assert await page.evaluate(CONTRAST) == []


async def test_a_phone_shows_one_column_and_the_channels_on_demand(browser: Browser, world: World) -> None:
    context = await browser.new_context(viewport={"width": 360, "height": 700}, has_touch=True, is_mobile=True)
    page = await context.new_page()
    world.slack.post("team-orders", "Create service user-api", blocks=card())
    await sit_down(page, world)
    await page.get_by_role("button", name="Close the tour").tap()
    await expect(page.get_by_role("button", name="Approve", exact=True)).to_be_in_viewport()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    general = page.get_by_role("button", name="general", exact=True)
    await expect(general).to_be_hidden()
    await page.get_by_role("button", name="Channels and apps").tap()
    await general.tap()
    await expect(page.get_by_role("heading", name="general", level=1)).to_be_visible()
    await expect(general).to_be_hidden()
    await context.close()


async def test_a_place_can_be_reloaded_and_gone_back_from(page: Page, world: World) -> None:
    ts = world.slack.post("platform", "A question")
    await sit_down(page, world, f"platform/platform/{ts}")
    await page.reload()
    await expect(page.get_by_role("complementary", name="Thread")).to_contain_text("A question")
    await expect(page.get_by_role("button", name="you are Sample Platform Engineer")).to_be_visible()
    await page.get_by_role("button", name="general").click()
    await page.go_back()
    await expect(page.get_by_role("complementary", name="Thread")).to_contain_text("A question")


async def test_a_playground_that_went_away_is_named_and_found_again(browser: Browser) -> None:
    slack = FakeSlack()
    slack_runner, slack_url = await listen(slack.application())
    config: dict[str, object] = {"slack": slack_url, "commands": COMMANDS}
    page_runner, url = await listen(PagePeer(clock=PlaygroundClock(), config=lambda: config).application())
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(f"{url}/#author/team-orders")
    await expect(page.locator("body")).to_have_attribute("data-ready", "true")
    await slack_runner.cleanup()
    away = page.get_by_role("alert").filter(has_text="does not answer")
    await expect(away).to_be_visible()
    slack.post("team-orders", "I am back")
    slack_runner, _ = await listen(slack.application(), port=int(slack_url.rpartition(":")[2]))
    await expect(page.get_by_role("log")).to_contain_text("I am back")
    await expect(away).to_be_hidden()
    await context.close()
    await page_runner.cleanup()
    await slack_runner.cleanup()
