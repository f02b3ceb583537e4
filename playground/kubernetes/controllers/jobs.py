"""Jobs and CronJobs: pods that run once, at once or by a schedule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from playground.kubernetes.controllers.loop import Again, Key
from playground.kubernetes.controllers.objects import (
    Object,
    condition,
    controlled_by,
    controller_of,
    is_going,
    labels_of,
    meta,
    name_of,
    namespace_of,
    owner_reference,
    read_stamp,
    spec_of,
    stamp,
    status_of,
    uid_of,
    with_conditions,
    without_zeros,
)
from playground.kubernetes.controllers.recorder import Recorder
from playground.kubernetes.controllers.replica_sets import is_active, pod_of
from playground.kubernetes.objects import Change, copied
from playground.kubernetes.registry import Resource
from playground.kubernetes.store import Deletion, Store
from playground.schedule import ScheduleError, parse

ATTEMPTS = 6
"""Kubernetes' default of `backoffLimit`."""
KEPT_GOOD, KEPT_BAD = 3, 1
"""Kubernetes' defaults of `successfulJobsHistoryLimit` and `failedJobsHistoryLimit`."""
WITH_PODS = Deletion(propagation="Background")
"""Said each time: a deleted Job leaves its pods behind where nothing is said."""
MINUTE = timedelta(minutes=1)


class Jobs:
    def __init__(self, store: Store, clock: Callable[[], datetime], recorder: Recorder) -> None:
        self._store = store
        self._clock = clock
        self._recorder = recorder

    def concerns(self, resource: Resource, change: Change) -> Iterable[Key]:
        obj = change.object
        if resource.key == ("batch", "jobs"):
            yield namespace_of(obj), name_of(obj)
        elif resource.key == ("", "pods"):
            owner = controller_of(obj)
            if owner and owner["kind"] == "Job":
                yield namespace_of(obj), owner["name"]

    def reconcile(self, key: Key) -> Again:
        namespace, name = key
        job = self._store.get("batch", "Job", namespace, name)
        if job is None or is_going(job):
            return None
        if over(job):
            return self._outlive(job)
        pods = controlled_by(job, self._store.list("", "Pod", namespace))
        for _ in range(missing_pods(job, pods)):
            made = self._store.create(pod_of(job, job_template(job)))
            text = f"Created pod: {name_of(made)}"
            self._recorder.record(job, "SuccessfulCreate", text, component="job-controller")
            pods.append(made)
        status = job_status(job, pods, self._clock())
        job = self._store.update({**job, "status": status}, subresource="status")
        if over(job):
            self._end(job, pods)
        return None

    def _end(self, job: Object, pods: Sequence[Object]) -> None:
        for pod in filter(is_active, pods):
            self._store.delete("", "Pod", namespace_of(pod), name_of(pod))
        failed = condition(status_of(job), "Failed")
        if failed:
            self._recorder.record(job, failed["reason"], failed["message"], "Warning", component="job-controller")
        else:
            self._recorder.record(job, "Completed", "Job completed", component="job-controller")

    def _outlive(self, job: Object) -> Again:
        """Delete a finished job when its time to live has passed."""
        ttl = spec_of(job).get("ttlSecondsAfterFinished")
        ended = next(found for found in status_of(job)["conditions"] if found["type"] in {"Complete", "Failed"})
        if ttl is None:
            return None
        due = read_stamp(ended["lastTransitionTime"]) + timedelta(seconds=ttl)
        if self._clock() < due:
            return due
        self._store.delete("batch", "Job", namespace_of(job), name_of(job), WITH_PODS)
        return None


def over(job: Object) -> bool:
    return any(condition(status_of(job), kind) for kind in ("Complete", "Failed"))


def missing_pods(job: Object, pods: Sequence[Object]) -> int:
    """Return how many pods are to be made now."""
    spec = spec_of(job)
    if spec.get("suspend"):
        return 0
    succeeded = sum(status_of(pod).get("phase") == "Succeeded" for pod in pods)
    active = sum(map(is_active, pods))
    wanted = min(int(spec.get("parallelism", 1)), int(spec.get("completions", 1)) - succeeded)
    return max(wanted - active, 0) if failures(pods) <= spec.get("backoffLimit", ATTEMPTS) else 0


def failures(pods: Sequence[Object]) -> int:
    """Return failed pods and, where containers restart within their pod, failed runs."""
    restarts = sum(int(one["restartCount"]) for pod in pods for one in status_of(pod).get("containerStatuses") or [])
    return restarts + sum(1 for pod in pods if status_of(pod).get("phase") == "Failed")


def job_template(job: Object) -> Object:
    template: Object = copied(spec_of(job)["template"])
    template["metadata"] = template.get("metadata") or {}
    ours = {
        "batch.kubernetes.io/controller-uid": uid_of(job),
        "batch.kubernetes.io/job-name": name_of(job),
        "controller-uid": uid_of(job),
        "job-name": name_of(job),
    }
    template["metadata"]["labels"] = {**(template["metadata"].get("labels") or {}), **ours}
    return template


