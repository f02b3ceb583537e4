"""What a service tells of its requests, as the golden paths' services do."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from playground.monitoring.prometheus.flows import BOUNDS, Accumulated, Coefficients, mean_duration, share_within
from playground.monitoring.prometheus.lives import Stretch
from playground.monitoring.prometheus.runs import Portion, Run, Telling, Value, counter, grid
from playground.monitoring.prometheus.samples import Formula
from playground.monitoring.traffic import USUAL_ERRORS, Route, routes

UNKNOWN = Route("GET", "unknown", 0.005, 0.002)
"""Requests for what is not there."""
REQUESTS, DURATION, IN_PROGRESS = "http_requests_total", "http_request_duration_seconds", "http_requests_in_progress"


def request_series(telling: Telling, run: Run) -> Iterator[Formula]:
    life = telling.life
    target = grid(life.namespace, run.name)
    common = {"namespace": life.namespace, "service": life.name, "pod": run.name, "job": life.name}
    for route in (*routes(life.name), UNKNOWN):
        yield from _RouteSeries(telling, run, route).series(common)
    yield telling.series(IN_PROGRESS, target, run.answers, _in_progress(telling, run), **common)
    yield telling.state("up", target, run.exists, lambda stretch: float(_part(stretch, run) > 0), **common)


def _part(stretch: Stretch, run: Run) -> float:
    """Return which part of the requests goes to this pod: all that are ready get alike."""
    pod = stretch.pod(run.name)
    return 1 / stretch.ready if pod is not None and pod.ready else 0.0


def failing(stretch: Stretch) -> float:
    return min(1.0, USUAL_ERRORS + stretch.effect.error_share)


class _RouteSeries:
    def __init__(self, telling: Telling, run: Run, route: Route) -> None:
        self._telling = telling
        self._run = run
        self._route = route
        self._good = self._of(lambda stretch: 1.0 - self._failing(stretch))
        self._bad = self._of(self._failing)

    def _failing(self, stretch: Stretch) -> float:
        return 0.0 if self._route is UNKNOWN else failing(stretch)

    def _of(self, share: Callable[[Stretch], float]) -> Accumulated:
        """Count a share of the route's requests to this pod."""

        def coefficients(stretch: Stretch) -> Coefficients:
            return 0.0, self._route.share * _part(stretch, self._run) * share(stretch)

        return self._telling.accumulated(coefficients)

    def series(self, common: dict[str, str]) -> Iterator[Formula]:
        telling, spans, route = self._telling, self._run.answers, self._route
        target = grid(telling.life.namespace, self._run.name)
        labels = common | {"method": route.method, "route": route.path}
        for status, counted in self._statuses().items():
            yield telling.series(REQUESTS, target, spans, counter(counted), **labels, status=status)
        everything = counter(self._good, self._bad)
        for bound in BOUNDS:
            value = self._within(bound, everything).value
            yield telling.series(f"{DURATION}_bucket", target, spans, value, **labels, le=str(bound))
        yield telling.series(f"{DURATION}_bucket", target, spans, everything, **labels, le="+Inf")
        yield telling.series(f"{DURATION}_count", target, spans, everything, **labels)
        total = self._of(lambda stretch: mean_duration(route.latency_s, stretch.effect.extra_latency_s))
        yield telling.series(f"{DURATION}_sum", target, spans, lambda at, begin: total.between(begin, at), **labels)

    def _statuses(self) -> dict[str, Accumulated]:
        if self._route is UNKNOWN:
            return {"404": self._good}
        return {"201" if self._route.method == "POST" else "200": self._good, "500": self._bad}

    def _within(self, bound: float, everything: Value) -> Portion:
        def share(index: int) -> float:
            effect = self._telling.life.stretches[index].effect
            return share_within(bound, self._route.latency_s, effect.extra_latency_s)

        return Portion(self._telling.life.begins, everything, share)


def _in_progress(telling: Telling, run: Run) -> Callable[[int, int], float]:
    """By Little's law: what arrives each second times how long it stays, and the chance of a moment."""
    usual = routes(telling.life.name)

    def value(moment: int, _: int) -> float:
        stretch = telling.stretch_at(moment)
        rate = telling.flow.until(moment + 500) - telling.flow.until(moment - 500)
        stay = sum(one.share * mean_duration(one.latency_s, stretch.effect.extra_latency_s) for one in usual)
        chance = ((moment * 2654435761) >> 7) % 997 / 997
        return float(math.floor(rate * _part(stretch, run) * stay + chance))

    return value
