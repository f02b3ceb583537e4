"""Down the critical path: the deepest span that explains most of the time, or where it failed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.explaining.spans import telling_span
from bot.ports.traces import Span, Trace

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


def span(id: str, parent: str, begin: float, seconds: float, *, failed: bool = False) -> Span:  # noqa: A002  # its name
    return Span(
        id=id,
        parent=parent,
        service=f"service-{id}",
        name=f"GET /{id}",
        begin=NOON + timedelta(seconds=begin),
        duration_s=seconds,
        failed=failed,
    )


def trace(*spans: Span) -> Trace:
    return Trace("t1", spans)


def test_it_is_the_deepest_that_explains_at_least_half() -> None:
    found = telling_span(
        trace(
            span("web", "", 0, 1.0),
            span("api", "web", 0.05, 0.9),
            span("db", "api", 0.1, 0.8),
            span("x", "db", 0.1, 0.1),
        )
    )
    assert found is not None
    assert (found.span.id, found.failed) == ("db", False)
    assert found.share == pytest.approx(0.8)


def test_where_no_part_explains_half_the_whole_does() -> None:
    found = telling_span(trace(span("web", "", 0, 1.0), span("a", "web", 0, 0.4), span("b", "web", 0.4, 0.4)))
    assert found is not None
    assert (found.span.id, found.share) == ("web", 1.0)


def test_what_ran_beside_what_was_waited_for_explains_nothing() -> None:
    beside = span("beside", "web", 0, 0.85)
    found = telling_span(trace(span("web", "", 0, 1.0), beside, span("slow", "web", 0.05, 0.95)))
    assert found is not None
    assert found.span.id == "slow"


def test_a_clock_that_disagrees_cannot_make_a_part_longer_than_the_whole() -> None:
    found = telling_span(trace(span("web", "", 0, 1.0), span("api", "web", -100, 300.0)))
    assert found is not None
    assert found.span.id == "api"
    assert [found.seconds, found.share] == pytest.approx([1.0, 1.0])


def test_a_failure_is_followed_to_where_it_began_and_to_the_last_try() -> None:
    found = telling_span(
        trace(
            span("web", "", 0, 1.0, failed=True),
            span("try1", "web", 0, 0.6, failed=True),
            span("try2", "web", 0.6, 0.2, failed=True),
            span("db", "try2", 0.6, 0.1, failed=True),
            span("slow", "web", 0.1, 0.9),
        )
    )
    assert found is not None
    assert (found.span.id, found.failed) == ("db", True)


def test_what_failed_below_a_request_that_succeeded_is_no_failure() -> None:
    found = telling_span(trace(span("web", "", 0, 1.0), span("api", "web", 0, 0.9, failed=True)))
    assert found is not None
    assert (found.span.id, found.failed) == ("api", False)


def test_what_is_left_of_a_trace_is_told_of() -> None:
    assert telling_span(trace()) is None
    assert telling_span(trace(span("web", "", 0, 0.0))) is None
    orphan = telling_span(trace(span("api", "lost", 0, 1.0), span("db", "api", 0, 0.9)))
    assert orphan is not None
    assert orphan.span.id == "db"


IDS = st.sampled_from(["", "a", "b", "c", "d", "e"])
SPANS = st.builds(span, IDS, IDS, st.floats(-5, 5), st.floats(0, 10), failed=st.booleans())


@given(st.lists(SPANS, max_size=12))
def test_loops_and_doubles_end_and_the_share_is_one(spans: list[Span]) -> None:
    found = telling_span(Trace("t", tuple(spans)))
    if found is not None:
        assert 0.0 <= found.share <= 1.0
        assert found.span in spans


def test_a_chain_of_thousands_is_followed() -> None:
    chain = [span(str(n), str(n - 1) if n else "", 0, 1.0) for n in range(5_000)]
    found = telling_span(trace(*chain))
    assert found is not None
    assert found.span.id == "4999"
