"""Cron lines: five fields, as Kubernetes' CronJobs and Argo CD's sync windows have them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

LOOK_BACK = timedelta(days=366 * 4 + 1)
"""The longest pause of any line: 29 February."""
MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6,
    "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
DAYS = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}
WORDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


class ScheduleError(ValueError):
    """The text is no cron line; the message says which part."""


@dataclass(frozen=True, slots=True)
class Schedule:
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""
    either_day: bool
    """Both days of the month and of the week are restricted: one of them suffices."""

    def last(self, now: datetime) -> datetime | None:
        """Return the latest start at or before `now`; None for a line that names no day (30 February)."""
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        minute_of_day = now.hour * 60 + now.minute
        earliest = day - LOOK_BACK
        while day >= earliest:
            if self._on(day):
                starts = [h * 60 + m for h in self.hours for m in self.minutes if h * 60 + m <= minute_of_day]
                if starts:
                    return day + timedelta(minutes=max(starts))
            day, minute_of_day = day - timedelta(days=1), 24 * 60
        return None

    def _on(self, day: datetime) -> bool:
        if day.month not in self.months:
            return False
        by_date, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return by_date or by_weekday if self.either_day else by_date and by_weekday


def parse(line: str) -> Schedule:
    """Read a cron line. Raise `ScheduleError` where it is none."""
    fields = WORDS.get(line.strip(), line).split()
    if len(fields) != 5:
        raise ScheduleError(f"expected exactly 5 fields, found {len(fields)}: [{line}]")
    minutes, hours, days, months, weekdays = fields
    return Schedule(
        _field(minutes, 0, 59),
        _field(hours, 0, 23),
        _field(days, 1, 31),
        _field(months, 1, 12, MONTHS),
        frozenset(day % 7 for day in _field(weekdays, 0, 7, DAYS)),
        either_day=days[0] not in "*?" and weekdays[0] not in "*?",
    )


def _field(text: str, low: int, high: int, names: dict[str, int] | None = None) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        if span in {"*", "?"}:
            start, end = low, high
        else:
            first, dash, second = span.partition("-")
            start = _number(first, names or {})
            end = _number(second, names or {}) if dash else high if step else start
        stride = _number(step, {}) if step else 1
        if not (low <= start <= end <= high and stride > 0):
            raise ScheduleError(f"{part} is not between {low} and {high}")
        found.update(range(start, end + 1, stride))
    return frozenset(found)


def _number(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not text.isdecimal():
        raise ScheduleError(f"failed to parse int from {text}")
    return int(text)
