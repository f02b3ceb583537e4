"""How much has happened until a moment, in closed form: the integral of what happens each second.

So a counter has a value at any time, past or present, and a rate over a month costs no more than one over a minute.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence

from playground.monitoring.traffic import BUSY, DAY_S, share_of

WAVE, RIPPLE = 0.35, 0.06
"""How far the rate of requests moves over the day and within minutes, as `traffic.requests_per_s` has it."""
RIPPLE_S = 540
KEPT = 20_000
Coefficients = tuple[float, float]
"""What is counted for each second, and for each request to the service."""


class Flow:
    """Requests to one service in one environment since 1970: the integral of `traffic.requests_per_s`.

    An environment that nobody is known to use, such as a preview, has none.
    """

    def __init__(self, service: str, environment: str) -> None:
        self.base = BUSY.get(environment, 0.0)
        self._shift = share_of(f"{service}/{environment}") * DAY_S
        self._seen: dict[int, float] = {}

    def until(self, moment: int) -> float:
        """Return how many there were until `moment` (milliseconds since 1970); only differences mean anything."""
        found = self._seen.get(moment)
        if found is None:
            if len(self._seen) >= KEPT:
                self._seen.clear()
            found = self._seen[moment] = self.base * self._integral(moment / 1000)
        return found

    def _integral(self, at: float) -> float:
        moved = at + self._shift
        day, ripple = 2 * math.pi / DAY_S, 2 * math.pi / RIPPLE_S
        slower, faster = ripple - day, ripple + day
        both = math.sin(slower * moved) / slower - math.sin(faster * moved) / faster
        return (
            at
            - WAVE * math.cos(day * moved) / day
            - RIPPLE * math.cos(ripple * moved) / ripple
            + WAVE * RIPPLE / 2 * both
        )


class Accumulated:
    """What has come together until a moment, where the coefficients change from stretch to stretch.

    Stretches are only ever added at the end, so sums up to the last one are kept.
    """

    __slots__ = ("_begins", "_coefficients", "_factors", "_flow", "_origins", "_sums")

    def __init__(self, begins: Sequence[int], flow: Flow, coefficients: Callable[[int], Coefficients]) -> None:
        """`begins` grows elsewhere; `coefficients` takes the number of a stretch."""
        self._begins = begins
        self._flow = flow
        self._coefficients = coefficients
        self._sums: list[float] = []
        self._factors: list[Coefficients] = []
        self._origins: dict[int, float] = {}

    def until(self, moment: int) -> float:
        while len(self._sums) < len(self._begins):
            self._extend()
        index = bisect_right(self._begins, moment) - 1
        return self._sums[index] + self._since(index, moment) if index >= 0 else 0.0

    def between(self, begin: int, moment: int) -> float:
        origin = self._origins.get(begin)
        if origin is None:
            origin = self._origins[begin] = self.until(begin)
        return self.until(moment) - origin

    def _extend(self) -> None:
        index = len(self._sums)
        before = self._sums[-1] + self._since(index - 1, self._begins[index]) if index else 0.0
        self._sums.append(before)
        self._factors.append(self._coefficients(index))

    def _since(self, index: int, moment: int) -> float:
        begin, (each_second, each_request) = self._begins[index], self._factors[index]
        found = each_second * (moment - begin) / 1000
        if each_request:
            found += each_request * (self._flow.until(moment) - self._flow.until(begin))
        return found


SIGMA = 0.35
"""How far durations spread around their median: standard deviation of their logarithm."""
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Buckets of the golden paths' services, in seconds."""
DELAYS: Mapping[float, float] = {0.6: 0.25, 1.0: 0.5, 1.4: 0.25}
"""How much of an incident's delay a request suffers → the share of requests that do so."""


def share_within(bound: float, median: float, delay: float) -> float:
    """Return the share of requests that take no longer than `bound`. All in seconds."""
    if not delay:
        return _usual_share(bound, median)
    return sum(share * _usual_share(bound - part * delay, median) for part, share in DELAYS.items())


def _usual_share(bound: float, median: float) -> float:
    if bound <= 0:
        return 0.0
    return 0.5 * math.erfc(-math.log(bound / median) / (SIGMA * math.sqrt(2)))


def mean_duration(median: float, delay: float) -> float:
    return median * math.exp(SIGMA**2 / 2) + delay
