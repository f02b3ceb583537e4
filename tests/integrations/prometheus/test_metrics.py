"""The metrics port on a small Prometheus: what is asked, what its answers mean, and what happens while it is silent."""

from __future__ import annotations

import asyncio
import math
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port
from prometheus_api_client import PrometheusConnect

from bot.errors import BadQuery, PlatformError, Refused, TimedOut, TooMuch, UpstreamUnavailable
from bot.ports import Measured, Metrics, Series
from integrations.prometheus import connect
from integrations.prometheus.client import LONGEST_BODY, Client
from integrations.reading.series import HISTOGRAMS, INCOMPLETE, MOST_SERIES
from tests.integrations.prometheus.server import Prometheus, error, matrix, serving, vector

NOW = datetime(2026, 3, 2, 9, 0, 0, 250_000, tzinfo=UTC)
HOUR = timedelta(hours=1)
PATIENCE_S = 30.0
"""Longest wait for what has to come about."""


def of(kind: str, result: Any) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": kind, "result": result}}


def test_it_is_the_port_and_the_library_below() -> None:
    port: Metrics = connect("http://127.0.0.1:1")
    assert port
    assert issubclass(Client, PrometheusConnect)


async def test_a_question_goes_in_the_body_with_its_times_and_its_patience() -> None:
    prometheus = Prometheus(answer=vector())
    async with serving(prometheus) as metrics:
        assert await metrics.at("up") == Measured()
        await metrics.at("up", NOW)
        await metrics.over("up", NOW - HOUR, NOW, timedelta(seconds=7.5))
    at_now, at, over = prometheus.asked
    assert [one.pop("address") for one in (at_now, at, over)] == ["", "", ""]
    assert at_now == {"path": "/api/v1/query", "query": "up", "timeout": "5.000"}
    assert at == at_now | {"time": "1772442000.250"}
    ends = {"start": "1772438400.250", "end": "1772442000.250", "step": "7.500"}
    assert over == at_now | ends | {"path": "/api/v1/query_range"}


async def test_a_query_may_be_long() -> None:
    prometheus = Prometheus(answer=vector())
    query = "up or " * 20_000 + "up"
    async with serving(prometheus) as metrics:
        await metrics.at(query)
    assert prometheus.asked[0]["query"] == query


@pytest.mark.parametrize(
    ("answer", "measured"),
    [
        (vector(({"pod": "a"}, "1.5"), at=3), Measured((Series({"pod": "a"}, ((3.0, 1.5),)),))),
        (
            matrix(({}, [(1, "0"), (2, "+Inf"), (3, "-Inf")])),
            Measured((Series({}, ((1, 0), (2, math.inf), (3, -math.inf))),)),
        ),
        (of("scalar", [5.5, "2"]), Measured((Series({}, ((5.5, 2),)),))),
        (of("vector", None), Measured()),
        (vector(warnings=["a store\nis away"]), Measured((), ("a store is away",))),
        (vector(isPartial=True), Measured((), (INCOMPLETE,))),
        (vector(isPartial=False, infos=["perhaps no counter"]), Measured()),
        (
            of("vector", [{"metric": {}, "histogram": [1, {}]}]),
            Measured((), (HISTOGRAMS,)),
        ),
        (
            vector(({"a": "half \ud800 and \0 nothing"}, "1")),
            Measured((Series({"a": "half � and � nothing"}, ((0, 1),)),)),
        ),
    ],
)
async def test_what_was_measured_is_told_with_its_warnings(answer: Any, measured: Measured) -> None:
    async with serving(Prometheus(answer=answer)) as metrics:
        assert await metrics.at("q") == measured


async def test_what_is_no_number_stays_none() -> None:
    async with serving(Prometheus(answer=vector(({}, "NaN")))) as metrics:
        [[(_, value)]] = [one.points for one in (await metrics.at("q")).series]
    assert math.isnan(value)


