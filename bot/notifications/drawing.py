"""Cards of what went wrong by itself: failing CI of a main branch, and what Argo CD cannot apply. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.model.canonical import JSON
from bot.model.notifications import News
from bot.slack import blocks
from bot.slack.message import Message
from bot.slack.mrkdwn import code, cut, escape, link, local_time

NEWS_EVENT = "causeway_news"
"""Event type of the cards' metadata."""
PREFIX = "nw-"
"""Begins the id of such a card."""
_RUNS = 5
_SENTENCE = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Streak:
    """Something that went wrong, until it is well again."""

    id: str
    key: str
    news: News
    subject: str
    facts: Mapping[str, Any]
    is_open: bool
    began_at: datetime
    ended_at: datetime | None = None
    revision: int = 0


def card(streak: Streak) -> Message:
    text = headline(streak)
    more = _runs(streak.facts) if streak.news is News.CI else _reason(streak.facts)
    when = f"Since {local_time(streak.began_at)}"
    if streak.ended_at is not None:
        when = f"From {local_time(streak.began_at)} to {local_time(streak.ended_at)}"
    shown = [blocks.section(text), *([blocks.section(more)] if more else []), blocks.context(when)]
    state = "open" if streak.is_open else "resolved"
    metadata: dict[str, JSON] = {"event_type": NEWS_EVENT, "event_payload": {"news": streak.id, "state": state}}
    return Message(text=text, blocks=tuple(shown), metadata=metadata)


def headline(streak: Streak) -> str:
    """Return it in one line, as it is now; mrkdwn."""
    facts = streak.facts
    if streak.news is News.CI:
        named = f"CI of {escape(cut(str(facts.get('repository', '')), 120))}"
        count = int(facts.get("count", 1))
        times = f" after {count} failed run{'' if count == 1 else 's'}"
        return f"🔴 *{named}* fails on the main branch" if streak.is_open else f"✅ *{named}* is green again{times}"
    where = f"{escape(cut(str(facts.get('service', '')), 120))} in {escape(cut(str(facts.get('environment', '')), 60))}"
    if streak.is_open:
        return f"🔴 *{where}* cannot be delivered at {code(str(facts.get('revision', ''))[:7] or 'no commit')}"
    if facts.get("overtaken"):
        return f"⚪ *{where}*: another commit has come since {code(str(facts.get('revision', ''))[:7] or 'no commit')}"
    return f"✅ *{where}* is delivered again"


def run_line(run: Mapping[str, Any]) -> str:
    """One run of CI: what it is, which commit, whose, and where it can be read."""
    name = link(str(run.get("url", "")), cut(str(run.get("name", "")) or "CI", 80))
    by = f" by {escape(cut(str(run.get('actor', '')), 60))}" if run.get("actor") else ""
    return f"{name} at {code(str(run.get('sha', ''))[:7])}{by}"


def _runs(facts: Mapping[str, Any]) -> str:
    failing = [run for run in facts.get("runs", {}).values() if run.get("failed")]
    return "\n".join(blocks.fold([f"• {run_line(run)}" for run in failing], _RUNS))


def _reason(facts: Mapping[str, Any]) -> str:
    said = escape(cut(str(facts.get("sentence", "")), _SENTENCE))
    step = escape(cut(str(facts.get("next_step", "")), _SENTENCE))
    url = str(facts.get("url", ""))
    there = link(url, "Look at it in Argo CD") if url else ""
    return "\n".join(part for part in (said, step, there) if part)
