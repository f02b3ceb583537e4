"""Every system is asked at once, each in its own time; what has not arrived is named and never called healthy."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.errors import BadQuery, Refused, UpstreamUnavailable
from bot.health.verdict import State
from bot.model.alerts import Alert as KnownAlert
from bot.model.alerts import AlertGroup, AlertState, Severity
from bot.observing import Look, look, observe
from bot.observing.signals import points_of
from bot.ports import FiringAlert, FiringGroup, Measured
from tests.commands.running import CRASHING
from tests.fakes.metrics import measured
from tests.observing.scene import NOW, PROMISES, Scene, bell, hold, scene

__all__ = ["bell"]


METHODS = {
    "metrics": ("at", "over"),
    "alerts": ("groups",),
    "book": ("firing",),
    "deployments": ("application",),
    "cluster": ("list",),
    "forge": ("file",),
}
"""What is asked of each system."""


async def _well() -> Scene:
    made = await scene()
    made.runs("orders-api", "production")
    made.promises("production", slo=PROMISES)
    made.measures("orders-api", "production")
    return made


def _firing(service: str = "orders-api", **labels: str) -> FiringGroup:
    told = {"alertname": "HighLatency", "service": service, "severity": "critical", **labels}
    alert = FiringAlert("f1", told, {"summary": "It is slow"}, NOW - timedelta(minutes=7))
    return FiringGroup({"service": service}, "causeway", (alert,))


async def test_what_is_well_is_seen_from_all_sides() -> None:
    made = await _well()
    seen = await observe(made.place(), made.deps, NOW)
    assert seen.rest is None
    verdict = seen.verdict
    assert (verdict.state, verdict.sure, verdict.missing) == (State.HEALTHY, "high", ())
    assert [(one.name, one.objective) for one in verdict.signals] == [
        ("requests", None),
        ("failing requests", pytest.approx(0.001)),
        ("latency (p99)", 0.25),
    ]
    change = seen.facts.change
    assert change is not None
    assert change.value is not None
    assert (change.value.by, change.value.is_deploy) == ("author", True)


@pytest.mark.parametrize(
    ("system", "told"),
    [
        ("metrics", "Prometheus has not answered yet."),
        ("alerts", "Alertmanager has not answered yet."),
        ("book", "My record of alerts has not answered yet."),
        ("deployments", "Argo CD has not answered yet."),
        ("cluster", "The cluster has not answered yet."),
        ("forge", "Git has not answered yet."),
    ],
)
async def test_a_slow_system_delays_no_other(system: str, told: str, bell: asyncio.Event) -> None:
    made = await _well()
    answers = hold(getattr(made, system), *METHODS[system])
    seen = await observe(made.place(), made.deps, NOW)
    assert bell.is_set()
    assert (seen.verdict.state, seen.verdict.sure) == (State.UNKNOWN, "low")
    assert told in seen.verdict.missing
    assert seen.rest is not None
    answers.set()
    whole = await seen.rest()
    assert (whole.verdict.state, whole.verdict.missing, whole.rest) == (State.HEALTHY, (), None)


async def test_a_system_that_is_not_there_is_not_spoken_of() -> None:
    made = await _well()
    bare = replace(made.deps, metrics=None, alerts=None, alert_book=None, clusters={})
    verdict = (await observe(made.place(), bare, NOW)).verdict
    assert (verdict.state, verdict.missing) == (State.HEALTHY, ())
    assert verdict.deciding.sentence == "Argo CD calls it Healthy."


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (UpstreamUnavailable("Prometheus answered 503."), "Prometheus answered 503."),
        (Refused("Prometheus refuses our token."), "Prometheus refuses our token."),
        (BadQuery("Prometheus cannot read the query."), "Prometheus cannot read the query."),
    ],
)
async def test_a_system_that_says_no_is_quoted(error: Exception, told: str) -> None:
    made = await _well()
    made.metrics.answers("", error)
    verdict = (await observe(made.place(), made.deps, NOW)).verdict
    assert verdict.state is State.UNKNOWN
    assert told in verdict.missing


async def test_a_defect_of_ours_hides_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    made = await scene()
    made.runs("orders-api", "production", ready=0, pods=[CRASHING])
    made.metrics.answers("", ZeroDivisionError("ours"))
    verdict = (await observe(made.place(), made.deps, NOW)).verdict
    assert verdict.state is State.DOWN
    assert any("our fault" in one for one in verdict.missing)
    assert "ours" not in " ".join(verdict.missing)
    assert "observation_failed" in caplog.text


async def test_a_crashing_pod_is_looked_at_closely() -> None:
    made = await scene()
    made.runs("orders-api", "production", ready=1, pods=[CRASHING])
    made.promises("production")
    verdict = (await observe(made.place(), made.deps, NOW)).verdict
    assert verdict.state is State.DEGRADED
    assert verdict.deciding.sentence == "1 of 2 pods crashes at start (exit code 1, 4 restarts)."


async def test_what_it_writes_is_not_told_to_everybody() -> None:
    made = await scene()
    made.runs("orders-api", "production", ready=0, pods=[CRASHING])
    made.cluster.logs["orders-api-production", "orders-api-0"] = ["customer 4711 is not known"]
    seen = await observe(made.place(), made.deps, NOW)
    assert seen.verdict.state is State.DOWN
    assert "4711" not in repr(seen)


async def test_signals_are_held_to_what_is_promised_even_by_another_quantile() -> None:
    made = await _well()
    made.promises("production", slo={"latency": {"target": 95, "below": "100ms"}})
    made.metrics.answers(lambda query: query.startswith("histogram_quantile(\n  0.95"), 0.2)
    verdict = (await observe(made.place(), made.deps, NOW)).verdict
    assert verdict.deciding.sentence == "Its latency (p95) is 200 ms; its objective is 100 ms."


async def test_a_burning_budget_is_seen() -> None:
    made = await _well()
    made.metrics.answers(lambda query: query.rstrip().endswith("/ 0.001"), 20.0)
    verdict = (await observe(made.place(), made.deps, NOW)).verdict
    assert [one.source for one in verdict.because] == ["burn", "burn"]


async def test_a_partial_answer_is_named() -> None:
    made = await _well()
    made.metrics.answers("sum(rate", measured(({}, [(NOW.timestamp(), 3.0)]), warnings=("a store is away",)))
    verdict = (await observe(made.place(), made.deps, NOW)).verdict
    assert verdict.missing == ("Prometheus has answered only in part.",)


async def test_no_traffic_leaves_no_latency() -> None:
    made = await _well()
    made.measures("orders-api", "production", rate=0.0, p99=float("nan"))
    made.metrics.answers(lambda query: query.startswith("(\n    sum"), Measured())
    verdict = (await observe(made.place(), made.deps, NOW)).verdict
    assert (verdict.state, verdict.sure) == (State.HEALTHY, "medium")
    assert [one.kind for one in verdict.signals] == ["traffic"]


async def test_alerts_count_where_they_are_about() -> None:
    made = await _well()
    made.alerts.fire(_firing(environment="staging"), _firing("checkout-web"), _firing(namespace="orders-api-staging"))
    assert (await observe(made.place(), made.deps, NOW)).verdict.state is State.HEALTHY
    made.alerts.fire(_firing(environment="production"))
    verdict = (await observe(made.place(), made.deps, NOW)).verdict
    assert verdict.deciding.sentence == "The alert HighLatency has fired for 7 minutes: It is slow."


async def test_an_alert_of_the_book_and_of_alertmanager_is_one() -> None:
    made = await _well()
    labels = {"alertname": "HighLatency"}
    known = KnownAlert(fingerprint="f1", name="HighLatency", state=AlertState.FIRING, starts_at=NOW, labels=labels)
    made.book.put(
        AlertGroup(
            id="ag-1",
            key="k",
            state=AlertState.FIRING,
            title="HighLatency",
            severity=Severity.CRITICAL,
            service="orders-api",
            environment="production",
            channel="C1",
            alerts=(known,),
            firing=1,
            total=1,
            started_at=NOW - timedelta(minutes=7),
        )
    )
    made.alerts.fire(_firing(environment="production"))
    seen = await observe(made.place(), made.deps, NOW)
    assert seen.facts.alerts is not None
    assert seen.facts.alerts.value is not None
    assert [one.group for one in seen.facts.alerts.value] == ["ag-1"]


async def test_the_trouble_of_a_dependency_is_told_as_its_own() -> None:
    made = await _well()
    made.runs("checkout-web", "production")
    made.measures("checkout-web", "production")
    made.measures("orders-api", "production", p99=0.9)
    verdict = (await observe(made.place("checkout-web"), made.deps, NOW)).verdict
    assert verdict.state is State.DEGRADED
    assert verdict.deciding.sentence == (
        "Because of orders-api, which it depends on: Its latency (p99) is 900 ms; its objective is 250 ms."
    )


async def test_what_git_said_before_counts_while_it_is_away() -> None:
    made = await _well()
    await observe(made.place(), made.deps, NOW)
    made.forge.faults.refuse("file", UpstreamUnavailable("The forge does not answer."), times=9)
    made.measures("orders-api", "production", p99=0.9)
    verdict = (await observe(made.place(), made.deps, NOW)).verdict
    assert verdict.deciding.sentence == "Its latency (p99) is 900 ms; its objective is 250 ms."
    assert verdict.missing == ()


async def test_nothing_is_asked_twice() -> None:
    made = await _well()
    made.runs("checkout-web", "production")
    await observe(made.place("checkout-web"), made.deps, NOW)
    asked = [(one.method, one.query, one.begin) for one in made.metrics.asked]
    assert len(asked) == len(set(asked))


async def test_what_was_asked_for_comes_before_what_it_depends_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "MOST_PLACES", 2)
    made = await _well()
    for where in ("staging", "production"):
        made.runs("checkout-web", where)
    places = [made.place("checkout-web", "staging"), made.place("checkout-web", "production")]
    seen = Look(made.deps, NOW)
    seen.begin(places)
    await seen.rest()
    assert [seen.knows(place) for place in places] == [True, True]
    assert not seen.knows(made.place("orders-api"))
    assert seen.verdict(places[1]).state is State.HEALTHY


async def test_a_verdict_is_made_anew_once_more_has_arrived(bell: asyncio.Event) -> None:
    made = await _well()
    answers = hold(made.metrics, "at", "over")
    seen = Look(made.deps, NOW)
    seen.begin([made.place()])
    await seen.arrive()
    first = seen.verdict(made.place())
    assert seen.verdict(made.place()) is first
    answers.set()
    await seen.rest()
    assert (first.state, seen.verdict(made.place()).state) == (State.UNKNOWN, State.HEALTHY)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_several_series_the_highest_number_counts_whatever_has_none(order: tuple[int, int]) -> None:
    several = [({"route": "/a"}, [(1.0, 0.4), (2.0, 0.1)]), ({"route": "/b"}, [(1.0, math.nan), (2.0, 0.3)])]
    assert points_of(measured(*(several[one] for one in order))) == ((1.0, 0.4), (2.0, 0.3))


@pytest.mark.parametrize(("spent", "state"), [(0.0, State.UNKNOWN), (20.0, State.DEGRADED)])
async def test_a_budget_that_was_read_in_part_is_not_called_well(spent: float, state: State) -> None:
    made = await _well()
    made.metrics.answers("/ 0.001", measured(({}, [(NOW.timestamp(), spent)]), warnings=("one store is away",)))
    seen = (await observe(made.place(), made.deps, NOW)).verdict
    assert seen.state is state
    assert (seen.missing == ("Prometheus has answered only in part.",)) is (state is State.UNKNOWN)
