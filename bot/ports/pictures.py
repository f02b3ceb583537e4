"""Drawings as pictures (resvg)."""

from __future__ import annotations

from typing import Protocol


class Pictures(Protocol):
    async def png(self, svg: str) -> bytes:
        """Return the drawing as PNG. The drawing is ours: it names no file and no address.

        Raise `UpstreamUnavailable` where it cannot be drawn (in time).
        """
