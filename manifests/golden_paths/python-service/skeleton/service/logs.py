"""Logs as one JSON object a line, each with the trace it belongs to."""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
from contextvars import ContextVar
from datetime import datetime, timezone
from typing import NamedTuple

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


class Trace(NamedTuple):
    """The ids of W3C Trace Context, in small hexadecimal digits."""

    trace_id: str
    span_id: str

    @property
    def header(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-01"


current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def trace_of(traceparent: str) -> Trace:
    """Continue the caller's trace with a span of our own; start one when there is none that can be read."""
    found = _TRACEPARENT.fullmatch(traceparent)
    known = found is not None and int(found[1], 16) != 0
    return Trace(found[1] if known else secrets.token_hex(16), secrets.token_hex(8))


class JsonFormatter(logging.Formatter):
    """Fields given as `extra={"fields": {...}}` become members of the line."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        trace = current.get()
        if trace is not None:
            line |= {"trace_id": trace.trace_id, "span_id": trace.span_id}
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(service: str, level: str) -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(service))
    logging.basicConfig(level=level, handlers=[handler], force=True)
