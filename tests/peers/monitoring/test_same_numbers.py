"""The playground's Prometheus and the real one answer the same queries over the same samples with the same numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.model.platform import Environment, Monitoring, Platform
from bot.queries import QUESTIONS, Language, load_queries
from bot.rendering.documents import read
from bot.rendering.render import render
from bot.rendering.rollout import Rollout
from playground.monitoring.prometheus.api import instant
from playground.monitoring.prometheus.lives import Stretch
from playground.monitoring.prometheus.promql.compiling import compiled
from playground.monitoring.prometheus.promql.errors import BadQuery, Unevaluable
from playground.monitoring.prometheus.rules.samples import sample_rules
from playground.monitoring.prometheus.samples import Formula
from tests.peers.monitoring.backfilled import Real, prometheus, write
from tests.playground.prometheus.rig import ORDERS, ORDERS_CONTAINER, Measured

BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)
MINUTES = (3, 33, 45, 62, 75, 95, 119)
"""When it is asked, after the begin: before, in and after everything that happens."""
Answer = tuple[int, Any]


def story() -> Measured:
    """Two hours with an incident of each kind, a rollout, a pod that restarts, a service that goes."""
    past = Measured(begin=BEGIN, history=timedelta())
    past.living.only("production")
    past.lives.note()
    past.advance(minutes=30)
    past.incidents.begin("orders-api", "latency")
    past.advance(minutes=10)
    past.incidents.end()
    past.lives.note()
    past.advance(minutes=20)
    past.living.change("orders-api", image="ghcr.io/acme/orders-api:2", pods=("orders-api-2-a", "orders-api-2-b"))
    past.lives.note()
    past.advance(minutes=12)
    restart(past)
    past.advance(minutes=8)
    past.incidents.begin("orders-api", "saturation")
    past.lives.note()
    past.advance(minutes=20)
    past.living.remove("checkout-web")
    past.lives.note()
    past.advance(minutes=20)
    past.storage.refresh()
    for series in past.storage.everything():
        assert isinstance(series, Formula)
        series.stale_marks = False  # blocks that are made of a text have none
    return past


def restart(past: Measured) -> None:
    """One of the pods is killed and counts from nothing again."""
    life = past.life("orders-api")
    last, moment = life.stretches[-1], past.lives.now()
    first, *others = last.pods
    down = replace(first, ready=False, waiting="CrashLoopBackOff")
    up = replace(first, restarts=1, terminated="OOMKilled")
    past.happen("orders-api", Stretch(moment, (down, *others), last.wanted, last.effect))
    past.happen("orders-api", Stretch(moment + 40_000, (up, *others), last.wanted, last.effect))


def named() -> Iterator[str]:
    """Yield every query of ours."""
    queries = load_queries()
    values = {
        "namespace": "orders-api-production",
        "service": "orders-api",
        "quantile": 0.95,
        "budget": 0.01,
        "below_s": 0.5,
    }
    for name, question in QUESTIONS.items():
        if question.language is Language.PROMQL:
            given = {key: value for key, value in values.items() if key in question.values}
            for span in (timedelta(minutes=5), timedelta(minutes=30)):
                yield queries.text(name, **given, range=span)
    text = (Path(__file__).parents[3] / "manifests" / "queries" / "ingress_requests.promql").read_text()
    yield text.replace("$hosts", '"orders-api\\\\.acme\\\\.example|nobody"').replace("$range", "20m")


def ruled() -> Iterator[str]:
    """Yield the expressions of every rule that is made for a service, and of the sample services' own."""
    document = {
        "apiVersion": "platform.company.io/v1",
        "kind": "WebService",
        "metadata": {"name": "orders-api"},
        "spec": {"slo": {"availability": 99.9, "latency": {"target": 99, "below": "300ms"}}},
    }
    (found,) = read(json.dumps(document))
    platform = Platform(environments={"production": Environment(monitoring=Monitoring(enabled=True))})
    rollout = Rollout(image="ghcr.io/acme/orders-api:1", team="team-orders")
    made = render(found, environment="production", platform=platform, rollout=rollout)
    rule: Any = next(obj for obj in made if obj["kind"] == "PrometheusRule")
    past = Measured()
    for spec in (rule["spec"], *(sample_rules(one) for one in past.living.services())):
        for group in spec["groups"]:
            yield from (str(one["expr"]) for one in group["rules"])


