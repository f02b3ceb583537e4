"""Services and Ingresses: who answers for a service, and under which address an ingress is reached."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from playground.kubernetes.controllers.loop import Again, Key
from playground.kubernetes.controllers.objects import (
    Object,
    is_going,
    labels_of,
    name_of,
    namespace_of,
    owner_reference,
    spec_of,
    status_of,
    uid_of,
)
from playground.kubernetes.controllers.pods import is_ready
from playground.kubernetes.objects import Change
from playground.kubernetes.registry import Resource
from playground.kubernetes.store import Store

INGRESS_ADDRESS = "203.0.113.10"
"""Where the playground's ingress controller would answer: an address that nobody has (RFC 5737)."""
SLICE_MANAGER = "endpointslice-controller.k8s.io"


class Services:
    """Cluster address, Endpoints and an EndpointSlice of each service."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def concerns(self, resource: Resource, change: Change) -> Iterable[Key]:
        obj = change.object
        if resource.key == ("", "services"):
            yield namespace_of(obj), name_of(obj)
        elif resource.key == ("", "pods"):
            for service in self._store.objects.all(("", "services"), namespace_of(obj)):
                if selected(service, obj) or (change.previous and selected(service, change.previous)):
                    yield namespace_of(obj), name_of(service)

    def reconcile(self, key: Key) -> Again:
        namespace, name = key
        service = self._store.get("", "Service", namespace, name)
        if service is None:
            if self._store.get("", "Endpoints", namespace, name) is not None:
                self._store.delete("", "Endpoints", namespace, name)
            return None
        if is_going(service):
            return None
        service = self._addressed(service)
        if spec_of(service).get("selector"):
            pods = [pod for pod in self._store.list("", "Pod", namespace) if selected(service, pod) and addressed(pod)]
            self._keep(endpoints(service, pods))
            self._keep(endpoint_slice(service, pods))
        return None

    def _addressed(self, service: Object) -> Object:
        """Give a service its address, where the API server has not done so."""
        spec = spec_of(service)
        if spec.get("clusterIP") or spec.get("type") == "ExternalName":
            return service
        digest = hashlib.sha256(uid_of(service).encode()).digest()
        address = f"10.96.{digest[0]}.{digest[1] % 254 + 1}"
        service["spec"] = {**spec, "clusterIP": address, "clusterIPs": [address]}
        return self._store.update(service)

    def _keep(self, wanted: Object) -> None:
        found = self._store.get(
            wanted["apiVersion"].rpartition("/")[0], wanted["kind"], namespace_of(wanted), name_of(wanted)
        )
        if found is None:
            self._store.create(wanted)
        elif any(found.get(part) != wanted.get(part) for part in ("subsets", "endpoints", "ports")):
            self._store.update({**wanted, "metadata": {**found["metadata"], **wanted["metadata"]}})


def selected(service: Object, pod: Object) -> bool:
    selector = spec_of(service).get("selector") or {}
    return bool(selector) and selector.items() <= labels_of(pod).items()


def addressed(pod: Object) -> bool:
    return bool(status_of(pod).get("podIP")) and status_of(pod).get("phase") not in {"Succeeded", "Failed"}


def target_port(port: Object, pods: Sequence[Object]) -> int:
    """Return the number behind a port of a service; a name is looked up in the pods' containers."""
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    for pod in pods:
        for container in spec_of(pod)["containers"]:
            for offered in container.get("ports") or []:
                if offered.get("name") == target:
                    return int(offered["containerPort"])
    return int(port["port"])


def _ports(service: Object, pods: Sequence[Object]) -> list[Object]:
    return [
        {
            **({"name": port["name"]} if port.get("name") else {}),
            "port": target_port(port, pods),
            "protocol": port.get("protocol", "TCP"),
        }
        for port in spec_of(service).get("ports") or []
    ]


def _target(pod: Object) -> Object:
    return {"kind": "Pod", "name": name_of(pod), "namespace": namespace_of(pod), "uid": uid_of(pod)}


def endpoints(service: Object, pods: Sequence[Object]) -> Object:
    def addresses(ready: bool) -> list[Object]:
        return [
            {"ip": status_of(pod)["podIP"], "nodeName": spec_of(pod).get("nodeName"), "targetRef": _target(pod)}
            for pod in pods
            if (is_ready(pod) and not is_going(pod)) is ready
        ]

    parts = {"addresses": addresses(True), "notReadyAddresses": addresses(False)}
    shown = {name: found for name, found in parts.items() if found}
    return {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {"name": name_of(service), "namespace": namespace_of(service), "labels": dict(labels_of(service))},
        **({"subsets": [{**shown, "ports": _ports(service, pods)}]} if shown else {}),
    }


def endpoint_slice(service: Object, pods: Sequence[Object]) -> Object:
    labels = {
        **labels_of(service),
        "kubernetes.io/service-name": name_of(service),
        "endpointslice.kubernetes.io/managed-by": SLICE_MANAGER,
    }
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{name_of(service)}-{uid_of(service)[:5]}",
            "namespace": namespace_of(service),
            "labels": labels,
            "ownerReferences": [owner_reference(service)],
        },
        "addressType": "IPv4",
        "endpoints": [_endpoint(pod) for pod in pods],
        "ports": _ports(service, pods),
    }


def _endpoint(pod: Object) -> Object:
    serving, going = is_ready(pod), is_going(pod)
    return {
        "addresses": [status_of(pod)["podIP"]],
        "conditions": {"ready": serving and not going, "serving": serving, "terminating": going},
        "nodeName": spec_of(pod).get("nodeName"),
        "targetRef": _target(pod),
    }


class Ingresses:
    """The ingress controller's part that can be seen in the cluster: the address in the status."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def concerns(self, resource: Resource, change: Change) -> Iterable[Key]:
        if resource.key == ("networking.k8s.io", "ingresses"):
            yield namespace_of(change.object), name_of(change.object)

    def reconcile(self, key: Key) -> Again:
        namespace, name = key
        status = {"loadBalancer": {"ingress": [{"ip": INGRESS_ADDRESS}]}}
        self._store.patch_status(
            "networking.k8s.io", "Ingress", namespace, name, status, manager="nginx-ingress-controller"
        )
        return None
