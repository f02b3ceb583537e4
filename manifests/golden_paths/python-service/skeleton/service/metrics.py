"""Request metrics in Prometheus' text format."""

from __future__ import annotations

from collections import Counter

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counts requests by method, route and status, and how long they took."""

    def __init__(self) -> None:
        self.in_progress = 0
        self._requests: Counter[tuple[str, str, str]] = Counter()
        self._buckets: Counter[tuple[str, str, float]] = Counter()
        self._seconds: Counter[tuple[str, str]] = Counter()
        self._count: Counter[tuple[str, str]] = Counter()

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """`route` is the pattern, never the path: paths without number would make metrics without number."""
        self._requests[method, route, str(status)] += 1
        self._seconds[method, route] += seconds
        self._count[method, route] += 1
        for bound in BUCKETS_S:
            if seconds <= bound:
                self._buckets[method, route, bound] += 1

    def text(self) -> str:
        lines = ["# HELP http_requests_total Requests answered.", "# TYPE http_requests_total counter"]
        for (method, route, status), count in sorted(self._requests.items()):
            lines.append(f"http_requests_total{_labels(method=method, route=route, status=status)} {count}")
        name = "http_request_duration_seconds"
        lines += [f"# HELP {name} Time to answer a request.", f"# TYPE {name} histogram"]
        for (method, route), count in sorted(self._count.items()):
            for bound in BUCKETS_S:
                within = self._buckets[method, route, bound]
                lines.append(f"{name}_bucket{_labels(method=method, route=route, le=str(bound))} {within}")
            lines.append(f"{name}_bucket{_labels(method=method, route=route, le='+Inf')} {count}")
            lines.append(f"{name}_sum{_labels(method=method, route=route)} {self._seconds[method, route]:.6f}")
            lines.append(f"{name}_count{_labels(method=method, route=route)} {count}")
        lines += ["# HELP http_requests_in_progress Requests being answered.", "# TYPE http_requests_in_progress gauge"]
        lines.append(f"http_requests_in_progress {self.in_progress}")
        return "\n".join(lines) + "\n"


def _labels(**labels: str) -> str:
    pairs = (f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return "{" + ",".join(pairs) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
