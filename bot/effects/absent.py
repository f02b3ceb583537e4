"""What is looked for in a cluster to prove that it is gone. A check changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel

from bot.effects.objects import uid_of
from bot.effects.remove_objects import Target
from bot.effects.sightings import (
    DNS_ENDPOINT,
    BaseCheck,
    Sighting,
    balancer,
    counted,
    dns,
    external,
    ingress,
    listed,
    shared,
    volume,
)
from bot.errors import NotFound, Refused
from bot.ports import Cluster, ObjectRef, Ports


class NamespaceAbsent(BaseCheck, frozen=True):
    """The namespace with this uid, and so everything that was in it."""

    of: Literal["namespace"] = "namespace"
    name: str
    uid: str

    def told(self) -> str:
        return f"the namespace {self.name} and its workloads"

    async def see(self, ports: Ports, cluster: str) -> Sighting:
        at = ports.cluster(cluster)
        live = await at.get(ObjectRef("v1", "Namespace", self.name))
        what = f"namespace {self.name}"
        if live is not None and uid_of(live) == self.uid:
            return Sighting(of=self.of, left=(what,))
        if live is not None:
            seen = "the cluster knows only one that somebody has made since, which is left alone"
            return Sighting(of=self.of, gone=(what,), how=seen)
        return Sighting(of=self.of, gone=(f"{what} and its workloads",), how="the cluster knows no such namespace")


class ObjectsAbsent(BaseCheck, frozen=True):
    """These objects, each with the uid that was read."""

    of: Literal["objects"] = "objects"
    targets: tuple[Target, ...]

    def told(self) -> str:
        return listed(f"{one.kind} {one.name}" for one in self.targets)

    async def see(self, ports: Ports, cluster: str) -> Sighting:
        at = ports.cluster(cluster)
        left = []
        for one in self.targets:
            try:
                if not one.is_gone(await at.get(one.ref)):
                    left.append(str(one.ref))
            except NotFound:
                continue  # the kind itself is gone
        gone = tuple(str(one.ref) for one in self.targets if str(one.ref) not in left)
        return Sighting(of=self.of, gone=gone, left=tuple(left), how="the cluster has none of these any more")


class Volume(BaseModel, frozen=True, extra="forbid"):
    """A PersistentVolume as it was when the teardown was planned."""

    name: str
    claim: str
    size: str = ""
    retained: bool = False
    """Whether its reclaim policy is Retain."""


class VolumesAbsent(BaseCheck, frozen=True):
    """The volumes that were claimed in a namespace, all of them or those of some claims."""

    of: Literal["volumes"] = "volumes"
    namespace: str
    volumes: tuple[Volume, ...] = ()
    claims: tuple[str, ...] = ()
    """Names of the claims; empty: every claim of the namespace."""
    uid: str = ""
    """Of the namespace, where it goes: volumes that are bound in one that somebody has made anew are theirs."""

    def told(self) -> str:
        return counted(len(self.volumes), "volume") if self.volumes else f"volumes of {self.namespace}"

    async def see(self, ports: Ports, cluster: str) -> Sighting:
        at = ports.cluster(cluster)
        live = await shared(ports, at, "v1", "PersistentVolume", volume)
        mine = [one for one in live if one["namespace"] == self.namespace and self._meant(one["claim"])]
        if any(map(self._is_new, mine)) and await self._is_anew(at):
            mine = [one for one in mine if not self._is_new(one)]
        kept = [one for one in mine if one["phase"] == "Released" and one["policy"] == "Retain"]
        left = [one for one in mine if one not in kept]
        there = {one["name"] for one in mine}
        gone = tuple(f"volume {one.name}" for one in self.volumes if one.name not in there)
        return Sighting(
            of=self.of,
            gone=gone,
            how=f"no PersistentVolume names a claim of {self.namespace} any more",
            kept=tuple(self._retained(one) for one in kept),
            left=tuple(f"volume {one['name']} of the claim {one['claim']}" for one in left),
        )

    def _is_new(self, one: Mapping[str, str]) -> bool:
        """Whether a claim holds it that was not there before: with a namespace, every claim of it goes."""
        return one["phase"] == "Bound" and one["name"] not in {known.name for known in self.volumes}

    async def _is_anew(self, at: Cluster) -> bool:
        live = await at.get(ObjectRef("v1", "Namespace", self.namespace)) if self.uid else None
        return live is not None and uid_of(live) != self.uid

    def _meant(self, claim: str) -> bool:
        return not self.claims or claim in self.claims

    def _retained(self, one: Mapping[str, str]) -> str:
        size = f", {one['size']}" if one["size"] else ""
        return f"volume {one['name']} (of {one['claim']}{size}: its class retains it until somebody deletes it)"


class Address(BaseModel, frozen=True, extra="forbid"):
    """A Service of type LoadBalancer, and where it answered."""

    service: str
    namespace: str
    addresses: tuple[str, ...]
    """IP addresses and host names; none where it never got one."""


class AddressesAbsent(BaseCheck, frozen=True):
    """Load balancers: their Services are gone, and no other Service has their addresses."""

    of: Literal["addresses"] = "addresses"
    balancers: tuple[Address, ...]

    def told(self) -> str:
        return counted(len(self.balancers), "load balancer")

    async def see(self, ports: Ports, cluster: str) -> Sighting:
        services = await shared(ports, ports.cluster(cluster), "v1", "Service", balancer)
        gone, left = [], []
        for one in self.balancers:
            name = ", ".join(one.addresses) or f"of {one.service}"
            if any((s["namespace"], s["name"]) == (one.namespace, one.service) for s in services):
                left.append(f"Service {one.service} of type LoadBalancer")
            elif other := next((s for s in services if set(s["addresses"]) & set(one.addresses)), None):
                left.append(f"address {name}, which Service {other['name']} in {other['namespace']} has")
            else:
                gone.append(f"load balancer {name}")
        how = "its Service is gone, and no other one has the address"
        return Sighting(of=self.of, gone=tuple(gone), left=tuple(left), how=how)


class HostsAbsent(BaseCheck, frozen=True):
    """Host names: no Ingress answers for them, and external-dns is told of none."""

    of: Literal["hosts"] = "hosts"
    hosts: tuple[str, ...]

    def told(self) -> str:
        return counted(len(self.hosts), "host name")

    async def see(self, ports: Ports, cluster: str) -> Sighting:
        at = ports.cluster(cluster)
        wanted = set(self.hosts)
        left = [
            f"{host} (Ingress {one['name']} in {one['namespace']})"
            for one in await shared(ports, at, "networking.k8s.io/v1", "Ingress", ingress)
            for host in sorted(wanted & set(one["hosts"]))
        ]
        beside, unseen = "", ""
        try:
            records = await shared(ports, at, *DNS_ENDPOINT, dns)
        except NotFound:
            records = []
        except Refused:
            records, unseen = [], "whether external-dns still names them could not be looked at, so it is not proved"
        else:
            beside = ", and external-dns is told of none"
            left += [
                f"{host} (DNSEndpoint {one['name']} in {one['namespace']})"
                for one in records
                for host in sorted(wanted & set(one["hosts"]))
            ]
        gone = tuple(host for host in self.hosts if not any(told.startswith(f"{host} ") for told in left))
        how = f"no Ingress of the cluster answers there{beside}"
        return Sighting(of=self.of, gone=gone, left=tuple(left), how=how, unseen=unseen)


class CloudName(BaseModel, frozen=True, extra="forbid"):
    """What a cloud runs, by the name that it has there."""

    api_version: str
    kind: str
    name: str
    """Its external name."""
    kept: bool = False
    """Whether deleting the object leaves it in the cloud (deletion policy Orphan)."""


class CloudAbsent(BaseCheck, frozen=True):
    """Cloud resources: no managed resource has their external names any more, which Crossplane lets go of last."""

    of: Literal["cloud"] = "cloud"
    resources: tuple[CloudName, ...]

    def told(self) -> str:
        return counted(len(self.resources), "cloud resource")

    async def see(self, ports: Ports, cluster: str) -> Sighting:
        at = ports.cluster(cluster)
        gone, left, kept, unknown = [], [], [], []
        for one in self.resources:
            try:
                live = await shared(ports, at, one.api_version, one.kind, external)
            except NotFound:  # whoever removes a provider removes its objects, and nothing in the cloud
                unknown.append(f"{one.kind} {one.name}")
                continue
            if any(found["external"] == one.name for found in live):
                left.append(f"{one.kind} {one.name}")
            elif one.kept:
                kept.append(f"{one.kind} {one.name} (its deletion policy, Orphan, leaves it in the cloud)")
            else:
                gone.append(f"{one.kind} {one.name}")
        how = "no managed resource has that name in the cloud any more"
        unseen = (
            f"nothing tells any more whether {listed(unknown)} is gone from the cloud: the cluster does not know its "
            "kind, so it is not proved"
            if unknown
            else ""
        )
        return Sighting(of=self.of, gone=tuple(gone), left=tuple(left), kept=tuple(kept), how=how, unseen=unseen)