@pytest.mark.parametrize(
    ("status", "answer", "kind", "told"),
    [
        (400, error("bad_data", "1:4: parse error: unexpected end"), BadQuery, "parse error: unexpected end"),
        (422, error("execution", "found duplicate series"), BadQuery, "duplicate series"),
        (422, error("422", 'unsupported function "nope"'), BadQuery, "unsupported function"),
        (422, error("execution", "query processing would load too many samples into memory"), TooMuch, "too many"),
        (400, error("bad_data", "exceeded maximum resolution of 11,000 points"), TooMuch, "11,000 points"),
        (200, of("string", [1, "x"]), BadQuery, "string"),
        (503, error("timeout", "query timed out in expression evaluation"), TimedOut, "gave up"),
        (503, error("canceled", "query was canceled"), TimedOut, "gave up"),
        (504, b"<html>Gateway Timeout</html>", TimedOut, "in time"),
        (500, error("internal", "boom"), UpstreamUnavailable, "500"),
        (503, b"<html>Service Unavailable</html>", UpstreamUnavailable, "503"),
        (503, b"", UpstreamUnavailable, "503"),
        (429, b"", UpstreamUnavailable, "429"),
        (404, b"404 page not found", UpstreamUnavailable, "cannot read"),
        (400, b"<html>Bad Request</html>", UpstreamUnavailable, "cannot read"),
        (200, b"<!doctype html><title>Sign in</title>", UpstreamUnavailable, "cannot read"),
        (200, b"", UpstreamUnavailable, "cannot read"),
        (200, b'{"status":"success","data":{"resultType":"vec', UpstreamUnavailable, "cannot read"),
        (200, b"[" * 100_000, UpstreamUnavailable, "cannot read"),
        (200, b"9" * 100_000, UpstreamUnavailable, "cannot read"),
        (200, [], UpstreamUnavailable, "cannot read"),
        (200, {"status": "success"}, UpstreamUnavailable, "cannot read"),
        (200, {"status": "success", "data": []}, UpstreamUnavailable, "cannot read"),
        (200, vector(({}, "many")), UpstreamUnavailable, "cannot read"),
        (200, of("vector", {}) | {"warnings": 3}, UpstreamUnavailable, "no"),
        (200, of("vector", [7]), UpstreamUnavailable, "cannot read"),
        (200, of("vector", [{"metric": {"a": 1}, "value": [1, "1"]}]), UpstreamUnavailable, "no"),
        (200, of("vector", [{"metric": {}, "value": ["x", "1"]}]), UpstreamUnavailable, "no"),
        (204, b"", UpstreamUnavailable, "cannot read"),
        (401, b"who are you", Refused, "401"),
        (403, error("bad_data", "secret"), Refused, "403"),
    ],
)
async def test_what_is_no_answer_has_an_error_of_its_kind(
    status: int, answer: Any, kind: type[PlatformError], told: str
) -> None:
    prometheus = Prometheus(status=status, answer=answer)
    async with serving(prometheus) as metrics:
        with pytest.raises(PlatformError) as caught:
            await metrics.at("q")
    assert type(caught.value) is kind
    assert told in str(caught.value)
    assert "secret" not in str(caught.value)
    assert len(prometheus.asked) == 1, "it repeats nothing"


async def test_a_pause_that_is_asked_for_is_told() -> None:
    async with serving(Prometheus(status=503, answer=b"", headers={"Retry-After": "7"})) as metrics:
        with pytest.raises(UpstreamUnavailable) as caught:
            await metrics.at("q")
    assert caught.value.retry_after_s == 7


async def test_it_goes_nowhere_else() -> None:
    elsewhere = Prometheus(answer=vector())
    async with serving(elsewhere) as other:
        prometheus = Prometheus(status=307, answer=b"", headers={"Location": f"{other._url}/api/v1/query"})
        async with serving(prometheus) as metrics:
            with pytest.raises(UpstreamUnavailable, match="elsewhere"):
                await metrics.at("q")
    assert elsewhere.asked == []


async def test_a_packed_answer_is_not_unpacked() -> None:
    prometheus = Prometheus(answer=b"\x1f\x8b" + b"\0" * 100, headers={"Content-Encoding": "gzip"})
    async with serving(prometheus) as metrics:
        with pytest.raises(UpstreamUnavailable, match="cannot read"):
            await metrics.at("q")


async def test_fifty_thousand_series_are_given_up_after_the_first_thousand() -> None:
    written = 0

    async def writes(response: web.StreamResponse) -> None:
        nonlocal written
        await response.write(b'{"status":"success","data":{"resultType":"vector","result":[')
        for number in range(50_000):
            written = number
            await response.write(b'{"metric":{"pod":"p%d","note":"%s"},"value":[1,"1"]},' % (number, b"x" * 800))

    async with serving(Prometheus(writes=writes)) as metrics:
        with pytest.raises(TooMuch, match=f"{MOST_SERIES} series"):
            await metrics.at("q")
    assert written < 49_999, "the rest was not even taken"


async def test_series_are_counted_however_they_are_written() -> None:
    answer = vector(*(({"n": str(number)}, "1") for number in range(MOST_SERIES + 1)))
    async with serving(Prometheus(answer=answer)) as metrics:  # with blanks after its colons
        with pytest.raises(TooMuch, match=f"{MOST_SERIES} series"):
            await metrics.at("q")


