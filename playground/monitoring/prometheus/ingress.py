"""What the ingress controller has counted: the traffic of living services, and what somebody was said to have asked."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from playground import sample
from playground.kubernetes.controllers.objects import spec_of
from playground.kubernetes.objects import Objects
from playground.monitoring.living import SAMPLES
from playground.monitoring.prometheus.labels import NAME, labelled
from playground.monitoring.prometheus.lives import Life, Stretch
from playground.monitoring.prometheus.requests import failing
from playground.monitoring.prometheus.runs import Telling, counter, grid
from playground.monitoring.prometheus.samples import Formula, Span

REQUESTS = "nginx_ingress_controller_requests"
INGRESSES = ("networking.k8s.io", "ingresses")
JOB = "ingress-nginx"
HOUR_MS = 3_600_000


def hosts_of(life: Life, objects: Objects | None) -> list[str]:
    """Return under which names a service is asked from outside."""
    found = set()
    if life.name in SAMPLES and life.namespace == f"{life.name}-{life.environment}":
        domain = f"{sample.ORGANISATION}.example"
        found.add(f"{life.name}.{domain}" if life.environment == "production" else f"{life.name}.staging.{domain}")
    for ingress in objects.all(INGRESSES, life.namespace) if objects else ():
        if ingress["metadata"]["name"] == life.name:
            found |= {str(rule["host"]) for rule in spec_of(ingress).get("rules") or [] if rule.get("host")}
    return sorted(found)


def ingress_series(telling: Telling, host: str, spans: list[Span]) -> Iterator[Formula]:
    """Yield the requests for one host of a service that people use."""
    life, target = telling.life, grid(JOB)
    labels = {"host": host, "ingress": life.name, "namespace": life.namespace, "service": life.name, "job": JOB}

    def failed(stretch: Stretch) -> float:
        return failing(stretch) if stretch.ready else 1.0

    good = telling.accumulated(lambda stretch: (0.0, 1.0 - failed(stretch)))
    bad = telling.accumulated(lambda stretch: (0.0, failed(stretch)))
    for status, counted in (("200", good), ("500", bad)):
        yield telling.series(REQUESTS, target, spans, counter(counted), **labels, path="/", status=status)


@dataclass(frozen=True, slots=True)
class Use:
    """How a host is asked from one moment on."""

    since: int
    """Milliseconds since 1970."""
    count: float
    """How often it had been asked until then, the requests of that moment included."""
    per_hour: float

    def until(self, moment: int) -> float:
        return self.count + self.per_hour * (moment - self.since) / HOUR_MS


class Asked:
    """Requests that somebody was said to make, such as to a preview. Kept in one file."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._hosts: dict[str, list[Use]] = {}
        if file is not None and file.exists():
            kept = json.loads(file.read_text())
            self._hosts = {host: [Use(**use) for use in uses] for host, uses in kept.items()}

    def add(self, host: str, moment: int, *, count: float = 0, per_hour: float = 0) -> None:
        """Ask so often at once, and so often each hour from now on."""
        uses = self._hosts.setdefault(host, [])
        before = uses[-1].until(moment) if uses else 0.0
        uses.append(Use(moment, before + count, per_hour))
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(
                json.dumps({host: [asdict(use) for use in uses] for host, uses in self._hosts.items()})
            )

    @property
    def hosts(self) -> Sequence[str]:
        return sorted(self._hosts)

    def series(self, host: str, horizon: Callable[[], int]) -> Formula:
        """Return the series of one host. It begins with its first request, as the controller's do."""
        uses = self._hosts[host]

        def value(moment: int, _: int) -> float:
            use = next(use for use in reversed(uses) if use.since <= moment or use is uses[0])
            return float(math.floor(use.until(moment)))

        labels = labelled({NAME: REQUESTS, "host": host, "path": "/asked", "status": "200", "job": JOB})
        return Formula(labels, grid(JOB), [Span(uses[0].since)], value, horizon)
