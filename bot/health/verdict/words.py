"""Numbers and ages as the sentences of a verdict say them."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.health.words import counted


def percent(share: float) -> str:
    """`12 %`, `0.4 %`, `0.05 %`: a fraction with the two digits that count."""
    value = share * 100
    return f"{value:.0f} %" if value >= 10 else f"{value:.2g} %"


def duration(seconds: float) -> str:
    """`320 ms`, `1.5 s`."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.3g} s"


def rate(per_second: float) -> str:
    """Requests as people count them: `12 requests a second`, `3 requests a minute`."""
    if per_second >= 1:
        return f"{per_second:.3g} requests a second"
    minutely = per_second * 60
    return "1 request a minute" if f"{minutely:.2g}" == "1" else f"{minutely:.2g} requests a minute"


def age(at: datetime, now: datetime) -> str:
    """`5 minutes`, `3 hours`, `2 days`; what lies ahead by another clock is of less than a minute."""
    passed = now - at
    if passed < timedelta(minutes=1):
        return "less than a minute"
    if passed < timedelta(hours=1):
        return counted(int(passed.total_seconds() // 60), "minute")
    if passed < timedelta(days=1):
        return counted(int(passed.total_seconds() // 3600), "hour")
    return counted(passed.days, "day")
