"""Numbers and ages as the sentences of a verdict say them."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from bot.health.words import counted


def digits(value: float, count: int) -> str:
    """Return a number with so many digits that count, and all before the point, never as a power of ten: `12,300`,
    `0.00005`."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    behind = count - 1 - math.floor(math.log10(abs(value)))
    whole = f"{round(value, behind):,.{min(max(behind, 0), 9)}f}"
    return whole.rstrip("0").rstrip(".") if "." in whole else whole


def percent(share: float) -> str:
    """`12 %`, `0.4 %`, `0.05 %`: a fraction with the two digits that count."""
    value = share * 100
    return f"{value:,.0f} %" if value >= 10 else f"{digits(value, 2)} %"


def duration(seconds: float) -> str:
    """`320 ms`, `1.5 s`."""
    return f"{seconds * 1000:.0f} ms" if seconds < 0.9995 else f"{digits(seconds, 3)} s"


def rate(per_second: float) -> str:
    """Requests as people count them: `12 requests a second`, `3 requests a minute`."""
    if per_second >= 1:
        spoken = digits(per_second, 3)
        return "1 request a second" if spoken == "1" else f"{spoken} requests a second"
    minutely = digits(per_second * 60, 2)
    return "1 request a minute" if minutely == "1" else f"{minutely} requests a minute"


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
