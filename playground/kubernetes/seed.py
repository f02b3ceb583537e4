"""What a cluster has before anybody has done anything: the administrators' role, its nodes, a storage class."""

from __future__ import annotations

from typing import Any

from playground.kubernetes.deletion import stamp
from playground.kubernetes.rbac import ADMINISTRATION, RBAC
from playground.kubernetes.store import Store

NODES = 3
CAPACITY = {"cpu": "8", "memory": "32Gi", "ephemeral-storage": "100Gi", "pods": "110"}

STANDARD = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": "disk.acme.example",
    "reclaimPolicy": "Delete",
    "volumeBindingMode": "Immediate",
    "allowVolumeExpansion": True,
}
"""The class of claims that name none."""

IN_CLOUD = {
    "apiVersion": "aws.crossplane.io/v1beta1",
    "kind": "ProviderConfig",
    "metadata": {"name": "default"},
    "spec": {"credentials": {"source": "InjectedIdentity"}},
}
"""How Crossplane reaches the cloud."""


def seed(store: Store, *, nodes: bool) -> None:
    """Fill in what is missing; `nodes` where somebody plays them."""
    if store.get(RBAC, "ClusterRole", "", "cluster-admin") is None:
        store.create(dict(ADMINISTRATION), manager="kube-apiserver")
    if not nodes:
        return
    if not store.list("storage.k8s.io", "StorageClass"):
        store.create(dict(STANDARD), manager="platform-team")
    if not store.list("aws.crossplane.io", "ProviderConfig"):
        store.create(dict(IN_CLOUD), manager="platform-team")
    for number in range(1, NODES + 1):
        if store.get("", "Node", "", f"node-{number}") is None:
            store.create(_node(number, stamp(store.clock())), manager="kubelet")


def _node(number: int, now: str) -> dict[str, Any]:
    name = f"node-{number}"
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "message": "kubelet is posting ready status",
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
    }
    addresses = [{"type": "InternalIP", "address": f"10.0.0.{number}"}, {"type": "Hostname", "address": name}]
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "status": {
            "capacity": dict(CAPACITY),
            "allocatable": dict(CAPACITY),
            "conditions": [ready],
            "addresses": addresses,
        },
    }
