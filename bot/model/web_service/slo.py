"""`spec.slo`: what a service promises. Percentages are numbers, as people say them: `99.9`."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from bot.model.web_service.parts import Part
from bot.model.web_service.shapes import Flag, shown, wrong

LOWEST, HIGHEST = 50, 99.999
"""Percent. Below, nothing is promised; above, a month has not enough requests to tell."""
SHORTEST, LONGEST = 1, 90
"""Days of a window."""
USUAL_WINDOW = "30d"
_SECONDS = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)(ms|s)")
_DAYS = re.compile(r"([0-9]{1,6})([dw])")


def _percent(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise wrong("must be a number in percent, without a sign and without quotes: `99.9`")
    if value >= 100:
        raise wrong("leaves no room for a single failure, so nothing can be kept to it; write less than 100: `99.9`")
    if value > HIGHEST:
        raise wrong(f"is finer than can be measured; write at most {HIGHEST}")
    if 0 < value < 1:
        raise wrong(f"is meant in percent; write `{float(Decimal(str(value)) * 100):g}`")
    if not value >= LOWEST:  # NaN is neither below nor above anything
        raise wrong(f"promises nothing; write at least {LOWEST} percent, such as `99.9`")
    return float(value)


def _below(value: Any) -> str:
    if not isinstance(value, str) or (match := _SECONDS.fullmatch(value)) is None:
        raise wrong("must be a number with `ms` or `s`, such as `300ms` or `1.5s`")
    if float(match[1]) == 0:
        raise wrong("is no time at all; write `300ms` or `1.5s`")
    return value


def _window(value: Any) -> str:
    if not isinstance(value, str) or (match := _DAYS.fullmatch(value)) is None:
        raise wrong("must be a number of days or weeks, such as `30d` or `4w`")
    if not SHORTEST <= days_of(value) <= LONGEST:
        raise wrong(f"`{shown(match[0])}` is not between {SHORTEST}d and {LONGEST}d; `30d` is usual")
    return value


def days_of(window: str) -> int:
    """Return the days of `30d` or `4w`."""
    return int(window[:-1]) * (7 if window.endswith("w") else 1)


def seconds_of(below: str) -> float:
    """Return the seconds of `300ms` or `1.5s`."""
    match = _SECONDS.fullmatch(below)
    if match is None:
        raise ValueError(f"{below!r} is not a time")
    return float(Decimal(match[1]) / (1000 if match[2] == "ms" else 1))


Percent = Annotated[
    float, BeforeValidator(_percent), WithJsonSchema({"type": "number", "minimum": LOWEST, "maximum": HIGHEST})
]
Time = Annotated[str, BeforeValidator(_below), WithJsonSchema({"type": "string", "pattern": f"^{_SECONDS.pattern}$"})]
Window = Annotated[str, BeforeValidator(_window), WithJsonSchema({"type": "string", "pattern": f"^{_DAYS.pattern}$"})]


class LatencyObjective(Part):
    """So many of the requests are answered within a time."""

    target: Annotated[Percent, Field(description="Percent of the requests.", examples=[99])] = 99.0
    below: Annotated[
        Time,
        Field(
            description="Within this time. Where no bucket of the histogram ends there, the next longer one counts.",
            examples=["300ms"],
        ),
    ]


class Slo(Part):
    """What the service promises. Alerts, the verdict, charts and dashboards measure it by this."""

    availability: Annotated[
        Percent | None,
        Field(description="Percent of the requests that do not fail (5xx).", examples=[99.9]),
    ] = None
    latency: Annotated[
        LatencyObjective | None,
        Field(description="How quickly most are answered.", examples=[{"target": 99, "below": "300ms"}]),
    ] = None
    window: Annotated[
        Window, Field(description="Over how many days it is counted, from 1d to 90d.", examples=["30d"])
    ] = USUAL_WINDOW
    enabled: Annotated[
        Flag,
        Field(description="`false`: it promises nothing, not even the platform's usual.", examples=[False]),
    ] = True

    @property
    def span(self) -> timedelta:
        return timedelta(days=days_of(self.window))

    @property
    def promises(self) -> bool:
        """Whether it says anything to be kept."""
        return self.enabled and (self.availability is not None or self.latency is not None)
