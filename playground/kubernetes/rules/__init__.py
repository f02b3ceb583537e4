"""What makes an object of a built-in kind invalid, in the API server's own words (`k8s.io/kubernetes/pkg/apis/…`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from playground.kubernetes.objects import Object
from playground.kubernetes.registry import Resource
from playground.kubernetes.rules import batch, config, network, rights, scaling, workloads
from playground.kubernetes.rules.fields import described_causes
from playground.kubernetes.schema import Struct
from playground.kubernetes.status import Cause

Check = Callable[[Object], Iterator[Cause]]
ChangeCheck = Callable[[Object, Object], Iterator[Cause]]

ON_WRITE: dict[str, Check] = {
    "Deployment": workloads.deployment,
    "ReplicaSet": workloads.replica_set,
    "StatefulSet": workloads.stateful_set,
    "DaemonSet": workloads.replica_set,
    "Pod": workloads.pod,
    "Job": batch.job,
    "CronJob": batch.cron_job,
    "Service": network.service,
    "Ingress": network.ingress,
    "NetworkPolicy": network.network_policy,
    "PodDisruptionBudget": scaling.disruption_budget,
    "HorizontalPodAutoscaler": scaling.autoscaler,
    "ConfigMap": config.config_map,
    "Secret": config.secret,
    "PersistentVolumeClaim": config.claim,
    "Role": rights.role,
    "ClusterRole": rights.role,
    "RoleBinding": rights.binding,
    "ClusterRoleBinding": rights.binding,
}
ON_CHANGE: dict[str, ChangeCheck] = {
    "Deployment": workloads.selector_change,
    "ReplicaSet": workloads.selector_change,
    "DaemonSet": workloads.selector_change,
    "StatefulSet": workloads.stateful_set_change,
    "Pod": workloads.pod_change,
    "Job": batch.job_change,
    "Service": network.service_change,
    "ConfigMap": config.config_change,
    "Secret": config.secret_change,
    "PersistentVolumeClaim": config.claim_change,
    "RoleBinding": rights.binding_change,
    "ClusterRoleBinding": rights.binding_change,
}


def causes(resource: Resource, shape: Struct, new: Object, old: Object | None = None) -> list[Cause]:
    """Return every mistake of an object, and of the change where there was one before."""
    nothing: Any = lambda *_: ()  # noqa: E731 - the rule of kinds that have none
    found = [*ON_WRITE.get(resource.kind, nothing)(new), *described_causes(shape, new)]
    if old is not None:
        found += ON_CHANGE.get(resource.kind, nothing)(old, new)
    unique = {(cause["field"], cause["message"]): cause for cause in found}
    return list(unique.values())
