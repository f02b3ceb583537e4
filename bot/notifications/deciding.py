"""Whether something is told now, later, in the day's summary, or not at all. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from bot.model.alerts import Severity
from bot.model.notifications import News, Personal, PersonalWishes, TeamWishes, Wish

SUMMARY_HOUR = 9
"""When a day's summary is told, in the zone of the quiet hours; UTC without any."""

How = Literal["now", "later", "summary", "never"]


@dataclass(frozen=True, slots=True)
class Decided:
    how: How
    at: datetime | None = None
    """When it is told, where it is told later."""


NOW = Decided("now")
NEVER = Decided("never")
SUMMARY = Decided("summary")


def decide(news: News, wishes: TeamWishes, now: datetime, *, trouble: bool, pressing: bool = False) -> Decided:
    """Decide for a team's channel.

    `trouble` went wrong and is somebody's to deal with: it is told whatever the wishes are, after the quiet hours at
    the latest. `pressing` cannot wait, such as a critical alert, an escalation, or a decision that is waited for: it is
    told now.
    """
    if pressing:
        return NOW
    wish = wishes.wish(news)
    if not trouble:
        if wish in (Wish.TROUBLE, Wish.NOTHING):
            return NEVER
        if wish is Wish.DAILY:
            return SUMMARY
    return _after_the_quiet(wishes.quiet.until(now) if wishes.quiet else None)


def decide_alert(severity: Severity, wishes: TeamWishes, now: datetime) -> Decided:
    """Decide where an alert is told that has no card yet. "later" is looked at again: what is told now has a card,
    the summary is the digest of the day.

    Critical alerts are told now. To others a warning is the trouble that the wish `trouble` lets through, and
    information is not; `nothing` means that only what becomes critical is told.
    """
    if severity is Severity.CRITICAL:
        return NOW
    wish = wishes.wish(News.ALERTS)
    if wish is Wish.NOTHING or (wish is Wish.TROUBLE and severity is not Severity.WARNING):
        return NEVER
    over = wishes.quiet.until(now) if wishes.quiet else None
    if over is None and wish is Wish.DAILY:
        return SUMMARY
    return _after_the_quiet(over)


def began_in_quiet(wishes: TeamWishes, began: datetime) -> bool:
    """Whether nobody wanted to hear of it when it began."""
    return wishes.quiet is not None and wishes.quiet.until(began) is not None


def decide_for(news: Personal, wishes: PersonalWishes, now: datetime, *, pressing: bool = False) -> Decided:
    """Decide for a person who may be told directly. An alert that is given to somebody is always pressing."""
    if news not in wishes.told:
        return NEVER
    if pressing:
        return NOW
    return _after_the_quiet(wishes.quiet.until(now) if wishes.quiet else None)


def next_summary(wishes: TeamWishes, now: datetime) -> datetime:
    """Return when the next daily summary is due, never within the quiet hours."""
    zone = ZoneInfo(wishes.quiet.zone if wishes.quiet else "UTC")
    here = now.astimezone(zone)
    due = here.replace(hour=SUMMARY_HOUR, minute=0, second=0, microsecond=0)
    if due.timestamp() <= now.timestamp():
        due = (due + timedelta(days=1)).replace(hour=SUMMARY_HOUR)
    at = due.astimezone(now.tzinfo)
    over = wishes.quiet.until(at) if wishes.quiet else None
    return over or at


def _after_the_quiet(over: datetime | None) -> Decided:
    return NOW if over is None else Decided("later", over)
