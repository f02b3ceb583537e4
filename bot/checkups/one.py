"""One service in one environment, seen closely: verdict, numbers, alerts, last change, dependencies, what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from bot.checkups import words
from bot.health.verdict import HealthFacts, State, Verdict
from bot.model.release import Release
from bot.slack import blocks
from bot.slack.message import Block
from bot.slack.mrkdwn import escape

RECENT = timedelta(days=3)
"""A version that runs longer than this is hardly the cause of what is wrong now."""
_NOT_BY_VERSION = frozenset({"dependency", "missing", "all", "saturation"})
"""What going back to the version before does not help against, as far as one can say."""


def closely(verdict: Verdict, facts: HealthFacts, *, is_whole: bool) -> Iterator[Block]:
    """Return the blocks about it."""
    yield blocks.header(f"{words.SIGNS[verdict.state]} {verdict.service} in {verdict.environment}: {verdict.state}")
    yield blocks.section(f"{words.deciding(verdict)}")
    yield from _lines("Also", list(words.also(verdict)))
    yield from _lines("Signals of the last hour", [words.signal(one) for one in verdict.signals])
    firing = facts.alerts.value if facts.alerts is not None else None
    yield from _lines("Alerts", list(words.alerts(firing or (), facts.now)))
    change = facts.change.value if facts.change is not None else None
    yield from _lines("Last change", [words.change(change)] if change is not None else [])
    yield from _lines("Depends on", [words.dependency(one) for one in verdict.dependencies])
    notes = [words.how_sure(verdict), words.unseen(verdict.missing, is_whole=is_whole)]
    yield blocks.context(*filter(None, notes))
    yield blocks.actions(list(_buttons(verdict, facts)), block_id=f"health.{verdict.environment}"[:255])


def briefly(verdict: Verdict) -> str:
    """Return one line about another environment of the same service."""
    where = f"{words.SIGNS[verdict.state]} *{escape(verdict.environment)}* {verdict.state}"
    return f"{where}: {words.told(verdict.deciding.sentence)}"


def _lines(title: str, texts: Sequence[str]) -> list[Block]:
    return blocks.lines([f"*{title}*", *texts]) if texts else []


def _buttons(verdict: Verdict, facts: HealthFacts) -> Iterator[Block]:
    """Each types its line for whoever presses it, and policy judges that person then."""
    service, environment = verdict.service, verdict.environment
    where = f"{service} {environment}"
    if verdict.state is not State.HEALTHY:
        yield blocks.button(
            "Why?", "why", f"/health why {where}", style="primary", spoken=f"Why is {service} in {environment} so?"
        )
    yield blocks.button("Logs", "logs", f"/service logs {where}", spoken=f"Logs of {service} in {environment}")
    release = facts.release.value if facts.release is not None else None
    if (version := goes_back(verdict, facts, release)) is not None and release is not None and release.current:
        left = release.current.version
        yield blocks.button(
            "Roll back",
            "rollback",
            f"/service rollback {service} in {environment} leaving {left.commit[:12]} because it is {verdict.state}",
            style="danger",
            confirm=blocks.confirm(
                f"Roll back to {version}?",
                f"{service} in {environment} goes back from {left.name} to {version}, and is held there.",
                yes="Roll back",
                style="danger",
            ),
            spoken=f"Roll {service} in {environment} back to {version}",
        )
    yield blocks.button("Look again", "health", f"/health {where}", spoken=f"Look at {service} in {environment} again")


def goes_back(verdict: Verdict, facts: HealthFacts, release: Release | None) -> str | None:
    """Return the version that rolling back leads to, where that is sensible: it is in trouble of its own, another
    version came lately, and one before it ran here."""
    if release is None or release.current is None or verdict.state not in (State.DEGRADED, State.DOWN):
        return None
    if verdict.deciding.source in _NOT_BY_VERSION or facts.now - release.current.at > RECENT:
        return None
    now = release.current.version.commit
    bad = release.pin.bad.commit if release.pin is not None else now
    earlier = (one.version for one in release.history if one.version.commit not in (now, bad))
    return next((one.name for one in earlier), None)
