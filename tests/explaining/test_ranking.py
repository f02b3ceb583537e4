"""The ranking is fair: order changes nothing, more evidence never lowers, nothing is named that is no fact, and what
came after the symptom is never its cause."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from bot.explaining.facts import SKEW, AlertSeen, Case, Changed, Exemplar, Moved, NewLine, Trouble
from bot.explaining.ranking import causes
from bot.explaining.wording import headline, walk
from tests.explaining.test_stories import NOW, PATHS, TEN, slow

SERVICES = st.sampled_from(["checkout-web", "orders-api", "stock-api"])
NEAR = st.integers(-400, 400).map(lambda number: TEN + timedelta(minutes=number))
TEXTS = st.text(max_size=30)

MOVES = st.builds(
    lambda service, kind, since, worst: slow(service, since, kind=kind, worst=worst, name=kind),
    SERVICES,
    st.sampled_from(["latency", "errors", "saturation", "traffic"]),
    NEAR,
    st.floats(0, 1e6),
)
CHANGES = st.builds(
    Changed,
    service=SERVICES,
    kind=st.sampled_from(["deploy", "scale", "config", "pin", "restart", "database", "other"]),
    at=NEAR,
    what=TEXTS,
    by=TEXTS,
    fewer=st.booleans(),
)
TROUBLES = st.builds(
    Trouble,
    service=SERVICES,
    kind=st.sampled_from(["node", "disk", "memory", "crash", "pods", "database", "quota"]),
    what=TEXTS,
    sentence=TEXTS,
    at=st.one_of(st.none(), NEAR),
)
ALERTS = st.builds(AlertSeen, service=SERVICES, title=TEXTS, at=NEAR)
LINES = st.builds(NewLine, service=SERVICES, pattern=TEXTS, example=TEXTS, count=st.integers(1, 99))
TRACES = st.builds(
    Exemplar,
    trace=TEXTS,
    duration_s=st.floats(0.001, 60),
    span_service=SERVICES,
    span=TEXTS,
    span_s=st.floats(0, 60),
    share=st.floats(0, 1),
    failed=st.booleans(),
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    moves = draw(st.lists(MOVES, max_size=5))
    return Case(
        service="checkout-web",
        environment="production",
        now=NOW,
        moved=tuple(one for one in moves if one.service == "checkout-web"),
        beside=tuple(one for one in moves if one.service != "checkout-web"),
        changes=tuple(draw(st.lists(CHANGES, max_size=5, unique_by=lambda one: (one.service, one.what, one.at)))),
        troubles=tuple(draw(st.lists(TROUBLES, max_size=3))),
        alerts=tuple(draw(st.lists(ALERTS, max_size=3))),
        lines=tuple(draw(st.lists(LINES, max_size=3))),
        exemplar=draw(st.one_of(st.none(), TRACES)),
        paths={**PATHS, "stock-api": ("checkout-web", "orders-api", "stock-api")},
    )


@given(seen=cases(), turned=st.randoms(use_true_random=False))
def test_the_order_of_facts_changes_nothing(seen: Case, turned: Random) -> None:
    def mixed(facts: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(turned.sample(facts, len(facts)))

    other = replace(
        seen,
        moved=(*seen.moved[:1], *mixed(seen.moved[1:])),  # type: ignore[arg-type]  # the same facts
        beside=mixed(seen.beside),  # type: ignore[arg-type]
        changes=mixed(seen.changes),  # type: ignore[arg-type]
        troubles=mixed(seen.troubles),  # type: ignore[arg-type]
        alerts=mixed(seen.alerts),  # type: ignore[arg-type]
        lines=mixed(seen.lines),  # type: ignore[arg-type]
    )
    found, again = causes(seen), causes(other)
    assert [(one.what, one.points, one.likely, one.why) for one in found] == [
        (one.what, one.points, one.likely, one.why) for one in again
    ]
    assert headline(seen, found) == headline(other, again)


@given(seen=cases(), lines=st.lists(LINES, max_size=3), alerts=st.lists(ALERTS, max_size=3), trace=TRACES)
def test_more_evidence_never_lowers(seen: Case, lines: list[NewLine], alerts: list[AlertSeen], trace: Exemplar) -> None:
    if seen.symptom is None:
        return  # an alert is the symptom then, and another symptom has other causes
    more = replace(
        seen,
        lines=(*seen.lines, *lines),
        alerts=(*seen.alerts, *alerts),
        exemplar=seen.exemplar or trace,
    )
    points = {_name(one): one.points for one in causes(more)}
    lowest = min(points.values(), default=0)
    for one in causes(seen):
        assert points.get(_name(one), lowest) >= one.points


@given(seen=cases())
def test_every_cause_is_a_fact_and_none_comes_after_the_symptom(seen: Case) -> None:
    for one in causes(seen):
        facts = [one.change in seen.changes, one.trouble in seen.troubles, one.surge in (*seen.moved, *seen.beside)]
        depends = one.kind == "dependency" and one.service in {moved.service for moved in seen.beside}
        assert any(facts) or depends
        if one.change is not None:
            assert seen.since is not None
            assert one.change.at <= seen.since + SKEW
            assert one.change.kind not in ("pin", "other")


@given(seen=cases())
def test_any_case_can_be_told(seen: Case) -> None:
    found = causes(seen)
    assert headline(seen, found)
    for heading, lines in walk(seen, found):
        assert heading
        assert lines


def _name(cause: object) -> tuple[object, ...]:
    return tuple(getattr(cause, name) for name in ("kind", "service", "what", "at", "change", "trouble", "surge"))


def test_moves_of_the_asked_service_are_not_mistaken_for_its_dependencies() -> None:
    seen: Moved = slow()
    assert causes(Case(service="checkout-web", environment="production", now=NOW, moved=(seen,))) == ()
