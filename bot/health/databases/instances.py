"""Why a CloudNativePG database is not ready: seed, volumes, jobs, instances, then what its operator says."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.health import pods
from bot.health.databases import volumes
from bot.health.databases.facts import DatabaseFacts, Instances, Job
from bot.health.facts import Event, Pod, StuckFacts
from bot.health.finding import Finding
from bot.health.reason import Reason
from bot.health.refusals import explained
from bot.health.words import said

_STEPS = {
    "unscheduled": "Choose a smaller size, or have more room made for it.",
    "image": "Have the image made available to the cluster; it starts by itself then.",
    "ended": "Have what its log says mended; it is started again and again meanwhile.",
    "configuration": "Have what it names put there; it starts by itself then.",
}
_STEP = "Have what it names mended; it goes on by itself then."
_DOING = {
    "initdb": "sets it up",
    "import": "imports its data",
    "full-recovery": "restores it from the backup",
    "snapshot-recovery": "restores it from the snapshot",
    "join": "copies it to another instance",
}
_PHASES = (
    (
        r"unrecoverable",
        "it cannot be recovered by itself any more",
        "Have it restored, or delete it and request it anew.",
    ),
    (r"unknown plugin", "the cluster lacks a plugin that it needs, such as the one for backups", "Have it installed."),
    (r"interacting with plugins", "a plugin that it needs does not do its work", "Have the plugin looked at."),
    (
        r"image catalog",
        "the catalog has no image for its version",
        "Choose another version, or have the catalog completed.",
    ),
    (r"Invalid cluster definition", "its operator calls its definition wrong", "Have the definition corrected."),
    (r"Not enough disk space", "its disk is full", "Choose a larger size."),
    (r"Waiting for user action|upgrade delayed", "its operator waits for a person", "Have somebody let it go on."),
    (
        r"missing architecture binary",
        "its image does not fit the processors of the nodes",
        "Have another image chosen.",
    ),
)
"""Phases in which the operator has stopped: how they begin or what is in them, what they mean, what to do."""
_NOISE = frozenset(("Unhealthy", "BackOff", "FailedScheduling", "ProvisioningFailed", "FailedMount"))


def reason(facts: DatabaseFacts) -> Reason | None:
    """Return why this is not ready; None when it is, or when nothing is known against it."""
    told = facts.instances
    if told is None or told.is_ready:
        return None
    return (
        _silent(facts, told)
        or _switched_off(facts, told)
        or _no_source(facts, told)
        or _refused(facts, told)
        or volumes.reason(facts)
        or _jobs(facts)
        or _pods(facts)
        or _phase(facts, told)
        or _warned(facts)
    )


def _told(facts: DatabaseFacts, why: str, step: str, *evidence: str, final: bool = False) -> Reason:
    told = facts.instances
    main = facts.database.main
    phase = told.phase if told is not None and told.phase else "nothing said"
    chain = (f"{main.kind} {main.name}: {phase}",) if main is not None else ()
    return Reason(
        f"{facts.database.subject} is not ready: {why}.", step, (*chain, *evidence), final, facts.database.ask
    )


def _silent(facts: DatabaseFacts, told: Instances) -> Reason | None:
    if told.phase or told.conditions or facts.pods or facts.jobs:
        return None
    return _told(
        facts,
        "its operator, CloudNativePG, has not taken it up",
        "Have somebody look whether the operator runs and watches this namespace.",
    )


def _switched_off(facts: DatabaseFacts, told: Instances) -> Reason | None:
    if told.asleep:
        return _told(facts, "it is asleep (hibernated)", "Wake it, and it starts.", final=True)
    if told.fenced:
        return _told(facts, "somebody has fenced its instances off", "Have the fence taken away.", final=True)
    return None


def _no_source(facts: DatabaseFacts, told: Instances) -> Reason | None:
    if not facts.source_missing or told.source is None:
        return None
    kind = "backup" if told.source.kind == "Backup" else "snapshot"
    return _told(
        facts,
        f"the {kind} {told.source.name} that it is to be filled from does not exist",
        f"Choose another {kind}, or request it empty.",
        final=True,
    )


def _refused(facts: DatabaseFacts, told: Instances) -> Reason | None:
    """What the cluster refuses its operator: quotas above all."""
    events = [one.message for one in facts.events if one.reason == "FailedCreate" and _is_mine(facts, one)]
    for message in (told.phase_reason, *reversed(events)):
        why = explained(message) if message else None
        if why is not None:
            quota = "quota" in why.cause
            step = "Choose a smaller size, or have the quota raised." if quota else _STEP
            return _told(facts, why.cause, step, said(message), final=why.final or quota)
    return None


def _is_mine(facts: DatabaseFacts, event: Event) -> bool:
    name = facts.database.main.name if facts.database.main is not None else facts.database.name
    return event.name == name or event.name.startswith(f"{name}-")


def _jobs(facts: DatabaseFacts) -> Reason | None:
    for job in facts.jobs:
        if not (job.failed or job.gave_up):
            continue
        why = f"the job that {_DOING.get(job.role, 'prepares it')} {'has failed' if job.gave_up else 'fails'}"
        words = _words_of(facts, job)
        rest = f"; {words}" if words else ""
        evidence = f"Job {job.name}: {job.failed} failed{f', {job.gave_up}' if job.gave_up else ''}"
        return _told(facts, f"{why}{rest}", _job_step(job), evidence, final=bool(job.gave_up) or job.failed > 1)
    return None


def _job_step(job: Job) -> str:
    if job.role in ("full-recovery", "snapshot-recovery"):
        return "Choose another backup, or request it empty."
    if job.role == "import":
        return "Have the database that it imports from looked at, or request it empty."
    return "Have what its log says mended; it is tried again meanwhile."


def _words_of(facts: DatabaseFacts, job: Job) -> str:
    for pod in facts.pods:
        found = pods.finding(_as_stuck(facts), pod) if pod.name.startswith(f"{job.name}-") else None
        if found is not None and found.key[0] == "ended":
            return found.rest.removeprefix("; ")
    return ""


def _pods(facts: DatabaseFacts) -> Reason | None:
    found = [(pod, one) for pod in _unready(facts.pods) if (one := pods.finding(_as_stuck(facts), pod)) is not None]
    if not found:
        return None
    pod, worst = min(found, key=lambda both: (both[1].rank, both[0].name))
    return _told(
        facts,
        f"{_named(facts, pod)} {worst.one}{worst.rest}",
        _step(worst),
        pods.pod_line(pod),
        *worst.evidence,
        final=worst.final,
    )


def _unready(found: Sequence[Pod]) -> list[Pod]:
    return [one for one in found if not one.ready and not one.leaving and one.phase != "Succeeded"]


def _named(facts: DatabaseFacts, pod: Pod) -> str:
    role = pod.labels.get("cnpg.io/jobRole", "")
    if role:
        return f"the job that {_DOING.get(role, 'prepares it')}"
    wanted = facts.instances.wanted if facts.instances is not None else 1
    return f"its instance {pod.name}" if wanted > 1 else "its only instance"


def _step(found: Finding) -> str:
    if found.next_step.startswith("Wait"):
        return "Wait: it is tried again by itself."
    if "OOMKilled" in found.key:
        return "Choose a larger size."
    return _STEPS.get(found.key[0], _STEP)


def _as_stuck(facts: DatabaseFacts) -> StuckFacts:
    """Return the pods as a diagnosis of services takes them."""
    return StuckFacts(
        service=facts.database.name,
        environment="",
        namespace=facts.database.namespace,
        pods=facts.pods,
        events=facts.events,
        claims=facts.claims,
        logs=facts.logs,
        unreadable=facts.unreadable,
    )


def _phase(facts: DatabaseFacts, told: Instances) -> Reason | None:
    for pattern, why, step in _PHASES:
        if re.search(pattern, told.phase, re.IGNORECASE):
            more = f" ({said(told.phase_reason)})" if told.phase_reason else ""
            return _told(facts, f"{why}{more}", step, final=True)
    if told.phase.startswith("Unable to create") and told.phase_reason:
        return _told(facts, f"its operator cannot make what it needs ({said(told.phase_reason)})", _STEP)
    return None


def _warned(facts: DatabaseFacts) -> Reason | None:
    main = facts.database.main
    name = main.name if main is not None else ""
    telling = [one for one in facts.events_of("Cluster", name) if one.warning and one.reason not in _NOISE]
    if not telling:
        return None
    return _told(facts, f"its operator says “{said(telling[-1].message)}”", _STEP, telling[-1].reason)