SECONDS, CPU = "http_request_duration_seconds", "container_cpu_usage_seconds_total"
LIMITS = f'kube_pod_container_resource_limits{{{ORDERS_CONTAINER}, resource="cpu"}}'
TRICKY = (
    "up",
    "up == 0",
    "up == bool 1",
    "1 == bool up",
    "0 < up",
    f"http_requests_total{{{ORDERS}}}",
    f"rate(http_requests_total{{{ORDERS}}}[1m])",
    f"rate(http_requests_total{{{ORDERS}}}[37s])",
    f"rate(http_requests_total{{{ORDERS}}}[15s])",
    f"irate(http_requests_total{{{ORDERS}}}[2m])",
    f"increase(http_requests_total{{{ORDERS}}}[40m])",
    f"delta(container_memory_working_set_bytes{{{ORDERS_CONTAINER}}}[10m])",
    f"idelta(http_requests_in_progress{{{ORDERS}}}[2m])",
    f"deriv(container_memory_working_set_bytes{{{ORDERS_CONTAINER}}}[20m])",
    f"predict_linear(container_memory_working_set_bytes{{{ORDERS_CONTAINER}}}[20m], 3600)",
    f"resets(http_requests_total{{{ORDERS}}}[1h])",
    f"changes(http_requests_in_progress{{{ORDERS}}}[10m])",
    f"sum by (route, status) (rate(http_requests_total{{{ORDERS}}}[5m]))",
    f"sum without (pod, job) (rate(http_requests_total{{{ORDERS}}}[5m]))",
    "count by (namespace) (up)",
    "count(up) by (nothing)",
    f"avg_over_time(http_requests_in_progress{{{ORDERS}}}[10m])",
    f"max_over_time(http_requests_in_progress{{{ORDERS}}}[10m])",
    f"min_over_time(http_requests_in_progress{{{ORDERS}}}[10m])",
    f"sum_over_time(http_requests_in_progress{{{ORDERS}}}[10m])",
    f"count_over_time(http_requests_in_progress{{{ORDERS}}}[10m])",
    f"stddev_over_time(http_requests_in_progress{{{ORDERS}}}[10m])",
    f"quantile_over_time(0.9, http_requests_in_progress{{{ORDERS}}}[10m])",
    f"last_over_time(http_requests_in_progress{{{ORDERS}}}[10m])",
    f"present_over_time(http_requests_in_progress{{{ORDERS}}}[10m])",
    f"topk(3, rate(http_requests_total{{{ORDERS}}}[5m]))",
    f"bottomk by (pod) (1, rate(http_requests_total{{{ORDERS}}}[5m]))",
    f"quantile by (route) (0.5, rate(http_requests_total{{{ORDERS}}}[5m]))",
    f"stddev(rate(http_requests_total{{{ORDERS}}}[5m]))",
    f"stdvar(rate(http_requests_total{{{ORDERS}}}[5m]))",
    'count_values("restarts", kube_pod_container_status_restarts_total)',
    f"histogram_quantile(0.99, rate(http_request_duration_seconds_bucket{{{ORDERS}}}[5m]))",
    f"histogram_quantile(2, sum by (le) (rate(http_request_duration_seconds_bucket{{{ORDERS}}}[5m])))",
    f'histogram_quantile(0.5, http_request_duration_seconds_bucket{{{ORDERS}, le!="+Inf"}})',
    f"rate({SECONDS}_sum{{{ORDERS}}}[5m]) / rate({SECONDS}_count{{{ORDERS}}}[5m])",
    f"sum by (pod) (rate({CPU}{{{ORDERS_CONTAINER}}}[5m])) / on (pod) group_left (resource) {LIMITS}",
    f"{LIMITS} * on (pod) group_right () up",
    "kube_pod_container_resource_limits / ignoring (resource, unit) kube_pod_container_status_ready",
    'kube_deployment_spec_replicas{namespace="orders-api-production"} - kube_deployment_status_replicas_available',
    "kube_deployment_spec_replicas - on (namespace) kube_deployment_status_replicas_available",
    "up and on (namespace) kube_deployment_spec_replicas > 1",
    "up unless on (pod) (kube_pod_container_status_ready == 1)",
    "up or kube_deployment_spec_replicas",
    "absent(up)",
    'absent(up{namespace="nowhere", pod=~"x.*"})',
    'absent_over_time(up{namespace="nowhere"}[5m])',
    'absent(sum(up{namespace="nowhere"}))',
    "up offset 7m",
    "rate(http_requests_total[5m] offset 30m)",
    f"sum(rate(http_requests_total{{{ORDERS}}}[5m] @ {int(BEGIN.timestamp()) + 2400}))",
    f"max_over_time(sum(rate(http_requests_total{{{ORDERS}}}[2m]))[20m:1m])",
    f"avg_over_time((sum(rate(http_requests_total{{{ORDERS}}}[2m])) > 20)[20m:])",
    f"rate(sum by (route) (http_requests_total{{{ORDERS}}})[10m:30s])",
    'label_replace(up, "short", "$1", "pod", "([a-z-]+)-.*")',
    'label_replace(up, "pod", "", "pod", ".*")',
    'label_join(up, "both", "/", "namespace", "pod")',
    "time() - timestamp(up)",
    "timestamp(up + 0)",
    "vector(1) / 0",
    "-vector(1) / 0",
    "vector(0) / 0",
    "vector(7) % 4 + vector(2) ^ 3 ^ 0",
    "-2 ^ 2",
    "scalar(up)",
    'scalar(up{pod="orders-api-2-a"})',
    "clamp(http_requests_in_progress, 1, 3)",
    "clamp_min(http_requests_in_progress, 2)",
    "clamp_max(http_requests_in_progress, 2)",
    "round(rate(http_requests_total[5m]), 0.05)",
    "sgn(vector(-3)) + abs(vector(-3)) + ceil(vector(0.2)) + floor(vector(0.9)) + sqrt(vector(4)) + exp(vector(0))",
    "ln(vector(0)) ",
    "log2(vector(8)) + log10(vector(1000))",
    "hour() + minute() / 60 + day_of_week() + day_of_month() + month() + year() + days_in_month() + day_of_year()",
    "sort_desc(up)",
    '{__name__=~"kube_deployment_.*", namespace!~"checkout.*"}',
    'sum({job="kubelet"})',
    "sum(http_requests_total) > bool 10",
    "group(up) by (namespace)",
    "max(up) by (job)",
    "min by (job) (http_requests_in_progress)",
    "avg(http_requests_in_progress)",
    "1 + 2 * 3",
    "pi()",
    '"text"',
    f"http_requests_in_progress{{{ORDERS}}}[2m]",
    "up[1m] offset 2m",
)
REFUSED = (
    "rate(up)",
    "up + ",
    "nosuch(up)",
    "sum(1)",
    "1 > 2",
    'up{namespace=~"("}',
    "up * on (namespace) kube_pod_container_resource_limits",
    "http_requests_total * on (namespace) up",
    'label_replace(up, "pod", "same", "", "")',
    'label_replace(up, "0", "x", "pod", ".*")',
    "up / on (namespace) group_left (pod) kube_deployment_spec_replicas",
    "topk(NaN, up)",
    "{}",
    '{job=~".*"}',
)


