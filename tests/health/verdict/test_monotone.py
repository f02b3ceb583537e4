"""One more bad fact never makes a service healthier, and neither does a fact that was not read."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.health.verdict import DependencyFact, HealthFacts, Reading, State, compose, judge
from bot.model.alerts import Severity
from tests.health.verdict import facts as some
from tests.health.verdict.facts import AT, NOW, facts

GOOD: dict[str, list[Any]] = {
    "cluster": [some.cluster(some.deployment(), pods=(some.pod(),)), some.cluster(some.deployment(1, 1))],
    "application": [some.argocd(), some.argocd(health="Progressing"), some.argocd(sync="OutOfSync")],
    "release": [some.release()],
    "signals": [
        some.WELL,
        some.signals(some.traffic(0.0)),
        some.signals(),
        some.signals(some.traffic(3.0), some.errors(0.0), some.latency(*[0.1] * 30)),
    ],
    "burns": [some.burns(0.0, 0.0), some.burns(20.0, 0.0), Reading((), at=NOW)],
    "alerts": [some.alerts(), some.alerts(some.alert(severity=Severity.INFO))],
}
BAD: dict[str, list[Any]] = {
    "cluster": [
        some.cluster(some.deployment(3, 2), pods=(some.crashing("a"), some.pod("b"))),
        some.cluster(some.deployment(3, 0), pods=(some.crashing("a"),)),
        some.cluster(some.deployment(3, 2, conditions=some.deadline_missed())),
        some.cluster(some.deployment(0, 0)),
        some.cluster(),
    ],
    "application": [
        some.argocd(health="Degraded"),
        some.argocd(health="Missing"),
        some.argocd(health="Unknown"),
        some.argocd(conditions=(("InvalidSpecError", "project x which does not exist"),)),
    ],
    "signals": [
        some.signals(some.traffic(3.0), some.errors(0.6)),
        some.signals(some.errors(0.01, objective=0.001)),
        some.signals(some.traffic(3.0), some.latency(*[0.1] * 30, *[2.0] * 3)),
        some.signals(some.latency(2.0, objective=0.3), some.memory(0.99)),
        some.signals(some.traffic(3.0, end=AT - 3600)),
        some.signals(some.traffic(3.0), problems=("Prometheus has answered only in part.",)),
    ],
    "burns": [some.burns(15.0, 15.0), some.burns(1e9, 1e9)],
    "alerts": [
        some.alerts(some.alert()),
        some.alerts(some.alert(severity=Severity.CRITICAL), some.alert("Other", since=NOW - timedelta(days=3))),
    ],
}
UNREAD = {name: some.unread(name) for name in GOOD}
STATES = {
    "down": judge(some.of("stock", facts(cluster=some.cluster(some.deployment(1, 0), pods=(some.crashing(),))))),
    "degraded": judge(some.of("stock", facts(alerts=some.alerts(some.alert())))),
    "unknown": judge(some.of("stock", facts(signals=some.unread("Prometheus")))),
}

part = st.sampled_from(sorted(GOOD))
seen = st.sampled_from(sorted(set(GOOD) - {"release"}))
"""Facts of how it is. Without the release nobody can say whether what is not there should be."""
any_facts = st.builds(
    facts,
    **{name: st.sampled_from([*GOOD[name], *BAD.get(name, ()), UNREAD[name], None]) for name in GOOD},
    dependencies=st.lists(
        st.sampled_from(sorted(STATES)).map(lambda state: DependencyFact(service="stock", verdict=STATES[state])),
        max_size=2,
    ).map(tuple),
)


def _with(known: HealthFacts, name: str, reading: Any) -> HealthFacts:
    changed: dict[str, Any] = {name: reading}
    return replace(known, **changed)


@given(known=any_facts, name=st.sampled_from(sorted(BAD)), data=st.data())
def test_a_fact_that_turns_bad_never_makes_it_healthier(known: HealthFacts, name: str, data: st.DataObject) -> None:
    before = _with(known, name, data.draw(st.sampled_from(GOOD[name])))
    after = _with(known, name, data.draw(st.sampled_from(BAD[name])))
    assert judge(after).state.badness >= judge(before).state.badness


@given(known=any_facts, name=part)
def test_what_is_not_read_is_never_called_healthy(known: HealthFacts, name: str) -> None:
    assert judge(_with(known, name, UNREAD[name])).state is not State.HEALTHY


@given(known=any_facts, name=seen, data=st.data())
def test_a_good_fact_that_is_not_read_never_makes_it_healthier(
    known: HealthFacts, name: str, data: st.DataObject
) -> None:
    before = _with(known, name, data.draw(st.sampled_from(GOOD[name])))
    after = _with(known, name, UNREAD[name])
    assert judge(after).state.badness >= judge(before).state.badness


@given(known=any_facts, severity=st.sampled_from(list(Severity)), ago=st.timedeltas(timedelta(0), timedelta(days=9)))
def test_one_more_alert_never_makes_it_healthier(known: HealthFacts, severity: Severity, ago: timedelta) -> None:
    firing = known.alerts.value if known.alerts is not None else None
    more = some.alerts(*(firing or ()), some.alert("More", severity, since=NOW - ago))
    more = replace(more, problem=known.alerts.problem if known.alerts is not None else "")
    assert judge(replace(known, alerts=more)).state.badness >= judge(known).state.badness


@given(known=any_facts, state=st.sampled_from(sorted(STATES)))
def test_one_more_dependency_in_trouble_never_makes_it_healthier(known: HealthFacts, state: str) -> None:
    more = replace(known, dependencies=(*known.dependencies, DependencyFact(service="other", verdict=STATES[state])))
    assert judge(more).state.badness >= judge(known).state.badness


@given(known=any_facts)
def test_dependencies_alone_never_make_it_worse_than_degraded(known: HealthFacts) -> None:
    alone = judge(replace(known, dependencies=()))
    together = judge(known)
    assert together.state.badness <= max(alone.state.badness, State.DEGRADED.badness)


@given(known=any_facts, share=st.floats(0, 1), more=st.floats(0, 1))
def test_more_failing_requests_never_make_it_healthier(known: HealthFacts, share: float, more: float) -> None:
    def failing(ratio: float) -> HealthFacts:
        return replace(known, signals=some.signals(some.traffic(9.0), some.errors(ratio, objective=0.01)))

    low, high = sorted((share, more))
    assert judge(failing(high)).state.badness >= judge(failing(low)).state.badness


@given(values=st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=80), known=any_facts)
def test_odd_numbers_are_judged_too(values: list[float], known: HealthFacts) -> None:
    odd = some.signals(some.traffic(*values), some.errors(*values), some.latency(*values), some.memory(*values))
    verdict = judge(replace(known, signals=odd))
    assert verdict.deciding.sentence.endswith(".")
    assert "nan" not in verdict.deciding.sentence


names = st.sampled_from("abcde")


@given(
    edges=st.dictionaries(names, st.lists(names, unique=True, max_size=4)),
    bad=st.dictionaries(names, st.sampled_from(BAD["cluster"])),
    worse=names,
)
def test_trouble_travels_along_any_graph_and_ends(edges: dict[str, list[str]], bad: dict[str, Any], worse: str) -> None:
    def verdict(broken: dict[str, Any]) -> State:
        def known(name: str) -> HealthFacts:
            return some.of(name, facts(cluster=broken[name]) if name in broken else facts())

        return compose("a", facts=known, dependencies=lambda name: edges.get(name, ())).state

    assert verdict({**bad, worse: BAD["cluster"][1]}).badness >= verdict({**bad, worse: GOOD["cluster"][0]}).badness
    own = judge(facts(cluster=bad["a"]) if "a" in bad else facts()).state.badness
    assert own <= verdict(bad).badness <= max(own, State.DEGRADED.badness)


def test_the_root_of_a_chain_is_named() -> None:
    needs = {"web": ("orders-api",), "orders-api": ("stock",)}

    def known(name: str) -> HealthFacts:
        crashing = some.cluster(some.deployment(1, 0), pods=(some.crashing(),))
        return some.of(name, facts(cluster=crashing) if name == "stock" else facts())

    verdict = compose("web", facts=known, dependencies=lambda name: needs.get(name, ()))
    assert verdict.state is State.DEGRADED
    assert verdict.deciding.root == "stock"
    assert verdict.deciding.sentence.startswith("Because of stock, which it depends on (through orders-api): ")
    assert verdict.deciding.sentence.count("Because of") == 1
