"""What the ingress controller has counted: the traffic of living services, and what somebody was said to have asked."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
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


class Asked:
    """Requests that somebody was said to have made, such as to a preview. Kept in one file."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._hosts: dict[str, tuple[list[int], list[int]]] = {}
        """Host → when, and how many until then."""
        if file is not None and file.exists():
            self._hosts = {host: (times, counts) for host, (times, counts) in json.loads(file.read_text()).items()}

    def add(self, host: str, count: int, moment: int) -> None:
        times, counts = self._hosts.setdefault(host, ([], []))
        times.append(moment)
        counts.append((counts[-1] if counts else 0) + count)
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(json.dumps(self._hosts))

    @property
    def hosts(self) -> Sequence[str]:
        return sorted(self._hosts)

    def series(self, host: str, horizon: Callable[[], int]) -> Formula:
        """Return the series of one host. It begins with its first request, as the controller's do."""
        times, counts = self._hosts[host]

        def value(moment: int, _: int) -> float:
            index = bisect_right(times, moment)
            return float(counts[index - 1]) if index else 0.0

        labels = labelled({NAME: REQUESTS, "host": host, "path": "/asked", "status": "200", "job": JOB})
        return Formula(labels, grid(JOB), [Span(times[0])], value, horizon)