@pytest.fixture(scope="module")
def past() -> Measured:
    return story()


@pytest.fixture(scope="module")
def real(past: Measured, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    folder = tmp_path_factory.mktemp("prometheus")
    samples = folder / "samples.om"
    with samples.open("w") as to:
        assert write(past.storage, round(BEGIN.timestamp() * 1000), past.lives.now(), to) > 100_000
    with prometheus(samples, folder) as found:
        yield found


def ours(past: Measured, query: str, at: int) -> Answer:
    try:
        return 200, instant(compiled(query, past.storage, at, at), at)
    except BadQuery as error:
        return 400, str(error)
    except Unevaluable as error:
        return 422, str(error)


def comparable(answer: Any) -> Any:
    """Return kind and values by labels, in no order."""
    kind, result = answer["resultType"], answer["result"]
    if kind in {"scalar", "string"}:
        return kind, result
    return kind, {
        json.dumps(one["metric"], sort_keys=True): one["values"] if kind == "matrix" else [one["value"]]
        for one in result
    }


def same(mine: Any, theirs: Any) -> bool:
    if isinstance(mine, dict):
        return mine.keys() == theirs.keys() and all(same(mine[key], theirs[key]) for key in mine)
    if isinstance(mine, list | tuple):
        return len(mine) == len(theirs) and all(map(same, mine, theirs))
    if mine == theirs:
        return True
    try:
        a, b = float(mine), float(theirs)
    except (TypeError, ValueError):
        return False
    return (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-12)


def differences(past: Measured, real: Real, query: str, minutes: Sequence[int]) -> list[str]:
    found = []
    for minute in minutes:
        at = round((BEGIN + timedelta(minutes=minute)).timestamp() * 1000)
        mine = ours(past, query, at)
        theirs = real.ask("query", query=query, time=str(at / 1000))
        if mine[0] != theirs[0]:
            found.append(f"after {minute} min: {mine} instead of {theirs}")
        elif mine[0] == 200 and not same(comparable(mine[1]), comparable(theirs[1])):
            found.append(f"after {minute} min: {comparable(mine[1])} instead of {comparable(theirs[1])}")
    return found


def test_every_query_of_ours_has_the_same_numbers(past: Measured, real: Real) -> None:
    for query in (*named(), *ruled()):
        assert differences(past, real, query, MINUTES) == [], query


@pytest.mark.parametrize("query", TRICKY)
def test_tricky_ones_have_the_same_numbers(past: Measured, real: Real, query: str) -> None:
    assert differences(past, real, query, MINUTES) == []


@pytest.mark.parametrize("query", REFUSED)
def test_what_one_refuses_the_other_refuses(past: Measured, real: Real, query: str) -> None:
    assert differences(past, real, query, MINUTES[3:5]) == []
