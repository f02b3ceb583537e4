"""What the API server gives out itself: cluster addresses, and the facts of Pods and Jobs that follow from the rest."""

from __future__ import annotations

import ipaddress
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from playground.kubernetes import quantity
from playground.kubernetes.defaults import containers
from playground.kubernetes.objects import Object
from playground.kubernetes.registry import Resource
from playground.kubernetes.status import invalid, invalid_value

RANGE = ipaddress.ip_network("10.96.0.0/16")
NODE_PORTS = (30000, 2767)
"""First port of a node that a Service may get, and how many there are."""
NOT_READY = tuple(
    {"key": f"node.kubernetes.io/{what}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    for what in ("not-ready", "unreachable")
)


PROTECTED = {"PersistentVolumeClaim": "kubernetes.io/pvc-protection", "PersistentVolume": "kubernetes.io/pv-protection"}
"""Finalizers that keep volumes and claims from going while somebody uses them."""


def protect(obj: Object) -> None:
    """Put the finalizer on what is made, in place, and on a volume the time at which it began."""
    metadata, finalizer = obj["metadata"], PROTECTED[obj["kind"]]
    if finalizer not in metadata.get("finalizers", []):
        metadata["finalizers"] = [*metadata.get("finalizers", []), finalizer]
    if obj["kind"] == "PersistentVolume":
        obj["status"]["lastPhaseTransitionTime"] = metadata["creationTimestamp"]


def give_address(resource: Resource, service: Object, others: Iterable[Mapping[str, Any]]) -> None:
    """Give a Service its cluster address and node ports, in place. Raise a 422 for an address that it cannot have."""
    spec, name = service["spec"], service["metadata"]["name"]
    if spec["type"] == "ExternalName":
        return
    taken = {other["spec"].get("clusterIP") for other in others}
    wanted = spec.get("clusterIP")
    if wanted != "None":
        if wanted:
            _claim(resource, name, wanted, taken)
        spec["clusterIP"] = wanted or _free(f"{service['metadata'].get('namespace')}/{name}", taken)
    spec["clusterIPs"] = [spec["clusterIP"]]
    both = wanted == "None" and not spec.get("selector")  # nobody knows what stands behind it
    spec.setdefault("ipFamilies", ["IPv4", "IPv6"] if both else ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "RequireDualStack" if both else "SingleStack")
    if spec["type"] in {"NodePort", "LoadBalancer"}:
        for port in spec.get("ports", ()):
            digest = zlib.crc32(f"{name}/{port.get('name')}/{port['port']}".encode())
            port.setdefault("nodePort", NODE_PORTS[0] + digest % NODE_PORTS[1])


def _claim(resource: Resource, name: str, wanted: str, taken: set[Any]) -> None:
    why = ""
    if ipaddress.ip_address(wanted) not in RANGE:
        why = "the provided network does not match the current range"
    elif wanted in taken:
        why = "provided IP is already allocated"
    if why:
        cause = invalid_value("spec.clusterIPs", [wanted], f"failed to allocate IP {wanted}: {why}")
        raise invalid(resource, name, [cause])


def _free(name: str, taken: set[Any]) -> str:
    """Return an address that follows from the name, so that the same company has the same addresses."""
    size = RANGE.num_addresses - 2
    start = zlib.crc32(name.encode()) % size
    return next(address for step in range(size) if (address := str(RANGE[1 + (start + step) % size])) not in taken)


def keep_address(old: Object, new: Object) -> None:
    """Leave a Service what it was given where the new version says nothing about it."""
    for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort"):
        if name in old["spec"] and not new["spec"].get(name) and new["spec"].get("type") != "ExternalName":
            new["spec"][name] = old["spec"][name]
    ports = {(port.get("name"), port["port"]): port.get("nodePort") for port in old["spec"].get("ports", ())}
    for port in new["spec"].get("ports", ()):
        before = ports.get((port.get("name"), port.get("port")))
        if before and new["spec"].get("type") in {"NodePort", "LoadBalancer"}:
            port.setdefault("nodePort", before)


def admit_pod(pod: Object) -> None:
    """Add what admission gives every Pod: its tolerations, its priority, its class of service."""
    spec = pod["spec"]
    tolerated = {toleration.get("key") for toleration in spec.get("tolerations", ())}
    missing = [dict(found) for found in NOT_READY if found["key"] not in tolerated]
    spec["tolerations"] = [*spec.get("tolerations", ()), *missing]
    spec.setdefault("priority", 0)
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    pod["status"].setdefault("qosClass", quality_of_service(spec))


def quality_of_service(spec: Mapping[str, Any]) -> str:
    """Return `Guaranteed` where limits equal requests for all, `BestEffort` where nobody asks, else `Burstable`."""
    asked = [container.get("resources", {}) for container in containers(dict(spec))]
    if not any(resources.get("requests") or resources.get("limits") for resources in asked):
        return "BestEffort"
    return "Guaranteed" if all(_is_guaranteed(resources) for resources in asked) else "Burstable"


def _is_guaranteed(resources: Mapping[str, Any]) -> bool:
    limits, requests = resources.get("limits", {}), resources.get("requests", {})
    return all(
        name in limits and quantity.amount(requests.get(name, limits[name])) == quantity.amount(limits[name])
        for name in ("cpu", "memory")
    )


def mark_job(job: Object) -> None:
    """Let a Job find its Pods by its own uid, as long as it does not bring a selector of its own."""
    if job["spec"].get("manualSelector"):
        return
    uid, name = job["metadata"]["uid"], job["metadata"]["name"]
    prefix = "batch.kubernetes.io/"
    labels = {f"{prefix}controller-uid": uid, f"{prefix}job-name": name, "controller-uid": uid, "job-name": name}
    metadata = job["spec"]["template"].setdefault("metadata", {})
    metadata["labels"] = {**metadata.get("labels", {}), **labels}
    job["metadata"].setdefault("labels", dict(metadata["labels"]))
    job["spec"]["selector"] = {"matchLabels": {f"{prefix}controller-uid": uid}}
