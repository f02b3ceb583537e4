"""What is not ready around the pods: the namespace, volumes, autoscaling, the way in."""

from __future__ import annotations

from bot.health.facts import StuckFacts
from bot.health.reason import Reason
from bot.health.words import listed, said


def leaving_namespace_reason(facts: StuckFacts) -> Reason | None:
    if facts.namespace_phase == "Terminating":
        return Reason(
            f"{facts.subject} is not deployed: its namespace {facts.namespace} is being deleted.",
            "Wait until the namespace is gone; if it never goes, ask the platform team what holds it.",
            (f"Namespace {facts.namespace}: Terminating",),
        )
    return None


def missing_namespace_reason(facts: StuckFacts) -> Reason | None:
    """A namespace that nobody has made explains all that is missing. Why Argo CD has not made it, Argo CD tells."""
    if facts.namespace_phase == "missing" and not facts.workloads:
        return Reason(
            f"{facts.subject} is not deployed: its namespace {facts.namespace} does not exist.",
            "Wait until it is created; if it lasts, ask the platform team.",
        )
    return None


def claim_reason(facts: StuckFacts) -> Reason | None:
    """Return why a volume is missing that a pod waits for."""
    wanted = {name for pod in facts.pods if not pod.ready for name in pod.claims}
    pending = next((one for one in facts.claims if one.phase not in ("Bound", "") and one.name in wanted), None)
    if pending is None:
        return None
    events = facts.events_of("PersistentVolumeClaim", pending.name)
    telling = [said(one.message) for one in events if one.reason != "WaitForFirstConsumer"]
    told = f": {telling[-1]}" if telling else ""
    kind = f" of the storage class {pending.storage_class}" if pending.storage_class else ""
    return Reason(
        f"{facts.subject} is not healthy: its volume {pending.name} ({pending.size or 'no size'}{kind}) "
        f"is {pending.phase}{told}.",
        "Choose a storage class that exists and has room, or tell the platform team.",
        (f"PersistentVolumeClaim {pending.name}: {pending.phase}", *(f"Event: {text}" for text in telling[-1:])),
    )


def autoscaler_reason(facts: StuckFacts) -> Reason | None:
    for one in facts.autoscalers:
        for condition in one.conditions:
            if condition.type in ("AbleToScale", "ScalingActive") and condition.status == "False":
                if condition.reason == "ScalingDisabled":
                    continue  # scaled to zero on purpose
                return Reason(
                    f"{facts.subject} is not healthy: its autoscaler cannot do its work "
                    f"({said(condition.message) or condition.reason}).",
                    "Wait for the first metrics of new pods; if it lasts, the metrics server needs the platform team.",
                    (f"HorizontalPodAutoscaler {one.name}: {condition.type}={condition.status}, {condition.reason}",),
                )
    return None


def ingress_reason(facts: StuckFacts) -> Reason | None:
    for one in facts.ingresses:
        if not one.has_address:
            hosts = f" for {listed(one.hosts)}" if one.hosts else ""
            kind = f" {one.ingress_class}" if one.ingress_class else ""
            return Reason(
                f"{facts.subject} is not healthy: its pods are ready, but no ingress controller has taken its "
                f"Ingress {one.name}{hosts}.",
                f"Ask the platform team whether the ingress class{kind} has a controller that runs.",
                (f"Ingress {one.name}: no address",),
            )
    return None
