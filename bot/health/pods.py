"""Why the pods of a workload are not ready."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.health import containers, scheduling
from bot.health.facts import Event, Pod, ReplicaSet, StuckFacts, Workload
from bot.health.finding import Finding
from bot.health.reason import Reason
from bot.health.words import counted, said, short

VERSION = "app.kubernetes.io/version"
_VOLUME = re.compile(r"for volume \\?\"(?P<volume>[^\"\\]+)\\?\" ?: (?P<why>.+)", re.DOTALL)
_MISSING = re.compile(r"(?P<kind>secret|configmap) \\?\"(?P<name>[\w.-]+)\\?\" not found", re.IGNORECASE)


def newest(facts: StuckFacts, workload: Workload) -> ReplicaSet | None:
    """Return the ReplicaSet of the wanted template: that of the highest revision."""
    mine = [one for one in facts.replica_sets if one.owner == workload.uid]
    return max(mine, key=lambda one: (one.revision, one.name), default=None)


def pods_of(facts: StuckFacts, workload: Workload) -> tuple[Pod, ...]:
    """Return the pods of the wanted template, by name; those that are leaving and those of older ones are left out."""
    latest = newest(facts, workload)
    owner = latest.uid if latest is not None else workload.uid
    mine = (one for one in facts.pods if one.owner == owner and not one.leaving)
    return tuple(sorted(mine, key=lambda one: one.name))


def reason(facts: StuckFacts, workload: Workload, pods: Sequence[Pod]) -> Reason | None:
    """Return what is true of most pods among what tells most."""
    found = [(pod, one) for pod in pods if not pod.ready and (one := finding(facts, pod)) is not None]
    if not found:
        return None
    best = min(one.rank for _, one in found)
    groups: dict[tuple[str, ...], list[tuple[Pod, Finding]]] = {}
    for pod, one in found:
        if one.rank == best:
            groups.setdefault(one.key, []).append((pod, one))
    group = max(groups.values(), key=len)  # of equals the first, and pods come sorted by name
    pod, specimen = max(group, key=lambda both: sum(one.restarts for one in both[0].containers))
    total = max(workload.replicas, len(pods))
    verb = specimen.one if len(group) == 1 else specimen.many
    version = short(facts.version or pod.labels.get(VERSION, ""))
    return Reason(
        f"{facts.subject} is not healthy: {subject(len(group), total, version)} {verb}{specimen.rest}.",
        specimen.next_step,
        (pod_line(pod), *specimen.evidence),
        final=specimen.final,
    )


def subject(number: int, total: int, version: str) -> str:
    of = f" of {version}" if version else ""
    if total == 1:
        return f"its pod{of}"
    return f"all {total} pods{of}" if number == total else f"{number} of {total} pods{of}"


def pod_line(pod: Pod) -> str:
    restarts = sum(one.restarts for one in pod.containers)
    again = f", {counted(restarts, 'restart')}" if restarts else ""
    return f"Pod {pod.name}: {pod.reason or pod.phase or 'Unknown'}{again}"


def finding(facts: StuckFacts, pod: Pod) -> Finding | None:
    """Return what keeps this pod from being ready; None when it is only on its way."""
    events = facts.events_of("Pod", pod.name)
    if pod.phase == "Failed" and pod.reason:
        return _failed(pod)
    unscheduled = scheduling.finding(pod, events, facts.claims)
    if unscheduled is not None:
        return unscheduled
    per_container = [
        one for container in pod.containers if (one := containers.finding(facts, pod, container, events)) is not None
    ]
    if per_container:
        return min(per_container, key=lambda one: one.rank)
    if pod.node in facts.unready_nodes:
        return _on_a_lost_node(pod)
    return _not_created(pod, events) or _not_ready(pod, events)


def _failed(pod: Pod) -> Finding:
    if pod.reason == "Evicted":
        how = f"evicted: {said(pod.message)}" if pod.message else "evicted from its node"
        step = "Choose a larger size in platform.yaml if it needs more than it asks for, or tell the platform team."
    else:
        how = f"ended by the cluster ({pod.reason}{f': {said(pod.message)}' if pod.message else ''})"
        step = "Wait for the pod that takes its place; if it lasts, tell the platform team."
    return Finding(
        rank=4, key=("failed", pod.reason), one=f"was {how}", many=f"were {how}", next_step=step, final=False
    )


def _on_a_lost_node(pod: Pod) -> Finding:
    return Finding(
        rank=6,
        key=("node", pod.node),
        one=f"stands on the node {pod.node}, which is not ready",
        many=f"stand on the node {pod.node}, which is not ready",
        next_step="Wait: it is moved to another node after some minutes. If it lasts, tell the platform team.",
    )


def _not_created(pod: Pod, events: Sequence[Event]) -> Finding | None:
    """Return why no container has been made yet: volumes, networks."""
    if not any(one.waiting in ("ContainerCreating", "PodInitializing") for one in pod.containers):
        return None
    told = next((one for one in reversed(events) if one.warning and one.reason.startswith("Failed")), None)
    if told is None:
        return None
    why, step = _setup(told)
    return Finding(
        rank=3,
        key=("setup", why),
        one=f"cannot start, because {why}",
        many=f"cannot start, because {why}",
        next_step=step,
        evidence=(f"{told.reason}: {said(told.message)}",),
    )


def _setup(event: Event) -> tuple[str, str]:
    missing, volume = _MISSING.search(event.message), _VOLUME.search(event.message)
    if missing is not None:
        kind = "Secret" if missing["kind"].lower() == "secret" else "ConfigMap"
        name = f"the {kind} {missing['name']}"
        return (
            f"{name}, which it mounts, does not exist",
            f"Create {name}, or correct its name in platform.yaml; it starts by itself then.",
        )
    if event.reason == "FailedAttachVolume":
        return (
            f"its volume cannot be attached ({said(event.message)})",
            "Wait until the pod that holds it is gone; if it lasts, tell the platform team.",
        )
    if volume is not None:
        return (
            f"its volume {volume['volume']} cannot be mounted ({said(volume['why'])})",
            "Mend what it names, or tell the platform team.",
        )
    if event.reason == "FailedCreatePodSandBox":
        return f"its node cannot set it up ({said(event.message)})", "Tell the platform team if it lasts."
    return said(event.message) or event.reason, "Mend what it names, or tell the platform team."


def _not_ready(pod: Pod, events: Sequence[Event]) -> Finding | None:
    """Return why a running pod gets no requests yet."""
    if not any(one.running and not one.ready for one in pod.containers):
        return _gate(pod)
    told = next((one for one in reversed(events) if one.reason == "Unhealthy"), None)
    if told is None:
        return None
    first = told.message.partition(" ")[0].lower()
    probe = first if first in ("startup", "liveness") else "readiness"
    why = containers.probe_words(told.message)
    return Finding(
        rank=3,
        key=("probe", probe, why),
        one=f"runs, but its {probe} probe fails ({why})",
        many=f"run, but their {probe} probe fails ({why})",
        next_step="Correct `probes` in platform.yaml or what answers there, and deploy again, or roll back.",
        evidence=(said(told.message),),
    )


def _gate(pod: Pod) -> Finding | None:
    for gate in pod.readiness_gates:
        condition = pod.condition(gate)
        if condition is None or condition.status != "True":
            return Finding(
                rank=6,
                key=("gate", gate),
                one=f"runs, but its readiness gate {gate} is not open",
                many=f"run, but their readiness gate {gate} is not open",
                next_step="See why what opens that gate does not, or tell the platform team.",
            )
    return None
