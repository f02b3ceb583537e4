"""Requests as OTLP in JSON, as Tempo answers: ids in base64, times as texts of nanoseconds."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from playground.monitoring.requests import Request, Span

KINDS = {"server": "SPAN_KIND_SERVER", "client": "SPAN_KIND_CLIENT", "internal": "SPAN_KIND_INTERNAL"}
SCOPE = {"name": "playground", "version": "1.0.0"}
Attribute = str | int


def nanoseconds(seconds: float) -> int:
    return int(seconds * 1e6) * 1000


def resource_of(request: Request, span: Span) -> dict[str, Attribute]:
    """Return the attributes of what sent a span."""
    return {
        "service.name": span.service,
        "deployment.environment": request.environment,
        "k8s.pod.name": span.pod,
        "telemetry.sdk.name": "opentelemetry",
    }


def span_attributes(span: Span) -> dict[str, Attribute]:
    status: dict[str, Attribute] = {"http.response.status_code": span.status} if span.status else {}
    return {**span.attributes, **status}


def resource_spans(request: Request) -> list[dict[str, Any]]:
    """Return the spans of a trace by what sent them."""
    by_sender: dict[tuple[str, str], list[Span]] = {}
    for span in request.spans:
        by_sender.setdefault((span.service, span.pod), []).append(span)
    return [
        {
            "resource": {"attributes": attributes(resource_of(request, spans[0]))},
            "scopeSpans": [{"scope": SCOPE, "spans": [_span(request, span) for span in spans]}],
        }
        for spans in by_sender.values()
    ]


def attributes(told: Mapping[str, Attribute]) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": {"stringValue": value} if isinstance(value, str) else {"intValue": str(value)}}
        for key, value in told.items()
    ]


def _span(request: Request, span: Span) -> dict[str, Any]:
    parent = {"parentSpanId": _id(span.parent)} if span.parent else {}
    status = {"code": "STATUS_CODE_ERROR", "message": span.because} if span.failed else {}
    events = [_exception(span)] if span.failed and span.kind == "server" else []
    return {
        "traceId": _id(request.trace_id),
        "spanId": _id(span.id),
        **parent,
        "name": span.name,
        "kind": KINDS[span.kind],
        "startTimeUnixNano": str(nanoseconds(span.begin)),
        "endTimeUnixNano": str(nanoseconds(span.begin + span.duration_s)),
        "attributes": attributes(span_attributes(span)),
        **({"events": events} if events else {}),
        "status": status,
    }


def _exception(span: Span) -> dict[str, Any]:
    return {
        "timeUnixNano": str(nanoseconds(span.begin + span.duration_s)),
        "name": "exception",
        "attributes": attributes({"exception.type": "RequestFailed", "exception.message": span.because}),
    }


def _id(digits: str) -> str:
    return base64.b64encode(bytes.fromhex(digits)).decode()


def found(request: Request, spans: Sequence[Span], *, per_set: int) -> dict[str, Any]:
    """Return a trace as a search tells of it."""
    root = request.root
    told = {
        "matched": len(spans),
        "spans": [
            {
                "spanID": span.id,
                "startTimeUnixNano": str(nanoseconds(span.begin)),
                "durationNanos": str(nanoseconds(span.duration_s)),
                "attributes": attributes({"service.name": span.service}),
            }
            for span in spans[:per_set]
        ],
    }
    ms = int(root.duration_s * 1000)
    return {
        "traceID": request.trace_id.lstrip("0"),
        "rootServiceName": root.service,
        "rootTraceName": root.name,
        "startTimeUnixNano": str(nanoseconds(root.begin)),
        **({"durationMs": ms} if ms else {}),
        "spanSet": told,
        "spanSets": [told],
    }
