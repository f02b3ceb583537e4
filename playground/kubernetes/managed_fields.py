"""Who owns which field: `metadata.managedFields`, kept as the real server does on apply and on every other write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from playground.kubernetes.objects import Object
from playground.kubernetes.schema import Type
from playground.kubernetes.status import ApiError
from playground.kubernetes.typed import (
    Comparison,
    Fields,
    Path,
    compare,
    fields_of,
    from_fields_v1,
    merge,
    remove,
    shown,
    to_fields_v1,
    with_named,
)

_METADATA = (
    "name", "namespace", "creationTimestamp", "selfLink", "uid", "generation", "managedFields", "resourceVersion",
)  # fmt: skip
UNOWNED: Fields = frozenset(
    [("f:apiVersion",), ("f:kind",), ("f:metadata",), *(("f:metadata", f"f:{name}") for name in _METADATA)]
)
"""What nobody ever owns."""
APPLY, UPDATE = "Apply", "Update"
Ignored = Callable[[Path], bool]
"""Says which fields a write through this door cannot set, and so does not own (the status, through the main one)."""


@dataclass(frozen=True, slots=True)
class Manager:
    """Identity of an owner. Appliers are one whatever version they apply; other writers are one for each version."""

    name: str
    operation: str
    subresource: str = ""
    api_version: str = ""

    def __str__(self) -> str:
        text = f'"{self.name}"'
        if self.subresource:
            text += f' with subresource "{self.subresource}"'
        return text + (f" using {self.api_version}" if self.operation == UPDATE else "")

    @property
    def order(self) -> tuple[str, str, str]:
        return self.name, self.api_version, self.subresource


@dataclass(frozen=True, slots=True)
class Holding:
    fields: Fields
    api_version: str
    time: str | None = None


Owners = dict[Manager, Holding]


def manager(name: str, operation: str, api_version: str, subresource: str = "") -> Manager:
    return Manager(name, operation, subresource, api_version if operation == UPDATE else "")


def owners_of(obj: Mapping[str, Any]) -> Owners:
    found: Owners = {}
    for entry in obj.get("metadata", {}).get("managedFields", ()):
        version = entry["apiVersion"]
        owner = manager(entry["manager"], entry["operation"], version, entry.get("subresource", ""))
        found[owner] = Holding(from_fields_v1(entry["fieldsV1"]), version, entry.get("time"))
    return found


def with_owners(obj: Object, owners: Owners) -> Object:
    """Return the object with its `managedFields` written anew: appliers first, then by time and name."""
    rows = sorted(owners.items(), key=lambda row: (row[0].operation, row[1].time or "", row[0].order))
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    if rows:
        metadata["managedFields"] = [_entry(*row) for row in rows]
    return {**obj, "metadata": metadata}


def _entry(owner: Manager, holding: Holding) -> dict[str, Any]:
    entry = {"manager": owner.name, "operation": owner.operation, "apiVersion": holding.api_version}
    entry |= {"time": holding.time} if holding.time else {}
    entry |= {"subresource": owner.subresource} if owner.subresource else {}
    return {**entry, "fieldsType": "FieldsV1", "fieldsV1": to_fields_v1(holding.fields)}


def without_managed_fields(obj: Mapping[str, Any]) -> Object:
    metadata = {key: value for key, value in obj.get("metadata", {}).items() if key != "managedFields"}
    return {**obj, "metadata": metadata}


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """By whom and through which door something is written."""

    shape: Type
    owner: Manager
    api_version: str
    now: str | None
    """Noted with what the writer comes to own; the real server notes no time for a write of the scale."""
    ignored: Ignored = lambda _: False


def updated(write: Write, old: Object, new: Object) -> Object:
    """Return `new` with the owners after an ordinary write: what it changed is the writer's now."""
    owners = owners_of(old)
    new = without_managed_fields(new)
    change = compare(write.shape, without_managed_fields(old), new)
    taken = _owned(write, change.added | change.modified)
    remaining = _lose(owners, change, frozenset(change.added | change.modified))
    if taken:
        before = remaining.get(write.owner)
        held = taken | (before.fields if before else frozenset())
        remaining[write.owner] = Holding(frozenset(held), write.api_version, write.now)
    return with_owners(new, remaining)


