"""What Prometheus' answers mean: what was measured, or the error that a person may read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.errors import BadQuery, PlatformError, TimedOut, TooMuch
from bot.ports import Measured
from integrations.reading import document, measured, no_result, problem, said

SYSTEM = "Prometheus"
CHECK = "If your platform team has replaced queries, see `platform.queries`."
_UNREADABLE = (400, 422)
_GAVE_UP = ("timeout", "canceled")
_TOO_MUCH = ("too many samples", "exceeded maximum resolution", "-search.max")


def found(status: int, headers: Mapping[str, str], body: bytes) -> Measured:
    """Return what was measured. Raise the `PlatformError` that fits."""
    if status in (200, *_UNREADABLE) or status >= 500:
        answer = _answer(body)
        if answer.get("status") == "error":
            raise _refused(status, headers, answer)
        if status == 200 and answer.get("status") == "success":
            return measured(SYSTEM, answer)
        if status in (200, *_UNREADABLE):
            raise no_result(SYSTEM)
    raise problem(SYSTEM, status, headers)


def _answer(body: bytes) -> Mapping[str, Any]:
    """Return the JSON object, or an empty one for anything else: HTML, a part of JSON, nothing."""
    try:
        answer = document(SYSTEM, body)
    except PlatformError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _refused(status: int, headers: Mapping[str, str], answer: Mapping[str, Any]) -> PlatformError:
    kind, why = str(answer.get("errorType")), said(answer.get("error"))
    if kind in _GAVE_UP or (status >= 500 and "timeout" in why):
        return TimedOut(f"{SYSTEM} gave up on a query: {why}.", hint="Ask of a shorter time.")
    if any(sign in why for sign in _TOO_MUCH):
        return TooMuch(f"{SYSTEM} says that a query asks for too much: {why}.", hint="Ask of a shorter time.")
    # VictoriaMetrics writes the status where Prometheus writes a word.
    if kind in ("bad_data", "execution") or (status in _UNREADABLE and kind.isdecimal()):
        return BadQuery(f"{SYSTEM} cannot read or evaluate a query: {why}.", hint=CHECK)
    return problem(SYSTEM, status, headers) if status >= 500 else no_result(SYSTEM)
