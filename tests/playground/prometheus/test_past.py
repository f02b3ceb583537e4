"""What was measured stays as it was, and tells of what happened."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.monitoring.incidents import NOTHING, Incidents
from playground.monitoring.living import LivingServices
from playground.monitoring.prometheus.flows import Flow, share_within
from playground.monitoring.prometheus.lives import Lives, Stretch
from playground.monitoring.prometheus.pods import PodState
from playground.monitoring.prometheus.storage import Storage
from playground.monitoring.traffic import requests_per_s
from tests.fuzz import examples
from tests.playground.prometheus.rig import NOON, ORDERS, ORDERS_CONTAINER, Measured, Scripted

RATE = f"sum(rate(http_requests_total{{{ORDERS}}}[5m]))"
FAILING = f'sum(rate(http_requests_total{{{ORDERS}, status=~"5.."}}[5m])) / {RATE}'
P99 = f"histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket{{{ORDERS}}}[5m])))"
CPU = (
    f"sum(rate(container_cpu_usage_seconds_total{{{ORDERS_CONTAINER}}}[5m]))"
    f' / sum(kube_pod_container_resource_limits{{{ORDERS_CONTAINER}, resource="cpu"}})'
)
EVERYTHING = '{__name__=~".+"}'


@pytest.mark.parametrize(("service", "environment"), [("orders-api", "production"), ("checkout-web", "staging")])
@pytest.mark.parametrize("hour", range(0, 24, 5))
def test_counters_grow_as_the_traffic_says(service: str, environment: str, hour: int) -> None:
    flow, at = Flow(service, environment), round((NOON + timedelta(hours=hour)).timestamp())
    counted = flow.until((at + 30) * 1000) - flow.until((at - 30) * 1000)
    expected = sum(requests_per_s(service, environment, at + second + 0.5) for second in range(-30, 30))
    assert counted == pytest.approx(expected, rel=1e-3)


def test_an_environment_that_nobody_uses_counts_nothing() -> None:
    assert Flow("orders-api", "new-checkout").until(10**12) == 0


@given(
    bound=st.floats(0.001, 20),
    wider=st.floats(0, 20),
    median=st.floats(0.001, 2),
    delay=st.floats(0, 5),
)
def test_more_requests_stay_within_a_wider_bound(bound: float, wider: float, median: float, delay: float) -> None:
    assert 0 <= share_within(bound, median, delay) <= share_within(bound + wider, median, delay) <= 1


def test_a_usual_day_keeps_its_promises_and_is_there_for_a_month() -> None:
    past = Measured()
    for age in (timedelta(), timedelta(days=3), timedelta(days=30)):
        at = NOON - age
        assert 15 < past.number(RATE, at) < 35
        assert past.number(FAILING, at) < 0.01
        assert past.number(P99, at) < 0.3
        assert 0.1 < past.number(CPU, at) < 0.4
    assert past.ask(RATE, NOON - timedelta(days=36)) == []
    assert past.ask("up", NOON + timedelta(hours=1)) == [], "what is to come has not been scraped"


@pytest.mark.parametrize(
    ("kind", "query", "least"), [("latency", P99, 1.5), ("errors", FAILING, 0.3), ("saturation", CPU, 0.8)]
)
def test_an_incident_shows_while_it_lasts_and_no_longer(kind: str, query: str, least: float) -> None:
    past = Measured()
    usual = past.number(query)
    past.incidents.begin("orders-api", kind)
    past.advance(minutes=6)
    assert past.number(query) > least
    past.incidents.end()
    past.advance(minutes=6)
    assert past.number(query) == pytest.approx(usual, rel=0.4, abs=0.01)


def test_an_incident_ends_with_its_version_also_where_pods_changed_before_that() -> None:
    past = Measured()
    usual = past.number(P99)
    past.incidents.begin("orders-api", "latency")
    past.advance(minutes=6)
    assert past.number(P99) > 1.5
    past.living.change("orders-api", pods=("orders-api-1", "orders-api-2"))  # the rollout begins
    past.advance(seconds=5)
    past.living.change("orders-api", image="ghcr.io/acme/orders-api:0", pods=("orders-api-2",))
    assert past.incidents.running() == ()
    past.advance(minutes=6)
    assert past.number(P99) == pytest.approx(usual, rel=0.4)


def test_who_calls_it_suffers_visibly_less() -> None:
    past = Measured()
    past.incidents.begin("orders-api", "latency")
    past.advance(minutes=6)
    caller = P99.replace("orders-api", "checkout-web")
    assert 0.5 < past.number(caller) < past.number(P99)
    assert past.number(P99.replace("production", "staging")) < 0.3


def test_nothing_that_happens_changes_what_was() -> None:
    past = Measured()
    past.advance(minutes=10)
    before = past.ask(EVERYTHING), past.ask(f"{RATE} or {FAILING}"), NOON + timedelta(minutes=10)
    past.incidents.begin("orders-api", "saturation")
    past.advance(minutes=5)
    past.living.change("orders-api", image="ghcr.io/acme/orders-api:2", pods=("orders-api-2",))
    past.advance(minutes=5)
    past.living.remove("checkout-web")
    past.advance(hours=30)
    assert past.ask(EVERYTHING) != []
    assert (past.ask(EVERYTHING, before[2]), past.ask(f"{RATE} or {FAILING}", before[2])) == before[:2]


def test_a_new_pod_counts_from_nothing_and_an_old_one_is_gone_at_once() -> None:
    past = Measured()
    past.living.change("orders-api", pods=("orders-api-2",))
    past.advance(seconds=40)
    total = f"sum(http_requests_total{{{ORDERS}}})"
    assert past.number(total) < 2000
    assert {dict(labels)["pod"] for labels, _ in past.ask(f"up{{{ORDERS}}}")} == {"orders-api-2"}
    assert past.number(f"count(count by (pod) (max_over_time(up{{{ORDERS}}}[5m])))") == 3


def test_a_pod_that_does_not_answer_is_down_and_its_requests_go_to_the_others() -> None:
    past = Measured()
    last = past.life("orders-api").stretches[-1]
    down = PodState(last.pods[0].name, ready=False, restarts=4, waiting="CrashLoopBackOff")
    past.happen("orders-api", Stretch(past.lives.now(), (down, last.pods[1]), 2))
    past.advance(minutes=6)
    assert past.number(f"sum(up{{{ORDERS}}})") == 1
    assert 15 < past.number(RATE) < 35
    waiting = f'sum(kube_pod_container_status_waiting_reason{{{ORDERS_CONTAINER}, reason="CrashLoopBackOff"}})'
    assert past.number(waiting) == 1
    missing = "kube_deployment_status_replicas_available < kube_deployment_spec_replicas"
    assert len(past.ask(missing)) == 1
    assert past.number(f"sum(increase(kube_pod_container_status_restarts_total{{{ORDERS_CONTAINER}}}[15m]))") > 3


@settings(max_examples=examples(8))
@given(seconds=st.lists(st.integers(1, 400), min_size=2, max_size=6))
def test_no_bucket_counts_more_than_there_were_requests(seconds: list[int]) -> None:
    past = Measured(history=timedelta(hours=1))
    for number, pause in enumerate(seconds):
        if number % 2:
            past.incidents.end()
        else:
            past.incidents.begin("orders-api", "latency")
        past.advance(seconds=pause)
        past.storage.refresh()
    name = "http_request_duration_seconds"
    more = f'increase({name}_bucket{{{ORDERS}, le!="+Inf"}}[10m]) > ignoring (le) group_left () '
    assert past.ask(f"{more} increase({name}_count{{{ORDERS}}}[10m]) + 0.000001") == []


def test_a_playground_that_is_started_again_has_the_same_past(tmp_path: Path) -> None:
    now = NOON
    living = Scripted()
    incidents = Incidents(living, lambda: now, tmp_path / "incidents.json")

    def opened(services: LivingServices, known: Incidents) -> Storage:
        lives = Lives(known, lambda: now, file=tmp_path / "prometheus.json")
        lives.note()
        storage = Storage(lives)
        storage.refresh()
        return storage

    first = opened(living, incidents)
    incidents.begin("orders-api", "errors")
    now += timedelta(minutes=10)
    incidents.end()
    first.refresh()
    now += timedelta(minutes=10)
    again = Incidents(living, lambda: now, tmp_path / "incidents.json")
    second = opened(living, again)
    moment = round(now.timestamp() * 1000)
    assert {one.labels: one.edges(0, moment) for one in first.everything()} == {
        one.labels: one.edges(0, moment) for one in second.everything()
    }
    effects = [stretch.effect.kind for life in second.lives.all() for stretch in life.stretches]
    assert effects.count("errors") == 2, "the service and who calls it"
    assert all(life.stretches[-1].effect == NOTHING for life in second.lives.all())
