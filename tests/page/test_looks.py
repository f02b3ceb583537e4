"""Light and dark, narrow and wide, and a playground that goes away."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.page.conftest import World
from tests.page.samples import card
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
    await sit_down(page, world)
    await expect(page.locator(".message")).to_have_count(3)
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
