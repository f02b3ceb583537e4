"""What a service promises, as numbers to reckon with: the one source of alerts, verdicts, charts and dashboards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from bot.model.web_service.slo import Slo, seconds_of
from bot.model.web_service.spec import Spec


@dataclass(frozen=True, slots=True)
class Objective:
    kind: Literal["availability", "latency"]
    target: Decimal
    """The share of requests that must be good, from 0 to 1."""
    below_s: float | None
    """Of latency: within so many seconds. A bound of the histogram's buckets."""
    window: timedelta
    asked_s: float | None = None
    """Of latency: the seconds that the document says; `below_s` is the first bucket that is not shorter."""

    @property
    def budget(self) -> Decimal:
        """The share of requests that may be bad, from 0 to 1; never 0."""
        return 1 - self.target


def objectives_of(spec: Spec, default: Slo | None = None) -> tuple[Objective, ...]:
    """Return the objectives of a service, availability first.

    `spec` is the one that counts in an environment. `default` is the platform's (`platform.slo`), for a service that
    says nothing itself. What takes no requests, or whose metrics are not read, has none.
    """
    slo = spec.slo if spec.slo is not None else default
    if slo is None or not slo.promises or not measured(spec):
        return ()
    found: list[Objective] = []
    if slo.availability is not None:
        found.append(Objective("availability", fraction(slo.availability), None, slo.span))
    if slo.latency is not None:
        asked = seconds_of(slo.latency.below)
        taken = bucket_for(asked, spec.metrics.buckets)
        if taken is not None:
            found.append(Objective("latency", fraction(slo.latency.target), taken, slo.span, asked))
    return tuple(found)


def measured(spec: Spec) -> bool:
    """Say whether requests to the service are counted at all."""
    return spec.schedule is None and not spec.worker and bool(spec.ports) and spec.metrics.enabled


def fraction(percent: float) -> Decimal:
    """99.9 → 0.999, exactly."""
    return Decimal(str(percent)) / 100


def bucket_for(seconds: float, buckets: Sequence[float]) -> float | None:
    """Return the first bound that is not below; None where all are shorter, and nothing would be measured."""
    return next((bound for bound in sorted(buckets) if bound >= seconds), None)
