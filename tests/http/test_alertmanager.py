"""`/webhooks/alertmanager`: who calls is asked first, the body is stored as it came, odd ones are refused in words."""

from __future__ import annotations

import asyncio
import io
import json
import logging

import pytest

from tests.alerting.house import alert, delivery
from tests.scenario.world import Json, World

pytestmark = pytest.mark.asyncio(loop_scope="module")

BODY = json.dumps(delivery(alert("DiskFull", instance="db-7", severity="warning"))).encode()


async def posted(here: World, body: bytes, *, authorization: str | None = "") -> tuple[int, Json]:
    if authorization == "":
        authorization = f"Bearer {here.ready['env']['CAUSEWAY_ALERTMANAGER_TOKEN']}"
    headers = {"Content-Type": "application/json"} | ({"Authorization": authorization} if authorization else {})
    async with here.http.post(
        f"{here.ready['bot']}/webhooks/alertmanager", data=io.BytesIO(body), headers=headers
    ) as response:
        return response.status, await response.json()


@pytest.mark.parametrize(
    "header", [None, "Bearer", "Bearer ", "Bearer wrong", "Basic TOKEN", "TOKEN", "Bearer TOKENx", "Bearer ü"]
)
async def test_who_has_not_the_token_is_refused(here: World, header: str | None) -> None:
    token = here.ready["env"]["CAUSEWAY_ALERTMANAGER_TOKEN"]
    status, answer = await posted(here, BODY, authorization=header.replace("TOKEN", token) if header else None)
    assert (status, answer["error"]) == (401, "This webhook needs Alertmanager's bearer token.")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"version": "4"}',
        b'{"alerts": {}}',
        b"\xff\xfe",
        b'{"alerts": ' + b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"alerts": [], "x": "\x00"}',
    ],
)
async def test_what_is_no_delivery_is_refused_in_words(here: World, body: bytes) -> None:
    status, answer = await posted(here, body)
    assert (status, answer["error"]) == (400, "This is not a delivery of Alertmanager's.")


async def test_one_that_is_too_large_is_refused(here: World) -> None:
    status, answer = await posted(here, json.dumps({"alerts": ["x" * 5_100_000]}).encode())
    assert (status, answer["hint"]) == (413, "Set max_alerts for this receiver in Alertmanager.")


async def test_only_odd_ones_are_taken(here: World) -> None:
    some: list[Json] = [
        {"alerts": []},
        {"alerts": [None, 3, {"labels": 7}]},
        {"version": "99", "alerts": [{}], "x": "\ud800"},
    ]
    for odd in some:
        assert await posted(here, json.dumps(odd).encode()) == (200, {"stored": True})


async def test_what_was_stored_is_told_and_counted_and_nothing_of_it_is_logged(
    here: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="bot"):
        answers = await asyncio.gather(*(posted(here, BODY) for _ in range(40)))
        assert answers == [(200, {"stored": True})] * 40
        await here.advance("6s")

        async def look() -> list[Json] | None:
            found = [
                message
                for message in await here.slack.messages("platform")
                if (message.get("metadata") or {}).get("event_type") == "causeway_alert"
                and "DiskFull" in message["text"]
            ]
            return found or None

        cards = await here.slack.until(look)
    assert len(cards) == 1
    assert "db-7" not in caplog.text
    async with here.http.get(f"{here.ready['bot']}/metrics") as response:
        text = await response.text()
    taken = next(line for line in text.splitlines() if line.startswith("causeway_alerts_taken_total"))
    assert float(taken.rpartition(" ")[2]) >= 1
    assert "causeway_alert_oldest_unposted_seconds" in text
    assert "causeway_alert_groups_firing" in text
