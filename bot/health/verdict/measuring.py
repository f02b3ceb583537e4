"""What the four golden signals, error budgets and alerts say against a service."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import median

from bot.health.redaction import quoted
from bot.health.verdict.facts import AlertFact, HealthFacts
from bot.health.verdict.signals import Burn, Signal, Signals
from bot.health.verdict.verdict import Because, State, Sure
from bot.health.verdict.words import age, digits, duration, percent
from bot.health.words import counted
from bot.model.alerts import Severity

MOST_FAIL = 0.5
"""From this share of failing requests on, nobody can work with it."""
MANY_FAIL = 0.05
"""What is called too many where the service names no objective."""
TIMES_SLOWER = 3.0
"""So many times slower than before is slow, where the service names no objective …"""
SLOWER_BY_S = 0.1
"""… and at least by so much, in seconds."""
FEWEST_BEFORE = 10
"""Points before the last tenth of the time that are needed to say what is usual."""
WINDOW_S = 300.0
"""Over which rates are taken, in seconds."""
FEW_REQUESTS = 20.0
"""With fewer requests in that time a share tells little."""
LONGEST_SUMMARY = 160


def measuring(facts: HealthFacts) -> Iterator[Because]:
    """Tell what counts against it, as far as it was measured."""
    signals = facts.signals.value if facts.signals is not None else None
    if signals is not None:
        sure = _how_sure(signals)
        yield from (one for signal in signals.of("errors") if (one := _errors(signal, sure)) is not None)
        yield from (one for signal in signals.of("latency") if (one := _latency(signal, sure)) is not None)
        yield from (one for signal in signals.of("saturation") if (one := _saturation(signal)) is not None)
    burns = facts.burns.value if facts.burns is not None else None
    yield from (_burn(one) for one in burns or () if one.burns)
    alerts = facts.alerts.value if facts.alerts is not None else None
    yield from _alerts(alerts or (), facts)


def _how_sure(signals: Signals) -> Sure:
    traffic = signals.first("traffic")
    if signals.problems:
        return "low"
    few = traffic is None or traffic.now is None or traffic.now * WINDOW_S < FEW_REQUESTS
    return "medium" if few else "high"


def _errors(signal: Signal, sure: Sure) -> Because | None:
    if signal.now is None:
        return None
    most = signal.objective
    if signal.now >= MOST_FAIL:
        return Because(
            source="errors", sentence=f"{percent(signal.now)} of its requests fail.", state=State.DOWN, sure=sure
        )
    if signal.breached and most is not None:
        told = f"{percent(signal.now)} of its requests fail; its objective allows {percent(most)}."
        return Because(source="errors", sentence=told, state=State.DEGRADED, sure=sure)
    if most is None and signal.now >= MANY_FAIL:
        told = f"{percent(signal.now)} of its requests fail."
        return Because(source="errors", sentence=told, state=State.DEGRADED, sure=sure)
    return None


def _latency(signal: Signal, sure: Sure) -> Because | None:
    if signal.now is None:
        return None
    if signal.breached and signal.objective is not None:
        told = f"Its {signal.name} is {duration(signal.now)}; its objective is {duration(signal.objective)}."
        return Because(source="latency", sentence=told, state=State.DEGRADED, sure=sure)
    usual = usually(signal)
    if signal.objective is None and usual is not None and is_far(signal.now, usual):
        told = f"Its {signal.name} is {duration(signal.now)}, and was usually {duration(usual)} before."
        return Because(source="latency", sentence=told, state=State.DEGRADED, sure="medium" if sure == "high" else sure)
    return None


def usually(signal: Signal) -> float | None:
    """Return the middle value of all but the last tenth of the time; None where there are too few to say."""
    before = [value for _, value in signal.points[: -max(1, len(signal.points) // 10)]]
    return median(before) if len(before) >= FEWEST_BEFORE else None


def is_far(now: float, usual: float) -> bool:
    return now >= usual * TIMES_SLOWER and now - usual >= SLOWER_BY_S


def _saturation(signal: Signal) -> Because | None:
    if not signal.breached or signal.now is None:
        return None
    told = f"Its {signal.name} is at {percent(signal.now)} of what it may have."
    return Because(source="saturation", sentence=told, state=State.DEGRADED, sure="medium")


def _burn(burn: Burn) -> Because:
    what = "failing" if burn.kind == "availability" else "slow"
    hours = round(burn.over_s / 3600)
    over = "hour" if hours == 1 else counted(hours, "hour")
    times = (
        "at once" if not math.isfinite(burn.long) else f"{digits(burn.long, 3)} times faster than its objective allows"
    )
    return Because(
        source="burn",
        sentence=f"Over the last {over} its budget of {what} requests was spent {times}.",
        state=State.DEGRADED,
        sure="high",
    )


def _alerts(alerts: Sequence[AlertFact], facts: HealthFacts) -> Iterator[Because]:
    """The gravest first, of equals the one that has fired longest. What is only for information counts nothing."""
    rank = list(Severity)
    telling = [one for one in alerts if one.severity is not Severity.INFO]
    for one in sorted(telling, key=lambda alert: (rank.index(alert.severity), alert.since, alert.title)):
        summary = quoted(one.summary, LONGEST_SUMMARY).rstrip(" .")
        told = f": {summary}" if summary else ""
        silenced = " (silenced)" if one.silenced else ""
        sentence = f"The alert {quoted(one.title, 100)}{silenced} has fired for {age(one.since, facts.now)}{told}."
        yield Because(source="alerts", sentence=sentence, state=State.DEGRADED, sure="medium")
