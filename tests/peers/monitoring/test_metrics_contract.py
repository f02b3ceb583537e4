"""What may be relied on when something is measured: one suite on the playground's Prometheus, the real one, and
VictoriaMetrics."""

from __future__ import annotations

import math
import tracemalloc
from datetime import timedelta

import pytest

from bot.errors import BadQuery, TooMuch, UpstreamUnavailable
from bot.ports import Measured
from integrations.prometheus import connect
from integrations.reading.series import MOST_SERIES
from tests.peers.monitoring.houses import BEGIN, END, METRICS, Metered

everywhere = pytest.mark.parametrize("metered", METRICS, indirect=True)
prometheus_and_its_likeness = pytest.mark.parametrize("metered", METRICS[:2], indirect=True)
"""Where VictoriaMetrics goes ways of its own."""
for_real = pytest.mark.parametrize("metered", METRICS[1:], indirect=True)

NOON = BEGIN + timedelta(minutes=20)
MINUTE = timedelta(minutes=1)
SERVICE = {"namespace": "orders-api-production", "service": "orders-api"}
UP = 'up{namespace="orders-api-production", service="orders-api"}'
REQUESTS = 'http_requests_total{namespace="orders-api-production", service="orders-api"}'


@everywhere
async def test_a_vector_has_labels_and_a_value_at_the_moment(metered: Metered) -> None:
    found = await metered.metrics.at(REQUESTS, NOON)
    assert len(found.series) > 1
    assert found.warnings == ()
    for series in found.series:
        moments, values = metered.samples(**series.labels).window(0, round(NOON.timestamp() * 1000))
        assert moments
        assert series.points == ((NOON.timestamp(), values[-1]),)


@everywhere
async def test_a_moment_may_lie_between_seconds(metered: Metered) -> None:
    moment = NOON + timedelta(milliseconds=250)
    [series] = (await metered.metrics.at(f"count({UP})", moment)).series
    assert series.points[0][0] == moment.timestamp()


@everywhere
async def test_nothing_measured_is_an_answer(metered: Metered) -> None:
    assert await metered.metrics.at("nobody_counts_this", NOON) == Measured()
    assert await metered.metrics.over("nobody_counts_this", BEGIN, END, MINUTE) == Measured()
    assert await metered.metrics.at(UP, BEGIN - timedelta(days=1)) == Measured()


@everywhere
async def test_a_number_is_a_series_without_labels(metered: Metered) -> None:
    for query in ("42", "vector(42)"):
        [series] = (await metered.metrics.at(query, NOON)).series
        assert (dict(series.labels), series.points) == ({}, ((NOON.timestamp(), 42),))


@everywhere
async def test_without_a_moment_it_is_now(metered: Metered) -> None:
    [series] = (await metered.metrics.at("time() - time() + 1")).series
    assert series.points[0][1] == 1
    assert series.points[0][0] > BEGIN.timestamp()


@everywhere
async def test_what_is_infinite_stays_so(metered: Metered) -> None:
    [series] = (await metered.metrics.at("vector(1) / 0", NOON)).series
    assert series.points[0][1] == math.inf
    [series] = (await metered.metrics.over("vector(-1) / 0", BEGIN, NOON, MINUTE)).series
    assert {value for _, value in series.points} == {-math.inf}


@prometheus_and_its_likeness
async def test_what_is_no_number_stays_none(metered: Metered) -> None:
    [series] = (await metered.metrics.at("vector(0) / 0", NOON)).series
    assert math.isnan(series.points[0][1])


@everywhere
async def test_a_range_has_both_of_its_ends(metered: Metered) -> None:
    begin = BEGIN + 5 * MINUTE
    found = await metered.metrics.over(f"sum({UP})", begin, NOON, MINUTE)
    [series] = found.series
    assert [at for at, _ in series.points] == [(begin + number * MINUTE).timestamp() for number in range(16)]
    assert {value for _, value in series.points} == {len((await metered.metrics.at(UP, NOON)).series)}


@everywhere
async def test_a_step_may_be_short(metered: Metered) -> None:
    [series] = (
        await metered.metrics.over("vector(1)", NOON, NOON + timedelta(seconds=1), timedelta(seconds=0.25))
    ).series
    assert [at - NOON.timestamp() for at, _ in series.points] == [0, 0.25, 0.5, 0.75, 1]


@everywhere
@pytest.mark.parametrize(
    "query",
    ["sum(", "", "nobody_made_this_function(up)", f"{UP}[5m", 'up{namespace="a" or service="b"', ")"],
)
async def test_what_cannot_be_read_is_a_bad_query(metered: Metered, query: str) -> None:
    with pytest.raises(BadQuery):
        await metered.metrics.at(query, NOON)
    with pytest.raises(BadQuery):
        await metered.metrics.over(query, BEGIN, NOON, MINUTE)


@prometheus_and_its_likeness
@pytest.mark.parametrize("query", ['"a text"', f"rate({UP})", f"{UP} / ignoring(pod) {REQUESTS}"])
async def test_what_cannot_be_evaluated_is_a_bad_query(metered: Metered, query: str) -> None:
    with pytest.raises(BadQuery):
        await metered.metrics.at(query, NOON)


@prometheus_and_its_likeness
async def test_a_step_of_nothing_is_a_bad_query(metered: Metered) -> None:
    with pytest.raises(BadQuery):
        await metered.metrics.over("vector(1)", BEGIN, NOON, timedelta(0))


@everywhere
async def test_more_points_than_anybody_gives_are_too_much(metered: Metered) -> None:
    with pytest.raises(TooMuch):
        await metered.metrics.over("vector(1)", BEGIN, BEGIN + timedelta(days=30), timedelta(seconds=1))


@everywhere
async def test_a_long_query_arrives_whole(metered: Metered) -> None:
    query = f'count({UP[:-1]}, pod!="{"x" * 15_000}"}}) + count({UP})'
    [series] = (await metered.metrics.at(query, NOON)).series
    assert series.points[0][1] == 2 * len((await metered.metrics.at(UP, NOON)).series) > 0


@everywhere
async def test_another_path_of_the_same_server_is_none(metered: Metered) -> None:
    lost = connect(f"{metered.url}/nowhere")
    with pytest.raises(UpstreamUnavailable):
        await lost.at("up")
    await lost.close()


@for_real
async def test_fifty_thousand_series_are_given_up_in_bounded_memory(metered: Metered) -> None:
    await metered.metrics.at("up", END)
    tracemalloc.start()
    try:
        with pytest.raises(TooMuch, match=f"{MOST_SERIES} series"):
            await metered.metrics.at("many", END)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 4_000_000
    [series] = (await metered.metrics.at("count(many)", END)).series
    assert series.points[0][1] == 50_000, "the next question is answered as ever"
