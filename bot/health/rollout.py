"""Whether a workload carries what is wanted, and runs it; and how far it has got."""

from __future__ import annotations

from dataclasses import dataclass

from bot.health.facts import StuckFacts, Workload
from bot.health.words import counted, short

VERSION = "app.kubernetes.io/version"
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """By what the live workload is recognised as the one that is waited for; what is empty is not looked at."""

    image: str = ""
    """Of one of its containers."""
    version: str = ""
    """The label `app.kubernetes.io/version` of its pods."""
    restarted_at: str = ""
    """The annotation `kubectl.kubernetes.io/restartedAt` of its pods."""
    replicas: int | None = None


def carries(workload: Workload, wanted: Wanted) -> bool:
    """Return whether the stored workload is the wanted one; its pods may still be on their way."""
    label = workload.template_labels.get(VERSION) or workload.labels.get(VERSION, "")
    return (
        (not wanted.image or wanted.image in workload.images)
        and (not wanted.version or label == wanted.version)
        and (not wanted.restarted_at or workload.template_annotations.get(RESTARTED_AT) == wanted.restarted_at)
        and (wanted.replicas is None or workload.replicas == wanted.replicas)
    )


def progress(facts: StuckFacts) -> str:
    """Return one sentence on how far it has got, for the card while it moves."""
    unfinished = next((one for one in facts.workloads if not one.is_rolled_out), None)
    return _of_argocd(facts) or (_of_workload(unfinished) if unfinished is not None else _of_the_rest(facts))


def _of_argocd(facts: StuckFacts) -> str:
    if facts.argocd_problem:
        return facts.argocd_problem
    application = facts.application
    if application is None:
        return f"Waiting for Argo CD to make the Application {facts.delivered_by}." if facts.delivered_by else ""
    if facts.unread_revision:
        return f"Waiting for Argo CD to read commit {short(facts.unread_revision)}."
    if application.operation is not None and application.operation.phase == "Running":
        return f"Argo CD is syncing {short(application.operation.revision or application.revision)}."
    if application.sync == "OutOfSync":
        return f"Argo CD has read {short(application.revision)} and is about to sync it."
    return ""


def _of_workload(workload: Workload) -> str:
    if workload.observed_generation < workload.generation:
        return f"The cluster is about to look at the new {workload}."
    if workload.updated_replicas < workload.replicas:
        return f"{workload.updated_replicas} of {counted(workload.replicas, 'new pod')} made."
    ready = min(workload.available_replicas, workload.updated_replicas)
    if ready < workload.updated_replicas:
        verb = "is" if workload.updated_replicas == 1 else "are"
        return f"{ready} of {counted(workload.updated_replicas, 'pod')} {verb} ready."
    leaving = workload.current_replicas - workload.updated_replicas
    return f"The new pods are ready; {counted(leaving, 'old pod')} {'is' if leaving == 1 else 'are'} leaving."


def _of_the_rest(facts: StuckFacts) -> str:
    if facts.application is not None and facts.application.health != "Healthy":
        return f"The pods are ready; Argo CD calls the rest {facts.application.health}."
    return "Waiting for the cluster to make the workload." if not facts.workloads else "The pods are ready."
