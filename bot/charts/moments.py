"""Times and lengths as people say them, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def between(begin: datetime, end: datetime) -> str:
    """Return `27 Nov 2026, 06:00 to 07:00 UTC`, with both days where there are two."""
    first, last = begin.astimezone(UTC), end.astimezone(UTC)
    day = f"{first.day} {first:%b %Y}"
    if first.date() == last.date():
        return f"{day}, {first:%H:%M} to {last:%H:%M} UTC"
    return f"{day}, {first:%H:%M}, to {last.day} {last:%b %Y}, {last:%H:%M} UTC"


def clock(at: float, whole: timedelta) -> str:
    """Return the time of day; in a chart of more than most of a day also the day. `at`: seconds since 1970."""
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%H:%M}" if whole <= timedelta(hours=20) else f"{moment.day} {moment:%b}, {moment:%H:%M}"


def length(time: timedelta) -> str:
    """Return `18 min`, `2 h 20 min`, `30 h`."""
    minutes = round(time.total_seconds() / 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 120:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest and hours < 24 else f"{hours} h"