def job_status(job: Object, pods: Sequence[Object], now: datetime) -> Object:
    before, spec = status_of(job), spec_of(job)
    active = list(filter(is_active, pods))
    succeeded = sum(status_of(pod).get("phase") == "Succeeded" for pod in pods)
    status = without_zeros(
        {
            "startTime": before.get("startTime") or ("" if spec.get("suspend") else stamp(now)),
            "active": len(active),
            "ready": sum(status_of(pod).get("phase") == "Running" for pod in active),
            "succeeded": succeeded,
            "failed": sum(status_of(pod).get("phase") == "Failed" for pod in pods),
        }
    )
    wanted: list[Object] = []
    if succeeded >= spec.get("completions", 1):
        text = {"reason": "CompletionsReached", "message": "Reached expected number of succeeded pods"}
        wanted = [{"type": kind, "status": "True", **text} for kind in ("SuccessCriteriaMet", "Complete")]
        status = {**status, "completionTime": stamp(now)}
    elif failures(pods) > spec.get("backoffLimit", ATTEMPTS):
        text = {"reason": "BackoffLimitExceeded", "message": "Job has reached the specified backoff limit"}
        wanted = [{"type": kind, "status": "True", **text} for kind in ("FailureTarget", "Failed")]
    elif spec.get("suspend"):
        wanted = [{"type": "Suspended", "status": "True", "reason": "JobSuspended", "message": "Job suspended"}]
    elif condition(before, "Suspended"):
        wanted = [{"type": "Suspended", "status": "False", "reason": "JobResumed", "message": "Job resumed"}]
    conditions = with_conditions(before, wanted, now)
    return {**status, "conditions": conditions} if conditions else status


class CronJobs:
    def __init__(self, store: Store, clock: Callable[[], datetime], recorder: Recorder) -> None:
        self._store = store
        self._clock = clock
        self._recorder = recorder

    def concerns(self, resource: Resource, change: Change) -> Iterable[Key]:
        obj = change.object
        if resource.key == ("batch", "cronjobs"):
            yield namespace_of(obj), name_of(obj)
        elif resource.key == ("batch", "jobs"):
            owner = controller_of(obj)
            if owner and owner["kind"] == "CronJob":
                yield namespace_of(obj), owner["name"]

    def reconcile(self, key: Key) -> Again:
        namespace, name = key
        cron = self._store.get("batch", "CronJob", namespace, name)
        if cron is None or is_going(cron):
            return None
        jobs = controlled_by(cron, self._store.list("batch", "Job", namespace))
        status = cron_status(cron, jobs)
        due = self._due(cron, [job for job in jobs if not over(job)])
        if due is not None:
            job = self._store.create(job_of(cron, due))
            self._recorder.record(
                cron, "SuccessfulCreate", f"Created job {name_of(job)}", component="cronjob-controller"
            )
            status = {**cron_status(cron, [*jobs, job]), "lastScheduleTime": stamp(due)}
        self._store.update({**cron, "status": status}, subresource="status")
        self._forget_old(cron, jobs)
        return None if spec_of(cron).get("suspend") else next_minute(self._clock())

    def _due(self, cron: Object, active: Sequence[Object]) -> datetime | None:
        """Return the start that has to be made up for now, if there is one."""
        spec, now = spec_of(cron), self._clock()
        if spec.get("suspend") or (active and spec.get("concurrencyPolicy") == "Forbid"):
            return None
        try:
            start = parse(spec["schedule"]).last(now)
        except ScheduleError as error:
            text = f"unparseable schedule: {spec['schedule']!r}: {error}"
            self._recorder.record(cron, "UnparseableSchedule", text, "Warning", component="cronjob-controller")
            return None
        since = read_stamp(status_of(cron).get("lastScheduleTime") or meta(cron)["creationTimestamp"])
        late = spec.get("startingDeadlineSeconds")
        if start is None or start <= since or (late is not None and start < now - timedelta(seconds=late)):
            return None
        return start

    def _forget_old(self, cron: Object, jobs: Sequence[Object]) -> None:
        spec = spec_of(cron)
        kept = (
            ("Complete", spec.get("successfulJobsHistoryLimit", KEPT_GOOD)),
            ("Failed", spec.get("failedJobsHistoryLimit", KEPT_BAD)),
        )
        for kind, limit in kept:
            ended = [job for job in jobs if condition(status_of(job), kind)]
            ended.sort(key=lambda job: str(status_of(job).get("startTime", "")))
            for job in ended[: max(len(ended) - limit, 0)]:
                self._store.delete("batch", "Job", namespace_of(job), name_of(job), WITH_PODS)


def next_minute(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0) + MINUTE


def cron_status(cron: Object, jobs: Sequence[Object]) -> Object:
    active = [job for job in jobs if not over(job)]
    done = [status_of(job)["completionTime"] for job in jobs if status_of(job).get("completionTime")]
    before = status_of(cron)
    latest = max([*done, before.get("lastSuccessfulTime", "")])
    references = [
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "name": name_of(job),
            "namespace": namespace_of(job),
            "uid": uid_of(job),
        }
        for job in active
    ]
    kept = {"lastScheduleTime": before.get("lastScheduleTime", ""), "lastSuccessfulTime": latest, "active": references}
    return without_zeros(kept)


def job_of(cron: Object, start: datetime) -> Object:
    template = copied(spec_of(cron)["jobTemplate"])
    metadata = template.get("metadata") or {}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": f"{name_of(cron)}-{int(start.timestamp()) // 60}",
            "namespace": namespace_of(cron),
            "labels": dict(labels_of({"metadata": metadata})),
            "annotations": {
                **(metadata.get("annotations") or {}),
                "batch.kubernetes.io/cronjob-scheduled-timestamp": stamp(start),
            },
            "ownerReferences": [owner_reference(cron)],
        },
        "spec": template["spec"],
    }
