"""The traffic port on a small Prometheus: what is asked, what its answers mean, and what its silence means."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp.test_utils import unused_port

from bot.errors import UpstreamUnavailable
from integrations.prometheus import PrometheusTraffic, connect
from integrations.prometheus.traffic import matcher
from tests.integrations.prometheus import server
from tests.integrations.prometheus.server import Prometheus, vector

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = NOW - timedelta(days=1)
HOSTS = ("orders-api.demo.preview.acme.example", "web.demo.preview.acme.example")


def value(*texts: str) -> dict[str, Any]:
    """An instant vector as the server writes it, with one sample for each text."""
    return vector(*(({}, text) for text in texts), at=NOW.timestamp())


@asynccontextmanager
async def serving(prometheus: Prometheus) -> AsyncIterator[PrometheusTraffic]:
    async with server.serving(prometheus) as metrics:
        yield PrometheusTraffic(metrics, clock=lambda: NOW)


async def test_the_question_is_about_exactly_these_hosts_and_this_range() -> None:
    prometheus = Prometheus(answer=value("0"))
    async with serving(prometheus) as traffic:
        assert await traffic.requests_since(HOSTS, DAY) == 0
    [asked] = prometheus.asked
    assert 'host=~"orders\\\\-api\\\\.demo\\\\.preview' in asked["query"]
    assert "[86400s]" in asked["query"]
    assert "$" not in asked["query"]
    assert float(asked["time"]) == NOW.timestamp()


@pytest.mark.parametrize(
    ("answer", "count"), [(value("12"), 12), (value("0.4"), 1), (value("1.0e3"), 1000), (value(), None)]
)
async def test_no_series_at_all_is_not_the_same_as_no_request(answer: Any, count: int | None) -> None:
    prometheus = Prometheus(answer=value("0"))
    prometheus.answer = answer
    async with serving(prometheus) as traffic:
        assert await traffic.requests_since(HOSTS, DAY) == count


async def test_a_range_is_never_shorter_than_a_few_scrapes() -> None:
    prometheus = Prometheus(answer=value("0"))
    async with serving(prometheus) as traffic:
        await traffic.requests_since(HOSTS, NOW)
    assert "[300s]" in prometheus.asked[0]["query"]


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (503, {}),
        (400, {"status": "error", "error": "secret"}),
        (400, {"status": "error", "errorType": "bad_data", "error": "secret"}),
        (200, {"status": "success"}),
        (200, value("NaN")),
    ],
)
async def test_what_is_no_answer_is_an_upstream_that_is_away(status: int, answer: Any) -> None:
    prometheus = Prometheus(answer=value("0"))
    prometheus.status, prometheus.answer = status, answer
    async with serving(prometheus) as traffic:
        with pytest.raises(UpstreamUnavailable) as caught:
            await traffic.requests_since(HOSTS, DAY)
    assert "secret" not in str(caught.value)
    assert len(prometheus.asked) == 1, "it repeats nothing"


async def test_a_server_that_is_not_there_is_told_at_once() -> None:
    metrics = connect(f"http://127.0.0.1:{unused_port()}")
    traffic = PrometheusTraffic(metrics, clock=lambda: NOW)
    async with asyncio.timeout(20):
        with pytest.raises(UpstreamUnavailable, match="cannot be reached"):
            await traffic.requests_since(HOSTS, DAY)
    await metrics.close()


def test_no_name_can_break_out_of_the_query() -> None:
    assert matcher(['a"} or up{x="', "b.c"]) == r'"a\"\\}\\ or\\ up\\{x=\"|b\\.c"'