def _owned(write: Write, fields: set[Path] | Fields) -> Fields:
    return frozenset(path for path in fields if path not in UNOWNED and not write.ignored(path))


def _lose(owners: Owners, change: Comparison, taken: Fields) -> Owners:
    """Take fields that somebody else wrote, and fields that are gone, off everybody."""
    left: Owners = {}
    for owner, holding in owners.items():
        fields = holding.fields - taken - change.removed
        if fields:
            left[owner] = replace(holding, fields=fields)
    return left


def applied(write: Write, live: Object | None, wanted: Object, *, force: bool) -> Object:
    """Return what server-side apply makes of the live object, owners included.

    Raise a 409 that names every field that somebody else owns with another value, unless `force` takes them over.
    """
    owners = owners_of(live) if live else {}
    before = without_managed_fields(live) if live else {}
    last = owners.get(write.owner)
    stated = _owned(write, fields_of(write.shape, wanted))
    owners[write.owner] = Holding(stated, write.api_version, last.time if last else None)
    merged = merge(write.shape, before, wanted)
    merged = _pruned(write.shape, merged, owners, last.fields if last else frozenset())
    change = compare(write.shape, before, merged)
    taken = frozenset(change.added | change.modified)
    others = {owner: holding for owner, holding in owners.items() if owner != write.owner}
    clashes = {owner: holding.fields & taken for owner, holding in others.items() if holding.fields & taken}
    if clashes and not force:
        raise conflicts(clashes)
    left = _lose(others, change, taken)
    mine = owners[write.owner]
    mine = mine if change.is_same else replace(mine, time=write.now)
    if mine.fields:
        left[write.owner] = replace(mine, fields=mine.fields - change.removed)
    return with_owners(merged, left)


def _pruned(shape: Type, merged: Object, owners: Owners, last: Fields) -> Object:
    """Take away what the same applier stated last time and states no longer, unless somebody else holds it."""
    if not last:
        return merged
    everything = with_named(shape, fields_of(shape, merged))
    held = frozenset[Path]().union(*(with_named(shape, holding.fields) for holding in owners.values()))
    pruned = remove(shape, merged, with_named(shape, last)) or {}
    gone = everything - with_named(shape, fields_of(shape, pruned))
    pruned = remove(shape, merged, gone - held) or {}
    gone = everything - with_named(shape, fields_of(shape, pruned))
    return remove(shape, merged, gone & last) or {}


def conflicts(clashes: Mapping[Manager, Fields]) -> ApiError:
    """Write a conflict as the real server does: one cause for each field, grouped by its manager in the message."""
    rows = [
        (owner, shown(path))
        for owner in sorted(clashes, key=lambda owner: owner.order)
        for path in in_set_order(clashes[owner])
    ]
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {owner}", "field": field} for owner, field in rows
    ]
    if len(rows) == 1:
        owner, field = rows[0]
        text = f"Apply failed with 1 conflict: conflict with {owner}: {field}"
    else:
        text = f"Apply failed with {len(rows)} conflicts: " + "\n".join(_groups(rows))
    return ApiError(409, "Conflict", text, {"causes": causes})


def _groups(rows: Sequence[tuple[Manager, str]]) -> list[str]:
    grouped: dict[str, list[str]] = {}
    for owner, field in rows:
        grouped.setdefault(str(owner), []).append(f"- {field}")
    return ["\n".join([f"conflicts with {owner}:", *fields]) for owner, fields in sorted(grouped.items())]


def in_set_order(fields: Fields) -> list[Path]:
    """Order fields as the real server walks them: at each level first what ends there, then what goes deeper."""
    return sorted(fields, key=lambda path: [(depth < len(path) - 1, part) for depth, part in enumerate(path)])
