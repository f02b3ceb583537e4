"""What stands in a namespace, and beside it: the facts that a teardown is planned from."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.effects.absent import Address, CloudName, Volume
from bot.effects.objects import INVENTORY, identity, inventory_of, ref_of, uid_of
from bot.effects.remove_objects import Target
from bot.effects.sightings import DNS_ENDPOINT, balancer_addresses, dns_hosts, external_name, ingress_hosts
from bot.errors import NotFound, Refused
from bot.model.canonical import sha256
from bot.model.plan import Revision
from bot.ports import Cluster, Object, ObjectRef

CNPG = "postgresql.cnpg.io/v1"
SNAPSHOT = ("snapshot.storage.k8s.io/v1", "VolumeSnapshot")
OF_DATABASE = "cnpg.io/cluster"
"""Label of what CloudNativePG makes for a Cluster: the claims of its volumes."""
PREVIEW = "causeway.io/preview"
TEAM = "causeway.io/team"
MANAGED_BY = "app.kubernetes.io/managed-by"
MOST_COMPOSED = 50
"""Managed resources of one claim that are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """One place as it was when its teardown was planned."""

    cluster: str
    namespace: str
    inventory: str
    uid: str = ""
    """Of the namespace; empty where there is none."""
    label: str = ""
    """Key of the label by which the namespace is known as ours; empty: it is somebody else's, and stays."""
    mark: str = ""
    """That label's value."""
    team: str = ""
    """Whose it is by the namespace's label, where it is this place's own."""
    may_delete_namespace: bool = True
    delivered: tuple[Target, ...] = ()
    """What was delivered and is there, wherever it stands."""
    volumes: tuple[Volume, ...] = ()
    balancers: tuple[Address, ...] = ()
    hosts: tuple[str, ...] = ()
    cloud: tuple[CloudName, ...] = ()
    databases: tuple[str, ...] = ()
    """Names of the CloudNativePG Clusters."""
    stored_elsewhere: tuple[str, ...] = ()
    """Backups in object stores, which no cluster tells of: each a few words."""
    snapshots: bool = False
    """Whether there are volume snapshots."""
    unread: tuple[str, ...] = ()
    """What could not be looked at, and why: each a sentence."""

    @property
    def is_empty(self) -> bool:
        return not self.uid and not self.delivered

    @property
    def outside(self) -> tuple[Target, ...]:
        """What was delivered and stands in no namespace: it does not go with one."""
        return tuple(one for one in self.delivered if not one.namespace)

    @property
    def revision(self) -> Revision:
        """What an approval of the teardown is bound to: which objects go, not how they are at the moment."""
        uids = sorted([self.uid, *(one.uid for one in self.delivered), *(one.name for one in self.volumes)])
        return Revision(of=f"contents:{self.cluster}/{self.namespace}", at=sha256([*uids])[:40])


async def read_contents(
    cluster: Cluster,
    namespace: str,
    inventory: str,
    delivered: Iterable[Object] = (),
    *,
    preview: str = "",
    database: str = "",
) -> Contents:
    """Read what a teardown of this place would delete.

    `delivered` are the objects that the place's release says; `inventory` the label's value on what direct delivery
    applies. `preview` is the preview's name, which the label of its namespace says: that of a service is never taken
    for it, though it is ours too. With `database` only what belongs to that CloudNativePG Cluster is read, beside what
    was delivered. What we may not look at is noted; `UpstreamUnavailable` is raised, for a plan must not guess.
    """
    look = _Look(cluster, namespace)
    live = await cluster.get(ObjectRef("v1", "Namespace", namespace))
    label, mark = _known_as(live, inventory, preview)
    inside = live is not None
    may_delete = inside and not database and await cluster.may("delete", "v1", "namespaces")
    refs = [ref_of(obj) for obj in delivered]
    stays = inside and not database and (not label or (label == INVENTORY and not may_delete))
    if inside and not database and not stays:
        refs = [ref for ref in refs if not ref.namespace or _may_compose(ref)]  # the others go with the namespace
    there = [obj for obj in await look.all(refs) if obj is not None]
    claims = {OF_DATABASE: database} if database else None
    if stays:
        there += await look.kept_release(inventory, there)
    volumes, balancers, hosts = await asyncio.gather(
        look.volumes(claims) if inside else _none(),
        look.balancers() if inside and not database else _none(),
        look.hosts() if inside and not database else _none(),
    )
    cloud = [name for obj in there for name in await look.cloud(obj)]
    databases, stored, snapshots = await look.databases(database) if inside else ((), (), False)
    return Contents(
        cluster=cluster.name,
        namespace=namespace,
        inventory=inventory,
        uid=uid_of(live) if live is not None else "",
        label=label,
        mark=mark,
        team=_team(live) if label else "",
        may_delete_namespace=may_delete,
        delivered=tuple(Target.of(obj) for obj in there),
        volumes=tuple(volumes),
        balancers=tuple(balancers),
        hosts=tuple(dict.fromkeys(hosts)),
        cloud=tuple(cloud),
        databases=databases,
        stored_elsewhere=stored,
        snapshots=snapshots,
        unread=tuple(look.unread),
    )


