"""What an expression becomes: a function of the moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from playground.monitoring.prometheus.labels import Labels, Matcher, written
from playground.monitoring.prometheus.promql.errors import Unevaluable
from playground.monitoring.prometheus.samples import Edges, Samples, Series

Vector = list[tuple[Labels, float]]
"""One value for each set of labels."""
Evaluate = Callable[[int], Vector]
"""Takes a moment in milliseconds."""
Number = Callable[[int], float]
SAMPLES = 5_000_000
"""How many samples one query may read. Real servers have such a bound as well."""


class Storage(Protocol):
    def select(self, matchers: Sequence[Matcher]) -> Sequence[Series]:
        """Return the series that fit, by their labels. Raise `re.error` for an expression that cannot be read."""


class Window(Protocol):
    """What one series has within a range."""

    @property
    def labels(self) -> Labels: ...

    def samples(self) -> Samples: ...

    def edges(self) -> Edges | None: ...


@dataclass(frozen=True, slots=True)
class Ranged:
    """A selector with a range: its windows at a moment, and how long they are."""

    windows: Callable[[int], Sequence[Window]]
    span: int
    """Milliseconds."""
    offset: Callable[[int], int]
    """Returns the end of the window for a moment: `offset` and `@` move it."""


@dataclass(slots=True)
class Budget:
    """Counts the samples that a query reads. Raise `Unevaluable` beyond `SAMPLES`."""

    read: int = 0
    once: bool = False
    """The query remembers what it has read, or is bound to its begin: it is compiled anew for another moment."""

    def spend(self, count: int) -> None:
        self.read += count
        if self.read > SAMPLES:
            raise Unevaluable("query processing would load too many samples into memory in query execution")


@dataclass(frozen=True, slots=True)
class Query:
    """A query that has been read: what kind of answer it gives, and the function that gives it."""

    kind: Literal["vector", "scalar", "string", "matrix"]
    vector: Evaluate | None = None
    scalar: Number | None = None
    string: str = ""
    matrix: Ranged | None = None
    budget: Budget = field(default_factory=Budget)

    def values(self, moment: int) -> Vector:
        """Return what there is at a moment; a number is one value without labels."""
        if self.vector is not None:
            return self.vector(moment)
        return [((), self.scalar(moment))] if self.scalar is not None else []


def unique(vector: Vector) -> Vector:
    """Raise `Unevaluable` where two have the same labels."""
    if len(vector) > 1 and len({labels for labels, _ in vector}) != len(vector):
        raise Unevaluable("vector cannot contain metrics with the same labelset")
    return vector


def shown(labels: Labels) -> str:
    return written(labels)
