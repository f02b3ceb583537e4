"""The playground's Loki: lines of living services, and the part of LogQL that it reads."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from bot.queries import load_queries
from playground.monitoring.loki.language import Pipeline, parse
from playground.monitoring.words import ParseError
from tests.playground.watching import Watch, watching

ORDERS = '{namespace="orders-api-production", container="orders-api"}'
MATCH: dict[str, Any] = {"match[]": ORDERS}
CHECKOUT = '{namespace="checkout-web-production", container="checkout-web"}'


@pytest.fixture
async def watch() -> AsyncIterator[Watch]:
    async with watching() as found:
        yield found


async def test_lines_are_json_objects_of_the_golden_paths_in_streams_of_pods(watch: Watch) -> None:
    found = await watch.lines(ORDERS)
    assert len({labels["pod"] for _, _, labels in found}) == 2
    for at, text, labels in found:
        told = json.loads(text)
        assert told["service"] == labels["container"] == labels["app"] == "orders-api"
        assert {"time", "level", "message"} <= set(told)
        assert watch.now - 1800 <= at / 1e9 < watch.now
    requests = [json.loads(text) for _, text, _ in found if json.loads(text)["message"] == "request"]
    assert all(len(one["trace_id"]) == 32 and one["status"] in {200, 500} for one in requests)
    assert len(requests) > 300


async def test_the_same_is_read_again_and_the_past_stays_when_an_incident_begins(watch: Watch) -> None:
    before = await watch.lines(ORDERS)
    assert await watch.lines(ORDERS) == before
    watch.incidents.begin("orders-api", "errors")
    assert await watch.lines(ORDERS) == before


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("errors", "could not read orders: column orders.discount does not exist"),
        ("latency", "price list was not computed in time; using the one of yesterday"),
        ("saturation", "worker pool is exhausted"),
    ],
)
async def test_an_incident_writes_errors_that_were_not_there_before(watch: Watch, kind: str, words: str) -> None:
    patterns = f'sum by (message) (count_over_time({ORDERS} | json | level=~"error|critical" [30m]))'
    assert words not in await watch.count(patterns)
    watch.incidents.begin("orders-api", kind)
    await watch.clock.advance(timedelta(minutes=30))
    counted = await watch.count(patterns)
    assert counted[words] > 20
    staging = await watch.lines('{namespace="orders-api-staging"} | json | level="error"')
    assert len(staging) < 3


async def test_callers_tell_of_it_too_and_less_often(watch: Watch) -> None:
    watch.incidents.begin("orders-api", "errors")
    await watch.clock.advance(timedelta(minutes=30))
    own = await watch.count(f'sum(count_over_time({ORDERS} | json | level="error" [30m]))')
    felt = await watch.count(f'sum by (message) (count_over_time({CHECKOUT} | json | level="error" [30m]))')
    assert 10 < felt["orders-api answered 500; request failed"] < own[""]


async def test_some_lines_hold_what_looks_like_a_secret(watch: Watch) -> None:
    assert await watch.lines(f'{ORDERS} |= "sample-Pa55w0rd"')


async def test_nothing_is_told_of_the_future(watch: Watch) -> None:
    later = int((watch.now + 3600) * 1e9)
    found = await watch.lines(ORDERS, end=later)
    assert max(at for at, _, _ in found) / 1e9 < watch.now
    assert (await watch.count(f"sum(count_over_time({ORDERS} [5m]))"))[""] > 50


@pytest.mark.parametrize(
    ("stages", "fits"),
    [
        ('|= "request"', lambda told, _: True),
        ('!= "configuration"', lambda told, _: "configuration" not in told["message"]),
        ('|~ "GET|POST"', lambda told, _: told["method"] in {"GET", "POST"}),
        ('!~ `"method": "GET"`', lambda told, _: told.get("method") != "GET"),
        ('|= "POST" or "configuration"', lambda told, _: told.get("method", "POST") == "POST"),
        ('| json | method="POST"', lambda told, labels: labels["method"] == told["method"] == "POST"),
        ('| json | method!~"P.*"', lambda told, _: told.get("method") != "POST"),
        ("| json | status >= 200 and ms > 100", lambda told, _: told["ms"] > 100),
        ('| json | ms > 100 or message =~ "(?i)CONFIGURATION.*"', lambda told, _: told.get("ms", 101) > 100),
        ('| json | (route="/orders" or status=500), method="GET"', lambda told, _: told["route"] == "/orders"),
        ('| json | route=~"^(?:/orders)$" # as we quote', lambda told, _: told["route"] == "/orders"),
    ],
)
async def test_a_pipeline_keeps_what_fits(watch: Watch, stages: str, fits: object) -> None:
    every = await watch.lines(ORDERS)
    kept = await watch.lines(f"{ORDERS} {stages}")
    assert 0 < len(kept) <= len(every)
    assert all(fits(json.loads(text), labels) for _, text, labels in kept)  # type: ignore[operator]


async def test_the_newest_lines_come_unless_the_oldest_are_asked_for(watch: Watch) -> None:
    every = await watch.lines(ORDERS)
    assert [line[0] for line in await watch.lines(ORDERS, limit=7)] == [line[0] for line in every[:7]]
    oldest = await watch.lines(ORDERS, limit=7, direction="forward")
    assert {line[0] for line in oldest} == {line[0] for line in every[-7:]}


async def test_counts_over_time_are_of_the_lines(watch: Watch) -> None:
    every = await watch.lines(ORDERS, minutes=5)
    counted = await watch.count(f"sum by (pod) (count_over_time({ORDERS}[5m]))")
    assert sum(counted.values()) == len(every)
    rate = await watch.count(f"sum(rate({ORDERS}[5m]))")
    assert rate[""] == pytest.approx(len(every) / 300)
    top = await watch.count(f"topk(1, sum by (route) (count_over_time({ORDERS} | json [5m])))")
    assert list(top) == ["/orders"]
    shifted = await watch.count(f"sum(count_over_time({ORDERS}[5m] offset 10m))")
    whole = await watch.lines(ORDERS, minutes=15)
    assert shifted[""] == sum(600 <= watch.now - at / 1e9 < 900 for at, _, _ in whole)
    answers = await watch.get(
        watch.loki,
        "/loki/api/v1/query_range",
        query=f"sum(count_over_time({ORDERS}[1m]))",
        start=int(watch.now) - 600,
        end=int(watch.now),
        step="60s",
    )
    (series,) = answers["data"]["result"]
    assert answers["data"]["resultType"] == "matrix"
    assert [at for at, _ in series["values"]] == [int(watch.now) - 600 + 60 * n for n in range(11)]
    assert all(int(value) > 5 for _, value in series["values"])


async def test_labels_are_listed(watch: Watch) -> None:
    assert (await watch.get(watch.loki, "/loki/api/v1/labels"))["data"] == ["app", "container", "namespace", "pod"]
    values = (await watch.get(watch.loki, "/loki/api/v1/label/container/values"))["data"]
    assert values == ["checkout-web", "orders-api"]
    series = await watch.get(watch.loki, "/loki/api/v1/series", **MATCH)
    assert {one["namespace"] for one in series["data"]} == {"orders-api-production"}
    assert await watch.get(watch.loki, "/ready") == "ready\n"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "parse error at line 1, col 1: syntax error: unexpected $end"),
        ("{", "parse error at line 1, col 2: syntax error"),
        ('{app="x"', "parse error at line 1, col 9"),
        ('{app="x"}\n| json | level ==', "parse error at line 2, col 18"),
        ("{}", "at least one regexp or equality matcher"),
        ('{app=~".*"}', "at least one regexp or equality matcher"),
        ('{app="x"} |= unquoted', "unexpected unquoted, expecting string"),
        ('{app=~"(?=x)x"}', "invalid or unsupported Perl syntax"),
        ('{app="x"} |~ "("', "error parsing regexp"),
        ('{app="\\q"}', "invalid char escape"),
        ('{app="x"} | line_format "{{.x}}"', "`line_format` is not supported"),
        ('{app="x"} | logfmt', "`logfmt` is not supported"),
        ('sum(count_over_time({app="x"}[5m])) / 2', "is not supported"),
        ('quantile_over_time(0.9, {app="x"} | unwrap ms [5m])', "`quantile_over_time` is not supported"),
        ('count_over_time({app="x"})', "expecting ["),
        ('count_over_time({app="x"}[5])', "expecting duration"),
        ('sum by app (count_over_time({app="x"}[5m]))', "expecting ("),
        ("nonsense({})", "unexpected nonsense"),
        (ORDERS + ORDERS, "unexpected {"),
    ],
)
async def test_what_cannot_be_read_is_refused_with_its_place(watch: Watch, query: str, words: str) -> None:
    refused = await watch.get(watch.loki, "/loki/api/v1/query_range", status=400, query=query)
    assert words in refused


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"limit": "5001"}, "max entries limit"),
        ({"limit": "0"}, "limit must be"),
        ({"start": "soon"}, "valid timestamp"),
        ({"start": "1", "end": "2000000000"}, "the query time range exceeds the limit"),
        ({"start": "20", "end": "10"}, "end timestamp"),
        ({"direction": "sideways"}, "invalid direction"),
    ],
)
async def test_parameters_that_loki_refuses_are_refused(watch: Watch, asked: dict[str, Any], words: str) -> None:
    refused = await watch.get(watch.loki, "/loki/api/v1/query_range", status=400, query=ORDERS, **asked)
    assert words in refused


async def test_an_answer_of_too_many_series_or_points_is_refused(watch: Watch) -> None:
    by_trace = f"sum by (trace_id) (count_over_time({ORDERS} | json [2h]))"
    path = "/loki/api/v1/query"
    assert "maximum of series (500)" in await watch.get(watch.loki, path, status=400, query=by_trace)
    assert "not supported as an instant query" in await watch.get(watch.loki, path, status=400, query=ORDERS)
    many: dict[str, Any] = {"query": f"sum(rate({ORDERS}[1m]))", "start": 1, "end": 20_000, "step": 1}
    assert "11,000 points" in await watch.get(watch.loki, f"{path}_range", status=400, **many)


def test_everything_that_the_bot_asks_can_be_read() -> None:
    queries = load_queries()
    place = {"namespace": "orders-api-production", "service": 'odd"\\name'}
    for name in ("error_lines", "error_counts", "new_patterns"):
        parse(queries.text(name, **place))
    assert isinstance(parse(queries.text("error_lines", **place)), Pipeline)


def test_a_text_that_is_no_json_is_marked_and_not_lost() -> None:
    query = parse('{app="x"} | json')
    assert isinstance(query, Pipeline)
    labels = query.run("plain words", {"app": "x"})
    assert labels is not None
    assert labels["__error__"] == "JSONParserErr"
    nested = query.run('{"app": "y", "a": {"b-c": 1, "d": true}, "list": [1], "none": null}', {"app": "x"})
    assert nested == {"app": "x", "app_extracted": "y", "a_b_c": "1", "a_d": "true"}


def test_a_name_that_is_no_stage_is_a_label() -> None:
    query = parse('{app="x"} | json | json="y"')
    assert isinstance(query, Pipeline)
    assert query.run('{"json": "y"}', {}) is not None
    with pytest.raises(ParseError):
        parse('{app="x"} | json json')
