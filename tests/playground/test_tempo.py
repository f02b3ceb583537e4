"""The playground's Tempo: what requests did on their way, and the part of TraceQL that it reads."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from bot.queries import load_queries
from playground.monitoring.tempo.language import parse
from tests.playground.watching import Json, Watch, watching

ORDERS = 'resource.service.name = "orders-api" && resource.deployment.environment = "production"'
CHECKOUT = 'resource.service.name = "checkout-web" && resource.deployment.environment = "production"'


@pytest.fixture
async def watch() -> AsyncIterator[Watch]:
    async with watching() as found:
        yield found


async def trace(watch: Watch, trace_id: str) -> list[Json]:
    """Return a trace's spans, each with its service and with seconds."""
    told = await watch.get(watch.tempo, f"/api/traces/{trace_id}")
    spans = []
    for batch in told["batches"]:
        resource = {one["key"]: one["value"]["stringValue"] for one in batch["resource"]["attributes"]}
        for span in batch["scopeSpans"][0]["spans"]:
            took = (int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])) / 1e9
            spans.append({**span, "service": resource["service.name"], "took": took})
    return spans


async def test_a_slow_dependency_is_the_slow_child_of_its_caller(watch: Watch) -> None:
    usual = await watch.search(f"{{ {CHECKOUT} && kind = server && duration > 1s }}")
    assert usual == []
    watch.incidents.begin("orders-api", "latency")
    await watch.clock.advance(timedelta(minutes=20))
    slow = await watch.search(f"{{ {CHECKOUT} && kind = server && duration > 1s }}", minutes=20)
    assert {one["rootServiceName"] for one in slow} == {"checkout-web"}
    spans = {span["name"] + " " + span["kind"]: span for span in await trace(watch, slow[0]["traceID"])}
    whole = spans[f"{slow[0]['rootTraceName']} SPAN_KIND_SERVER"]
    work = spans["compute prices SPAN_KIND_INTERNAL"]
    assert work["service"] == "orders-api"
    assert work["took"] > 0.8 * whole["took"] > 0.8
    assert "parentSpanId" not in whole
    by_id = {span["spanId"]: span for span in spans.values()}
    answering = by_id[work["parentSpanId"]]
    calling = by_id[answering["parentSpanId"]]
    assert (answering["service"], calling["service"]) == ("orders-api", "checkout-web")
    assert (answering["kind"], calling["kind"]) == ("SPAN_KIND_SERVER", "SPAN_KIND_CLIENT")
    assert by_id[calling["parentSpanId"]] is whole
    others = await watch.search(f"{{ {CHECKOUT} && duration < 500ms && name = `GET /` }}", minutes=20)
    assert others  # what calls nobody is as fast as ever


async def test_a_trace_id_out_of_an_error_line_is_found_and_failed(watch: Watch) -> None:
    watch.incidents.begin("orders-api", "errors")
    await watch.clock.advance(timedelta(minutes=20))
    for query in (
        '{namespace="orders-api-production"} |= "discount does not exist"',
        '{namespace="checkout-web-production"} | json | level="error"',
    ):
        (_, line, _), *_ = await watch.lines(query, minutes=20)
        told = json.loads(line)
        spans = await trace(watch, told["trace_id"])
        own = next(span for span in spans if base64.b64decode(span["spanId"]).hex() == told["span_id"])
        assert own["status"]["code"] == "STATUS_CODE_ERROR"
        assert {base64.b64decode(span["traceId"]).hex() for span in spans} == {told["trace_id"]}
        assert own["events"][0]["name"] == "exception"


async def test_both_versions_tell_the_same(watch: Watch) -> None:
    (found,) = await watch.search("{ name = `POST /pay` }", limit=1)
    first = await watch.get(watch.tempo, f"/api/traces/{found['traceID']}")
    second = await watch.get(watch.tempo, f"/api/v2/traces/{found['traceID']}")
    assert second["trace"]["resourceSpans"] == first["batches"]
    assert found["durationMs"] > 0
    assert found["spanSet"]["spans"][0]["spanID"]
    assert await watch.get(watch.tempo, "/api/echo") == "echo"


