"""The traces port on a small Tempo: what is asked, and all the ways in which a trace may be written."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.errors import BadQuery, NotFound, PlatformError, Refused, TimedOut, TooMuch, UpstreamUnavailable
from bot.ports import Span, Trace, TraceFound, Traces
from integrations.tempo import Tempo, connect, shapes
from tests.integrations.reading.server import NO_ANSWERS, Server, Told

NOON = datetime(2030, 1, 1, 12, 0, 0, 500_000, tzinfo=UTC)
HOUR = timedelta(hours=1)
NS = 1893499200500000000
ID = "0af7651916cd43dd8448eb211c80319c"
ROOT, CHILD = "00f067aa0ba902b7", "00f067aa0ba902b8"


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[Tempo]:
    async with server.running() as url:
        traces = connect(url)
        try:
            yield traces
        finally:
            await traces.close()


def found(number: int, milliseconds: Any) -> dict[str, Any]:
    return {
        "traceID": f"{number:x}",
        "rootServiceName": "checkout-web",
        "rootTraceName": "GET /",
        "startTimeUnixNano": str(NS),
        "durationMs": milliseconds,
        "spanSets": [],
    }


async def test_the_slowest_of_many_are_told() -> None:
    server = Server([Told({"traces": [found(1, 5), found(2, 90), found(3, None), found(4, 7)], "metrics": {}})])
    async with serving(server) as traces:
        port: Traces = traces
        slow = await port.search("{status=error}", NOON - HOUR, NOON, limit=2)
    assert slow == (
        TraceFound("2".zfill(32), "checkout-web", "GET /", NOON, 0.09),
        TraceFound("4".zfill(32), "checkout-web", "GET /", NOON, 0.007),
    )
    ends = {"start": "1893495600", "end": "1893499201"}
    assert server.asked[0][1:3] == ("/api/search", {"q": "{status=error}", "limit": "100", "spss": "1"} | ends)


@pytest.mark.parametrize("answer", [{"traces": []}, {"traces": None}, {}])
async def test_nothing_found_is_an_answer(answer: Any) -> None:
    async with serving(Server([Told(answer)])) as traces:
        assert await traces.search("{}", NOON - HOUR, NOON, limit=5) == ()


def spans(write: Any, *, numbers: bool = False) -> list[dict[str, Any]]:
    """Two spans, the later one first."""
    return [
        {
            "traceId": write(ID),
            "spanId": write(CHILD),
            "parentSpanId": write(ROOT),
            "name": "SELECT orders",
            "kind": 3 if numbers else "SPAN_KIND_CLIENT",
            "startTimeUnixNano": str(NS + 250_000_000),
            "endTimeUnixNano": str(NS + 750_000_000),
            "status": {"code": 2 if numbers else "STATUS_CODE_ERROR", "message": "deadlock"},
            "attributes": [
                {"key": "db.system", "value": {"stringValue": "postgresql"}},
                {"key": "tries", "value": {"intValue": "3"}},
                {"key": "share", "value": {"doubleValue": 0.5}},
                {"key": "cold", "value": {"boolValue": False}},
                {"key": "list", "value": {"arrayValue": {"values": []}}},
                {"key": "none", "value": {}},
            ],
        },
        {
            "traceId": write(ID),
            "spanId": write(ROOT),
            "name": "GET /orders",
            "startTimeUnixNano": str(NS),
            "endTimeUnixNano": str(NS + 1_000_000_000),
            "status": {},
        },
    ]


TRACE = Trace(
    ID,
    (
        Span(ROOT, "", "orders-api", "GET /orders", NOON, 1.0),
        Span(
            *(CHILD, ROOT, "orders-api", "SELECT orders", NOON + timedelta(milliseconds=250), 0.5),
            failed=True,
            attributes={
                "db.system": "postgresql",
                "tries": "3",
                "share": "0.5",
                "cold": "false",
                "list": '{"values": []}',
                "none": "",
            },
        ),
    ),
)


def of_service(spans: list[dict[str, Any]], *, scopes: str = "scopeSpans") -> dict[str, Any]:
    name = {"key": "service.name", "value": {"stringValue": "orders-api"}}
    return {"resource": {"attributes": [name]}, scopes: spans}


def to_base64(digits: str) -> str:
    return base64.b64encode(bytes.fromhex(digits)).decode()


@pytest.mark.parametrize(
    ("paths", "answer"),
    [
        ("v2", {"trace": {"resourceSpans": [of_service([{"spans": spans(to_base64)}])]}}),
        ("v2", {"trace": {"resourceSpans": [of_service([{"spans": spans(str, numbers=True)}])]}}),
        ("v1", {"batches": [of_service([{"spans": spans(to_base64)}])]}),
        ("v1", {"batches": [of_service([{"spans": spans(str.upper)}], scopes="instrumentationLibrarySpans")]}),
        ("v1", {"resourceSpans": [of_service([{"spans": [one]} for one in spans(str)])]}),
    ],
)
async def test_a_trace_reads_the_same_however_it_is_written(paths: str, answer: Any) -> None:
    server = Server([Told(b"404 page not found", status=404)])
    server.places[f"GET /api/v2/traces/{ID}" if paths == "v2" else f"GET /api/traces/{ID}"] = Told(answer)
    async with serving(server) as traces:
        assert await traces.trace(ID) == TRACE
        assert await traces.trace(ID.upper()) == TRACE


async def test_a_trace_that_is_not_kept_is_not_found() -> None:
    server = Server([Told(b"trace not found", status=404)])
    async with serving(server) as traces:
        with pytest.raises(NotFound, match=ID):
            await traces.trace(ID)
        server.answers = [Told({"trace": {}})]
        with pytest.raises(NotFound, match=ID):
            await traces.trace(ID)


@pytest.mark.parametrize("wrong", ["", "0", "../../status", "x" * 32, "1" * 33, f"{ID}?a=b", "0" * 32, "１２"])
async def test_what_is_no_id_is_not_asked_for(wrong: str) -> None:
    server = Server([Told({})])
    async with serving(server) as traces:
        with pytest.raises(NotFound):
            await traces.trace(wrong)
    assert server.asked == []


@pytest.mark.parametrize(
    ("told", "kind", "words"),
    [
        (Told("invalid TraceQL query: parse error at line 1", status=400), BadQuery, "parse error"),
        (Told(b"", status=401), Refused, "401"),
        (Told(b"upstream request timeout", status=504), TimedOut, "in time"),
        (Told({"traces": [found(1, "long")]}), UpstreamUnavailable, "cannot read"),
        (Told({"traces": [found(1, -5)]}), UpstreamUnavailable, "cannot read"),
        (Told({"traces": [found(1, 5) | {"traceID": "x"}]}), UpstreamUnavailable, "cannot read"),
        (Told({"traces": [found(1, 5) | {"startTimeUnixNano": "soon"}]}), UpstreamUnavailable, "cannot read"),
    ],
)
async def test_a_failed_search_has_an_error_of_its_kind(told: Told, kind: type[PlatformError], words: str) -> None:
    async with serving(Server([told])) as traces:
        with pytest.raises(PlatformError, match=words) as caught:
            await traces.search("{}", NOON - HOUR, NOON, limit=5)
    assert type(caught.value) is kind


async def test_a_trace_beyond_our_limits_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {"batches": [of_service([{"spans": spans(str)}])]}
    async with serving(Server([Told(whole)])) as traces:
        monkeypatch.setattr(shapes, "MOST_SPANS", 1)
        with pytest.raises(TooMuch):
            await traces.trace(ID)
    async with serving(Server([Told(b"trace exceeds max size: too large", status=500)])) as traces:
        with pytest.raises(TooMuch):
            await traces.trace(ID)


@pytest.mark.parametrize("told", [told for told in NO_ANSWERS if told.status != 404])
async def test_what_is_no_answer_is_an_upstream_that_is_away(told: Told) -> None:
    async with serving(Server([told])) as traces:
        with pytest.raises(UpstreamUnavailable) as caught:
            await traces.trace(ID)
    assert "Tempo" in str(caught.value)
