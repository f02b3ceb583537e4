"""Spans, sent by OTLP over HTTP (JSON) where `OTEL_EXPORTER_OTLP_ENDPOINT` is set.

Sending happens in a thread of its own, from a queue with an end. What does not fit is dropped: no request ever waits
for a collector, or fails because of one.
"""

from __future__ import annotations

import http.client
import json
import logging
import queue
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Thread
from urllib.parse import unquote, urlsplit

from service import logs

log = logging.getLogger(__name__)

MOST_WAITING = 2000
"""Spans in the queue."""
MOST_TOGETHER = 200
"""Spans in one request to the collector."""
GATHER_S = 1.0
"""How long spans are gathered for one request, in seconds."""
TIMEOUT_S = 5.0
INTERNAL, SERVER = 1, 2
"""Kinds of spans, by OTLP's numbers."""
FAILED = 2
"""OTLP's number for the status of a span that failed."""


class Traces:
    """Takes spans. Without an address it takes none."""

    def __init__(self, url: str = "", resource: Mapping[str, str] | None = None) -> None:
        self.dropped = 0
        self._url = url
        self._resource = dict(resource or {})
        self._queue: queue.Queue[dict | None] = queue.Queue(MOST_WAITING)
        self._thread = Thread(target=self._run, name="traces", daemon=True) if url else None
        if self._thread is not None:
            self._thread.start()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], name: str) -> Traces:
        """Read the variables of OpenTelemetry; `name` is the service's where they do not say it."""
        base = environment.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").rstrip("/")
        url = environment.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "") or (f"{base}/v1/traces" if base else "")
        if not _is_address(url) or environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
            url = ""
        resource = {"service.name": name}
        for pair in environment.get("OTEL_RESOURCE_ATTRIBUTES", "").split(","):
            key, equals, value = pair.partition("=")
            if equals and key.strip():
                resource[unquote(key.strip())] = unquote(value.strip())
        if environment.get("OTEL_SERVICE_NAME"):
            resource["service.name"] = environment["OTEL_SERVICE_NAME"]
        return cls(url, resource)

    def record(
        self,
        trace: logs.Trace,
        name: str,
        *,
        kind: int,
        began_ns: int,
        seconds: float,
        failed: bool = False,
        attributes: Mapping[str, str | int] | None = None,
    ) -> None:
        """Take a span that has ended. `began_ns` is nanoseconds since 1970."""
        if self._thread is None or not trace.sampled:
            return
        span = {
            "traceId": trace.trace_id,
            "spanId": trace.span_id,
            "parentSpanId": trace.parent_id,
            "name": name,
            "kind": kind,
            "startTimeUnixNano": str(began_ns),
            "endTimeUnixNano": str(began_ns + round(seconds * 1e9)),
            "attributes": _attributes(attributes or {}),
            "status": {"code": FAILED} if failed else {},
        }
        try:
            self._queue.put_nowait(span)
        except queue.Full:
            self.dropped += 1

    @contextmanager
    def span(self, name: str, **attributes: str | int) -> Iterator[None]:
        """Time a part of the request that is being answered: `with traces.span("ask the database"):`."""
        trace = logs.child()
        token = logs.current.set(trace)
        began_ns, started, failed = time.time_ns(), time.perf_counter(), True
        try:
            yield
            failed = False
        finally:
            logs.current.reset(token)
            seconds = time.perf_counter() - started
            self.record(
                trace, name, kind=INTERNAL, began_ns=began_ns, seconds=seconds, failed=failed, attributes=attributes
            )

    def close(self, within_s: float = 2.0) -> None:
        """Send what waits, for at most so many seconds."""
        if self._thread is None:
            return
        try:
            self._queue.put_nowait(None)
        except queue.Full:
            return
        self._thread.join(within_s)

    def _run(self) -> None:
        last = False
        while not last:
            spans, last = self._gathered()
            if spans:
                self._send(spans)

    def _gathered(self) -> tuple[list[dict], bool]:
        """Wait for a span, then for those that follow soon. Say too whether it was the last time."""
        spans: list[dict] = []
        until = None
        while len(spans) < MOST_TOGETHER:
            try:
                span = self._queue.get(timeout=None if until is None else max(until - time.monotonic(), 0.0))
            except queue.Empty:
                break
            if span is None:
                return spans, True
            spans.append(span)
            until = until or time.monotonic() + GATHER_S
        return spans, False

    def _send(self, spans: list[dict]) -> None:
        body = {
            "resourceSpans": [
                {
                    "resource": {"attributes": _attributes(self._resource)},
                    "scopeSpans": [{"scope": {"name": __name__}, "spans": spans}],
                }
            ]
        }
        try:
            status = _post(self._url, json.dumps(body).encode())
        except (OSError, ValueError, http.client.HTTPException) as error:
            status = type(error).__name__
        if status not in (200, 202):
            self.dropped += len(spans)
            log.debug("traces were not taken", extra={"fields": {"answer": status, "spans": len(spans)}})


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _post(url: str, body: bytes) -> int:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    try:
        connection.request("POST", parts.path or "/", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def _attributes(values: Mapping[str, str | int]) -> list[dict]:
    return [
        {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": str(value)}}
        for key, value in values.items()
    ]
