"""Rules that follow from the shape alone: words that are allowed, fields that have to be there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from playground.kubernetes.objects import Object
from playground.kubernetes.schema import ListOf, MapOf, Scalar, Struct, Type
from playground.kubernetes.status import Cause, not_supported, required

MAY_BE_EMPTY = frozenset({"HTTPHeader.value", "Sysctl.value", "Event.metadata"})
"""Required in the description, yet the server takes the empty text."""
TOLD_OTHERWISE = frozenset(
    {
        "HTTPGetAction.port", "TCPSocketAction.port", "GRPCAction.port", "SleepAction.seconds", "ServicePort.port",
        "PolicyRule.verbs", "PersistentVolumeClaimSpec.accessModes", "HTTPIngressPath.pathType", "OwnerReference.name",
        "OwnerReference.uid", "OwnerReference.kind", "OwnerReference.apiVersion", "StorageClass.provisioner",
        "EndpointPort.port", "Endpoint.addresses", "DeploymentStrategy.type", "HorizontalPodAutoscalerSpec.maxReplicas",
        "PodSpec.restartPolicy", "NetworkPolicySpec.policyTypes", "Subject.name", "Subject.kind",
        "IngressServiceBackend.name",
    }
)  # fmt: skip
"""A rule of the kind says it in other words, or nobody checks it."""


def described_causes(shape: Struct, obj: Object) -> Iterator[Cause]:
    for name, value in obj.items():
        if name in {"metadata", "status", "apiVersion", "kind"}:
            continue
        described = shape.fields.get(name)
        if described:
            yield from _value(described.type, value, name)


def _value(shape: Type, value: Any, path: str) -> Iterator[Cause]:
    if isinstance(shape, Scalar):
        if shape.words and value not in shape.words and value != "":
            yield not_supported(path, value, sorted(shape.words))
    elif isinstance(shape, Struct) and isinstance(value, dict):
        yield from _struct(shape, value, path)
    elif isinstance(shape, ListOf) and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _value(shape.element, item, f"{path}[{index}]")
    elif isinstance(shape, MapOf) and isinstance(value, dict):
        for key, item in value.items():
            yield from _value(shape.element, item, f"{path}[{key}]")


def _struct(shape: Struct, value: Object, path: str) -> Iterator[Cause]:
    for name, described in shape.fields.items():
        label = f"{shape.name}.{name}"
        if label in TOLD_OTHERWISE:
            continue
        given = value.get(name)
        if described.required and not described.always and _is_empty(label, described.type, given):
            yield required(f"{path}.{name}")
        elif given is not None:
            yield from _value(described.type, given, f"{path}.{name}")


def _is_empty(label: str, shape: Type, given: Any) -> bool:
    if label in MAY_BE_EMPTY or isinstance(shape, Struct | MapOf):
        return False
    if isinstance(shape, ListOf):
        return label == "PodSpec.containers" and not given
    return given is None or given == ""
