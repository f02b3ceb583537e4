"""What is said of a service in one environment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from bot.health.verdict.signals import Signal

Sure = Literal["high", "medium", "low"]


class State(StrEnum):
    """`Unknown` stands between: nothing wrong was seen, and not all was seen."""

    HEALTHY = "Healthy"
    UNKNOWN = "Unknown"
    DEGRADED = "Degraded"
    DOWN = "Down"

    @property
    def badness(self) -> int:
        """0 for Healthy to 3 for Down: what is worst comes first."""
        return list(State).index(self)


Source = Literal["pods", "argocd", "errors", "latency", "saturation", "burn", "alerts", "dependency", "missing", "all"]
"""Where the deciding fact comes from; `all`: everything was seen and nothing was wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """One fact that counts."""

    source: Source
    sentence: str
    """For a developer, plain text that is not escaped yet: it may hold texts from outside, bounded and redacted."""
    state: State
    """What this fact alone makes of the service."""
    sure: Sure
    next_step: str = ""
    """What helps, as a sentence; empty where only looking closer does."""
    root: str = ""
    """Of a dependency's trouble: the service in which it begins."""
    begins: str = ""
    """Of a dependency's trouble: what is wrong there, as its own sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyVerdict:
    """How something that the service depends on stands, as far as that matters here."""

    service: str
    state: State
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The same facts give the same verdict, word for word."""

    service: str
    environment: str
    state: State
    because: tuple[Because, ...]
    """Everything that counts against it, what decides first; of a healthy one, why it is called so."""
    sure: Sure
    as_of: datetime
    """The age of the oldest fact that was used."""
    signals: tuple[Signal, ...] = ()
    missing: tuple[str, ...] = ()
    """What was not seen, each as a sentence: `Prometheus has not answered yet.`"""
    dependencies: tuple[DependencyVerdict, ...] = ()
    is_there: bool = True
    """Whether anything of it was found in this environment; False: it was never deployed there."""

    @property
    def deciding(self) -> Because:
        return self.because[0]
