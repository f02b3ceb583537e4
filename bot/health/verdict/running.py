"""What workloads, pods and Argo CD say against a service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from bot.health import delivery, pods
from bot.health.diagnosis import why_stuck
from bot.health.facts import Pod, StuckFacts, Workload
from bot.health.verdict.facts import HealthFacts, Reading
from bot.health.verdict.verdict import Because, State
from bot.health.words import counted
from bot.model.release import Release
from bot.ports import Application

VITAL = ("deployments in ", "pods in ")
STARTING = timedelta(minutes=5)
"""So long a pod that is not ready, and of which nothing bad is known, counts as starting."""


def running(facts: HealthFacts) -> Iterator[Because]:
    """Tell what counts against it, as far as the cluster or Argo CD was read. What was never deployed is not down."""
    seen = _seen(facts)
    if seen is not None:
        yield from _by_cluster(seen, facts)
    application = facts.application.value if facts.application is not None else None
    if application is not None:
        yield from _by_argocd(seen, application, facts)


def _seen(facts: HealthFacts) -> StuckFacts | None:
    """Return what the cluster shows, with what Argo CD says of the same."""
    if facts.cluster is None or facts.cluster.value is None:
        return None
    told = facts.application
    if told is None:
        return facts.cluster.value
    seen = facts.cluster.value
    if seen.workloads and told.is_read and told.value is None:
        seen = replace(seen, delivered_by="")  # it runs, whoever has brought it there: what is wrong with it is told
    return replace(seen, application=told.value, argocd_problem=told.problem)


def _by_cluster(seen: StuckFacts, facts: HealthFacts) -> Iterator[Because]:
    serving = [one for one in seen.workloads if one.kind != "CronJob"]
    if not seen.workloads:
        if _is_meant_to_run(facts) and not blind(seen):
            reason = why_stuck(seen)
            sentence = reason.sentence if reason is not None else "There is no workload of it."
            yield _pods(State.DOWN, shortly(sentence, seen.subject), reason.next_step if reason is not None else "")
        return
    for workload in serving:
        found = _of_workload(workload, seen, facts)
        if found is not None:
            yield found
            return
    for pod in seen.pods:
        if pod.owner_kind == "Job" and not pod.ready and not pod.leaving and pods.finding(seen, pod) is not None:
            reason = why_stuck(seen)
            if reason is not None:
                yield _pods(State.DEGRADED, shortly(reason.sentence, seen.subject), reason.next_step)
            return


def blind(seen: StuckFacts) -> tuple[str, ...]:
    """Return what our account may not read, of what tells whether it runs: the rest would only explain it."""
    return tuple(one for one in seen.unreadable if one.startswith(VITAL))


def _of_workload(workload: Workload, seen: StuckFacts, facts: HealthFacts) -> Because | None:
    if workload.replicas == 0:
        return _stopped(seen, facts.release)
    if workload.is_rolled_out:
        return None
    reason = why_stuck(seen)
    nobody = workload.available_replicas == 0
    if not nobody and not _is_wrong(workload, seen, facts.now):
        return None  # a rollout that goes on as it should
    ready = f"{workload.available_replicas} of {counted(workload.replicas, 'pod')}"
    sentence = f"Only {ready} {'is' if workload.replicas == 1 else 'are'} ready."
    return _pods(
        State.DOWN if nobody else State.DEGRADED,
        shortly(reason.sentence, seen.subject) if reason is not None else sentence,
        reason.next_step if reason is not None else f"Read its log with `/service logs {seen.service}`.",
    )


def _is_wrong(workload: Workload, seen: StuckFacts, now: datetime) -> bool:
    """Return whether something keeps it from getting on, rather than that it is under way."""
    mine = pods.pods_of(seen, workload)
    progressing = workload.condition("Progressing")
    refused = workload.condition("ReplicaFailure")
    return (
        (refused is not None and refused.status == "True")
        or (progressing is not None and progressing.reason == "ProgressDeadlineExceeded")
        or workload.paused
        or any(not one.ready and (pods.finding(seen, one) is not None or _has_had_time(one, now)) for one in mine)
        or (workload.updated_replicas >= workload.replicas > workload.available_replicas and not mine)
    )


def _has_had_time(pod: Pod, now: datetime) -> bool:
    return pod.created_at is None or now - pod.created_at > STARTING


def _stopped(seen: StuckFacts, release: Reading[Release] | None) -> Because:
    scaled = release.value.scaled if release is not None and release.value is not None else None
    by = f", as {scaled.by.rpartition('/')[2]} wanted" if scaled is not None and scaled.replicas == 0 else ""
    return _pods(
        State.DOWN,
        f"It is stopped: it is scaled to 0 pods{by}.",
        f"Start it with `/service unscale {seen.service} {seen.environment}`.",
    )


def _is_meant_to_run(facts: HealthFacts) -> bool:
    """Return whether it was deployed there, as Git or Argo CD tells: else it is no wonder that nothing runs."""
    release = facts.release.value if facts.release is not None else None
    application = facts.application.value if facts.application is not None else None
    return (release is not None and release.current is not None) or (
        application is not None and application.health in ("Missing", "Degraded")
    )


def _by_argocd(seen: StuckFacts | None, application: Application, facts: HealthFacts) -> Iterator[Because]:
    told = seen or StuckFacts(
        service=facts.service, environment=facts.environment, namespace=application.namespace, application=application
    )
    found = delivery.reason(told)
    if found is not None and _has_failed(application):
        yield Because(
            source="argocd",
            sentence=shortly(found.sentence, told.subject),
            state=State.DEGRADED,
            sure="medium",
            next_step=found.next_step,
        )
        return
    if application.health == "Degraded" or (application.health == "Missing" and seen is None):
        late = delivery.late_reason(replace(told, application=replace(application, sync="Synced"), unread_revision=""))
        yield Because(
            source="argocd",
            sentence=shortly(late.sentence, told.subject)
            if late is not None
            else f"Argo CD calls it {application.health}.",
            state=State.DOWN if application.health == "Missing" else State.DEGRADED,
            sure="medium",
            next_step=late.next_step if late is not None else "",
        )


def _has_failed(application: Application) -> bool:
    """Return whether the wanted state cannot be brought there: a closed window or a switch is somebody's decision."""
    operation = application.operation
    wrong = any(kind in ("InvalidSpecError", "ComparisonError") for kind, _ in application.conditions)
    return wrong or (operation is not None and operation.phase in ("Failed", "Error"))


def _pods(state: State, sentence: str, next_step: str) -> Because:
    return Because(source="pods", sentence=sentence, state=state, sure="high", next_step=next_step)


def shortly(sentence: str, subject: str) -> str:
    """Return a diagnosis without what the verdict says already: `orders-api in production is not healthy: its pod …`
    becomes `Its pod …`."""
    for beginning in (f"{subject} is not healthy: ", f"{subject} is not healthy yet: "):
        if sentence.startswith(beginning):
            rest = sentence.removeprefix(beginning)
            return rest[:1].upper() + rest[1:]
    return f"It {sentence.removeprefix(subject).lstrip()}" if sentence.startswith(f"{subject} ") else sentence
