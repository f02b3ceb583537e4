"""Several services: one line each, or one table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.charts import said as number
from bot.charts import sparkline
from bot.checkups import words
from bot.health.verdict import Signal, State, Verdict
from bot.slack import blocks
from bot.slack.message import Block
from bot.slack.mrkdwn import code, cut, escape

MOST = 25
"""Services that one message lists; the worst come first."""
COLUMNS = ("", "Service", "Where", "State", "Requests", "Failing", "Latency", "Last hour")


def worst_first(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return them with the worst first, and by name among equals."""
    return sorted(verdicts, key=lambda one: (-one.state.badness, one.service, one.environment))


def lines(services: Sequence[Sequence[Verdict]]) -> Iterator[Block]:
    """Return one line for each service: its worst environment, and the others in a word. `services` are the verdicts
    of one service each."""
    ranked = sorted(
        (worst_first(one) for one in services if one), key=lambda one: (-one[0].state.badness, one[0].service)
    )
    for verdicts in ranked[:MOST]:
        first, *others = verdicts
        line = _line(first, others)
        if first.state in (State.HEALTHY, State.UNKNOWN):
            yield from blocks.lines([line])
        else:
            why = blocks.button(
                "Why?",
                "why",
                f"/health why {first.service} {first.environment}",
                spoken=f"Why is {first.service} in {first.environment} so?",
            )
            yield blocks.section(line, accessory=why)
    if len(ranked) > MOST:
        yield blocks.context(f"and {len(ranked) - MOST} more, none of them worse")


def _line(first: Verdict, others: Sequence[Verdict]) -> str:
    head = f"{words.SIGNS[first.state]} *{escape(first.service)}* {escape(first.environment)} · {first.state}"
    shown = telling(first)
    trend = sparkline(shown.points) if shown is not None else ""
    beside = f"{escape(shown.name)} {escape(number(shown.now, shown.unit))}" if shown and shown.now is not None else ""
    parts = [head, words.told(cut(first.deciding.sentence, 200)), beside, code(trend) if trend else ""]
    rest = ", ".join(f"{escape(one.environment)} {one.state}" for one in others)
    return " · ".join(filter(None, [*parts, f"({rest})" if rest else ""]))


def telling(verdict: Verdict) -> Signal | None:
    """Return the signal that says most: the one that decided or is broken, else how many ask."""
    by_kind: dict[str, Signal] = {one.kind: one for one in reversed(verdict.signals)}
    decided = by_kind.get(verdict.deciding.source)
    broken = next((one for one in verdict.signals if one.breached), None)
    return decided or broken or by_kind.get("traffic")


def table(verdicts: Sequence[Verdict]) -> Block:
    """Return a table of services and environments, the worst first."""
    return blocks.table(COLUMNS, [_row(one) for one in worst_first(verdicts)[: MOST * 2]])


def _row(verdict: Verdict) -> tuple[str, ...]:
    by_kind = {one.kind: one for one in reversed(verdict.signals)}
    shown = telling(verdict)
    return (
        _LETTERS[verdict.state],
        cut(verdict.service, 30),
        cut(verdict.environment, 14),
        verdict.state.value,
        _now(by_kind.get("traffic")),
        _now(by_kind.get("errors")),
        _now(by_kind.get("latency")),
        sparkline(shown.points, width=10) if shown is not None else "",
    )


_LETTERS = {State.HEALTHY: "✓", State.UNKNOWN: "?", State.DEGRADED: "!", State.DOWN: "✗"}
"""Signs that are as wide as a letter: a table has to stay straight."""


def _now(signal: Signal | None) -> str:
    return number(signal.now, signal.unit) if signal is not None and signal.now is not None else "–"


def reasons(verdicts: Sequence[Verdict]) -> list[str]:
    """Return why each that is not healthy is so, the worst first."""
    return [
        f"{words.SIGNS[one.state]} *{escape(one.service)}* {escape(one.environment)}: "
        f"{words.told(one.deciding.sentence)}"
        for one in worst_first(verdicts)
        if one.state is not State.HEALTHY
    ]


def summary(verdicts: Sequence[Verdict]) -> str:
    """`1 Down, 2 Degraded, 5 Healthy`, counted by service and environment."""
    counts = [(state, sum(one.state is state for one in verdicts)) for state in reversed(State)]
    return ", ".join(f"{number_of} {state}" for state, number_of in counts if number_of) or "nothing runs yet"


def in_words(verdict: Verdict) -> str:
    """Return a verdict as one line that also stands alone in a notification or a terminal."""
    where = f"{escape(verdict.service)} in {escape(verdict.environment)}"
    return f"{where} is {verdict.state}: {words.told(verdict.deciding.sentence)}"


def notes(verdicts: Sequence[Verdict], nowhere: Sequence[str], *, left_out: int, is_whole: bool) -> list[Block]:
    """Return what stands below a list: what was not seen, what runs nowhere, how many were left out."""
    unseen = tuple(dict.fromkeys(one for verdict in verdicts for one in verdict.missing))
    told = [words.unseen(unseen, is_whole=is_whole)]
    told += [f"Not deployed yet: {escape(', '.join(nowhere[:10]))}"] if nowhere else []
    told += [f"{left_out} more services were not looked at: name one."] if left_out > 0 else []
    shown = [text for text in told if text]
    return [blocks.context(*shown)] if shown else []
