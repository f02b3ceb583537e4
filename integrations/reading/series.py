"""Series as Prometheus writes them, and whoever has taken over its shape."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice
from typing import Any

from bot.errors import BadQuery
from bot.ports import Measured, Series
from integrations.reading.bodies import too_much
from integrations.reading.errors import no_result
from integrations.reading.texts import said, texts

MOST_SERIES = 1000
"""Series of one answer. Nobody looks at more, and each costs memory."""
MOST_WARNINGS = 20
HISTOGRAMS = "Native histograms in the answer were left out."
INCOMPLETE = "A part of the stores did not answer."


def measured(system: str, answer: Any) -> Measured:
    """Read `{"data": {"resultType": …, "result": …}, "warnings": […]}`. Values stay as they are, NaN included.

    Raise `UpstreamUnavailable` for any other shape, `BadQuery` for a result that is a text, `TooMuch` beyond
    `MOST_SERIES`.
    """
    try:
        data = answer["data"]
        kind, result = data["resultType"], data["result"]
        warnings = list(_warnings(answer))
        series = tuple(_series(system, kind, result, warnings))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError):
        raise no_result(system) from None
    return Measured(series, tuple(dict.fromkeys(warnings)))


def _series(system: str, kind: Any, result: Any, warnings: list[str]) -> Iterator[Series]:
    if kind == "scalar":
        yield Series({}, (_point(result),))
        return
    if kind not in ("vector", "matrix"):
        raise BadQuery(f"A query of {system} gives no numbers but {said(kind)}.")
    result = result or []  # nothing found is written as null by some
    if not isinstance(result, list):
        raise ValueError("not a list")  # noqa: TRY004  # what came is a wrong value, not a wrong call
    if len(result) > MOST_SERIES:
        raise too_much(system, f"{MOST_SERIES} series")
    for one in result:
        if "histogram" in one or "histograms" in one:
            warnings.append(HISTOGRAMS)
        points = [one["value"]] if "value" in one else one.get("values") or []
        if points or not ("histogram" in one or "histograms" in one):
            yield Series(texts(one.get("metric") or {}), tuple(map(_point, points)))


def _point(pair: Any) -> tuple[float, float]:
    at, value = pair
    if isinstance(at, bool) or not isinstance(at, int | float) or not math.isfinite(at):
        raise ValueError("not a time")
    if isinstance(value, bool):
        raise ValueError("not a number")  # noqa: TRY004  # what came is a wrong value, not a wrong call
    return float(at), float(value)


def _warnings(answer: Any) -> Iterator[str]:
    told = answer.get("warnings") or []
    if not isinstance(told, list):
        raise ValueError("not a list")  # noqa: TRY004  # what came is a wrong value, not a wrong call
    yield from (said(one) for one in islice(told, MOST_WARNINGS))
    if answer.get("isPartial") is True:  # VictoriaMetrics' way to say it
        yield INCOMPLETE
