"""Charts of every kind, the same at every run."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bot.charts import Chart, Mark, Point, Series

BEGIN = datetime(2026, 11, 27, 6, 0, tzinfo=UTC)
END = BEGIN + timedelta(hours=1)
MIB = 2**20


def course(value: Callable[[float], float], count: int = 121, end: datetime = END) -> tuple[Point, ...]:
    """Return points at equal distances; `value` gets the share of the time that has passed."""
    first, length = BEGIN.timestamp(), (end - BEGIN).total_seconds()
    return tuple((first + length * n / (count - 1), value(n / (count - 1))) for n in range(count))


def rough(share: float) -> float:
    """A number from 0 to 1 that looks like chance."""
    return (math.sin(share * 911) + math.sin(share * 2741) + 2) / 4


def slow(share: float) -> float:
    """A latency in seconds that a deploy has made worse."""
    return 0.18 + 0.03 * rough(share) if share < 0.62 else 0.5 + 0.6 * (share - 0.62) + 0.15 * rough(share)


def after(minutes: float) -> datetime:
    return BEGIN + timedelta(minutes=minutes)


def one(
    title: str,
    unit: str,
    points: tuple[Point, ...],
    objective: float | None = None,
    *,
    marks: tuple[Mark, ...] = (),
    name: str = "p99",
) -> Chart:
    return Chart(title, unit, (Series(name, points),), objective, marks, BEGIN, END)


LATENCY = one("orders-api in production: latency (p99)", "s", course(slow), 0.3, marks=(Mark(after(36), "v1.4.2"),))

CHARTS: dict[str, Chart] = {
    "latency": LATENCY,
    "three-lines": Chart(
        "orders-api in production: latency",
        "s",
        (
            Series("p99", course(lambda share: 1.5 * slow(share))),
            Series("p90", course(slow)),
            Series("p50", course(lambda share: 0.1 + 0.02 * rough(share))),
        ),
        0.3,
        (
            Mark(after(36), "v1.4.2"),
            Mark(after(38), "v1.4.1 (rolled back)"),
            Mark(after(40), "scaled to 5"),
            Mark(after(59), "v1.4.3"),
        ),
        BEGIN,
        END,
    ),
    "errors": one(
        "checkout-web in production: failed requests",
        "ratio",
        course(lambda share: 0.0008 * rough(share) if share < 0.5 else 0.04 + 0.01 * rough(share)),
        0.001,
        name="errors",
    ),
    "availability": Chart(
        "orders-api: availability",
        "ratio",
        (Series("good", course(lambda share: 0.9995 - 0.0001 * rough(share) if share < 0.7 else 0.9978)),),
        0.999,
        (),
        BEGIN,
        END,
        worse="below",
    ),
    "gap": one(
        "orders-api: requests",
        "req/s",
        course(lambda share: math.nan if 0.3 < share < 0.4 else 120 + 80 * math.sin(share * 6) + 9 * rough(share)),
        name="requests",
    ),
    "nothing": one("orders-api: memory", "bytes", (), 512.0 * MIB, name="orders-api-7d9f"),
    "no-line": Chart("orders-api: memory", "bytes", (), None, (), BEGIN, END),
    "one-point": one("orders-api: memory", "bytes", ((after(30).timestamp(), 300.0 * MIB),), 512.0 * MIB),
    "flat": one("orders-api: CPU", "cores", course(lambda _: 0.25), name="cpu"),
    "zero": one("orders-api: failed requests", "ratio", course(lambda _: 0.0), 0.001, name="errors"),
    "far-objective": one("orders-api: latency", "s", course(lambda share: 0.02 + 0.003 * rough(share)), 2.0),
    "below-zero": one("clock", "s", course(lambda share: 0.04 * math.sin(share * 9)), name="offset"),
    "many": Chart(
        "orders-api in production: CPU of each pod",
        "cores",
        tuple(
            Series(f"orders-api-{n:05d}-abcde", course(lambda share, n=n: 0.1 * n + 0.05 * rough(share + n)))  # type: ignore[misc]
            for n in range(14)
        ),
        None,
        tuple(Mark(after(4 * n), f"v1.{n}.0") for n in range(15)),
        BEGIN,
        END,
    ),
    "hostile": Chart(
        '<script>alert(1)</script> &amp; "quoted" \u202e日本 Привет ' + "x" * 300,
        "s",
        (
            Series('</text><image href="file:///etc/passwd"/>' + "y" * 200, course(slow)),
            Series("a\x00b\nc\ud800", course(lambda share: math.inf if share > 0.5 else 1.0)),
            Series("", course(lambda _: -math.inf)),
        ),
        -math.inf,
        (Mark(after(3), '<use href="#x"/>' * 9), Mark(after(-3), "before"), Mark(after(63), "after")),
        BEGIN,
        END,
    ),
}
