"""Spans of time as people write them: `90s`, `15m`, `24h`, `7d`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SHAPE = re.compile(r"(\d{1,6})([smhdw])")


def parse_duration(text: str) -> timedelta:
    """Return the span that `text` names. Raise `ValueError` with a sentence for anything but number and unit."""
    match = _SHAPE.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError("write a number and a unit, such as `90s`, `15m`, `24h` or `7d`")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def format_duration(span: timedelta) -> str:
    """Return the shortest such text for `span`, in whole seconds."""
    seconds = int(span.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _read(value: object) -> object:
    if isinstance(value, (int, float)):
        raise ValueError("says no unit; write `90s`, `15m`, `24h` or `7d`")  # noqa: TRY004  # pydantic's way to refuse
    return parse_duration(value) if isinstance(value, str) else value


Duration = Annotated[timedelta, BeforeValidator(_read), PlainSerializer(format_duration, return_type=str)]
