"""ConfigMaps, Secrets and PersistentVolumeClaims."""

from __future__ import annotations

from collections.abc import Iterator

from playground.kubernetes.names import config_key
from playground.kubernetes.objects import Object
from playground.kubernetes.rules.workloads import IMMUTABLE
from playground.kubernetes.status import Cause, forbidden_value, invalid_value, required

MAX_BYTES = 1024 * 1024
SET = "field is immutable when `immutable` is set"


def config_map(obj: Object) -> Iterator[Cause]:
    yield from _entries(obj, ("data", "binaryData"))


def secret(obj: Object) -> Iterator[Cause]:
    yield from _entries(obj, ("data",))


def _entries(obj: Object, fields: tuple[str, ...]) -> Iterator[Cause]:
    size = 0
    for field in fields:
        for key, text in obj.get(field, {}).items():
            size += len(key) + len(text.encode())
            for mistake in config_key(key):
                yield invalid_value(f"{field}[{key}]", key, mistake)
    if size > MAX_BYTES:
        yield Cause("FieldValueTooLong", f"Too long: may not be more than {MAX_BYTES} bytes", fields[0])


def config_change(old: Object, new: Object) -> Iterator[Cause]:
    if not old.get("immutable"):
        return
    if not new.get("immutable"):
        yield forbidden_value("immutable", SET)
    for field in ("data", "binaryData"):
        if old.get(field) != new.get(field):
            yield forbidden_value(field, SET)


def secret_change(old: Object, new: Object) -> Iterator[Cause]:
    if old.get("type") != new.get("type"):
        yield invalid_value("type", new.get("type"), IMMUTABLE)
    yield from config_change(old, new)


def claim(obj: Object) -> Iterator[Cause]:
    spec = obj["spec"]
    if not spec.get("accessModes"):
        yield required("spec.accessModes", "at least 1 access mode is required")
    if "storage" not in spec.get("resources", {}).get("requests", {}):
        yield required("spec.resources[storage]")


def claim_change(old: Object, new: Object) -> Iterator[Cause]:
    """Only the size of one that is bound may change; who binds the claim names its volume once."""
    once = {"volumeName", "storageClassName"} - old["spec"].keys()  # written by who binds it
    bound = old.get("status", {}).get("phase") == "Bound"
    free = {"volumeAttributesClassName", *once, *(("resources",) if bound else ())}
    fixed = [{key: value for key, value in obj["spec"].items() if key not in free} for obj in (old, new)]
    if fixed[0] != fixed[1]:
        text = (
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
        )
        yield forbidden_value("spec", text)
