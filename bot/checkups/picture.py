"""The chart of the signal that says most, with the deploys of that time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.charts import Chart, Mark, Series, alt_text, chart
from bot.checkups.several import telling
from bot.command import Picture
from bot.deps import Deps
from bot.errors import PlatformError
from bot.health.verdict import HealthFacts, Verdict

WINDOW = timedelta(hours=1)


def drawn(verdict: Verdict, facts: HealthFacts) -> Chart | None:
    """Return what is drawn; None where nothing was measured."""
    shown = telling(verdict)
    by_kind = {one.kind: one for one in reversed(verdict.signals)}
    if shown is not None and shown.kind == "traffic":
        shown = by_kind.get("latency") or shown
    if shown is None or len(shown.points) < 2:
        return None
    begin = facts.now - WINDOW
    return Chart(
        title=f"{verdict.service} in {verdict.environment}: {shown.name}",
        unit=shown.unit,
        series=(Series(shown.name, shown.points),),
        objective=shown.objective,
        marks=tuple(_deploys(facts, begin)),
        begin=begin,
        end=facts.now,
    )


def _deploys(facts: HealthFacts, begin: datetime) -> Iterator[Mark]:
    release = facts.release.value if facts.release is not None else None
    if release is None or release.current is None:
        return
    for one in (*reversed(release.history), release.current):
        if begin <= one.at <= facts.now:
            yield Mark(one.at, one.version.name)


async def picture(verdict: Verdict, facts: HealthFacts, deps: Deps) -> Picture | None:
    """Return the chart as a picture; None where nobody draws, or it cannot be drawn: the words say the same."""
    shown = drawn(verdict, facts)
    if shown is None or deps.pictures is None:
        return None
    try:
        png = await deps.pictures.png(chart(shown))
    except PlatformError:
        return None
    name = f"{verdict.service}-{verdict.environment}.png"
    return Picture(name=name, title=shown.title, png=png, alt=alt_text(shown))
