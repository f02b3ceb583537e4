"""Health of single objects as Argo CD judges it, with its messages (`gitops-engine/pkg/health` and its Lua scripts)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from playground.kubernetes.controllers.cloudnativepg_parts import CNPG
from playground.kubernetes.controllers.crossplane import AWS
from playground.kubernetes.controllers.objects import (
    Object,
    condition,
    group_of,
    is_going,
    meta,
    name_of,
    spec_of,
    status_of,
)

HEALTHY, PROGRESSING, DEGRADED = "Healthy", "Progressing", "Degraded"
SUSPENDED, MISSING, UNKNOWN = "Suspended", "Missing", "Unknown"
ORDER = (HEALTHY, SUSPENDED, PROGRESSING, MISSING, DEGRADED, UNKNOWN)
"""From the best to the worst; an application is as healthy as the worst of its objects."""


@dataclass(frozen=True, slots=True)
class Health:
    status: str
    message: str = ""

    def body(self) -> Object:
        return {"status": self.status, **({"message": self.message} if self.message else {})}


def health_of(obj: Object) -> Health | None:
    """Return None for kinds that have no health."""
    if is_going(obj):
        return Health(PROGRESSING, "Pending deletion")
    check = CHECKS.get((group_of(obj), str(obj["kind"])))
    return check(obj) if check else None


def knows(group: str, kind: str) -> bool:
    """Say whether objects of this kind have a health: a missing one then counts as `Missing`."""
    return (group, kind) in CHECKS


def worst(found: Iterable[str]) -> str:
    return max(found, key=ORDER.index, default=HEALTHY)


def _deployment(obj: Object) -> Health:
    spec, status = spec_of(obj), status_of(obj)
    if spec.get("paused"):
        return Health(SUSPENDED, "Deployment is paused")
    waiting = "Waiting for rollout to finish"
    if meta(obj).get("generation", 0) > status.get("observedGeneration", 0):
        return Health(PROGRESSING, f"{waiting}: observed deployment generation less than desired generation")
    progressing = condition(status, "Progressing")
    if progressing and progressing.get("reason") == "ProgressDeadlineExceeded":
        return Health(DEGRADED, f'Deployment "{name_of(obj)}" exceeded its progress deadline')
    wanted, updated = spec.get("replicas"), status.get("updatedReplicas", 0)
    replicas, available = status.get("replicas", 0), status.get("availableReplicas", 0)
    if wanted is not None and updated < wanted:
        return Health(PROGRESSING, f"{waiting}: {updated} out of {wanted} new replicas have been updated...")
    if replicas > updated:
        return Health(PROGRESSING, f"{waiting}: {replicas - updated} old replicas are pending termination...")
    if available < updated:
        return Health(PROGRESSING, f"{waiting}: {available} of {updated} updated replicas are available...")
    return Health(HEALTHY)


def _replica_set(obj: Object) -> Health:
    spec, status = spec_of(obj), status_of(obj)
    waiting = "Waiting for rollout to finish"
    if meta(obj).get("generation", 0) > status.get("observedGeneration", 0):
        return Health(PROGRESSING, f"{waiting}: observed replica set generation less than desired generation")
    failure = condition(status, "ReplicaFailure")
    if failure and failure["status"] == "True":
        return Health(DEGRADED, failure.get("message", ""))
    wanted, available = spec.get("replicas"), status.get("availableReplicas", 0)
    if wanted is not None and available < wanted:
        return Health(PROGRESSING, f"{waiting}: {available} out of {wanted} new replicas are available...")
    return Health(HEALTHY)


def _pod(obj: Object) -> Health:
    spec, status = spec_of(obj), status_of(obj)
    containers = status.get("containerStatuses") or []
    always = spec.get("restartPolicy", "Always") == "Always"
    if always:
        stuck = [one["state"]["waiting"] for one in containers if _is_stuck(one["state"].get("waiting"))]
        if stuck:
            return Health(DEGRADED, ", ".join(waiting.get("message", "") for waiting in stuck))
    message = status.get("message", "")
    match status.get("phase"):
        case "Pending":
            return Health(PROGRESSING, message)
        case "Succeeded":
            return Health(HEALTHY, message)
        case "Failed":
            return Health(DEGRADED, message or next(filter(None, map(_failure, containers)), ""))
        case "Running" if always:
            ready = condition(status, "Ready")
            if ready and ready["status"] == "True":
                return Health(HEALTHY, message)
            ended = any("terminated" in one.get("lastState", {}) for one in containers)
            return Health(DEGRADED if ended else PROGRESSING, message)
        case "Running":
            return Health(PROGRESSING, message)
    return Health(UNKNOWN, message)


def _is_stuck(waiting: Object | None) -> bool:
    reason = str((waiting or {}).get("reason", ""))
    return reason.startswith("Err") or reason.endswith(("Error", "BackOff"))


def _failure(container: Object) -> str:
    ended = container["state"].get("terminated")
    if not ended:
        return ""
    if ended.get("message"):
        return str(ended["message"])
    if ended.get("reason") == "OOMKilled":
        return "OOMKilled"
    return f'container "{container["name"]}" failed with exit code {ended["exitCode"]}' if ended["exitCode"] else ""


def _service(obj: Object) -> Health:
    if spec_of(obj).get("type") != "LoadBalancer" or (status_of(obj).get("loadBalancer") or {}).get("ingress"):
        return Health(HEALTHY)
    return Health(PROGRESSING)


def _ingress(obj: Object) -> Health:
    return Health(HEALTHY if (status_of(obj).get("loadBalancer") or {}).get("ingress") else PROGRESSING)


def _claim(obj: Object) -> Health:
    phases = {"Lost": DEGRADED, "Pending": PROGRESSING, "Bound": HEALTHY}
    return Health(phases.get(status_of(obj).get("phase", ""), UNKNOWN))


def _job(obj: Object) -> Health:
    found = {one["type"]: one for one in status_of(obj).get("conditions") or []}
    if "Failed" in found:
        return Health(DEGRADED, found["Failed"].get("message", ""))
    suspended = found.get("Suspended")
    if suspended and suspended["status"] == "True":
        return Health(SUSPENDED)
    if "Complete" in found or suspended:
        return Health(HEALTHY, (found.get("Complete") or suspended or {}).get("message", ""))
    return Health(PROGRESSING)


def _cron_job(obj: Object) -> Health:
    status = status_of(obj)
    if spec_of(obj).get("suspend"):
        return Health(HEALTHY, "CronJob is Suspended")
    if "status" not in obj:
        return Health(PROGRESSING, "Waiting for CronJob")
    scheduled, succeeded = status.get("lastScheduleTime"), status.get("lastSuccessfulTime")
    if not scheduled:
        return Health(HEALTHY, "CronJob has not been scheduled yet")
    if not succeeded:
        return Health(HEALTHY, "The Cronjob never completed succesfully. It may not be healthy")
    if status.get("active"):
        return Health(HEALTHY, "The job is running. Its last execution may not have been successful")
    if succeeded < scheduled:
        return Health(DEGRADED, "CronJob has not completed its last execution successfully")
    return Health(HEALTHY, "CronJob has completed its last execution successfully")


FAILED_TO_SCALE = {
    ("AbleToScale", "FailedGetScale"),
    ("AbleToScale", "FailedUpdateScale"),
    ("ScalingActive", "FailedGetResourceMetric"),
    ("ScalingActive", "InvalidSelector"),
}


def _autoscaler(obj: Object) -> Health:
    for found in status_of(obj).get("conditions") or []:
        if (found["type"], found.get("reason")) in FAILED_TO_SCALE:
            return Health(DEGRADED, found.get("message", ""))
        if found["type"] in {"AbleToScale", "ScalingLimited"} and found["status"] == "True":
            return Health(HEALTHY, found.get("message", ""))
    return Health(PROGRESSING, "Waiting to Autoscale")


def _budget(obj: Object) -> Health:
    result = Health(PROGRESSING, "Waiting for status")
    for found in status_of(obj).get("conditions") or []:
        reason = found.get("reason", "")
        text = f"PodDisruptionBudget has {reason}"
        if found["status"] == "False" and reason != "InsufficientPods":
            return Health(DEGRADED, text)
        result = Health(HEALTHY, text)
    return result


DATABASE_PHASES = {
    "Cluster in healthy state": HEALTHY,
    **dict.fromkeys(
        (
            "Setting up primary",
            "Creating a new replica",
            "Upgrading cluster",
            "Waiting for the instances to become active",
            "Promoting to primary cluster",
        ),
        PROGRESSING,
    ),
    **dict.fromkeys(
        (
            "Switchover in progress",
            "Failing over",
            "Upgrading Postgres major version",
            "Cluster upgrade delayed",
            "Waiting for user action",
            "Primary instance is being restarted in-place",
            "Primary instance is being restarted without a switchover",
            "Online upgrade in progress",
            "Applying configuration",
        ),
        DEGRADED,
    ),
    **dict.fromkeys(
        (
            "Unable to create required cluster objects",
            "Cluster has incomplete or invalid image catalog",
            "Cluster is unrecoverable and needs manual intervention",
        ),
        SUSPENDED,
    ),
}


def _database(obj: Object) -> Health:
    status = status_of(obj)
    if "conditions" not in status:
        return Health(PROGRESSING, status.get("phaseReason", ""))
    return Health(DATABASE_PHASES.get(status.get("phase", ""), UNKNOWN), status.get("phaseReason", ""))


def _crossplane(obj: Object) -> Health:
    for found in status_of(obj).get("conditions") or []:
        if found["type"] in {"LastAsyncOperation", "Synced"} and found["status"] == "False":
            return Health(DEGRADED, found.get("message", ""))
        if found["type"] == "Ready" and found["status"] == "True":
            return Health(HEALTHY, "Resource is up-to-date.")
    return Health(PROGRESSING, "Provisioning ...")


CHECKS: dict[tuple[str, str], Callable[[Object], Health]] = {
    ("apps", "Deployment"): _deployment,
    ("apps", "ReplicaSet"): _replica_set,
    ("", "Pod"): _pod,
    ("", "Service"): _service,
    ("", "PersistentVolumeClaim"): _claim,
    ("networking.k8s.io", "Ingress"): _ingress,
    ("batch", "Job"): _job,
    ("batch", "CronJob"): _cron_job,
    ("autoscaling", "HorizontalPodAutoscaler"): _autoscaler,
    ("policy", "PodDisruptionBudget"): _budget,
    (CNPG, "Cluster"): _database,
    (AWS, "RDSInstance"): _crossplane,
}
"""By group and kind. Applications have none: Argo CD looks at an app of apps without its children's health."""
