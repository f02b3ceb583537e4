"""The page in a headless browser, against a small stand-in for the Slack simulator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

from playground.clock import PlaygroundClock
from playground.page.peer import PagePeer
from tests.page.slack_fake import FakeSlack
from tests.peers.tools import need

BROWSER_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
COMMANDS = [
    {"command": "/service", "usage_hint": "create | list | show", "description": "Create and run services"},
    {"command": "/idp", "usage_hint": "help", "description": "Everything the platform does"},
    {"command": "/preview", "usage_hint": "up <service> <pull request>", "description": "Preview environments"},
]


@dataclass(frozen=True)
class World:
    """What a test of the page needs: the fake Slack, the clock, and where the page is."""

    slack: FakeSlack
    clock: PlaygroundClock
    url: str
    slack_url: str


async def listen(application: web.Application, port: int = 0) -> tuple[web.AppRunner, str]:
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


@pytest_asyncio.fixture(loop_scope="session")
async def world() -> AsyncIterator[World]:
    slack, clock = FakeSlack(), PlaygroundClock()
    slack_runner, slack_url = await listen(slack.application())
    config: dict[str, object] = {"slack": slack_url, "github": "http://127.0.0.1:9", "commands": COMMANDS}
    page_runner, url = await listen(PagePeer(clock=clock, config=lambda: config).application())
    yield World(slack, clock, url, slack_url)
    await page_runner.cleanup()
    await slack_runner.cleanup()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = need("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(path), args=BROWSER_ARGUMENTS)
        yield browser
        await browser.close()


@asynccontextmanager
async def window(browser: Browser) -> AsyncIterator[Page]:
    """Open a fresh window of somebody who has seen the tour; an error in its console fails the test."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    await context.add_init_script("localStorage.setItem('playground.toured', 'true')")
    page = await context.new_page()
    errors: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        refused = "status of 409" in message.text  # Chromium itself reports what the simulator refuses on purpose
        if message.type in {"error", "warning"} and not refused:
            errors.append(message.text)

    page.on("console", heard)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    await context.close()
    assert errors == []


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, world: World) -> AsyncIterator[Page]:
    """A window that is closed before its world ends."""
    async with window(browser) as page:
        yield page
