"""How much a channel is told: top-level messages a day, counted, kept to, and reported once a week. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from bot.model.alerts import Severity
from bot.slack.mrkdwn import cut, escape

REPORT_AT = time(9, 0)
"""When the week is reported: on Mondays, UTC."""
MOST_NAMED = 5


def day_of(at: datetime) -> str:
    """Return the day (UTC) that a message counts for."""
    return f"{at:%Y-%m-%d}"


def begin_of_day(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def goes_on_digest(severity: Severity, told_today: int, budget: int) -> bool:
    """Return whether one more card would break the channel's budget. What is critical has a card whatever it costs."""
    return severity is not Severity.CRITICAL and told_today >= budget


def next_report(now: datetime) -> datetime:
    """Return when the next week is reported, after `now`."""
    monday = begin_of_day(now) - timedelta(days=now.weekday())
    due = monday + timedelta(hours=REPORT_AT.hour, minutes=REPORT_AT.minute)
    return due if due > now else due + timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """What one channel was told in a week."""

    channel: str
    by_day: Mapping[str, int]
    """Day → top-level messages."""
    by_title: Mapping[str, int]
    """Name of the alert → cards."""
    digested: int
    """Groups that went on a digest."""
    folded: int
    budget: int


def report(week: Week) -> str:
    """Return the week in one message (mrkdwn)."""
    total = sum(week.by_day.values())
    over = sorted(day for day, count in week.by_day.items() if count >= week.budget)
    told = f"{_count(total, 'message')}, {total / 7:.1f} a day"
    sentences = [f"*Alerts of the last seven days in this channel:* {told}. The budget is {week.budget} a day."]
    if over:
        sentences.append(f"It was used up on {_count(len(over), 'day')} ({', '.join(over)}).")
    if week.digested:
        sentences.append(f"{_count(week.digested, 'alert')} went on a digest.")
    if week.folded:
        sentences.append(f"{_count(week.folded, 'alert')} had a cause that was told already, and got no card.")
    lines = [" ".join(sentences)]
    loudest = sorted(week.by_title.items(), key=lambda item: (-item[1], item[0]))[:MOST_NAMED]
    if loudest:
        named = ", ".join(f"{escape(cut(title, 80))} ({count})" for title, count in loudest)
        lines.append(f"Most often: {named}. An alert that nobody acts on is better mended or deleted.")
    return "\n".join(lines)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
