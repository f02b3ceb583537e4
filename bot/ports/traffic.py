"""Whether anybody uses what runs: requests as the ingress controller counts them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol


class Traffic(Protocol):
    """Counts of what came from outside."""

    async def requests_since(self, hosts: Collection[str], since: datetime) -> int | None:
        """Return how many requests these host names got since then, all together; None where nobody counts them, which
        is not the same as none. Raise `UpstreamUnavailable` where it cannot be asked now."""
