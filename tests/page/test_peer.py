"""The page's own server: files under a strict policy, configuration, and the playground's clock."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import assume, given
from hypothesis import strategies as st

from playground.clock import PlaygroundClock
from playground.page.peer import PagePeer, StepError, content_security_policy, parse_step

CONFIG: dict[str, object] = {
    "slack": "http://127.0.0.1:8801",
    "github": "http://127.0.0.1:8802/base",
    "commands": [],
    "data_dir": "playground-data",
}


@pytest.fixture
async def server() -> AsyncIterator[TestClient]:  # type: ignore[type-arg] # generic at type level only
    peer = PagePeer(clock=PlaygroundClock(), config=lambda: CONFIG, ready=lambda: {"ready": True, "env": {}})
    await peer.start()
    async with TestClient(TestServer(peer.application())) as client:
        yield client
    await peer.close()


async def test_the_policy_allows_own_scripts_and_loopback_peers_only(server: TestClient) -> None:  # type: ignore[type-arg]
    response = await server.get("/")
    policy = response.headers["Content-Security-Policy"]
    assert response.status == 200
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "connect-src 'self' http://127.0.0.1:8801 http://127.0.0.1:8802;" in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_value_that_is_no_address_never_enters_the_policy() -> None:
    policy = content_security_policy({"slack": "javascript:alert(1)", "github": "http://", "note": "x; script-src *"})
    assert "connect-src 'self';" in policy
    assert "*" not in policy


async def test_the_configuration_says_who_the_sample_people_are(server: TestClient) -> None:  # type: ignore[type-arg]
    config = await (await server.get("/config.json")).json()
    notes = {person["handle"]: person["note"] for person in config["people"]}
    assert config["slack"] == CONFIG["slack"]
    assert "approves" in notes["approver"]
    assert "refused" in notes["guest"]
    assert "refused" in notes["outsider"]


@pytest.mark.parametrize(("step", "seconds"), [("90s", 90), ("5m", 300), ("36h", 129_600), ("7d", 604_800)])
async def test_the_clock_moves_forward_by_what_was_asked(server: TestClient, step: str, seconds: int) -> None:  # type: ignore[type-arg]
    answer = await (await server.post("/sim/clock", json={"advance": step})).json()
    assert answer["offset_s"] == seconds
    assert (await (await server.get("/sim/clock")).json())["version"] == 1


@pytest.mark.parametrize(
    "body",
    [
        '{"advance": "36"}',
        '{"advance": "-5m"}',
        '{"advance": "0s"}',
        '{"advance": 5}',
        "[]",
        "{",
        '{"advance": "999999999d"}',
    ],
)
async def test_a_step_that_cannot_be_read_is_refused_with_a_sentence(server: TestClient, body: str) -> None:  # type: ignore[type-arg]
    response = await server.post("/sim/clock", data=body)
    assert response.status == 400
    assert (await response.json())["error"].endswith(".")
    assert (await (await server.get("/sim/clock")).json())["offset_s"] == 0


async def test_a_follower_hears_of_an_advance(server: TestClient) -> None:  # type: ignore[type-arg]
    following = asyncio.ensure_future(server.get("/sim/clock?after=0&timeout_s=30"))
    await server.post("/sim/clock", json={"advance": "1h"})
    assert (await (await following).json())["version"] == 1


@pytest.mark.parametrize(
    "query", ["after=x", "after=1&timeout_s=forever", "after=1&timeout_s=9999", "after=1&timeout_s=nan"]
)
async def test_a_wrong_wait_is_refused_with_a_sentence(server: TestClient, query: str) -> None:  # type: ignore[type-arg]
    response = await server.get(f"/sim/clock?{query}")
    assert response.status == 400
    assert (await response.json())["error"].endswith(".")


async def test_another_site_cannot_move_the_clock(server: TestClient) -> None:  # type: ignore[type-arg]
    response = await server.post("/sim/clock", json={"advance": "1h"}, headers={"Origin": "https://evil.example"})
    assert response.status == 403


async def test_files_outside_the_page_are_not_served(server: TestClient) -> None:  # type: ignore[type-arg]
    async with ClientSession() as session:
        response = await session.get(str(server.make_url("/static/")) + "..%2fpeer.py")
    assert response.status in {403, 404}


@given(st.one_of(st.text(), st.integers(), st.none(), st.lists(st.text())))
def test_any_unreadable_step_is_refused_with_a_sentence(step: object) -> None:
    assume(not (isinstance(step, str) and re.fullmatch("[0-9]+[smhd]", step)))
    with pytest.raises(StepError, match=r"\.$"):
        parse_step({"advance": step})


async def test_programs_are_told_what_the_playground_printed_and_pages_are_not(server: TestClient) -> None:  # type: ignore[type-arg]
    assert (await (await server.get("/sim/ready")).json())["ready"] is True
    assert (await server.get("/sim/ready", headers={"Origin": "http://evil.example"})).status == 403
    assert (await server.get("/sim/ready", headers={"Host": "evil.example:8800"})).status == 403
