"""The lines that the living services write: JSON objects, the same each time they are read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from playground.monitoring.living import Living
from playground.monitoring.requests import LONGEST_S, Requests, Span
from playground.monitoring.traffic import share_of

CONFIGURED_EVERY_S = 900.0
SAMPLE_DSN = "postgresql://orders:sample-Pa55w0rd@orders-db:5432/orders"
"""Looks like a secret, and is none: whoever shows lines has to hide it."""
SAMPLE_BEARER = "Bearer c2FtcGxlLXRva2VuLW5vdC1hLXNlY3JldA"


@dataclass(frozen=True, slots=True)
class Line:
    at: int
    """Nanoseconds since 1970."""
    text: str
    labels: Mapping[str, str]


def stream(one: Living, pod: str) -> dict[str, str]:
    """Return the labels of the stream into which a pod writes."""
    return {"namespace": one.namespace, "pod": pod, "container": one.name, "app": one.name}


def lines(requests: Requests, one: Living, begin: int, end: int) -> Iterator[Line]:
    """Yield what a service wrote from `begin` on and before `end` (nanoseconds since 1970), in no order."""
    first, last = begin / 1e9, end / 1e9
    for request in requests.through(one.key, first - LONGEST_S, last):
        for span in request.spans:
            if span.service == one.name and span.kind == "server":
                yield from (line for line in _of(span, one, request.trace_id) if begin <= line.at < end)
    yield from (line for line in _configured(one, first, last) if begin <= line.at < end)


def _of(span: Span, one: Living, trace_id: str) -> Iterator[Line]:
    at = span.begin + span.duration_s
    ids = {"trace_id": trace_id, "span_id": span.id}
    ms = round(span.duration_s * 1000, 1)
    fields = {"method": span.attributes["http.request.method"], "route": span.attributes["http.route"]}
    yield from (
        _line(one, span.pod, at - 0.002, level, message, **ids, **more)
        for level, message, more in _told(span, trace_id)
    )
    yield _line(one, span.pod, at, "info", "request", **ids, **fields, status=span.status, ms=ms)


def _told(span: Span, trace_id: str) -> Iterator[tuple[str, str, dict[str, object]]]:
    """Yield level, message and fields of what a request has to say beside that it came. Messages do not vary; what
    does stands in fields, so that one can count them."""
    kind = span.effect.kind
    if span.failed and kind == "errors" and span.status == 500:
        query = "SELECT id, discount FROM orders WHERE customer = $1"
        yield (
            "error",
            "could not read orders: column orders.discount does not exist",
            {"query": query, "dsn": SAMPLE_DSN},
        )
    elif span.failed and span.status == 502:
        yield "error", f"{span.because}; request failed", {"authorization": SAMPLE_BEARER}
    elif span.failed:
        yield "error", f"request failed: {span.because}", {}
    if kind == "latency":
        yield "warn", "slow request", {"ms": round(span.duration_s * 1000, 1)}
        if share_of(trace_id, "prices") < 0.4:
            yield "error", "price list was not computed in time; using the one of yesterday", {"limit_ms": 1500}
    if kind == "saturation":
        yield "warn", "request waited for a worker", {"queued": 20 + int(share_of(trace_id, "queued") * 40)}
        if share_of(trace_id, "pool") < 0.3:
            yield "error", "worker pool is exhausted", {"workers": 8, "busy": 8}


def _configured(one: Living, begin: float, end: float) -> Iterator[Line]:
    """Yield the line that each pod writes now and then when it has read its configuration."""
    for pod in one.pods:
        shift = share_of("configured", pod) * CONFIGURED_EVERY_S
        for number in range(int((begin - shift) // CONFIGURED_EVERY_S), int((end - shift) // CONFIGURED_EVERY_S) + 1):
            at = number * CONFIGURED_EVERY_S + shift
            if at >= one.since:
                version = one.image.rpartition(":")[2][:12]
                yield _line(one, pod, at, "info", "configuration read", version=version, database=SAMPLE_DSN)


def _line(one: Living, pod: str, at: float, level: str, message: str, **fields: object) -> Line:
    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    told = {"time": moment, "level": level, "service": one.name, "logger": one.name.replace("-", "_")}
    return Line(int(at * 1e6) * 1000, json.dumps({**told, "message": message, **fields}), stream(one, pod))
