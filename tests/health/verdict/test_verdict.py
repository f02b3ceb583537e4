"""Named cases, each with the verdict's exact words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.health.verdict import DependencyFact, HealthFacts, Reading, State, Sure, judge
from bot.health.verdict.signals import measured
from bot.model.alerts import Severity
from tests.health.verdict import facts as some
from tests.health.verdict.facts import AT, NOW, facts

WELL = "3 of 3 pods are ready and it answers 12 requests a second as it should."
NOT_ALL = "Nothing wrong was seen, but not all could be looked at: "

Case = tuple[str, HealthFacts, State, Sure, str]


def _down(service: str) -> HealthFacts:
    return some.of(service, facts(cluster=some.cluster(some.deployment(1, 0), pods=(some.crashing(),))))


def _nowhere(**fields: Any) -> HealthFacts:
    nothing: dict[str, Any] = {"release": Reading(None, at=NOW), "application": Reading(None, at=NOW)}
    return facts(**{"cluster": some.cluster(), **nothing, **fields})


CASES: Sequence[Case] = (
    ("all is well", facts(), State.HEALTHY, "high", WELL),
    (
        "one pod crashes",
        facts(
            cluster=some.cluster(some.deployment(3, 2), pods=(some.crashing("a"), some.pod("b"), some.pod("c"))),
        ),
        State.DEGRADED,
        "high",
        "1 of 3 pods crashes at start (exit code 1, 4 restarts).",
    ),
    (
        "the only pod crashes",
        _down("orders-api"),
        State.DOWN,
        "high",
        "Its pod crashes at start (exit code 1, 4 restarts).",
    ),
    (
        "it crashes, and Argo CD does not know it",
        replace(_down("orders-api"), application=Reading(None, at=NOW)),
        State.DOWN,
        "high",
        "Its pod crashes at start (exit code 1, 4 restarts).",
    ),
    (
        "no pod has ever become ready",
        facts(cluster=some.cluster(some.deployment(2, 0), pods=(some.pod("a", ready=False),))),
        State.DOWN,
        "high",
        ("0 of 2 pods are ready, and nothing tells what the others wait for."),
    ),
    (
        "a rollout is under way",
        facts(
            cluster=some.cluster(
                some.deployment(3, 2, current_replicas=4),
                pods=(some.pod("a"), some.pod("b", ready=False, age=timedelta(minutes=1))),
            )
        ),
        State.HEALTHY,
        "medium",
        "2 of 3 pods are ready and it answers 12 requests a second as it should.",
    ),
    (
        "a rollout stands still",
        facts(
            cluster=some.cluster(
                some.deployment(3, 2, conditions=some.deadline_missed()), pods=(some.pod("a"), some.pod("b"))
            )
        ),
        State.DEGRADED,
        "high",
        ("Deployment orders-api has made no progress within its deadline, and 2 of 3 pods are available."),
    ),
    (
        "it was scaled to nothing",
        facts(cluster=some.cluster(some.deployment(0, 0))),
        State.DOWN,
        "high",
        "It is stopped: it is scaled to 0 pods.",
    ),
    (
        "what was deployed is not there",
        facts(cluster=some.cluster()),
        State.DOWN,
        "high",
        "It is not deployed: there is no workload of it in the namespace orders-api-production.",
    ),
    (
        "our account may not look",
        facts(cluster=some.cluster(unreadable=("deployments in orders-api-production",))),
        State.UNKNOWN,
        "low",
        f"{NOT_ALL}I may not read deployments in orders-api-production.",
    ),
    (
        "it was never deployed",
        _nowhere(signals=some.signals()),
        State.UNKNOWN,
        "high",
        "orders-api has not been deployed to production.",
    ),
    (
        "it runs, but not by us",
        _nowhere(),
        State.HEALTHY,
        "medium",
        "It answers 12 requests a second as it should.",
    ),
    (
        "Argo CD alone calls it degraded",
        facts(application=some.argocd(health="Degraded", health_message="the queue is full")),
        State.DEGRADED,
        "medium",
        ("Argo CD calls it Degraded (the queue is full), though its pods are ready."),
    ),
    (
        "Argo CD cannot make objects",
        facts(application=some.argocd(conditions=(("ComparisonError", "app path does not exist"),))),
        State.DEGRADED,
        "medium",
        ("It is not updated: the folder apps/orders-api/production does not exist in the GitOps repository."),
    ),
    (
        "Argo CD does not know",
        facts(application=some.argocd(health="Unknown")),
        State.UNKNOWN,
        "low",
        f"{NOT_ALL}Argo CD does not know how it is.",
    ),
    (
        "more requests fail than promised",
        facts(signals=some.signals(some.traffic(12.0), some.errors(0.02, objective=0.001))),
        State.DEGRADED,
        "high",
        "2 % of its requests fail; its objective allows 0.1 %.",
    ),
    (
        "a few more requests fail than promised on average",
        facts(signals=some.signals(some.traffic(12.0), some.errors(0.005, objective=0.001))),
        State.HEALTHY,
        "high",
        WELL,
    ),
    (
        "most requests fail",
        facts(signals=some.signals(some.traffic(12.0), some.errors(0.62))),
        State.DOWN,
        "high",
        "62 % of its requests fail.",
    ),
    (
        "a few of few requests fail",
        facts(signals=some.signals(some.traffic(0.01), some.errors(0.25, objective=0.001))),
        State.DEGRADED,
        "medium",
        "25 % of its requests fail; its objective allows 0.1 %.",
    ),
    (
        "slower than promised",
        facts(signals=some.signals(some.traffic(12.0), some.latency(0.82, objective=0.3))),
        State.DEGRADED,
        "high",
        "Its latency (p99) is 820 ms; its objective is 300 ms.",
    ),
    (
        "slower than before, and nothing is promised",
        facts(signals=some.signals(some.traffic(12.0), some.latency(*[0.08] * 50, *[0.9] * 5))),
        State.DEGRADED,
        "medium",
        "Its latency (p99) is 900 ms, and was usually 80 ms before.",
    ),
    (
        "memory is nearly used up",
        facts(signals=some.signals(some.traffic(12.0), some.memory(0.97))),
        State.DEGRADED,
        "medium",
        "Its memory is at 97 % of what it may have.",
    ),
    (
        "the error budget burns",
        facts(burns=some.burns(20.0, 30.0)),
        State.DEGRADED,
        "high",
        "Over the last hour its budget of failing requests was spent 20 times faster than its objective allows.",
    ),
    ("it burnt, and is over", facts(burns=some.burns(20.0, 0.4)), State.HEALTHY, "high", WELL),
    (
        "an alert fires",
        facts(alerts=some.alerts(some.alert(summary="p99 of `orders-api`\nis high."))),
        State.DEGRADED,
        "medium",
        "The alert HighLatency has fired for 5 minutes: p99 of 'orders-api' is high.",
    ),
    (
        "a silenced alert fires",
        facts(alerts=some.alerts(some.alert(silenced=True))),
        State.DEGRADED,
        "medium",
        "The alert HighLatency (silenced) has fired for 5 minutes.",
    ),
    (
        "an alert that only informs",
        facts(alerts=some.alerts(some.alert(severity=Severity.INFO))),
        State.HEALTHY,
        "high",
        WELL,
    ),
    (
        "the graver alert decides",
        facts(alerts=some.alerts(some.alert("Slow"), some.alert("Broken", Severity.CRITICAL))),
        State.DEGRADED,
        "medium",
        "The alert Broken has fired for 5 minutes.",
    ),
    (
        "an alert by a clock that is ahead",
        facts(alerts=some.alerts(some.alert(since=NOW + timedelta(minutes=3)))),
        State.DEGRADED,
        "medium",
        "The alert HighLatency has fired for less than a minute.",
    ),
    (
        "Prometheus is slow",
        facts(signals=some.unread("Prometheus"), burns=some.unread("Prometheus")),
        State.UNKNOWN,
        "low",
        f"{NOT_ALL}Prometheus has not answered yet.",
    ),
    (
        "nothing but Git has answered",
        facts(
            signals=some.unread("Prometheus"),
            cluster=some.unread("The cluster"),
            application=some.unread("Argo CD"),
            alerts=some.unread("Alertmanager"),
        ),
        State.UNKNOWN,
        "low",
        f"{NOT_ALL}The cluster has not answered yet, and 3 more things were not seen.",
    ),
    (
        "Prometheus is slow, and a pod crashes",
        replace(_down("orders-api"), signals=some.unread("Prometheus")),
        State.DOWN,
        "high",
        "Its pod crashes at start (exit code 1, 4 restarts).",
    ),
    (
        "a partial answer that looks well",
        facts(signals=some.signals(some.traffic(12.0), problems=("Prometheus has answered only in part.",))),
        State.UNKNOWN,
        "low",
        f"{NOT_ALL}Prometheus has answered only in part.",
    ),
    (
        "a partial answer that looks bad",
        facts(signals=some.signals(some.errors(0.2), problems=("Prometheus has answered only in part.",))),
        State.DEGRADED,
        "low",
        "20 % of its requests fail.",
    ),
    (
        "what answers no requests",
        facts(signals=some.signals(some.memory(0.5))),
        State.HEALTHY,
        "medium",
        "3 of 3 pods are ready and nothing that is measured of it is out of the ordinary.",
    ),
    (
        "no traffic at night",
        facts(signals=some.signals(some.traffic(0.0), some.latency(math.nan, objective=0.3), some.errors(math.nan))),
        State.HEALTHY,
        "medium",
        "3 of 3 pods are ready and nobody asks it anything at the moment.",
    ),
    ("nothing is measured", facts(signals=some.signals()), State.HEALTHY, "medium", "3 of 3 pods are ready."),
    ("there is no Prometheus", facts(signals=None, burns=None), State.HEALTHY, "medium", "3 of 3 pods are ready."),
    (
        "there is neither a cluster nor Prometheus",
        facts(signals=None, burns=None, cluster=None),
        State.HEALTHY,
        "medium",
        "Argo CD calls it Healthy.",
    ),
    (
        "there is nothing at all",
        facts(signals=None, burns=None, cluster=None, application=None, alerts=None),
        State.UNKNOWN,
        "low",
        "Nothing tells how orders-api in production is.",
    ),
    (
        "it is not measured any more",
        facts(signals=some.signals(some.traffic(3.0, end=AT - 1800))),
        State.UNKNOWN,
        "low",
        f"{NOT_ALL}Its requests were measured last 30 minutes ago.",
    ),
    (
        "what the cluster said is old",
        facts(cluster=replace(some.cluster(some.deployment()), at=NOW - timedelta(hours=1))),
        State.UNKNOWN,
        "low",
        f"{NOT_ALL}What the cluster says is 1 hour old.",
    ),
    (
        "a clock that is ahead",
        facts(cluster=replace(some.cluster(some.deployment(3, 3)), at=NOW + timedelta(hours=1))),
        State.HEALTHY,
        "high",
        WELL,
    ),
    (
        "what it depends on is down",
        facts(dependencies=(DependencyFact(service="stock", verdict=judge(_down("stock"))),)),
        State.DEGRADED,
        "medium",
        ("Because of stock, which it depends on: Its pod crashes at start (exit code 1, 4 restarts)."),
    ),
    (
        "it is not known how what it depends on is",
        facts(dependencies=(DependencyFact(service="stock", problem="How stock is, is not known."),)),
        State.UNKNOWN,
        "low",
        f"{NOT_ALL}How stock is, is not known.",
    ),
    (
        "what it depends on does not run here",
        facts(dependencies=(DependencyFact(service="stock", verdict=judge(_nowhere(signals=None))),)),
        State.HEALTHY,
        "high",
        WELL,
    ),
)


@pytest.mark.parametrize(
    ("known", "state", "sure", "sentence"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_a_case_is_told_in_one_sentence(known: HealthFacts, state: State, sure: Sure, sentence: str) -> None:
    verdict = judge(known)
    assert (verdict.deciding.sentence, verdict.state, verdict.sure) == (sentence, state, sure)
    assert judge(known) == verdict
    assert verdict.as_of <= NOW


def test_what_is_worst_decides_and_the_rest_is_told_too() -> None:
    both = judge(facts(alerts=some.alerts(some.alert()), signals=some.signals(some.traffic(12.0), some.errors(0.7))))
    assert [(one.source, one.state) for one in both.because] == [("errors", State.DOWN), ("alerts", State.DEGRADED)]


def test_of_equals_what_tells_the_harm_comes_first() -> None:
    both = judge(
        facts(
            alerts=some.alerts(some.alert()),
            burns=some.burns(20.0, 20.0),
            signals=some.signals(some.traffic(12.0), some.errors(0.1), some.latency(0.8, objective=0.3)),
        )
    )
    assert [one.source for one in both.because] == ["errors", "latency", "burn", "alerts"]


def test_a_verdict_is_as_old_as_its_oldest_fact() -> None:
    known = facts(cluster=replace(some.cluster(some.deployment()), at=NOW - timedelta(minutes=4)))
    assert judge(known).as_of == NOW - timedelta(minutes=4)


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_no_value(odd: float) -> None:
    signal = measured("latency", "latency (p99)", "s", some.course(0.1, odd, 0.2, odd), at=AT, objective=0.15)
    assert [value for _, value in signal.points] == [0.1, 0.2]
    assert (signal.now, signal.breached) == (0.2, True)


def test_a_value_of_long_ago_is_none_of_now() -> None:
    signal = measured("errors", "failing requests", "ratio", some.course(0.9, end=AT - 601), at=AT, objective=0.001)
    assert (signal.now, signal.breached) == (None, False)
    assert signal.last_at == AT - 601
