"""The day rehearsed, looked at in the browser after each step. With TOUR=1 the pictures of the tour are made anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from bot.rehearsal.day import STEPS, Day
from bot.rehearsal.play import rehearse
from tests.page.conftest import window
from tests.scenario.world import world as playground

GUIDE = Path(__file__).parents[2] / "docs" / "guides"
TOUR = GUIDE / "tour.md"
WAIT_MS = 30_000


def picture_of(number: int) -> str:
    return f"tour/{number:02}-{STEPS[number - 1].act.__name__.replace('_', '-')}.png"


@pytest.mark.timeout(600)
@pytest.mark.asyncio(loop_scope="session")
async def test_every_promise_of_the_day_is_kept_and_can_be_seen(browser: Browser, tmp_path: Path) -> None:
    said: list[str] = []
    seen: list[str] = []
    folder = GUIDE if os.environ.get("TOUR") == "1" else tmp_path
    (folder / "tour").mkdir(exist_ok=True)
    async with playground(tmp_path / "playground") as here, window(browser) as page:

        async def look(number: int, day: Day) -> None:
            await page.goto(
                f"{here.ready['page']}/?step={number}#{day.place}"
            )  # another address: the page is read anew
            await expect(page.locator("body")).to_have_attribute("data-ready", "true", timeout=WAIT_MS)
            await expect(page.locator(".message").last).to_be_visible(timeout=WAIT_MS)
            for picture in await page.locator(".message img").all():
                await expect(picture).to_have_js_property("complete", value=True, timeout=WAIT_MS)
            if await page.locator(".message img").count():
                await page.locator(".message img").last.scroll_into_view_if_needed()
            await page.screenshot(path=folder / picture_of(number))
            seen.append(picture_of(number))

        status = await rehearse(here.ready["page"], name="parcels", say=said.append, after=look)
    assert status == 0, "\n".join(said)
    assert seen == [picture_of(number) for number in range(1, len(STEPS) + 1)]
    assert all((folder / name).stat().st_size > 10_000 for name in seen)


def test_the_tour_tells_every_step_with_its_picture() -> None:
    guide = TOUR.read_text()
    for number, step in enumerate(STEPS, 1):
        assert f"## {number}. {step.title}" in guide
        assert f"]({picture_of(number)})" in guide
        assert (GUIDE / picture_of(number)).exists()
