"""The playground's Alertmanager: what it takes, whom it tells when, and that the playground's time moves it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from playground.clock import PlaygroundClock
from playground.monitoring.alertmanager.alerts import fingerprint
from playground.monitoring.alertmanager.peer import AlertmanagerPeer
from playground.monitoring.incidents import Incidents
from playground.monitoring.living import LivingServices

PATIENCE_S = 20.0
TOKEN = "sample-alertmanager-token"
Json = dict[str, Any]
SLOW = {"alertname": "Slow", "service": "orders-api", "environment": "production", "severity": "critical"}


@dataclass
class Bot:
    """A receiver that notes what it hears."""

    heard: list[Json] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    """What the next calls are answered with; 200 afterwards."""
    tokens: set[str] = field(default_factory=set)
    url: str = ""
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def hear(self, request: web.Request) -> web.Response:
        answer = self.answers.pop(0) if self.answers else 200
        self.tokens.add(request.headers.get("Authorization", ""))
        async with self._came:
            self.heard.append({**await request.json(), "answered": answer})
            self._came.notify_all()
        return web.Response(status=answer)

    async def until(self, fits: Callable[[list[Json]], Any]) -> list[Json]:
        async with asyncio.timeout(PATIENCE_S), self._came:
            await self._came.wait_for(lambda: fits(self.heard))
        return self.heard


@dataclass
class Rig:
    peer: AlertmanagerPeer
    clock: PlaygroundClock
    bots: list[Bot]
    http: aiohttp.ClientSession
    url: str

    async def call(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        async with self.http.request(method, f"{self.url}{path}", json=body) as response:
            text = await response.text()
            assert response.status == status, text
            return await response.json() if text and response.content_type == "application/json" else text

    async def fire(self, *labels: Json, **more: Any) -> None:
        await self.call("POST", "/api/v2/alerts", [{"labels": one, **more} for one in labels])

    async def end(self, *labels: Json) -> None:
        await self.fire(*labels, endsAt=self.clock().isoformat())

    async def silence(self, value: str = "orders-api", hours: float = 1, **more: Any) -> str:
        now = self.clock()
        body = {
            "matchers": [{"name": "service", "value": value, "isRegex": False, "isEqual": True}],
            "startsAt": now.isoformat(),
            "endsAt": (now + timedelta(hours=hours)).isoformat(),
            "createdBy": "Sample Author",
            "comment": "known",
            **more,
        }
        return str((await self.call("POST", "/api/v2/silences", body))["silenceID"])


@asynccontextmanager
async def alertmanager(data_dir: Path, bots: list[Bot], clock: PlaygroundClock | None = None) -> AsyncIterator[Rig]:
    time = clock or PlaygroundClock()
    peer = AlertmanagerPeer(
        data_dir=data_dir,
        base_url="http://alertmanager.example",
        clock=time,
        webhook_urls=[bot.url for bot in bots],
        token=TOKEN,
        incidents=Incidents(LivingServices(), time),
    )
    await peer.start()
    server = TestServer(peer.application())
    await server.start_server()
    try:
        async with aiohttp.ClientSession() as http:
            yield Rig(peer, time, bots, http, str(server.make_url("")).rstrip("/"))
    finally:
        await peer.close()
        await server.close()


@asynccontextmanager
async def listening(count: int = 1) -> AsyncIterator[list[Bot]]:
    bots = [Bot() for _ in range(count)]
    servers = []
    for bot in bots:
        application = web.Application()
        application.router.add_post("/webhooks/alertmanager", bot.hear)
        server = TestServer(application)
        await server.start_server()
        bot.url = str(server.make_url("/webhooks/alertmanager"))
        servers.append(server)
    try:
        yield bots
    finally:
        for server in servers:
            await server.close()


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with listening() as bots, alertmanager(tmp_path, bots) as found:
        yield found


def last_is(status: str) -> Callable[[list[Json]], bool]:
    return lambda heard: bool(heard) and heard[-1]["status"] == status


def test_the_hash_of_labels_is_the_one_that_a_real_alertmanager_gives() -> None:
    labels = {"alertname": "Slow", "service": "orders-api", "environment": "production"}
    assert fingerprint({**labels, "pod": "a"}) == "144273d584f084cc"
    assert fingerprint({"pod": "b", **labels}) == "81e15b45d2b0375d"


async def test_a_group_is_told_when_it_fires_and_when_it_ends_in_the_shape_of_version_4(rig: Rig) -> None:
    (bot,) = rig.bots
    await rig.fire({**SLOW, "pod": "a", "empty": ""}, {**SLOW, "pod": "b"}, annotations={"summary": "x"})
    (first,) = await bot.until(lambda heard: len(heard) == 1)
    assert bot.tokens == {f"Bearer {TOKEN}"}
    assert first["version"] == "4"
    assert first["groupKey"] == '{}:{alertname="Slow", environment="production", service="orders-api"}'
    assert first["groupLabels"] == {name: SLOW[name] for name in ("alertname", "environment", "service")}
    assert first["commonLabels"] == SLOW
    assert (first["externalURL"], first["truncatedAlerts"]) == ("http://alertmanager.example", 0)
    assert [alert["labels"]["pod"] for alert in first["alerts"]] == ["a", "b"]
    assert {alert["endsAt"] for alert in first["alerts"]} == {"0001-01-01T00:00:00Z"}
    assert "empty" not in first["alerts"][0]["labels"]
    await rig.end({**SLOW, "pod": "a"})
    heard = await bot.until(lambda heard: len(heard) == 2)
    assert [alert["status"] for alert in heard[-1]["alerts"]] == ["resolved", "firing"]
    await rig.end({**SLOW, "pod": "b"})
    heard = await bot.until(last_is("resolved"))
    assert [alert["labels"]["pod"] for alert in heard[-1]["alerts"]] == ["b"]
    assert await rig.call("GET", "/api/v2/alerts") == []


async def test_groups_are_told_apart_and_every_bot_hears_of_all(tmp_path: Path) -> None:
    async with listening(2) as bots, alertmanager(tmp_path, bots) as rig:
        await rig.fire(SLOW, {**SLOW, "service": "checkout-web"})
        for bot in bots:
            heard = await bot.until(lambda heard: len(heard) == 2)
            assert {body["groupLabels"]["service"] for body in heard} == {"orders-api", "checkout-web"}


async def test_a_receiver_that_fails_is_told_again_until_it_has_heard(rig: Rig) -> None:
    (bot,) = rig.bots
    bot.answers = [503, 429, 500]
    await rig.fire(SLOW)
    heard = await bot.until(lambda heard: len(heard) == 4)
    assert [body["answered"] for body in heard] == [503, 429, 500, 200]
    assert {body["status"] for body in heard} == {"firing"}
    sent = await rig.call("GET", "/sim/deliveries")
    assert [line["answer"] for line in sent] == [503, 429, 500, 200]


async def test_what_nobody_sends_again_ends_when_time_has_passed(rig: Rig) -> None:
    (bot,) = rig.bots
    await rig.fire(SLOW)
    await bot.until(last_is("firing"))
    await rig.clock.advance(timedelta(minutes=4))
    await rig.fire(SLOW)
    await rig.clock.advance(timedelta(minutes=4))
    (told,) = await rig.call("GET", "/api/v2/alerts")
    assert datetime.fromisoformat(told["startsAt"]) < rig.clock() - timedelta(minutes=7)
    await rig.clock.advance(timedelta(minutes=2))
    await bot.until(last_is("resolved"))


async def test_what_fires_on_is_repeated_after_hours(rig: Rig) -> None:
    (bot,) = rig.bots
    await rig.fire(SLOW, endsAt=(rig.clock() + timedelta(hours=9)).isoformat())
    await bot.until(lambda heard: len(heard) == 1)
    await rig.clock.advance(timedelta(hours=4, minutes=1))
    first, second = await bot.until(lambda heard: len(heard) == 2)
    assert first == second


async def test_what_is_silenced_is_not_told_until_the_silence_is_over(rig: Rig) -> None:
    (bot,) = rig.bots
    silence = await rig.silence(hours=2)
    end = (rig.clock() + timedelta(hours=9)).isoformat()
    await rig.fire(SLOW, {**SLOW, "service": "checkout-web"}, endsAt=end)
    (heard,) = await bot.until(lambda heard: len(heard) == 1)
    assert heard["groupLabels"]["service"] == "checkout-web"
    states = {told["labels"]["service"]: told["status"] for told in await rig.call("GET", "/api/v2/alerts")}
    assert states["orders-api"] == {"inhibitedBy": [], "silencedBy": [silence], "state": "suppressed"}
    assert states["checkout-web"]["state"] == "active"
    assert len(await rig.call("GET", "/api/v2/alerts/groups?silenced=false")) == 1
    await rig.clock.advance(timedelta(hours=2))
    heard_now = await bot.until(lambda heard: len(heard) == 2)
    assert heard_now[-1]["groupLabels"]["service"] == "orders-api"
    (told,) = await rig.call("GET", "/api/v2/silences")
    assert told["status"]["state"] == "expired"


async def test_a_silence_is_prolonged_in_its_place_and_made_anew_when_it_is_about_something_else(rig: Rig) -> None:
    first = await rig.silence()
    begun = (await rig.call("GET", f"/api/v2/silence/{first}"))["startsAt"]
    assert await rig.silence(hours=3, id=first, startsAt=begun) == first
    second = await rig.silence("checkout-web", id=first, startsAt=begun)
    assert second != first
    states = {one["id"]: one["status"]["state"] for one in await rig.call("GET", "/api/v2/silences")}
    assert states == {first: "expired", second: "active"}


async def test_ending_a_silence_lets_its_alerts_be_told(rig: Rig) -> None:
    (bot,) = rig.bots
    silence = await rig.silence()
    await rig.fire(SLOW)
    assert (await rig.call("GET", "/api/v2/alerts"))[0]["status"]["state"] == "suppressed"
    await rig.call("DELETE", f"/api/v2/silence/{silence}")
    await rig.call("DELETE", f"/api/v2/silence/{silence}")  # ended already: as it is
    await bot.until(last_is("firing"))


NOBODY = "00000000-0000-0000-0000-000000000000"
MATCHER = {"name": "service", "value": "x", "isRegex": False}
SILENCE = {
    "matchers": [MATCHER],
    "startsAt": "2026-01-01T00:00:00Z",
    "endsAt": "2200-01-01T00:00:00Z",
    "createdBy": "somebody",
    "comment": "",
}


@pytest.mark.parametrize(
    ("call", "body", "status", "words"),
    [
        ("POST alerts", [{"labels": {}}], 400, "at least one label pair required"),
        ("POST alerts", [{"labels": {"a-b": "x"}}], 400, 'invalid name "a-b"'),
        ("POST alerts", [{"annotations": {}}], 422, "labels in body is required"),
        ("POST alerts", [{"labels": {"a": 1}}], 400, "labels"),
        ("POST alerts", [{"labels": {"a": "x"}, "startsAt": "soon"}], 400, "soon"),
        (
            "POST alerts",
            [{"labels": {"a": "x"}, "startsAt": "2026-01-02T00:00:00Z", "endsAt": "2026-01-01T00:00:00Z"}],
            400,
            "start time must be before end time",
        ),
        ("POST alerts", {}, 400, "array"),
        ("GET alerts?filter=%25", None, 400, "bad matcher format"),
        ("POST silences", {**SILENCE, "matchers": []}, 422, "at least 1 items"),
        (
            "POST silences",
            {**SILENCE, "matchers": [{**MATCHER, "value": ".*", "isRegex": True}]},
            400,
            "empty string",
        ),
        ("POST silences", {**SILENCE, "matchers": [{**MATCHER, "value": "(", "isRegex": True}]}, 400, "expression"),
        ("POST silences", {**SILENCE, "endsAt": "2026-01-02T00:00:00Z"}, 400, "in the past"),
        ("POST silences", {**SILENCE, "endsAt": "2025-01-02T00:00:00Z"}, 400, "before end time"),
        ("POST silences", {**SILENCE, "comment": None}, 422, "comment in body is required"),
        ("POST silences", {**SILENCE, "id": NOBODY}, 404, "silence not found"),
        (f"GET silence/{NOBODY}", None, 404, ""),
        ("GET silence/one", None, 422, "uuid"),
        (f"DELETE silence/{NOBODY}", None, 500, "silence not found"),
    ],
)
async def test_what_alertmanager_refuses_is_refused(rig: Rig, call: str, body: Any, status: int, words: str) -> None:
    method, _, path = call.partition(" ")
    assert words in str(await rig.call(method, f"/api/v2/{path}", body, status))


async def test_everything_is_there_after_a_restart_and_nothing_is_told_twice(tmp_path: Path) -> None:
    clock = PlaygroundClock()
    async with listening() as (bot,):
        async with alertmanager(tmp_path, [bot], clock) as rig:
            await rig.fire(SLOW)
            silence = await rig.silence("checkout-web")
            await bot.until(lambda heard: len(heard) == 1)
        async with alertmanager(tmp_path, [bot], clock) as rig:
            assert [one["id"] for one in await rig.call("GET", "/api/v2/silences")] == [silence]
            assert [one["labels"] for one in await rig.call("GET", "/api/v2/alerts")] == [SLOW]
            await rig.end(SLOW)
            heard = await bot.until(last_is("resolved"))
            assert len(heard) == 2


async def test_faults_and_the_log_are_as_with_other_peers(rig: Rig) -> None:
    await rig.call("POST", "/sim/faults", {"route": "GET /api/v2/alerts", "status": 503, "times": 1})
    await rig.call("GET", "/api/v2/alerts", status=503)
    await rig.call("GET", "/api/v2/alerts")
    await rig.call("POST", "/sim/faults", {"route": "alerts", "drop": "after"})
    with pytest.raises(aiohttp.ClientError):
        await rig.fire(SLOW)
    assert len(await rig.call("GET", "/api/v2/alerts")) == 1
    await rig.call("POST", "/sim/faults", {"route": 1}, status=400)
    log = await rig.call("GET", "/sim/log")
    assert [line["status"] for line in log] == [503, 200, 200, 200]
    assert await rig.call("GET", "/-/ready") == "OK"
    assert (await rig.call("GET", "/api/v2/status"))["versionInfo"]["version"] == "0.25.0"


async def test_incidents_are_begun_told_and_ended_over_http(rig: Rig) -> None:
    begun = await rig.call("POST", "/sim/incidents", {"service": "orders-api", "kind": "errors"})
    assert begun["incident"]["environment"] == "production"
    told = await rig.call("GET", "/sim/incidents")
    assert [one["kind"] for one in told["running"]] == ["errors"]
    assert {one["name"] for one in told["services"]} == {"orders-api", "checkout-web"}
    assert "kind" in (await rig.call("POST", "/sim/incidents", {"service": "orders-api"}, status=400))["message"]
    await rig.call("POST", "/sim/incidents", [], status=400)
    assert (await rig.call("DELETE", "/sim/incidents?service=checkout-web"))["ended"] == 0
    assert (await rig.call("DELETE", "/sim/incidents", {"service": "orders-api"}))["ended"] == 1
