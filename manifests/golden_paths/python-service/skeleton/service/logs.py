"""Logs as one JSON object a line, each with the trace it belongs to."""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import NamedTuple

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_LEVELS = {"warning": "warn", "critical": "error"}
"""Python's levels, as all services call them: debug, info, warn, error."""


class Trace(NamedTuple):
    """The ids of W3C Trace Context, in small hexadecimal digits."""

    trace_id: str
    span_id: str
    parent_id: str = ""
    """The span that this one is a part of; empty for the first."""
    sampled: bool = True
    """Whether the caller keeps this trace."""

    @property
    def header(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def trace_of(traceparent: str) -> Trace:
    """Continue the caller's trace with a span of our own; start one when there is none that can be read."""
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None or int(found[1], 16) == 0 or int(found[2], 16) == 0:
        return Trace(secrets.token_hex(16), secrets.token_hex(8))
    return Trace(found[1], secrets.token_hex(8), found[2], bool(int(found[3], 16) & 1))


def child() -> Trace:
    """Return a span within the current one; the first of a new trace where there is none."""
    parent = current.get()
    if parent is None:
        return Trace(secrets.token_hex(16), secrets.token_hex(8))
    return parent._replace(span_id=secrets.token_hex(8), parent_id=parent.span_id)


class JsonFormatter(logging.Formatter):
    """Fields given as `extra={"fields": {...}}` become members of the line."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": _LEVELS.get(record.levelname.lower(), record.levelname.lower()),
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
