"""Where components become known."""

from __future__ import annotations

from typing import Protocol


class CatalogRegistry(Protocol):
    """Causeway's own catalog."""

    async def registered(self, location: str) -> str | None:
        """Return the operation that registered `location` (a URL of a `catalog-info.yaml`), or None."""

    async def register(self, location: str, *, operation: str) -> tuple[str, ...]:
        """Read the file behind `location`, add its entities, return their references. Idempotent.
        Raise `Invalid` when the file is broken, `Conflict` when an entity belongs to another location."""

    async def unregister(self, location: str, *, operation: str) -> bool:
        """Remove what that operation registered; return whether anything was removed."""
