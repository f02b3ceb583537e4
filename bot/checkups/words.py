"""States, numbers and sentences of a verdict, as mrkdwn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from bot.charts import said as number
from bot.charts import sparkline
from bot.health.verdict import AlertFact, ChangeFact, DependencyVerdict, Signal, State, Verdict
from bot.health.verdict.words import age
from bot.model.alerts import Severity
from bot.slack.mrkdwn import code, cut, escape, local_time
from bot.slack.mrkdwn import said as sentence

SIGNS = {State.HEALTHY: "🟢", State.UNKNOWN: "⚪", State.DEGRADED: "🟡", State.DOWN: "🔴"}
"""For the eye; the word stands beside it always."""
LONGEST = 600
"""Characters of one sentence that are shown."""
MOST_ALSO, MOST_ALERTS, MOST_MISSING = 4, 5, 5
_SURE = {"high": "sure", "medium": "fairly sure", "low": "not sure"}


def state(verdict: Verdict) -> str:
    return f"{SIGNS[verdict.state]} {verdict.state.value}"


def told(text: str) -> str:
    """Return a sentence of a verdict for mrkdwn: whatever stood in it from outside stays plain text."""
    return sentence(cut(text, LONGEST))


def deciding(verdict: Verdict) -> str:
    first = verdict.deciding
    return " ".join(filter(None, [told(first.sentence), told(first.next_step)]))


def also(verdict: Verdict) -> Iterator[str]:
    """Tell what counts against it besides what decides."""
    others = verdict.because[1:]
    yield from (f"• {told(one.sentence)}" for one in others[:MOST_ALSO])
    if len(others) > MOST_ALSO:
        yield f"• and {len(others) - MOST_ALSO} more"


def signal(one: Signal) -> str:
    """`requests 12 req/s ▁▂▃`, with the objective where there is one."""
    now = number(one.now, one.unit) if one.now is not None else "not measured now"
    parts = [f"*{escape(one.name)}* {escape(now)}", _objective(one)]
    line = sparkline(one.points)
    return " ".join(filter(None, [*parts, code(line) if line else ""]))


def _objective(one: Signal) -> str:
    if one.objective is None:
        return ""
    most = escape(number(one.objective, one.unit))
    if one.kind == "saturation":  # nobody has promised it: it is where trouble begins
        return "(nearly full)" if one.breached else ""
    if one.breached:
        return f"(over its objective of {most})"
    if one.now is not None and one.now > one.objective:  # failures: their objective is meant over weeks
        return f"(above its objective of {most}, not by enough to count)"
    return f"(objective: {most})"


def alerts(firing: Iterable[AlertFact], now: datetime) -> Iterator[str]:
    """The gravest first, of equals the one that has fired longest."""
    every = sorted(firing, key=lambda one: (list(Severity).index(one.severity), one.since, one.title))
    for one in every[:MOST_ALERTS]:
        silenced = ", silenced" if one.silenced else ""
        yield f"• {escape(cut(one.title, 150))} ({one.severity.value}{silenced}), for {age(one.since, now)}"
    if len(every) > MOST_ALERTS:
        yield f"• and {len(every) - MOST_ALERTS} more"


def change(last: ChangeFact) -> str:
    return f"{escape(cut(last.what, 200))}, by {escape(last.by)}, {local_time(last.at)}"


def dependency(one: DependencyVerdict) -> str:
    line = f"{SIGNS[one.state]} *{escape(one.service)}* {one.state.value}"
    return line if one.state is State.HEALTHY else f"{line}: {told(one.sentence)}"


def how_sure(verdict: Verdict) -> str:
    """`sure, as of 09:00`."""
    return f"{_SURE[verdict.sure]}, as of {local_time(verdict.as_of)}"


def unseen(missing: Sequence[str], *, is_whole: bool) -> str:
    """Return what was not seen, as one line; empty where all was."""
    if not missing:
        return "" if is_whole else "More is being read; this message is completed by itself."
    shown = [told(one) for one in missing[:MOST_MISSING]]
    if len(missing) > MOST_MISSING:
        shown.append(f"And {len(missing) - MOST_MISSING} more.")
    wait = [] if is_whole else ["This message is completed by itself."]
    return " ".join([*shown, *wait])
