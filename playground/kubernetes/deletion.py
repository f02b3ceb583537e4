"""How objects go: preconditions, finalizers, grace periods, and the moment at which nothing holds them any more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from playground.kubernetes.objects import Object, copied
from playground.kubernetes.registry import Resource
from playground.kubernetes.status import ApiError, details, forbidden

Propagation = Literal["Background", "Foreground", "Orphan"]
FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
"""Finalizers that ask the garbage collector to work on the dependents first."""
UNDELETABLE = frozenset({"default", "kube-public", "kube-system"})


def stamp(moment: datetime) -> str:
    """Write a time as `metadata` does: seconds, UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """What a DELETE may ask beyond the name."""

    uid: str | None = None
    resource_version: str | None = None
    propagation: Propagation | None = None
    grace_period_s: int | None = None
    dry_run: bool = False


def refuse_others(resource: Resource, old: Object, options: Deletion) -> None:
    """Raise a 409 where the object is not the one that the caller means, a 403 for a namespace that has to stay."""
    held = old["metadata"]
    if options.uid is not None and options.uid != held["uid"]:
        why = f"the UID in the precondition ({options.uid}) does not match the UID in record ({held['uid']})."
        raise _precondition(resource, held, why + " The object might have been deleted and then recreated")
    if options.resource_version is not None and options.resource_version != held["resourceVersion"]:
        why = (
            f"the ResourceVersion in the precondition ({options.resource_version}) does not match the ResourceVersion "
        )
        why += f"in record ({held['resourceVersion']}). The object might have been modified"
        raise _precondition(resource, held, why)
    if resource.kind == "Namespace" and held["name"] in UNDELETABLE:
        raise forbidden(resource, held["name"], "this namespace may not be deleted")


def _precondition(resource: Resource, held: Mapping[str, Any], why: str) -> ApiError:
    kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    text = f'Operation cannot be fulfilled on {kind} "{held["name"]}": {why}'
    return ApiError(409, "Conflict", text, details(resource, held["name"], kind=True))


def mark(resource: Resource, old: Object, options: Deletion, now: datetime) -> Object:
    """Return the object as a deletion leaves it while something still holds it, or at its end."""
    new = copied(old)
    metadata = new["metadata"]
    _ask_collector(resource, metadata, options)
    grace = _grace(resource, old, options)
    if resource.kind == "Namespace":
        metadata.setdefault("deletionTimestamp", stamp(now))
        new["status"] = {**new.get("status", {}), "phase": "Terminating"}
        return new
    if "deletionTimestamp" in metadata:
        metadata["deletionGracePeriodSeconds"] = min(grace, metadata.get("deletionGracePeriodSeconds", 0))
        return new
    if must_wait(resource, {**new, "metadata": {**metadata, "deletionGracePeriodSeconds": grace}}) or _is_shown(
        resource
    ):
        metadata["deletionTimestamp"] = stamp(now + timedelta(seconds=grace))
        metadata["deletionGracePeriodSeconds"] = grace
        if metadata.get("generation"):
            metadata["generation"] += 1
    return new


def _is_shown(resource: Resource) -> bool:
    return resource.kind == "Pod"  # its end is told with the marks of a deletion, even where nothing held it


def _ask_collector(resource: Resource, metadata: dict[str, Any], options: Deletion) -> None:
    """Note how the dependents go. Jobs leave theirs alone unless somebody says otherwise."""
    wanted = options.propagation or ("Orphan" if resource.key == ("batch", "jobs") else None)
    given = metadata.get("finalizers", [])
    if wanted is None:
        return
    kept = [word for word in given if word not in {FOREGROUND, ORPHAN}]
    added = {"Foreground": [FOREGROUND], "Orphan": [ORPHAN]}.get(wanted, [])
    finalizers = given if added and added[0] in given else [*kept, *added]
    if finalizers:
        metadata["finalizers"] = finalizers
    else:
        metadata.pop("finalizers", None)


def _grace(resource: Resource, old: Object, options: Deletion) -> int:
    """Seconds that a Pod on a node is given to end; whoever plays the node deletes it again with 0."""
    if resource.kind != "Pod" or not old.get("spec", {}).get("nodeName"):
        return 0
    if old.get("status", {}).get("phase") in {"Succeeded", "Failed"}:
        return 0
    if options.grace_period_s is not None:
        return options.grace_period_s
    return int(old["spec"].get("terminationGracePeriodSeconds", 30))


def must_wait(resource: Resource, obj: Object) -> bool:
    """Say whether something still holds an object that is being deleted."""
    metadata = obj["metadata"]
    held = metadata.get("finalizers") or metadata.get("deletionGracePeriodSeconds")
    return bool(held or (resource.kind == "Namespace" and obj.get("spec", {}).get("finalizers")))
