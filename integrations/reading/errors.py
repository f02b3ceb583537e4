"""What a failure of another system becomes. No address and no login is ever in a text: they may hold a password."""

from __future__ import annotations

from collections.abc import Mapping

from bot.errors import OutcomeUnknown, PlatformError, Refused, TimedOut, UpstreamUnavailable

LONGEST_PAUSE_S = 3600.0
TIMES_OUT = (408, 504)
REFUSES = (401, 403, 407)
AGAIN = "Try again in a minute."
DOCTOR = "`causeway doctor` says what is missing."


def no_result(system: str) -> UpstreamUnavailable:
    """Return the error for an answer that is not of the shape that this system answers in."""
    return UpstreamUnavailable(f"{system} gave an answer that I cannot read.", hint=f"See its address; {DOCTOR}")


def late(system: str) -> TimedOut:
    return TimedOut(f"{system} did not answer in time.", hint=AGAIN)


def unreachable(system: str, why: str) -> UpstreamUnavailable:
    return UpstreamUnavailable(f"{system} cannot be reached ({why}).", hint=AGAIN)


def unknown(system: str, why: str) -> OutcomeUnknown:
    return OutcomeUnknown(f"{system} was asked for a change, but {why}, so it may or may not have happened.")


def problem(system: str, status: int, headers: Mapping[str, str], *, write: bool = False) -> PlatformError:
    """Return the error for a status that means the same everywhere; what is a system's own is sorted out before."""
    if status in REFUSES:
        return Refused(f"{system} does not let us in ({status}).", hint=f"It may want a login; {DOCTOR}")
    if write and status >= 500:
        return unknown(system, f"it answered with an error of its own ({status})")
    if status in TIMES_OUT:
        return late(system)
    if 300 <= status < 400:
        return UpstreamUnavailable(f"{system} sends us elsewhere ({status}), where we do not go.", hint=DOCTOR)
    if status == 429 or status >= 500:
        told = f"{system} cannot answer now ({status})."
        return UpstreamUnavailable(told, hint=AGAIN, retry_after_s=_pause(headers.get("Retry-After", "")))
    return no_result(system)


def _pause(text: str) -> float | None:
    return min(float(text), LONGEST_PAUSE_S) if text.isascii() and text.isdecimal() else None
