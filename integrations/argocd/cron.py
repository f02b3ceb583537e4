"""Cron lines of five fields, as far as sync windows need them: when did it last begin?"""

from __future__ import annotations

from datetime import datetime, timedelta

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_WORDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


def last_start(line: str, now: datetime, *, within: timedelta) -> datetime | None:
    """Return the newest start at or before `now`, in its time zone, no older than `within`. Raise `ValueError` for a
    line that is none."""
    fields = _WORDS.get(line.strip().lower(), line).split()
    if len(fields) != 5:
        raise ValueError("a cron line has five fields")
    minutes, hours = _field(fields[0], 0, 59), _field(fields[1], 0, 23)
    at = now.replace(second=0, microsecond=0)
    day = at.date()
    oldest = (now - within).date()
    while day >= oldest:
        if _is_day(fields, day.day, day.month, day.isoweekday() % 7):
            for hour in sorted(hours, reverse=True):
                for minute in sorted(minutes, reverse=True):
                    start = at.replace(year=day.year, month=day.month, day=day.day, hour=hour, minute=minute)
                    if start <= at:
                        return start if now - start <= within else None
        day -= timedelta(days=1)
    return None


def _is_day(fields: list[str], day: int, month: int, weekday: int) -> bool:
    """Where both a day of the month and one of the week are given, either will do."""
    if month not in _field(fields[3], 1, 12, _MONTHS, 1):
        return False
    of_month = day in _field(fields[2], 1, 31)
    of_week = weekday in {one % 7 for one in _field(fields[4], 0, 7, _DAYS)}
    if fields[2][0] in "*?" or fields[4][0] in "*?":
        return of_month and of_week
    return of_month or of_week


def _field(text: str, low: int, high: int, names: tuple[str, ...] = (), first: int = 0) -> set[int]:
    found: set[int] = set()
    for part in text.lower().split(","):
        span, _, step = part.partition("/")
        begin, dash, end = span.partition("-")
        if span in ("*", "?"):
            lowest, highest = low, high
        else:
            lowest = _number(begin, names, first)
            highest = _number(end, names, first) if dash else (high if step else lowest)
        if not low <= lowest <= highest <= high or (step and not (step.isdecimal() and int(step) > 0)):
            raise ValueError(f"`{part}` does not fit into a cron line")
        found.update(range(lowest, highest + 1, int(step or 1)))
    return found


def _number(text: str, names: tuple[str, ...], first: int) -> int:
    return names.index(text) + first if text in names else int(text)
