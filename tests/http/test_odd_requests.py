"""Requests that no well-meaning program sends: each is refused in words, and nothing is decided by accident."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest

from tests.http.test_api import raw, waiting
from tests.scenario.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("name", ["Authorization", "Idempotency-Key", "X-GitHub-Delivery"])
async def test_a_header_that_is_no_text_is_refused(here: World, name: str) -> None:
    address = urlsplit(here.ready["bot"])
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = f"GET /api/v1/operations HTTP/1.1\r\nHost: bot\r\nConnection: close\r\n{name}: "
    writer.write(head.encode() + b"Bearer \xff\r\n\r\n")
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"not text in UTF-8" in answer


@pytest.mark.parametrize(
    "body",
    [{"digest": ""}, {"digest": 5}, {"digest": []}, {"digset": "0" * 64}, {"digest": "0" * 64}],
)
async def test_a_decision_that_names_no_plan_of_now_decides_nothing(here: World, body: dict[str, object]) -> None:
    view = await waiting(here, "undecided")
    status, _ = await here.api("POST", f"/operations/{view['id']}/approve", by="approver", body=body)
    assert status in (409, 422)
    _, now = await here.api("GET", f"/operations/{view['id']}", by="approver")
    assert (now["state"], now["approvals"]) == ("awaiting_approval", [])


async def test_half_a_character_is_refused(here: World) -> None:
    status, answer = await raw(here, "POST", "/operations/op-1/reject", data=b'{"reason": "\\ud800"}')
    assert status in (404, 422)
    view = await waiting(here, "half")
    status, answer = await raw(here, "POST", f"/operations/{view['id']}/reject", data=b'{"reason": "\\ud800"}')
    assert (status, answer["error"]) == (422, "The body is not JSON.")


async def test_a_body_that_never_ends_is_sent_away(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.http.answers.BODY_DEADLINE_S", 0.05)
    address = urlsplit(here.ready["bot"])
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = "POST /api/v1/requests/service.create HTTP/1.1\r\nHost: bot\r\nConnection: close\r\nContent-Length: 100\r\n"
    writer.write(f"{head}Authorization: Bearer {here.ready['api_tokens']['author']}\r\n\r\n{{".encode())
    answer = await reader.readuntil(b"}")
    writer.close()
    assert b"The body did not arrive whole." in answer
