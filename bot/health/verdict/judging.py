"""The verdict: what is worst decides; what was not read keeps it from being called healthy.

So it is monotone: one more bad fact never makes it healthier, and one fact less never does either.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.health.verdict.facts import HealthFacts, Reading
from bot.health.verdict.measuring import measuring
from bot.health.verdict.running import blind, running
from bot.health.verdict.verdict import Because, DependencyVerdict, State, Sure, Verdict
from bot.health.verdict.words import age, rate
from bot.health.words import counted, listed

STALE = timedelta(minutes=15)
"""What was read longer ago than this tells of another time."""
_ORDER = ("pods", "argocd", "errors", "latency", "burn", "saturation", "alerts", "dependency", "missing", "all")
"""Of facts that are equally bad, this one tells most about the cause or the harm."""


def judge(facts: HealthFacts) -> Verdict:
    """Return the verdict. Same facts, same words."""
    found = sorted(
        (*running(facts), *measuring(facts), *_dependencies(facts)),
        key=lambda one: (-one.state.badness, _ORDER.index(one.source)),
    )
    missing = tuple(dict.fromkeys(_missing(facts)))
    is_there = _is_there(facts)
    because = tuple(found) or (_nothing_found(facts, missing, is_there=is_there),)
    state = because[0].state
    return Verdict(
        service=facts.service,
        environment=facts.environment,
        state=state,
        because=because,
        sure=because[0].sure,
        as_of=_as_of(facts),
        signals=facts.signals.value.signals if facts.signals is not None and facts.signals.value is not None else (),
        missing=missing,
        dependencies=tuple(_told(facts)),
        is_there=is_there,
    )


def _nothing_found(facts: HealthFacts, missing: tuple[str, ...], *, is_there: bool) -> Because:
    """Return why nothing speaks against it: because all is well, or because not all was seen."""
    where = f"{facts.service} in {facts.environment}"
    if missing:
        left = len(missing) - 1
        more = f", and {counted(left, 'more thing')} {'was' if left == 1 else 'were'} not seen" if left else ""
        told = f"Nothing wrong was seen, but not all could be looked at: {missing[0].rstrip('.')}{more}."
        return Because(source="missing", sentence=told, state=State.UNKNOWN, sure="low")
    if not is_there:
        told = f"{facts.service} has not been deployed to {facts.environment}."
        return Because(source="missing", sentence=told, state=State.UNKNOWN, sure="high")
    seen = [*_well(facts)]
    if not seen:
        return Because(source="missing", sentence=f"Nothing tells how {where} is.", state=State.UNKNOWN, sure="low")
    sentence = f"{listed(seen)}."
    return Because(
        source="all", sentence=sentence[0].upper() + sentence[1:], state=State.HEALTHY, sure=_how_sure(facts)
    )


def _well(facts: HealthFacts) -> Iterator[str]:
    """What is well, as pieces of one sentence."""
    cluster = facts.cluster.value if facts.cluster is not None else None
    wanted = sum(one.replicas for one in cluster.workloads if one.kind != "CronJob") if cluster is not None else 0
    if cluster is not None and wanted:
        ready = sum(one.available_replicas for one in cluster.workloads if one.kind != "CronJob")
        yield f"{ready} of {counted(wanted, 'pod')} {'is' if wanted == 1 else 'are'} ready"
    elif cluster is not None and cluster.workloads:
        yield "its schedule is in place"
    elif facts.application is not None and facts.application.value is not None:
        yield f"Argo CD calls it {facts.application.value.health}"
    signals = facts.signals.value if facts.signals is not None else None
    traffic = signals.first("traffic") if signals is not None else None
    if traffic is not None and traffic.now:
        yield f"it answers {rate(traffic.now)} as it should"
    elif traffic is not None:
        yield "nobody asks it anything at the moment"
    elif signals is not None and signals.signals:  # it works for a queue, or its requests are not counted
        yield "nothing that is measured of it is out of the ordinary"


def _how_sure(facts: HealthFacts) -> Sure:
    """How sure it is that all is well: only what answers requests, and was seen from all sides, is surely well."""
    signals = facts.signals.value if facts.signals is not None else None
    traffic = signals.first("traffic") if signals is not None else None
    answers = traffic is not None and bool(traffic.now)
    cluster = facts.cluster.value if facts.cluster is not None else None
    runs = cluster is not None and bool(cluster.workloads) and all(one.is_rolled_out for one in cluster.workloads)
    changed = facts.change is None or facts.change.is_read
    return "high" if answers and runs and changed else "medium"


# --- What it depends on


def _dependencies(facts: HealthFacts) -> Iterator[Because]:
    for one in facts.dependencies:
        verdict = one.verdict
        if verdict is None or verdict.state not in (State.DEGRADED, State.DOWN):
            continue
        first = verdict.deciding
        root = first.root or one.service
        through = f" (through {one.service})" if first.root else ""
        begins = first.begins or first.sentence
        yield Because(
            source="dependency",
            sentence=f"Because of {root}, which it depends on{through}: {begins}",
            state=State.DEGRADED,
            sure="low" if verdict.sure == "low" else "medium",
            next_step=first.next_step,
            root=root,
            begins=begins,
        )


def _told(facts: HealthFacts) -> Iterator[DependencyVerdict]:
    for one in facts.dependencies:
        if one.verdict is None:
            yield DependencyVerdict(service=one.service, state=State.UNKNOWN, sentence=one.problem)
        elif one.verdict.is_there:
            deciding = one.verdict.deciding
            yield DependencyVerdict(service=one.service, state=one.verdict.state, sentence=deciding.sentence)


# --- What was not seen


def _missing(facts: HealthFacts) -> Iterator[str]:
    for who, reading in _vital(facts):
        if reading.problem:
            yield reading.problem
        elif reading.at is not None and facts.now - reading.at > STALE:
            yield f"What {who} says is {age(reading.at, facts.now)} old."
    application = facts.application.value if facts.application is not None else None
    if application is not None and application.health == "Unknown":
        yield "Argo CD does not know how it is."
    cluster = facts.cluster.value if facts.cluster is not None else None
    if cluster is not None:
        yield from (f"I may not read {one}." for one in blind(cluster))
    signals = facts.signals.value if facts.signals is not None else None
    if signals is not None:
        yield from signals.problems
        yield from _gone_quiet(facts)
    for one in facts.dependencies:
        if one.verdict is None:
            yield one.problem or f"How {one.service}, which it depends on, is, is not known."
        elif one.verdict.state is State.UNKNOWN and one.verdict.is_there:
            yield f"Whether {one.service}, which it depends on, is well is not known."


def _gone_quiet(facts: HealthFacts) -> Iterator[str]:
    """What was measured, and is not any more: somebody has stopped to look, or it has stopped to tell."""
    signals = facts.signals.value if facts.signals is not None else None
    for one in signals.signals if signals is not None else ():
        if one.kind == "traffic" and one.now is None and one.last_at is not None:
            last = datetime.fromtimestamp(one.last_at, facts.now.tzinfo)
            yield f"Its {one.name} were measured last {age(last, facts.now)} ago."


def _vital(facts: HealthFacts) -> Iterator[tuple[str, Reading[object]]]:
    """Everything that can speak against it. The last change cannot: it only explains."""
    named: tuple[tuple[str, Reading[object] | None], ...] = (
        ("the cluster", facts.cluster),
        ("Argo CD", facts.application),
        ("Prometheus", facts.signals),
        ("Prometheus", facts.burns),
        ("Alertmanager", facts.alerts),
    )
    yield from ((who, reading) for who, reading in named if reading is not None)
    if facts.release is not None and facts.release.problem:
        yield "Git", facts.release  # it changes by deploys only, and so does not grow old


def _is_there(facts: HealthFacts) -> bool:
    """Return whether it exists there, or may: only what was looked for and not found is not there."""
    release = facts.release.value if facts.release is not None else None
    cluster = facts.cluster.value if facts.cluster is not None else None
    signals = facts.signals.value if facts.signals is not None else None
    sides = (facts.release, facts.cluster, facts.application, facts.signals)
    return (
        any(one is not None and one.problem for one in sides)
        or (signals is not None and bool(signals.problems))
        or (release is not None and release.current is not None)
        or (cluster is not None and bool(cluster.workloads))
        or (facts.application is not None and facts.application.value is not None)
        or (signals is not None and bool(signals.signals))
        or bool(facts.alerts is not None and facts.alerts.value)
    )


def _as_of(facts: HealthFacts) -> datetime:
    """Return the time of the oldest fact; a clock that is ahead of ours counts as now."""
    times = [reading.at for _, reading in _vital(facts) if reading.at is not None and not reading.problem]
    return min([*times, facts.now])