@pytest.mark.parametrize("wanted", ["0" * 32, "abc", "f" * 32])
async def test_a_trace_that_nobody_made_is_not_found(watch: Watch, wanted: str) -> None:
    assert await watch.get(watch.tempo, f"/api/traces/{wanted}", status=404) == "trace not found"


async def test_an_id_that_is_none_is_refused(watch: Watch) -> None:
    await watch.get(watch.tempo, "/api/traces/not-hex", status=400)


def is_checkout(one: Json) -> bool:
    return bool(one["rootServiceName"] == "checkout-web")


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("{}", lambda one: True),
        ('{ .service.name = "orders-api" }', lambda one: True),
        ('{ resource.service.name =~ "orders.*" && rootServiceName = "checkout-web" }', is_checkout),
        ('{ resource.service.name !~ "orders.*" && kind = server }', is_checkout),
        ("{ span.http.response.status_code = 200 && kind = client }", is_checkout),
        ("{ kind = client && span.db.system != `redis` }", lambda one: True),
        ("{ status = error || duration > 100ms }", lambda one: one["spanSet"]["matched"] > 0),
        ("{ !(duration <= 100ms) && (kind = server) }", lambda one: one["durationMs"] >= 100),
        ("{ duration > 0.1s && name = `GET /orders` }", lambda one: one["durationMs"] >= 100),
        ("{ traceDuration > 150ms } && { kind = internal || kind = client }", lambda one: one["durationMs"] >= 150),
        ("{ name = `GET /cart` } || { name = `POST /pay` }", is_checkout),
        ("{ span:kind = server && trace:rootService = `checkout-web` }", is_checkout),
    ],
)
async def test_a_search_finds_what_fits(watch: Watch, query: str, fits: Any) -> None:
    every = await watch.search("{}", limit=5000)
    found = await watch.search(query, limit=5000)
    assert 0 < len(found) <= len(every)
    assert all(fits(one) for one in found)


async def test_the_newest_are_found_first_and_only_in_their_time(watch: Watch) -> None:
    every = await watch.search("{}", limit=5000)
    begun = [int(one["startTimeUnixNano"]) for one in every]
    assert begun == sorted(begun, reverse=True)
    assert watch.now - 1800 <= begun[-1] / 1e9 + 30
    assert begun[0] / 1e9 < watch.now
    assert await watch.search("{}", limit=5) == every[:5]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("{", "parse error at line 1, col 2"),
        ("{ name }", "parse error at line 1, col 8"),
        ('{ colour = "red" }', "unexpected colour"),
        ("{ kind = sideways }", "unexpected sideways"),
        ("{ name =~ `(` }", "error parsing regexp"),
        ("{ } | count() > 2", "a pipeline is not supported"),
        ("{ } >> { }", "a relation between spans is not supported"),
        ("{ event.name = `x` }", "`event.name` is not supported"),
        ("{ span.x = nil }", "`nil` is not supported"),
        ('{ name = "x" } trailing', "unexpected trailing"),
    ],
)
async def test_what_cannot_be_read_is_refused_with_its_place(watch: Watch, query: str, words: str) -> None:
    refused = await watch.get(watch.tempo, "/api/search", status=400, q=query)
    assert refused.startswith("invalid TraceQL query: ")
    assert words in refused


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"limit": 0}, "invalid limit"),
        ({"limit": "many"}, "invalid limit"),
        ({"start": 1}, "required together"),
        ({"start": 20, "end": 10}, "must be before"),
        ({"start": 1, "end": 2_000_000_000}, "exceeds"),
        ({"tags": "a=b"}, "not supported"),
    ],
)
async def test_parameters_that_tempo_refuses_are_refused(watch: Watch, asked: dict[str, Any], words: str) -> None:
    assert words in await watch.get(watch.tempo, "/api/search", status=400, **asked)


def test_everything_that_the_bot_asks_can_be_read() -> None:
    queries = load_queries()
    place = {"service": 'odd"\\name', "environment": "production"}
    parse(queries.text("failing_requests", **place))
    parse(queries.text("slow_requests", **place, above=timedelta(microseconds=1500)))
