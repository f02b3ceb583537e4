"""From facts to one verdict: Healthy, Degraded, Down or Unknown, with the fact that decided. Pure."""

from bot.health.verdict.composing import compose
from bot.health.verdict.facts import AlertFact, ChangeFact, DependencyFact, HealthFacts, Reading
from bot.health.verdict.judging import judge
from bot.health.verdict.signals import Burn, Signal, SignalKind, Signals
from bot.health.verdict.verdict import Because, DependencyVerdict, State, Sure, Verdict

__all__ = [
    "AlertFact",
    "Because",
    "Burn",
    "ChangeFact",
    "DependencyFact",
    "DependencyVerdict",
    "HealthFacts",
    "Reading",
    "Signal",
    "SignalKind",
    "Signals",
    "State",
    "Sure",
    "Verdict",
    "compose",
    "judge",
]
