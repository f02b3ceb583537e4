"""Why a workload makes no pods, or does not get on."""

from __future__ import annotations

from bot.health import pods
from bot.health.facts import StuckFacts, Workload
from bot.health.reason import Reason
from bot.health.refusals import explained
from bot.health.words import said

_SET_UP = "Mend what it names in platform.yaml and deploy again, or roll back."


def reason(facts: StuckFacts, workload: Workload) -> Reason | None:
    """Return why this workload is not rolled out; None when it is, or when nothing is known against it."""
    if workload.is_rolled_out:
        return None
    mine = pods.pods_of(facts, workload)
    found = _refused(facts, workload) if len(mine) < workload.replicas else None
    found = found or pods.reason(facts, workload, mine) or _workload_alone(facts, workload)
    if found is None:
        return None
    latest = pods.newest(facts, workload)
    chain = [f"{workload}: {_counts(workload)}", *([f"ReplicaSet {latest.name}"] if latest is not None else [])]
    return Reason(found.sentence, found.next_step, (*chain, *found.evidence), found.final)


def _counts(workload: Workload) -> str:
    return f"{min(workload.updated_replicas, workload.available_replicas)} of {workload.replicas} new pods available"


def _refused(facts: StuckFacts, workload: Workload) -> Reason | None:
    """Return why the cluster refuses to create pods."""
    message = _refusal(facts, workload)
    if not message:
        return None
    why = explained(message)
    cause = why.cause if why is not None else said(message)
    return Reason(
        f"{facts.subject} is not healthy: the cluster refuses its pods, because {cause}.",
        why.next_step if why is not None else _SET_UP,
        (f"FailedCreate: {said(message)}",),
        final=why is not None and why.final,
    )


def _refusal(facts: StuckFacts, workload: Workload) -> str:
    latest = pods.newest(facts, workload)
    for conditions in (latest.conditions if latest is not None else (), workload.conditions):
        for one in conditions:
            if one.type == "ReplicaFailure" and one.status == "True" and one.message:
                return one.message
    about = (latest.name if latest is not None else "", workload.name)
    told = [one for one in facts.events if one.reason == "FailedCreate" and one.name in about]
    return told[-1].message if told else ""


def _workload_alone(facts: StuckFacts, workload: Workload) -> Reason | None:
    subject = f"{facts.subject} is not healthy"
    if workload.paused:
        return Reason(
            f"{subject}: {workload} is paused, so nothing of the new version starts.",
            "Take `paused` away, or roll back.",
            final=True,
        )
    progressing = workload.condition("Progressing")
    if progressing is not None and progressing.reason == "ProgressDeadlineExceeded":
        pods_ready = f"{workload.available_replicas} of {workload.replicas} pods are available"
        return Reason(
            f"{subject}: {workload} has made no progress within its deadline, and {pods_ready}{_blind(facts)}.",
            f"Read its log with `/service logs {facts.service}`, or roll back.",
            final=True,
        )
    if workload.observed_generation < workload.generation:
        return Reason(
            f"{subject}: the cluster has not looked at the new {workload} yet.",
            "Wait; if it lasts, the cluster's controllers are down: tell the platform team.",
        )
    return None


def _blind(facts: StuckFacts) -> str:
    return f"; I may not read {facts.unreadable[0]}" if facts.unreadable else ""
