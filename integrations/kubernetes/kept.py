"""Objects as a watch keeps them: as text, because thousands of them as dictionaries fill the memory and slow down the
garbage collector. They are read again for those who come late, and after a list was read."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

from bot.ports import Change
from integrations.kubernetes.client import without_managed_fields

FAST = 1
"""Of zlib's levels: an Application of 9 kB becomes 1 kB in 0.05 ms."""
FEW = 50
"""So many objects are kept as they came: packing each of their changes would cost more than the room is worth."""
_written = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Kept:
    """One object. It tells itself as a change."""

    version: str
    """Its `resourceVersion`."""
    event: bytes = field(repr=False)
    """A watch event that holds it, as JSON."""
    is_packed: bool
    what: Literal["present", "deleted"] = "present"

    @classmethod
    def of(cls, obj: Any) -> Self:
        """Keep an object of a list."""
        event = _written({"object": obj}).encode()
        return cls(version_of(obj), zlib.compress(event, FAST), is_packed=True)

    @classmethod
    def of_event(cls, version: str, line: bytes, *, among: int) -> Self:
        """Keep the object that a line of a watch has brought, one of so many."""
        packs = among > FEW
        return cls(version, zlib.compress(line, FAST) if packs else line, is_packed=packs)

    def gone(self) -> Kept:
        return replace(self, what="deleted")

    def change(self) -> Change:
        obj = json.loads(zlib.decompress(self.event) if self.is_packed else self.event)["object"]
        without_managed_fields(obj)
        return Change(self.what, obj)


def version_of(obj: Any) -> str:
    return str((obj.get("metadata") or {}).get("resourceVersion") or "")
