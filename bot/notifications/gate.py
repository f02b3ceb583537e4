"""Whether the card of an operation that nobody waits for is posted now."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.catalog.index import Index
from bot.model.notifications import News, TeamWishes
from bot.model.operation import Asked, State
from bot.model.plan import Plan
from bot.notifications.deciding import Decided, decide, next_summary
from bot.releases.services import owner_by_name
from bot.slack.mrkdwn import cut, escape

LINE = 300
ASKS = "preview.remind"
"""Ends well and asks something all the same: its card is its point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An operation as it is now."""

    asked: Asked
    state: State
    plan: Plan | None
    stalled: bool = False

    @property
    def is_trouble(self) -> bool:
        return self.stalled or (self.state.final and self.state is not State.SUCCEEDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    decided: Decided
    subject: str
    """Full reference of the group whose channel it is; empty: nobody's."""
    news: News
    line: str


def news_of(command: str) -> News:
    """Return which kind of news a command by itself is."""
    if command == ASKS:
        return News.ENDINGS
    match command.partition(".")[0]:
        case "preview":
            return News.PREVIEWS
        case "database":
            return News.DATABASES
        case _:
            return News.DEPLOYS


def is_stalled(steps: str) -> bool:
    """Whether an operation waits for something that does not move, by its stored steps."""
    return any(step.get("stalled") and step.get("state") == "running" for step in json.loads(steps or "[]"))


def judge(change: Change, wishes_of: Callable[[str | None], TeamWishes], index: Index, now: datetime) -> Judged:
    """Decide by the wishes of whoever owns it. What waits for a decision cannot wait itself."""
    asked, plan = change.asked, change.plan
    owner = plan.owner if plan else owner_by_name(index, str(asked.request.get("service", "")))
    wishes, news = wishes_of(owner), news_of(asked.command)
    pressing = change.state is State.AWAITING_APPROVAL
    decided = decide(news, wishes, now, trouble=change.is_trouble, pressing=pressing)
    if decided.how == "summary":
        decided = Decided("summary", next_summary(wishes, now))
    return Judged(decided=decided, subject=owner or "", news=news, line=_line(change))


def _line(change: Change) -> str:
    said = change.plan.summary if change.plan else change.asked.command.replace(".", " ")
    mark = {State.SUCCEEDED: "✅", State.RUNNING: "⏳", State.PLANNED: "⏳"}.get(change.state, "⚠️")
    return f"{mark} {escape(cut(said, LINE))}"
