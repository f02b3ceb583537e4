"""What Prometheus has counted at the ingress controller."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from string import Template

from bot.errors import BadQuery, TooMuch, UpstreamUnavailable
from bot.ports import Clock, Measured, Metrics

SHORTEST_S = 300
"""A range below a few scrapes would hold no two samples, in seconds."""
QUERY = Path(__file__).resolve().parents[2] / "manifests" / "queries" / "ingress_requests.promql"


class PrometheusTraffic:
    """Satisfies `bot.ports.Traffic`."""

    def __init__(self, metrics: Metrics, *, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock
        self._query = Template(QUERY.read_text())

    async def requests_since(self, hosts: Collection[str], since: datetime) -> int | None:
        now = self._clock()
        seconds = max(int((now - since).total_seconds()), SHORTEST_S)
        query = self._query.substitute(hosts=matcher(hosts), range=f"{seconds}s")
        try:
            return _sum(await self._metrics.at(query, now))
        except (BadQuery, TooMuch) as error:  # ours: who looks whether a preview is used cannot mend it
            raise UpstreamUnavailable("Prometheus could not answer a query.") from error


def matcher(hosts: Collection[str]) -> str:
    """Return a regular expression that fits exactly these names, as PromQL writes a text: nothing can break out."""
    return json.dumps("|".join(re.escape(host) for host in sorted(hosts)))


def _sum(found: Measured) -> int | None:
    """Return the value of the one series there is, rounded up: a part of a request is one."""
    if not found.series:
        return None
    [*_, (_, value)] = found.series[0].points or ((0.0, math.nan),)
    if not math.isfinite(value):
        raise UpstreamUnavailable("Prometheus gave an answer that I cannot read.")
    return math.ceil(value)
