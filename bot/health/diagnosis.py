"""Why something is stuck: from the Application down to the last line of a log. Pure: same facts, same words."""

from __future__ import annotations

from bot.health import delivery, pods, surroundings, workloads
from bot.health.facts import StuckFacts
from bot.health.reason import Reason
from bot.health.words import listed


def why_stuck(facts: StuckFacts) -> Reason | None:
    """Return the reason that lies deepest, or None when nothing is known to be wrong.

    Looks first at what keeps the wanted objects out of the cluster, then at the pods, then at what stands around them.
    """
    found = _first(facts)
    if found is None:
        return None
    if facts.application is not None and not any(one.startswith("Application ") for one in found.evidence):
        return Reason(found.sentence, found.next_step, (delivery.line(facts.application), *found.evidence), found.final)
    return found


def looks_stuck(facts: StuckFacts) -> bool:
    """Return whether something seems wrong to whoever has seen neither events nor logs, so that it is worth a look."""
    refused = any(
        condition.type == "ReplicaFailure" and condition.status == "True"
        for workload in facts.workloads
        for condition in workload.conditions
    )
    return (
        refused
        or (facts.application is not None and delivery.reason(facts) is not None)
        or any(pods.finding(facts, pod) is not None for pod in facts.pods if not pod.ready and not pod.leaving)
    )


def _first(facts: StuckFacts) -> Reason | None:
    return (
        surroundings.leaving_namespace_reason(facts)
        or delivery.reason(facts)
        or surroundings.missing_namespace_reason(facts)
        or _workloads(facts)
        or _stray_pods(facts)
        or _argocd_out_of_sight(facts)
        or (surroundings.autoscaler_reason(facts) if _unhealthy(facts) else None)
        or (surroundings.ingress_reason(facts) if _unhealthy(facts) else None)
        or delivery.late_reason(facts)
        or _blind(facts)
        or _nothing_there(facts)
        or _slow(facts)
    )


def _unhealthy(facts: StuckFacts) -> bool:
    """Whether somebody calls it unhealthy: an autoscaler without metrics alone does not make it so."""
    return facts.application is not None and facts.application.health != "Healthy"


def _workloads(facts: StuckFacts) -> Reason | None:
    for workload in facts.workloads:
        found = workloads.reason(facts, workload)
        if found is None:
            continue
        waits_for_volume = ": its volume is not there yet" in found.sentence
        return (surroundings.claim_reason(facts) if waits_for_volume else None) or found
    return surroundings.claim_reason(facts)


def _stray_pods(facts: StuckFacts) -> Reason | None:
    """Judge the pods of Jobs: of hooks, migrations and schedules."""
    for pod in facts.pods:
        if pod.owner_kind != "Job" or pod.ready or pod.phase == "Succeeded" or pod.leaving:
            continue
        found = pods.finding(facts, pod)
        if found is not None:
            return Reason(
                f"{facts.subject} is not healthy: the job pod {pod.name} {found.one}{found.rest}.",
                found.next_step,
                (pods.pod_line(pod), *found.evidence),
            )
    return None


def _argocd_out_of_sight(facts: StuckFacts) -> Reason | None:
    if not facts.argocd_problem:
        return None
    known = "its pods are ready" if facts.is_rolled_out else "more is not known"
    return Reason(
        f"Whether {facts.subject} is healthy cannot be seen ({facts.argocd_problem.rstrip(' .')}); {known}.",
        "Wait: it goes on by itself once Argo CD is back.",
    )


def _blind(facts: StuckFacts) -> Reason | None:
    if not facts.unreadable or facts.is_rolled_out:
        return None
    return Reason(
        f"{facts.subject} is not healthy, and I cannot see why: I may not read {listed(facts.unreadable[:3])}.",
        "Let our account read them (`causeway doctor` names the rights), or look with `kubectl get pods,events "
        f"--namespace {facts.namespace}`.",
    )


def _nothing_there(facts: StuckFacts) -> Reason | None:
    if facts.workloads:
        return None
    return Reason(
        f"{facts.subject} is not deployed: there is no workload of it in the namespace {facts.namespace}.",
        "Deploy it again; if that changes nothing, tell the platform team.",
    )


def _slow(facts: StuckFacts) -> Reason | None:
    slow = next((one for one in facts.workloads if not one.is_rolled_out), None)
    if slow is None:
        return None
    ready = min(slow.available_replicas, slow.updated_replicas)
    return Reason(
        f"{facts.subject} is not healthy yet: {ready} of {slow.replicas} pods are ready, "
        "and nothing tells what the others wait for.",
        f"Wait, or read its log with `/service logs {facts.service}`.",
        (f"{slow}: {ready} of {slow.replicas} new pods available",),
    )