def _known_as(live: Object | None, inventory: str, preview: str) -> tuple[str, str]:
    """Return the label by which a namespace is this place's own. Those of services are ours as well, and none of it."""
    if live is None:
        return "", ""
    metadata: Any = live["metadata"]
    labels = metadata.get("labels") or {}
    if inventory and inventory_of(live) == inventory:
        return INVENTORY, inventory
    if preview and labels.get(PREVIEW) == preview:
        return PREVIEW, preview
    return "", ""


def _team(live: Object | None) -> str:
    metadata: Any = live["metadata"] if live is not None else {}
    return str((metadata.get("labels") or {}).get(TEAM) or "")


def _may_compose(ref: ObjectRef) -> bool:
    """Whether an object may be a claim, which something outside of its namespace belongs to."""
    group = ref.api_version.rpartition("/")[0]
    return "." in group and not group.endswith((".k8s.io", ".cnpg.io", ".coreos.com"))


class _Look:
    """Reads, and notes what it may not read."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self.unread: list[str] = []

    async def all(self, refs: Sequence[ObjectRef]) -> list[Object | None]:
        """Return each as it is; None for what is not there."""
        seen = {identity(ref): ref for ref in refs if ref.kind != "Namespace"}
        return [await self._one(ref) for ref in seen.values()]

    async def kept_release(self, inventory: str, there: Sequence[Object]) -> list[Object]:
        """Return the ConfigMaps of direct delivery that are no object of the release: they are what keeps it."""
        known = {identity(ref_of(obj)) for obj in there}
        try:
            found = await self._cluster.list(
                "v1", "ConfigMap", namespace=self._namespace, labels={INVENTORY: inventory}
            )
        except (NotFound, Refused):  # then direct delivery has written none
            return []
        return [obj for obj in found if identity(ref_of(obj)) not in known]

    async def volumes(self, labels: Mapping[str, str] | None) -> list[Volume]:
        found = []
        for claim in await self._list("v1", "PersistentVolumeClaim", "volumes", labels):
            spec: Any = claim.get("spec") or {}
            name = str(spec.get("volumeName") or "")
            if not name:
                continue  # it never got one
            live: Any = await self._one(ObjectRef("v1", "PersistentVolume", name)) or {}
            held = live.get("spec") or {}
            found.append(
                Volume(
                    name=name,
                    claim=ref_of(claim).name,
                    size=str((held.get("capacity") or {}).get("storage") or ""),
                    retained=held.get("persistentVolumeReclaimPolicy") == "Retain",
                )
            )
        return found

    async def balancers(self) -> list[Address]:
        return [
            Address(service=ref_of(one).name, namespace=self._namespace, addresses=balancer_addresses(one))
            for one in await self._list("v1", "Service", "load balancers")
            if isinstance(spec := one.get("spec"), Mapping) and spec.get("type") == "LoadBalancer"
        ]

    async def hosts(self) -> list[str]:
        ingresses = await self._list("networking.k8s.io/v1", "Ingress", "host names")
        endpoints = await self._list(*DNS_ENDPOINT, "what external-dns is told")
        return [host for one in ingresses for host in ingress_hosts(one)] + [
            host for one in endpoints for host in dns_hosts(one)
        ]

    async def cloud(self, obj: Object) -> list[CloudName]:
        """Return what a managed resource is called in its cloud; of a claim, what its composite has composed."""
        name = external_name(obj)
        if name:
            return [_cloud_name(obj, name)]
        found = []
        for ref in await self._composed(obj):
            live = await self._one(ref)
            if live is not None and (name := external_name(live)):
                found.append(_cloud_name(live, name))
        return found

    async def databases(self, only: str) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
        """Return the CloudNativePG Clusters, what is stored of them elsewhere, and whether there are snapshots."""
        clusters = [
            one for one in await self._list(CNPG, "Cluster", "databases") if not only or ref_of(one).name == only
        ]
        stored = [told for one in clusters if (told := _stored(one))]
        snapshots = await self._list(*SNAPSHOT, "volume snapshots") if clusters else []
        return tuple(ref_of(one).name for one in clusters), tuple(stored), bool(snapshots)

    async def _composed(self, obj: Object) -> list[ObjectRef]:
        spec: Any = obj.get("spec") or {}
        above = spec.get("resourceRef")
        if isinstance(above, Mapping) and above.get("kind"):
            composite: Any = await self._one(_ref(above))
            spec = (composite or {}).get("spec") or {}
        composed = spec.get("resourceRefs") or (spec.get("crossplane") or {}).get("resourceRefs") or ()
        return [_ref(one) for one in composed if one.get("name")][:MOST_COMPOSED]

    async def _one(self, ref: ObjectRef) -> Object | None:
        try:
            return await self._cluster.get(ref)
        except NotFound:
            return None
        except Refused as error:
            self._note(f"{ref.kind} {ref.name} could not be looked at: {error}")
            return None

    async def _list(
        self, api_version: str, kind: str, what: str, labels: Mapping[str, str] | None = None
    ) -> Sequence[Object]:
        try:
            return await self._cluster.list(api_version, kind, namespace=self._namespace, labels=labels)
        except NotFound:
            return ()  # the cluster does not know the kind, so there is none
        except Refused as error:
            self._note(f"the {what} could not be looked at: {error}")
            return ()

    def _note(self, sentence: str) -> None:
        if sentence not in self.unread:
            self.unread.append(sentence)


async def _none() -> list[Any]:
    return []


def _ref(told: Mapping[str, Any]) -> ObjectRef:
    # Composites of older versions stand in no namespace; those of Crossplane 2 say theirs.
    return ObjectRef(str(told["apiVersion"]), str(told["kind"]), str(told["name"]), str(told.get("namespace") or ""))


def _cloud_name(obj: Object, name: str) -> CloudName:
    spec: Any = obj.get("spec") or {}
    policies = spec.get("managementPolicies") or ["*"]
    kept = spec.get("deletionPolicy") == "Orphan" or not {"*", "Delete"} & set(policies)
    return CloudName(api_version=str(obj["apiVersion"]), kind=str(obj["kind"]), name=name, kept=kept)


def _stored(cluster: Object) -> str:
    """Return which backups of a database stand in an object store, and how long."""
    spec: Any = cluster.get("spec") or {}
    backup = spec.get("backup") or {}
    plugins = [one for one in spec.get("plugins") or () if one.get("isWALArchiver") or "barman" in str(one.get("name"))]
    if not backup.get("barmanObjectStore") and not plugins:
        return ""
    where = (backup.get("barmanObjectStore") or {}).get("destinationPath") or (
        (plugins[0].get("parameters") or {}).get("barmanObjectName") if plugins else ""
    )
    policy = str(backup.get("retentionPolicy") or "")
    until = f", for {policy} by their retention policy" if policy else ", until somebody deletes them"
    return f"backups of {ref_of(cluster).name} in the object store {where or 'of the plugin'}{until}"
