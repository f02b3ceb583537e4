"""Cron lines as a CronJob takes them (robfig/cron v3, `ParseStandard`), and time zones."""

from __future__ import annotations

import re
import zoneinfo

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, MONTHS),
    ("day of the week", 0, 6, DAYS),
)
NAMED = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""Days of each month, in a leap year."""
_MOST_DIGITS = 4


def check_cron(line: str) -> str | None:
    """Return what is wrong with a cron line as a sentence; None when nothing is."""
    if line.startswith("@"):
        if line in NAMED:
            return None
        return f"`{line[:30]}` is not known; there are {', '.join(NAMED)}"
    parts = line.split()
    if len(parts) != 5:
        return (
            f"has {len(parts)} fields and needs five: minute, hour, day of the month, month, day of the week; "
            "`30 3 * * *` means every day at 3:30"
        )
    for part, (name, low, high, names) in zip(parts, FIELDS, strict=True):
        for piece in part.split(","):
            if (problem := _piece(piece, low, high, names)) is not None:
                return f"the {name} `{piece[:30]}` {problem}"
    return _never(parts[2], parts[3], parts[4])


def _never(days: str, months: str, weekdays: str) -> str | None:
    """Return that no month which is meant has a day which is meant. A day of the week would be due as well."""
    if not {"*", "?", "*/1", "?/1"} & set(weekdays.split(",")):
        return None
    day = min(_first(piece, 1, ()) for piece in days.split(","))
    longest = max(LENGTHS[month - 1] for piece in months.split(",") for month in _months(piece))
    return None if day <= longest else f"is never due: no month of `{months[:30]}` has a day {day}"


def _first(piece: str, low: int, names: tuple[str, ...]) -> int:
    reach = piece.partition("/")[0]
    found = None if reach in ("*", "?") else _number(reach.partition("-")[0], low, names)
    return low if found is None else found


def _months(piece: str) -> range:
    reach, slash, step = piece.partition("/")
    first, dash, last = reach.partition("-")
    low = _first(reach, 1, MONTHS)
    end = _number(last, 1, MONTHS) if dash else None
    if end is None:  # one month alone, or all that follow
        end = 12 if slash or first in ("*", "?") else low
    return range(low, end + 1, int(step) if slash else 1)


def _piece(piece: str, low: int, high: int, names: tuple[str, ...]) -> str | None:
    reach, slash, step = piece.partition("/")
    if slash and not (_is_number(step) and int(step) > 0):
        return "has a step that is not a number above 0; `*/5` means every fifth"
    if reach in ("*", "?"):
        return None
    first, dash, last = reach.partition("-")
    ends = [_number(text, low, names) for text in ([first, last] if dash else [first])]
    if None in ends:
        return f"is not a number from {low} to {high}, a list, a range or `*`"
    values = [end for end in ends if end is not None]
    if not all(low <= value <= high for value in values):
        return f"lies outside {low} to {high}" + ("; Sunday is 0" if high == 6 else "")
    if values[0] > values[-1]:
        return "ends before it begins"
    return None


def _number(text: str, low: int, names: tuple[str, ...]) -> int | None:
    if text.lower() in names:
        return names.index(text.lower()) + low
    return int(text) if _is_number(text) else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS


def check_time_zone(name: str) -> str | None:
    """Return what is wrong with the name of a time zone as a sentence; None when nothing is."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_+/-]*", name) is None:
        return "is not a time zone, such as `Europe/Berlin` or `Etc/UTC`"
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, OSError, ValueError):
        return f"`{name[:40]}` is not a time zone that is known, such as `Europe/Berlin` or `Etc/UTC`"
    return None
