"""How long a preview lives: what may be asked for, what an extension brings, and what is due when. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from bot.errors import Conflict, Refused, UsageError
from bot.model.duration import format_duration
from bot.model.environment import SHORTEST
from bot.model.previews import Previews, PreviewTerms

RAISED_BY = "The platform team can raise `platform.previews.longest`."


class Due(StrEnum):
    """What becomes of a preview by itself."""

    REMIND = "remind"
    DOWN = "down"


def first_span(asked: timedelta | None, policy: Previews) -> timedelta:
    """Return how long a new preview lives. Raise `UsageError` for no time at all, `Refused` beyond the ceiling."""
    span = policy.ttl if asked is None else asked
    refuse_short(span)
    if span > policy.longest:
        raise Refused(
            f"A preview lives at most {format_duration(policy.longest)}, and not {_told(span)}.",
            hint=f"Ask for less: it can be extended later, up to that. {RAISED_BY}",
        )
    return span


def refuse_short(span: timedelta) -> None:
    """Raise `UsageError` for a span in which nothing could be looked at."""
    if span < SHORTEST:
        raise UsageError(
            f"{_told(span)} is too short for a preview.", hint="Say how long it shall live: `4h`, `3d`, `2w`."
        )


def latest(terms: PreviewTerms, policy: Previews) -> datetime:
    """Return the end beyond which nobody extends."""
    return terms.created_at + policy.longest


def extended(terms: PreviewTerms, by: timedelta | None, policy: Previews, now: datetime) -> datetime:
    """Return the new end: so much later than the old one. Without a span it is the usual one, cut at the ceiling.

    Raise `Conflict` where it is over already, `Refused` at the ceiling, or beyond it where a span was named.
    """
    if terms.expires_at <= now:
        raise Conflict("It has ended already, and is about to be deleted.", hint="Ask for a new one: `/preview up`.")
    if by is not None:
        refuse_short(by)
    end = latest(terms, policy)
    if terms.expires_at >= end:
        raise Refused(
            f"It ends {_day(terms.expires_at)}, and no preview lives longer than {format_duration(policy.longest)}.",
            hint=f"Ask for a new one when it is gone. {RAISED_BY}",
        )
    left = end - terms.expires_at
    if by is not None and by > left:
        raise Refused(
            f"It can be extended by {_told(left)} at most: no preview lives longer than "
            f"{format_duration(policy.longest)}.",
            hint=RAISED_BY,
        )
    return terms.expires_at + min(policy.ttl if by is None else by, left)


def reminder_at(terms: PreviewTerms, policy: Previews) -> datetime:
    """Return when its owner is asked what shall become of it. One that is short is asked about half-way."""
    return terms.expires_at - min(policy.reminder, (terms.expires_at - terms.created_at) / 2)


def due(terms: PreviewTerms, policy: Previews, now: datetime) -> Due | None:
    """Return what its end asks for now, if anything."""
    if terms.expires_at <= now:
        return Due.DOWN
    return Due.REMIND if reminder_at(terms, policy) <= now else None


def choices(policy: Previews) -> Mapping[str, str]:
    """Return the spans that a form offers, each with its words: those that policy allows."""
    spans = [timedelta(hours=4), timedelta(days=1), timedelta(days=3), timedelta(days=7), timedelta(days=14)]
    allowed = sorted({policy.ttl, *(span for span in spans if span <= policy.longest)})
    return {format_duration(span): _spoken(span) for span in allowed}


def _spoken(span: timedelta) -> str:
    for unit, size in (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1))):
        if span >= size and span % size == timedelta(0):
            count = span // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return format_duration(span)


def _told(span: timedelta) -> str:
    """Return a span in two units at most: `3d`, `1d 4h`, `20m`."""
    seconds = int(span.total_seconds())
    parts: list[str] = []
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        count, seconds = divmod(seconds, size) if seconds > 0 else (0, seconds)
        parts += [f"{count}{unit}"] if count else []
    return " ".join(parts[:2]) or f"{int(span.total_seconds())}s"


def _day(at: datetime) -> str:
    return f"on {at:%d %B at %H:%M} UTC"
