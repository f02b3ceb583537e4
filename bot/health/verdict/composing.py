"""The verdict of a service together with what it depends on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.health.verdict.facts import DependencyFact, HealthFacts
from bot.health.verdict.judging import judge
from bot.health.verdict.verdict import Verdict

DEPTH = 3
"""Over so many steps trouble is carried from what a service depends on."""


def compose(
    service: str,
    *,
    facts: Callable[[str], HealthFacts | None],
    dependencies: Callable[[str], Sequence[str]],
    depth: int = DEPTH,
) -> Verdict:
    """Return the service's verdict. `facts` are each service's own ones, None of one that was not looked at.

    Trouble travels one step in each round, so circles end and every service is judged `depth` times at most. Raise
    `LookupError` where there are no facts of the service itself.
    """
    own = _reachable(service, facts, dependencies, depth)
    verdicts = {name: judge(known) for name, known in own.items()}
    for _ in range(depth):
        verdicts = {name: judge(_with(known, dependencies(name), verdicts)) for name, known in own.items()}
    return verdicts[service]


def _reachable(
    service: str,
    facts: Callable[[str], HealthFacts | None],
    dependencies: Callable[[str], Sequence[str]],
    depth: int,
) -> dict[str, HealthFacts]:
    found: dict[str, HealthFacts] = {}
    layer: Sequence[str] = (service,)
    for _ in range(depth + 1):
        known = {name: told for name in layer if name not in found and (told := facts(name)) is not None}
        found |= known
        layer = tuple(dict.fromkeys(one for name in known for one in dependencies(name)))
    return found


def _with(own: HealthFacts, names: Sequence[str], verdicts: dict[str, Verdict]) -> HealthFacts:
    """Return the facts with what the last round says of its dependencies. Trouble that comes back to where it began in
    a circle is not told twice."""
    told = (
        DependencyFact(service=name, verdict=verdicts[name])
        for name in names
        if name in verdicts and verdicts[name].deciding.root != own.service
    )
    return replace(own, dependencies=tuple(told))
