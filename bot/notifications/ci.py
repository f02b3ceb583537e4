"""CI of a main branch that fails: one message for a repository, from the first failure until all of it is green."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.catalog.index import Index
from bot.model.forge_events import BuildEnded
from bot.model.notifications import News
from bot.notifications.drawing import run_line
from bot.notifications.streaks import Streaks
from bot.releases.services import service_of_repository

FAILED = frozenset({"failure", "timed_out", "startup_failure"})
"""Conclusions that somebody has to deal with. What was cancelled or skipped says nothing."""
MOST_WORKFLOWS = 30


class FailingBuilds:
    """Hears how runs have ended."""

    def __init__(self, streaks: Streaks, index: Callable[[], Index]) -> None:
        self._streaks = streaks
        self._index = index

    async def built(self, event: BuildEnded) -> None:
        failed = event.conclusion in FAILED
        if not event.is_default_branch or not event.repository or not (failed or event.succeeded):
            return
        service = service_of_repository(self._index(), event.repository)
        if service is None:
            return
        key = f"ci:{event.repository}"
        async with self._streaks.changing() as connection:
            streak = await self._streaks.newest(connection, key)
            if streak is None or (not streak.is_open and failed):
                known = streak.facts if streak is not None else {}
                if failed and (facts := heard({**known, "count": 0, "repository": event.repository}, event)):
                    await self._streaks.begin(connection, News.CI, key, service.owner, facts)
                return
            facts = heard(streak.facts, event)
            if facts is None:
                return
            ran = run_line(facts["runs"][event.name])
            was_failing = streak.facts["runs"].get(event.name, {}).get("failed", False)
            if not streak.is_open or not (failed or was_failing):
                await self._streaks.remember(connection, streak, facts)
            elif any(run["failed"] for run in facts["runs"].values()):
                said = f"Fails again: {ran}." if failed else f"Green again, others still fail: {ran}."
                await self._streaks.go_on(connection, streak, facts, said)
            else:
                await self._streaks.end(connection, streak, facts, f"Green again: {ran}.")


def heard(facts: Mapping[str, Any], event: BuildEnded) -> dict[str, Any] | None:
    """Return what is known after the event; None where it is older than what is known, or was heard before.

    Runs are told apart by workflow: one that is green says nothing about another. A run that is repeated keeps its
    number.
    """
    runs = dict(facts.get("runs", {}))
    failed = event.conclusion in FAILED
    before = runs.pop(event.name, None)
    if before is not None and (event.run < before["run"] or (event.run, failed) == (before["run"], before["failed"])):
        return None
    if len(runs) >= MOST_WORKFLOWS:
        del runs[min(runs, key=lambda name: runs[name]["run"])]
    runs[event.name] = {
        "run": event.run,
        "name": event.name,
        "sha": event.sha,
        "actor": event.actor,
        "url": event.web_url,
        "failed": failed,
    }
    return {**facts, "runs": runs, "count": int(facts.get("count", 0)) + failed}
