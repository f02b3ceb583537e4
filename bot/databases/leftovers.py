"""A database that a service's document has asked for once and does not any more: it stands, and nothing describes it.

Argo CD never prunes what holds data, so the objects are in the cluster and not in Git. To delete them they are written
into Git once more, as they are but without their protection, and then taken out again: by the same two commits as any.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bot.databases.asking import engines_in
from bot.databases.wording import engine_name
from bot.effects.objects import ref_of
from bot.errors import Conflict, NotFound, PlatformError, Refused
from bot.model.annotations import COMPARE_OPTIONS, SYNC_OPTIONS
from bot.model.canonical import JSON
from bot.model.databases import DatabaseSize, Engine
from bot.model.web_service.parts import Database
from bot.ports import Cluster, Object
from bot.releases.reading import Here
from bot.rendering.quantities import memory_bytes
from bot.rendering.render import render_store
from bot.rendering.stores import PROTECTED, Store, store_for

_OF_THE_SERVER = (
    "managedFields",
    "resourceVersion",
    "uid",
    "creationTimestamp",
    "generation",
    "selfLink",
    "finalizers",
)
_OF_OTHERS = ("kubectl.kubernetes.io/last-applied-configuration", "argocd.argoproj.io/tracking-id")
_PROTECTING = (SYNC_OPTIONS, COMPARE_OPTIONS, PROTECTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """What stands, and how it would be described."""

    store: Store
    """As it would be made today. Its size is told by the objects alone."""
    objects: tuple[Object, ...]
    """As they are in the cluster, without what the server writes and without what protects them."""


async def read_leftover(here: Here, cluster: Cluster | None) -> Leftover | None:
    """Return what an earlier document has left behind; None where nothing is."""
    if cluster is None:
        return None
    for store in described(here):
        try:
            wanted = render_store(store, platform=here.place.platform)
        except PlatformError:
            continue  # nobody could have made it either
        if store.main is None:
            continue
        live = await _live(wanted, cluster, here)
        if any(ref_of(obj) == store.main for obj in live):
            return Leftover(store=store, objects=tuple(unprotected(obj) for obj in live))
    return None


def described(here: Here) -> Iterator[Store]:
    """Yield the databases that a document could have asked for there, one of each engine that somebody makes."""
    place = here.place
    for engine in engines_in(place.platform, place.environment):
        with suppress(PlatformError):
            store = store_for(
                service=place.service,
                team=place.team,
                environment=place.environment,
                platform=place.platform,
                document=Database(type=engine),
            )
            if store is not None:
                yield store


async def _live(wanted: Iterable[Object], cluster: Cluster, here: Here) -> list[Object]:
    found = []
    for obj in wanted:
        try:
            live = await cluster.get(ref_of(obj))
        except (NotFound, Refused):
            continue
        if live is not None and _is_ours(live, here):
            found.append(live)
    return found


def refuse_other(leftover: Leftover, engine: Engine, size: DatabaseSize) -> None:
    """Raise `Conflict` where what stands there cannot become what is asked for: another engine, or a smaller disk."""
    store = leftover.store
    if store.engine != engine:
        raise Conflict(
            f"A {engine_name(store.engine)} database of the name {store.name} stands there already, from an earlier "
            "document.",
            hint=f"Delete it first: `/database delete {store.name} in {store.environment}`.",
        )
    for obj in leftover.objects:
        spec: Any = obj.get("spec") or {}
        disk = (spec.get("storage") or {}).get("size")
        if ref_of(obj) == store.main and disk and memory_bytes(disk) > memory_bytes(size.storage):
            raise Conflict(
                f"{store.name} stands there already, from an earlier document, with a disk of {disk}.",
                hint=f"Ask for a size of {disk} or more, or delete it: `/database delete {store.name} in "
                f"{store.environment}`.",
            )


def unprotected(live: Object) -> dict[str, JSON]:
    """Return an object as a person would have written it, with nothing that keeps it from being deleted."""
    found: dict[str, Any] = {key: value for key, value in live.items() if key != "status"}
    metadata = {key: value for key, value in found["metadata"].items() if key not in _OF_THE_SERVER}
    annotations = metadata.pop("annotations", None) or {}
    kept = {key: value for key, value in annotations.items() if key not in (*_OF_OTHERS, *_PROTECTING)}
    found["metadata"] = metadata | ({"annotations": kept} if kept else {})
    in_cloud = (found.get("spec") or {}).get("forProvider")
    if isinstance(in_cloud, dict) and "deletionProtection" in in_cloud:
        found["spec"] = {**found["spec"], "forProvider": {**in_cloud, "deletionProtection": False}}
    return found


def _is_ours(live: Mapping[str, Any], here: Here) -> bool:
    labels = live["metadata"].get("labels") or {}
    whose = labels.get("causeway.io/service"), labels.get("causeway.io/environment")
    return whose == (here.place.service, here.place.environment)
