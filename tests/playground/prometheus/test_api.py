"""The HTTP API beside its numbers: parameters, errors, what there is, and what can be made to fail."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from playground.clock import PlaygroundClock
from playground.kubernetes.store import Store
from playground.monitoring.incidents import Incidents
from playground.monitoring.living import LivingServices
from playground.monitoring.prometheus.answers import STATUSES
from playground.monitoring.prometheus.peer import PrometheusPeer

Client = TestClient[Any, Any]


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    clock = PlaygroundClock()
    store = Store(None, clock)
    peer = PrometheusPeer(
        data_dir=tmp_path,
        base_url="http://prometheus.example",
        clock=clock,
        incidents=Incidents(LivingServices(store.objects), clock),
        objects=store.objects,
        alertmanager_url="http://127.0.0.1:9",
    )
    await peer.start()
    async with TestClient(TestServer(peer.application())) as found:
        yield found
    await peer.close()
    store.close()


async def get(client: Client, path: str, **given: Any) -> tuple[int, Any]:
    async with client.get(f"/api/v1/{path}", params=given) as response:
        return response.status, await response.json()


async def test_a_query_may_stand_in_the_address_or_in_a_form(client: Client) -> None:
    status, told = await get(client, "query", query="count(up)")
    assert (status, told["status"], told["data"]["resultType"]) == (200, "success", "vector")
    assert told["data"]["result"][0]["value"][1] == "8"
    async with client.post(
        "/api/v1/query", data={"query": "count(up)", "time": told["data"]["result"][0]["value"][0]}
    ) as r:
        assert (await r.json())["data"] == told["data"]


@pytest.mark.parametrize(
    ("path", "given", "kind", "words"),
    [
        ("query", {"query": ""}, "bad_data", 'invalid parameter "query"'),
        (
            "query",
            {"query": "up", "time": "yesterday"},
            "bad_data",
            'cannot parse "yesterday" to a valid timestamp',
        ),
        ("query", {"query": "up", "timeout": "soon"}, "bad_data", 'cannot parse "soon" to a valid duration'),
        ("query", {"query": "up * on (job) up"}, "execution", "many-to-many"),
        ("query", {"query": "sort_by_label(up)"}, "bad_data", "sort_by_label"),
        ("query_range", {"query": "up", "start": "1", "end": "0", "step": "1"}, "bad_data", "must not be before"),
        ("query_range", {"query": "up", "start": "0", "end": "1", "step": "0"}, "bad_data", "zero or negative"),
        ("query_range", {"query": "up", "start": "0", "end": "11001", "step": "1"}, "bad_data", "11,000 points"),
        ("query_range", {"query": "up[5m]", "start": "0", "end": "1", "step": "1"}, "bad_data", "range vector"),
        ("query_range", {"query": "up", "end": "1", "step": "1"}, "bad_data", 'invalid parameter "start"'),
        ("series", {}, "bad_data", "no match[] parameter provided"),
        ("series", {"match[]": "rate(up[5m])"}, "bad_data", 'invalid parameter "match[]"'),
        ("label/not-a-name/values", {}, "bad_data", "invalid label name"),
        ("rules", {"type": "odd"}, "bad_data", "odd"),
    ],
)
async def test_what_is_wrong_is_refused_in_prometheus_words(
    client: Client, path: str, given: dict[str, str], kind: str, words: str
) -> None:
    found, told = await get(client, path, **given)
    assert (found, told["status"], told["errorType"]) == (STATUSES[kind], "error", kind)
    assert words in told["error"]


async def test_a_range_has_a_point_at_each_step_and_no_more_than_eleven_thousand(client: Client) -> None:
    _, told = await get(client, "query", query="time()")
    now = int(float(told["data"]["result"][1]))
    begin = str(now - 3600)
    status, told = await get(client, "query_range", query="sum(up)", start=begin, end=str(now), step="5m")
    assert status == 200
    (one,) = told["data"]["result"]
    assert [point[1] for point in one["values"]] == ["8"] * 13
    assert one["values"][0][0] == now - 3600
    status, told = await get(client, "query_range", query="1", start=str(now - 11_000), end=str(now), step="1s")
    assert (status, len(told["data"]["result"][0]["values"])) == (200, 11_001)


async def test_what_there_is_can_be_listed(client: Client) -> None:
    _, told = await get(client, "label/namespace/values", **{"match[]": 'up{service="orders-api"}'})
    assert told["data"] == ["orders-api-production", "orders-api-staging"]
    _, told = await get(client, "series", **{"match[]": "kube_deployment_spec_replicas"})
    assert {one["deployment"] for one in told["data"]} == {"orders-api", "checkout-web"}
    _, told = await get(client, "labels", **{"match[]": "up"})
    assert told["data"] == ["__name__", "job", "namespace", "pod", "service"]
    _, told = await get(client, "labels", **{"match[]": "up", "end": "1"})
    assert told["data"] == [], "nothing was measured then"
    _, told = await get(client, "metadata", metric="http_requests_total")
    assert told["data"]["http_requests_total"][0]["type"] == "counter"
    _, told = await get(client, "targets")
    assert {one["health"] for one in told["data"]["activeTargets"]} == {"up"}
    _, told = await get(client, "rules", type="alert")
    assert {rule["name"] for group in told["data"]["groups"] for rule in group["rules"]} == {
        "LatencyBudgetBurnsFast",
        "ErrorBudgetBurnsFast",
        "ProcessorSaturated",
    }
    _, told = await get(client, "alerts")
    assert told["data"] == {"alerts": []}
    _, told = await get(client, "status/buildinfo")
    assert told["data"]["version"] == "2.42.0"
    for path, word in (("/-/healthy", "Healthy"), ("/-/ready", "Ready")):
        async with client.get(path) as response:
            assert word in await response.text()


async def test_a_page_shows_an_expression_and_lets_no_text_of_it_be_code(client: Client) -> None:
    async with client.get("/graph", params={"g0.expr": 'sum(up) or vector(0) or absent(a{b="<script>"})'}) as response:
        text = await response.text()
    assert "<td>8</td>" in text
    assert "<script>" not in text


async def order(client: Client, **fault: Any) -> None:
    async with client.post("/sim/faults", json=fault) as response:
        assert response.status == 200, await response.text()


async def test_it_fails_as_it_is_told_and_only_so_often(client: Client) -> None:
    await order(client, route="/api/v1/query", status=503, times=2)
    for status in (503, 503, 200):
        found, told = await get(client, "query", query="up")
        assert found == status, told
    await order(client, route="/api/v1/query", status=422, kind="timeout", message="query timed out")
    assert (await get(client, "query", query="up"))[1] == {
        "status": "error",
        "errorType": "timeout",
        "error": "query timed out",
    }
    await order(client, route="/api/v1/query", partial=True)
    _, told = await get(client, "query", query="count(up)")
    assert told["data"]["result"][0]["value"][1] == "8"
    assert "incomplete" in told["warnings"][0]
    await order(client, html=True)
    async with client.get("/api/v1/query", params={"query": "up"}) as response:
        assert (response.status, response.content_type) == (200, "text/html")
    await order(client, huge=True)
    _, told = await get(client, "query", query="up")
    assert len({json.dumps(one["metric"]) for one in told["data"]["result"]}) == 50_000
    await order(client, status=500)
    async with client.delete("/sim/faults"):
        pass
    assert (await get(client, "query", query="up"))[0] == 200
    async with client.post("/sim/faults", json={"nonsense": 1}) as response:
        assert response.status == 400


async def test_incidents_are_begun_here_as_well(client: Client) -> None:
    async with client.post("/sim/incidents", json={"service": "orders-api", "kind": "latency"}) as response:
        assert (await response.json())["incident"]["environment"] == "production"
    async with client.get("/sim/incidents") as response:
        told = await response.json()
    assert [one["service"] for one in told["running"]] == ["orders-api"]
    assert {one["name"] for one in told["services"]} == {"orders-api", "checkout-web"}


async def test_a_host_counts_from_its_first_request_on(client: Client) -> None:
    query = 'sum(nginx_ingress_controller_requests{host="a.preview.acme.example"})'
    assert (await get(client, "query", query=query))[1]["data"]["result"] == []
    async with client.post("/sim/requests", json={"host": "a.preview.acme.example", "count": -1}) as response:
        assert response.status == 400
    async with client.post("/sim/requests", json={"host": "a.preview.acme.example", "count": 3}) as response:
        assert response.status == 200
    _, told = await get(client, "series", **{"match[]": 'nginx_ingress_controller_requests{service="orders-api"}'})
    assert {one["host"] for one in told["data"]} == {"orders-api.acme.example", "orders-api.staging.acme.example"}
