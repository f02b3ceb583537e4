"""Logs are events with fields, one JSON object a line. Payloads, tokens and people's texts stay out of them."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "color_message"}


def configure(level: str) -> None:
    """Send everything that is logged through the standard library to standard error as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                _fields,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(default=str),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # Libraries that log requests, bodies or tokens at INFO stay quiet.
    for name in ("slack_bolt", "slack_sdk", "github", "urllib3", "aiohttp.access", "dbos", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _fields(_logger: Any, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    record = event.get("_record")
    if isinstance(record, logging.LogRecord):
        event.update({key: value for key, value in record.__dict__.items() if key not in _STANDARD and key[0] != "_"})
    return event
