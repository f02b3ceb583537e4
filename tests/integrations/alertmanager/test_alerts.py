"""The alerts port on a small Alertmanager: what it is told, and what its answers mean. The real one is in
`tests/peers/monitoring/`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.errors import Conflict, NotFound, OutcomeUnknown, PlatformError, Refused, TooMuch, UpstreamUnavailable
from bot.ports import Alerts, FiringAlert, FiringGroup, Matcher, Silence
from integrations.alertmanager import Alertmanager, connect
from integrations.alertmanager import alerts as module
from tests.integrations.reading.server import NO_ANSWERS, Server, Told

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
SILENCE = Silence(
    matchers=(Matcher("service", "orders-api"), Matcher("pod", "a.*", is_regex=True, is_equal=False)),
    starts_at=NOON,
    ends_at=NOON + timedelta(hours=2, microseconds=123_456),
    by="Sample Author",
    comment="a new disk",
)
KEPT = {
    "id": "0b8f",
    "matchers": [
        {"name": "pod", "value": "a.*", "isRegex": True, "isEqual": False},
        {"name": "service", "value": "orders-api", "isRegex": False, "isEqual": True},
    ],
    "startsAt": "2030-01-01T12:00:03.001Z",
    "endsAt": "2030-01-01T14:00:00.123Z",
    "updatedAt": "2030-01-01T12:00:03.001Z",
    "createdBy": "Sample Author",
    "comment": "a new disk",
    "status": {"state": "active"},
}
"""As Alertmanager writes that silence."""
ALERT = {
    "fingerprint": "f1",
    "labels": {"alertname": "Slow", "service": "orders-api"},
    "annotations": {"summary": "It is \ud800 slow"},
    "startsAt": "2030-01-01T12:00:00.000Z",
    "endsAt": "2030-01-01T12:05:00.000Z",
    "updatedAt": "2030-01-01T12:01:00.000Z",
    "generatorURL": "http://prometheus.invalid/graph",
    "receivers": [{"name": "causeway"}],
    "status": {"state": "suppressed", "silencedBy": ["0b8f"], "inhibitedBy": []},
}


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[Alertmanager]:
    async with server.running() as url:
        alerts = connect(url)
        try:
            yield alerts
        finally:
            await alerts.close()


async def test_all_that_fires_is_told_silenced_alerts_included() -> None:
    group = {"labels": {"service": "orders-api"}, "receiver": {"name": "causeway"}, "alerts": [ALERT]}
    server = Server([Told([group])])
    async with serving(server) as alerts:
        port: Alerts = alerts
        [found] = await port.groups()
    assert found == FiringGroup(
        {"service": "orders-api"},
        "causeway",
        (FiringAlert("f1", ALERT["labels"], {"summary": "It is � slow"}, NOON, ("0b8f",), ()),),  # type: ignore[arg-type]  # JSON
    )
    [(_, path, query, _)] = server.asked
    assert (path, query) == ("/api/v2/alerts/groups", dict.fromkeys(("active", "silenced", "inhibited"), "true"))


async def test_ten_thousand_alerts_are_read() -> None:
    many = [ALERT | {"fingerprint": f"f{number}"} for number in range(100)]
    groups = [{"labels": {"n": str(number)}, "receiver": {"name": "causeway"}, "alerts": many} for number in range(100)]
    async with serving(Server([Told(groups)])) as alerts:
        found = await alerts.groups()
    assert sum(len(group.alerts) for group in found) == 10_000


async def test_a_silence_is_made_with_its_matchers_and_its_person() -> None:
    server = Server([Told({"silenceID": "0b8f"})])
    async with serving(server) as alerts:
        assert await alerts.silence(SILENCE) == "0b8f"
    assert server.asked == [
        (
            "POST",
            "/api/v2/silences",
            {},
            {
                "matchers": list(reversed(KEPT["matchers"])),  # type: ignore[call-overload]  # JSON
                "startsAt": "2030-01-01T12:00:00.000000Z",
                "endsAt": "2030-01-01T14:00:00.123456Z",
                "createdBy": "Sample Author",
                "comment": "a new disk",
            },
        )
    ]


async def test_a_standing_silence_reads_back() -> None:
    async with serving(Server([Told([KEPT, KEPT | {"matchers": [{"name": "a", "value": "b"}]}])])) as alerts:
        whole, old = await alerts.silences()
    assert (whole.id, whole.state, set(whole.matchers)) == ("0b8f", "active", set(SILENCE.matchers))
    assert old.matchers == (Matcher("a", "b"),), "older ones say nothing of equality"


@pytest.mark.parametrize("lost", [Told(lost=True), Told(b"boom", status=500), Told({"odd": 1})])
async def test_after_an_unknown_outcome_it_looks_before_it_says_so(lost: Told) -> None:
    others: list[Any] = [
        KEPT | {"id": "other", "comment": "another"},
        KEPT | {"id": "ended", "status": {"state": "expired"}},
        KEPT | {"id": "later", "endsAt": "2030-01-01T15:00:00.123Z"},
        KEPT | {"id": "wider", "matchers": [KEPT["matchers"][0]]},  # type: ignore[index]  # JSON
    ]
    server = Server([lost], places={"GET /api/v2/silences": Told([*others, KEPT])})
    async with serving(server) as alerts:
        assert await alerts.silence(SILENCE) == "0b8f"
        server.places["GET /api/v2/silences"] = Told(others)
        with pytest.raises(OutcomeUnknown):
            await alerts.silence(SILENCE)
        server.places["GET /api/v2/silences"] = Told(b"", status=503)
        with pytest.raises(OutcomeUnknown):
            await alerts.silence(SILENCE)
    assert [method for method, *_ in server.asked] == ["POST", "GET"] * 3, "it is never sent twice"


@pytest.mark.parametrize(
    ("told", "kind", "words"),
    [
        (Told('"end time must not be in the past"', status=400), Conflict, "in the past"),
        (Told({"code": 602, "message": "matchers in body is required"}, status=422), Conflict, "is required"),
        (Told('"silence not found"', status=404), NotFound, "0b8f"),
        (Told(b"", status=401), Refused, "401"),
        (Told(b"<html>", status=400, headers={"Content-Type": "text/html"}), UpstreamUnavailable, "cannot read"),
    ],
)
async def test_what_it_does_not_take_is_told(told: Told, kind: type[PlatformError], words: str) -> None:
    async with serving(Server([told])) as alerts:
        with pytest.raises(kind, match=words):
            await alerts.silence(replace(SILENCE, id="0b8f"))


async def test_a_silence_is_ended_once() -> None:
    path = "/api/v2/silence/0b8f"
    server = Server([Told(KEPT)], places={f"DELETE {path}": Told(b"")})
    async with serving(server) as alerts:
        assert await alerts.unsilence("0b8f")
        server.answers = [Told(KEPT | {"status": {"state": "expired"}})]
        assert not await alerts.unsilence("0b8f")
        server.answers = [Told(b"", status=404)]
        assert not await alerts.unsilence("0b8f")
        server.answers = [Told(KEPT)]
        server.places[f"DELETE {path}"] = Told('"silence 0b8f already expired"', status=500)
        assert not await alerts.unsilence("0b8f")
        server.places[f"DELETE {path}"] = Told(lost=True)
        with pytest.raises(OutcomeUnknown):
            await alerts.unsilence("0b8f")
    methods = [method for method, *_ in server.asked]
    assert methods[:8] == ["GET", "DELETE", "GET", "GET", "GET", "DELETE", "GET", "DELETE"]


@pytest.mark.parametrize("wrong", ["", "..", "../../-/reload?x=1", "a/b", "a%2Fb", "a\n", "ä", "a" * 65])
async def test_no_id_leads_to_another_path(wrong: str) -> None:
    server = Server([Told(KEPT)])
    async with serving(server) as alerts:
        assert not await alerts.unsilence(wrong)
    assert server.asked == []


@pytest.mark.parametrize("told", [*NO_ANSWERS, Told([{"labels": {"a": 1}, "receiver": {"name": ""}, "alerts": []}])])
async def test_what_is_no_answer_is_an_upstream_that_is_away(told: Told) -> None:
    async with serving(Server([told])) as alerts:
        with pytest.raises(UpstreamUnavailable) as caught:
            await alerts.groups()
    assert "Alertmanager" in str(caught.value)


async def test_what_is_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_BODY", 10_000)
    async with serving(Server([Told(b" " * 10_001)])) as alerts:
        with pytest.raises(TooMuch):
            await alerts.groups()
        with pytest.raises(OutcomeUnknown):
            await alerts.silence(SILENCE)
