"""Traces as OTLP writes them in JSON, and as Tempo and its older versions do, into ours.

Ids come as hexadecimal digits (OTLP's own rule) or as base64 (what a generic writer of protocol buffers makes of
bytes); enumerations as words or as numbers; 64-bit numbers as texts.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from bot.errors import TooMuch
from bot.ports import Span, Trace, TraceFound
from integrations.reading import clean
from integrations.reading.times import of_nanoseconds

MOST_SPANS = 10_000
MOST_ATTRIBUTES = 64
LONGEST_ATTRIBUTE = 1000
"""Characters of one attribute's text."""
NANOSECONDS = 1e9
_HEX = re.compile(r"[0-9a-fA-F]+")
_BYTES_OF_TRACE, _BYTES_OF_SPAN = 16, 8


def trace_id(text: str) -> str | None:
    """Return an id as 32 hexadecimal digits, or None for a text that is none. Tempo's search drops leading zeros."""
    digits = _digits(text, _BYTES_OF_TRACE)
    return digits if digits and int(digits, 16) else None


def found(one: Any) -> TraceFound:
    """Read what a search tells of a trace. Raise `ValueError`, `KeyError` or `TypeError` for what is none."""
    if (known := trace_id(one["traceID"])) is None:
        raise ValueError("not an id")
    milliseconds = one.get("durationMs") or 0
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float) or milliseconds < 0:
        raise ValueError("not a duration")
    return TraceFound(
        id=known,
        service=clean(str(one.get("rootServiceName") or "")),
        name=clean(str(one.get("rootTraceName") or "")),
        begin=of_nanoseconds(one["startTimeUnixNano"]),
        duration_s=milliseconds / 1000,
    )


def trace(known: str, answer: Any) -> Trace:
    """Read a whole trace; `{"trace": …}` of the second version of the API as well."""
    if not {"trace", "resourceSpans", "batches"} & set(answer):
        raise ValueError("no trace")
    whole = answer["trace"] if isinstance(answer.get("trace"), Mapping) else answer
    spans = []
    for span in _spans(whole.get("resourceSpans") or whole.get("batches") or []):
        spans.append(span)
        if len(spans) > MOST_SPANS:
            raise TooMuch(f"The trace has more than {MOST_SPANS} spans.", hint="Look at it in Tempo itself.")
    return Trace(known, tuple(sorted(spans, key=lambda span: span.begin)))


def _spans(resources: Any) -> Iterator[Span]:
    for resource in resources:
        about = _attributes((resource.get("resource") or {}).get("attributes"))
        service = about.get("service.name", "")
        scopes = resource.get("scopeSpans") or resource.get("instrumentationLibrarySpans") or []
        for scope in scopes:
            for one in scope.get("spans") or []:
                yield _span(one, service)


def _span(one: Any, service: str) -> Span:
    begin, end = of_nanoseconds(one["startTimeUnixNano"]), one.get("endTimeUnixNano") or "0"
    of_nanoseconds(end)  # raises for what is no time
    length = (int(end) - int(one["startTimeUnixNano"])) / NANOSECONDS
    return Span(
        id=_digits(one.get("spanId"), _BYTES_OF_SPAN) or "",
        parent=_digits(one.get("parentSpanId"), _BYTES_OF_SPAN) or "",
        service=service,
        name=clean(str(one.get("name") or "")),
        begin=begin,
        duration_s=max(length, 0.0),
        failed=(one.get("status") or {}).get("code") in (2, "STATUS_CODE_ERROR"),
        attributes=_attributes(one.get("attributes")),
    )


def _digits(written: Any, size: int) -> str | None:
    """Return an id of `size` bytes in hexadecimal digits; None for a text that is none, or for none at all."""
    if not isinstance(written, str) or not written:
        return None
    if _HEX.fullmatch(written) and len(written) <= size * 2:
        return written.lower().zfill(size * 2)
    try:
        content = base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError):
        return None
    return content.hex() if len(content) == size else None


def _attributes(found: Any) -> dict[str, str]:
    kept = {}
    for one in (found or [])[:MOST_ATTRIBUTES]:
        kept[clean(str(one["key"]))] = _text(one.get("value"))
    return kept


def _text(value: Any) -> str:
    """Return an attribute's value as a text: `{"stringValue": …}`, `{"intValue": "5"}`, a list, a map."""
    if not isinstance(value, Mapping) or not value:
        return ""
    kind, written = next(iter(value.items()))
    if kind == "boolValue":
        return "true" if written is True else "false"
    told = written if isinstance(written, str) else json.dumps(written, ensure_ascii=False)
    return clean(told)[:LONGEST_ATTRIBUTE]


def moment_s(moment: datetime, *, up: bool = False) -> str:
    """Return whole seconds since 1970, as a search takes them."""
    whole = int(moment.timestamp())
    return str(whole + 1 if up and moment.timestamp() > whole else whole)
