"""How long a verdict takes, and after how long somebody who asks reads a first answer while four systems are slow."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import Any

from bot.health import StuckFacts
from bot.health.verdict import DependencyFact, HealthFacts, Reading, judge
from bot.model.alerts import Severity
from commands import health
from tests.bench.figures import Figure, figure, percentile
from tests.commands.running import in_slack
from tests.health.trees import facts_of, recorded
from tests.health.verdict import facts as some
from tests.observing.scene import PROMISES, hold, scene

SETS = 1_000
ROUNDS = 5
ASKED = 5
POINTS = 61
LEVELS = ("applications", "workloads", "pods", "containers")


async def run() -> list[Figure]:
    return [await _verdicts(), await _first_answers()]


async def _verdicts() -> Figure:
    trees = [await facts_of(case) for level in LEVELS for case in recorded(level)]
    chance = random.Random(7)
    sets = [_facts(chance, trees) for _ in range(SETS)]
    p99s: list[float] = []
    for _ in range(ROUNDS):
        times: list[float] = []
        for known in sets:
            begin = time.process_time()  # it only reckons: what else the machine does is none of its business
            judge(known)
            times.append((time.process_time() - begin) * 1000)
        p99s.append(percentile(times, 0.99))
    return figure("verdict_p99_ms", p99s, "ms", better="lower", goal=5, against=f"{SETS} sets of facts")


def _facts(chance: random.Random, trees: list[StuckFacts]) -> HealthFacts:
    """Return what a recorded cluster shows, with an hour of signals, alerts and dependencies."""
    tree = chance.choice(trees)
    noise = [chance.random() for _ in range(POINTS)]
    signals = some.signals(
        some.traffic(*(10 * value for value in noise)),
        some.errors(*(value * chance.choice((0.001, 0.2, 1.0)) for value in noise), objective=0.001),
        some.latency(*(value * chance.choice((0.2, 2.0)) for value in noise), objective=chance.choice((None, 0.3))),
        some.memory(*noise),
    )
    firing = [some.alert(f"Alert{number}", chance.choice(list(Severity))) for number in range(chance.randrange(6))]
    beside = [
        DependencyFact(service=f"s{number}", verdict=judge(some.facts())) for number in range(chance.randrange(8))
    ]
    known = some.facts(
        cluster=Reading(replace(tree, application=None), at=some.NOW),
        application=Reading(tree.application, at=some.NOW) if tree.application else some.argocd(),
        signals=chance.choice((signals, some.unread("Prometheus"))),
        alerts=some.alerts(*firing),
        dependencies=tuple(beside),
    )
    return replace(known, service=tree.service, environment=tree.environment)


async def _first_answers() -> Figure:
    """Ask while Prometheus, Alertmanager, Argo CD and the cluster answer nothing at all."""
    times: list[float] = []
    for _ in range(ASKED):
        made = await scene()
        made.runs("orders-api", "production")
        made.promises("production", slo=PROMISES)
        made.measures("orders-api", "production")
        slow: tuple[tuple[Any, tuple[str, ...]], ...] = (
            (made.metrics, ("at", "over")),
            (made.alerts, ("groups",)),
            (made.deployments, ("application",)),
            (made.cluster, ("list",)),
        )
        held = [hold(system, *methods) for system, methods in slow]
        begin = time.perf_counter()
        answer = await health.answer(health.parse(["orders-api"]), in_slack(), made.deps)
        times.append((time.perf_counter() - begin) * 1000)
        for event in held:
            event.set()
        if answer.complete is not None:
            await answer.complete()
    return figure("health_answer_ms", times, "ms", better="lower", goal=1500, against="four systems that do not answer")
