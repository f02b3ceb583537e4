"""The logs port on a small Loki: what is asked, and what its answers mean."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.errors import BadQuery, PlatformError, Refused, TimedOut, TooMuch, UpstreamUnavailable
from bot.ports import LogLine, Logs, Measured, Series
from integrations.loki import Loki, connect
from integrations.loki.logs import MOST_LINES
from tests.integrations.reading.server import NO_ANSWERS, Server, Told

NOON = datetime(2030, 1, 1, 12, 0, 0, 123_456, tzinfo=UTC)
HOUR = timedelta(hours=1)
NS = 1893499200123456789


def streams(*found: tuple[dict[str, str], list[Any]]) -> Told:
    result = [{"stream": labels, "values": values} for labels, values in found]
    return Told({"status": "success", "data": {"resultType": "streams", "result": result, "stats": {}}})


def matrix(*found: tuple[dict[str, str], list[Any]]) -> Told:
    result = [{"metric": labels, "values": values} for labels, values in found]
    return Told({"status": "success", "data": {"resultType": "matrix", "result": result, "stats": {}}})


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[Loki]:
    async with server.running() as url:
        logs = connect(url)
        try:
            yield logs
        finally:
            await logs.close()


async def test_the_newest_lines_of_all_streams_come_first() -> None:
    second = 1_000_000_000
    server = Server(
        [
            streams(
                ({"pod": "a"}, [[str(NS), "third"], [str(NS - 2 * second), "first \ud800"]]),
                ({"pod": "b"}, [[str(NS - second), "second", {"trace_id": "x"}]]),
            )
        ]
    )
    async with serving(server) as logs:
        port: Logs = logs
        found = await port.lines('{app="x"}', NOON - HOUR, NOON, limit=2)
        assert [line.text for line in await logs.lines("{}", NOON - HOUR, NOON, limit=9)][2] == "first �"
    assert found == (
        LogLine(NOON, "third", {"pod": "a"}),
        LogLine(NOON - timedelta(seconds=1), "second", {"pod": "b"}),
    )
    assert server.asked[0][1:3] == (
        "/loki/api/v1/query_range",
        {
            "query": '{app="x"}',
            "start": "1893495600123456000",
            "end": "1893499200123456000",
            "limit": "2",
            "direction": "backward",
        },
    )


async def test_no_more_lines_are_asked_for_than_loki_gives() -> None:
    server = Server([streams()])
    async with serving(server) as logs:
        assert await logs.lines("{}", NOON - HOUR, NOON, limit=10**9) == ()
    assert server.asked[0][2]["limit"] == str(MOST_LINES)


async def test_counts_are_series() -> None:
    server = Server([matrix(({"level": "error"}, [[1, "2"], [61.5, "3"]]))])
    async with serving(server) as logs:
        found = await logs.counted("sum(count_over_time({}[1m]))", NOON - HOUR, NOON, timedelta(minutes=1))
    assert found == Measured((Series({"level": "error"}, ((1, 2), (61.5, 3))),))
    assert server.asked[0][2]["step"] == "60"


@pytest.mark.parametrize(
    ("told", "kind", "words"),
    [
        (Told("parse error at line 1, col 9: syntax error", status=400), BadQuery, "syntax error"),
        (Told({"message": "parse error : unexpected }"}, status=400), BadQuery, "unexpected }"),
        (Told("maximum of series (500) reached for a single query", status=400), TooMuch, "series"),
        (Told("max entries limit per query exceeded, limit > max (6 > 5)", status=400), BadQuery, "max entries"),
        (Told("Request timed out, decrease the duration of the request", status=504), TimedOut, "timed out"),
        (Told("no org id", status=401), Refused, "401"),
        (Told("per-user request rate limit", status=429), UpstreamUnavailable, "429"),
        (matrix(), BadQuery, "counts lines"),
        (Told({"status": "success", "data": {"resultType": "vector", "result": []}}), BadQuery, "counts lines"),
        (Told({"status": "error"}), UpstreamUnavailable, "cannot read"),
        (streams(({}, [["yesterday", "x"]])), UpstreamUnavailable, "cannot read"),
        (streams(({}, [[str(NS)]])), UpstreamUnavailable, "cannot read"),
        (streams(({}, [["9" * 30, "x"]])), UpstreamUnavailable, "cannot read"),
    ],
)
async def test_a_failure_has_an_error_of_its_kind(told: Told, kind: type[PlatformError], words: str) -> None:
    async with serving(Server([told])) as logs:
        with pytest.raises(PlatformError, match=words) as caught:
            await logs.lines("{}", NOON - HOUR, NOON, limit=5)
    assert type(caught.value) is kind


async def test_lines_are_no_counts() -> None:
    async with serving(Server([streams()])) as logs:
        with pytest.raises(BadQuery, match="gives lines"):
            await logs.counted("{}", NOON - HOUR, NOON, HOUR)


@pytest.mark.parametrize("told", NO_ANSWERS)
async def test_what_is_no_answer_is_an_upstream_that_is_away(told: Told) -> None:
    async with serving(Server([told])) as logs:
        with pytest.raises(UpstreamUnavailable) as caught:
            await logs.lines("{}", NOON - HOUR, NOON, limit=5)
        with pytest.raises(UpstreamUnavailable):
            await logs.counted("{}", NOON - HOUR, NOON, HOUR)
    assert "Loki" in str(caught.value)
