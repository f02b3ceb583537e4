"""The rehearsal itself: it finds no playground where none is, and says which promise is broken."""

from __future__ import annotations

import json

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.errors import NotFound
from bot.rehearsal.day import Day, Step
from bot.rehearsal.play import rehearse
from bot.rehearsal.promise import promise


async def town(_: web.Request) -> web.Response:
    return web.json_response({"ready": True, "env": {}, "slack": "http://127.0.0.1:9"})


@pytest.fixture
async def page() -> object:
    application = web.Application()
    application.router.add_get("/sim/ready", town)
    async with TestServer(application) as server:
        yield str(server.make_url("/")).rstrip("/")


async def kept(day: Day) -> None:
    day.note("as it should be")


async def broken(_: Day) -> None:
    promise(2 + 2 == 5, "two and two are five", seen=4)


async def lost(day: Day) -> None:
    await day.town.messages()


async def missing(day: Day) -> None:
    await day.town.incidents()


async def test_a_broken_promise_ends_the_day_with_what_was_seen(page: str) -> None:
    said: list[str] = []
    steps = [Step("Keep", kept), Step("Break", broken), Step("Never", kept)]
    assert await rehearse(page, name="x", steps=steps, say=said.append, seconds=lambda: 0.0) == 1
    assert said == [
        "✓  1. Keep                                    0.0 s",
        "      as it should be",
        "✗  2. Break                                   0.0 s",
        "      Broken: two and two are five Seen: 4",
    ]
    said.clear()
    assert await rehearse(page, name="x", steps=steps[:2], say=said.append, as_json=True) == 1
    assert [json.loads(line)["kept"] for line in said] == [True, False]


async def test_a_playground_that_goes_away_is_no_traceback(page: str) -> None:
    said: list[str] = []
    assert await rehearse(page, name="x", steps=[Step("Look", lost)], say=said.append) == 1
    assert said[-1] == "      Broken: The playground did not answer: ClientConnectorError."
    assert await rehearse(page, name="x", steps=[Step("Look", missing)], say=said.append) == 1
    assert "This playground has no prometheus." in said[-1]


async def test_without_a_playground_it_says_how_to_start_one(page: str) -> None:
    with pytest.raises(NotFound, match="make playground"):
        await rehearse("http://127.0.0.1:9", name="x", steps=[])