async def test_a_text_that_looks_like_a_series_is_none() -> None:
    answer = vector(({"note": '{"metric":' * (MOST_SERIES + 1)}, "1"))
    async with serving(Prometheus(answer=answer)) as metrics:
        assert len((await metrics.at("q")).series) == 1


async def test_a_body_without_an_end_is_given_up() -> None:
    taken = 0

    async def writes(response: web.StreamResponse) -> None:
        nonlocal taken
        part = b" " * 65_536
        while True:
            await response.write(part)
            taken += len(part)

    async with serving(Prometheus(writes=writes)) as metrics:
        with pytest.raises(TooMuch, match="KiB"):
            await metrics.at("q")
    assert taken < LONGEST_BODY * 8, "what the sockets hold comes beside"


async def test_more_points_than_the_server_gives_are_not_asked_for() -> None:
    prometheus = Prometheus(answer=matrix())
    async with serving(prometheus) as metrics:
        with pytest.raises(TooMuch, match="11000 points"):
            await metrics.over("q", NOW - HOUR, NOW, timedelta(milliseconds=1))
    assert prometheus.asked == []


async def test_a_server_that_is_not_there_is_told_at_once() -> None:
    metrics = connect(f"http://127.0.0.1:{unused_port()}")
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(UpstreamUnavailable, match="cannot be reached"):
            await metrics.at("q")
    await metrics.close()


async def test_a_login_in_the_address_is_used_and_never_told() -> None:
    seen: list[str] = []

    async def refuses(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization", ""))
        return web.Response(status=401)

    prometheus = Prometheus()
    prometheus.answers = refuses  # type: ignore[method-assign]  # a test's own server
    async with serving(prometheus) as metrics:
        metrics._url = metrics._url.replace("http://", "http://reader:hidden@")
        with pytest.raises(Refused) as caught:
            await metrics.at("q")
    assert seen == ["Basic cmVhZGVyOmhpZGRlbg=="]
    assert "hidden" not in str(caught.value)


async def test_whoever_waits_is_let_go_and_the_thread_ends() -> None:
    """The server sends a byte now and then, so that no pause in its answer is ever long."""
    gone = asyncio.Event()

    async def writes(response: web.StreamResponse) -> None:
        try:
            while True:
                await response.write(b" ")
                await asyncio.sleep(0.01)  # a server that drips, so that the client never ends by itself
        finally:
            gone.set()

    prometheus = Prometheus(writes=writes)
    async with serving(prometheus, timeout_s=0.2, threads=1) as metrics, asyncio.timeout(PATIENCE_S):
        with pytest.raises(TimedOut):
            await metrics.at("slow")
        await gone.wait()
        prometheus.writes, prometheus.answer = None, vector()
        metrics._timeout_s = PATIENCE_S
        assert await metrics.at("quick") == Measured(), "the only thread is free again"


async def test_who_gives_up_waiting_frees_the_thread() -> None:
    gone = asyncio.Event()

    async def writes(response: web.StreamResponse) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            gone.set()

    prometheus = Prometheus(writes=writes)
    async with serving(prometheus, timeout_s=PATIENCE_S, threads=1) as metrics, asyncio.timeout(PATIENCE_S):
        asking = asyncio.create_task(metrics.at("slow"))
        await prometheus.arrived.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await gone.wait()
        prometheus.writes, prometheus.answer = None, vector()
        assert await metrics.at("quick") == Measured()


async def test_who_stands_in_line_is_let_go_as_well() -> None:
    async def writes(response: web.StreamResponse) -> None:
        await asyncio.Event().wait()

    prometheus = Prometheus(writes=writes)
    async with serving(prometheus, timeout_s=0.2, threads=1) as metrics, asyncio.timeout(PATIENCE_S):
        ended = await asyncio.gather(*(metrics.at(f"q{number}") for number in range(20)), return_exceptions=True)
    assert {type(one) for one in ended} == {TimedOut}
    assert len(prometheus.asked) < 20, "those that stood in line were never sent"


async def test_a_thread_serves_one_question_after_the_other_over_one_connection() -> None:
    prometheus = Prometheus(answer=vector())
    before = threading.active_count()
    async with serving(prometheus, threads=2) as metrics:
        await asyncio.gather(*(metrics.at("q") for _ in range(20)))
        assert threading.active_count() <= before + 2
        manager: Any = metrics._connections
        [pool] = manager.poolmanager.pools._container.values()
        assert pool.num_connections <= 2
    assert len(prometheus.asked) == 20
