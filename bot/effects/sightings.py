"""What a look at something that should be gone has seen, and how objects are read for it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel

from bot.ports import Cluster, Ports

T = TypeVar("T")
MOST_NAMES = 6
"""Names in one sentence; the others are counted."""
EXTERNAL_NAME = "crossplane.io/external-name"
SNAPSHOT_CONTENT = ("snapshot.storage.k8s.io/v1", "VolumeSnapshotContent")
DNS_ENDPOINT = ("externaldns.k8s.io/v1alpha1", "DNSEndpoint")


class Sighting(BaseModel, frozen=True, extra="forbid"):
    """What one look has seen."""

    of: str
    gone: tuple[str, ...] = ()
    how: str = ""
    """How the absence of what is gone was seen."""
    kept: tuple[str, ...] = ()
    """What stays on purpose, each with why and until when."""
    left: tuple[str, ...] = ()
    """What is not gone and should be."""
    unseen: str = ""
    """Why something could not be looked at, as a sentence."""
    away: str = ""
    """Why nothing could be seen now; it is looked at again."""

    def text(self) -> str:
        """Return the line for the receipt."""
        parts = [f"gone: {listed(self.gone)} ({self.how})"] if self.gone else []
        parts += [f"kept: {listed(self.kept)}"] if self.kept else []
        parts += [f"left: {listed(self.left)}"] if self.left else []
        parts += [self.unseen] if self.unseen else []
        return "; ".join(parts)


class BaseCheck(BaseModel, ABC, frozen=True, extra="forbid"):
    outlives: ClassVar[bool] = False
    """Whether it is about what is kept on purpose, and not about what should be gone."""

    of: str

    @abstractmethod
    def told(self) -> str:
        """Return what is looked for, in a few words: `2 volumes`, and in the plural where there may be none."""

    @abstractmethod
    async def see(self, ports: Ports, cluster: str) -> Sighting:
        """Look once. Raise what every port raises."""


def listed(names: Iterable[str]) -> str:
    """Return the first names, and how many more there are."""
    found = list(names)
    more = len(found) - MOST_NAMES
    return ", ".join(found[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


async def shared(
    ports: Ports, cluster: Cluster, api_version: str, kind: str, read: Callable[[Any], T | None]
) -> Sequence[T]:
    """List a whole cluster's objects of a kind, keeping of each what `read` makes of it. Proofs of one moment share a
    look."""

    async def look() -> Sequence[T]:
        return [one for obj in await cluster.list(api_version, kind) if (one := read(obj)) is not None]

    return await ports.looks.share((cluster.name, api_version, kind, read), look)


def volume(obj: Any) -> Mapping[str, str] | None:
    spec = obj.get("spec") or {}
    claim = spec.get("claimRef") or {}
    return {
        "name": str(obj["metadata"]["name"]),
        "namespace": str(claim.get("namespace") or ""),
        "claim": str(claim.get("name") or ""),
        "phase": str((obj.get("status") or {}).get("phase") or ""),
        "policy": str(spec.get("persistentVolumeReclaimPolicy") or ""),
        "size": str((spec.get("capacity") or {}).get("storage") or ""),
    }


def snapshot(obj: Any) -> Mapping[str, str] | None:
    spec = obj.get("spec") or {}
    return {
        "name": str(obj["metadata"]["name"]),
        "namespace": str((spec.get("volumeSnapshotRef") or {}).get("namespace") or ""),
        "policy": str(spec.get("deletionPolicy") or ""),
    }


def balancer_addresses(obj: Any) -> tuple[str, ...]:
    """Return where a Service of type LoadBalancer answers: IP addresses and host names."""
    ingress = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return tuple(str(one.get("ip") or one.get("hostname")) for one in ingress if one.get("ip") or one.get("hostname"))


def balancer(obj: Any) -> Mapping[str, Any] | None:
    if (obj.get("spec") or {}).get("type") != "LoadBalancer":
        return None
    metadata = obj["metadata"]
    return {
        "name": str(metadata["name"]),
        "namespace": str(metadata.get("namespace") or ""),
        "addresses": balancer_addresses(obj),
    }


def ingress_hosts(obj: Any) -> tuple[str, ...]:
    """Return the host names that an Ingress answers for."""
    rules = (obj.get("spec") or {}).get("rules") or ()
    return tuple(dict.fromkeys(str(rule["host"]) for rule in rules if rule.get("host")))


def ingress(obj: Any) -> Mapping[str, Any] | None:
    return _named(obj, ingress_hosts(obj))


def dns_hosts(obj: Any) -> tuple[str, ...]:
    """Return the host names that a DNSEndpoint tells external-dns of."""
    endpoints = (obj.get("spec") or {}).get("endpoints") or ()
    return tuple(dict.fromkeys(str(one["dnsName"]).rstrip(".") for one in endpoints if one.get("dnsName")))


def dns(obj: Any) -> Mapping[str, Any] | None:
    return _named(obj, dns_hosts(obj))


def _named(obj: Any, hosts: tuple[str, ...]) -> Mapping[str, Any] | None:
    metadata = obj["metadata"]
    named = {"name": str(metadata["name"]), "namespace": str(metadata.get("namespace") or "")}
    return {**named, "hosts": hosts} if hosts else None


def external_name(obj: Any) -> str:
    """Return what the cloud calls a managed resource; empty where Crossplane has not noted it."""
    return str((obj["metadata"].get("annotations") or {}).get(EXTERNAL_NAME) or "")


def external(obj: Any) -> Mapping[str, str] | None:
    name = external_name(obj)
    return {"external": name} if name else None


def counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def several(names: Collection[str], one: str, more: str = "") -> str:
    """Return the names behind what they are: `branch a`, `branches a, c`."""
    return f"{one if len(names) == 1 else more or f'{one}s'} {listed(names)}"
