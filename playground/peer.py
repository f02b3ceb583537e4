"""What the playground asks of each peer: an aiohttp application and a clean end."""

from __future__ import annotations

from typing import Protocol

from aiohttp import web


class Peer(Protocol):
    """One simulated system. It is built with its own base URL, its data folder and the playground's clock."""

    name: str

    def application(self) -> web.Application:
        """Return the application that speaks the system's protocol, with `/sim/…` beside it."""

    async def start(self) -> None:
        """Load what an earlier run left in the data folder, or seed it; start background work."""

    async def close(self) -> None:
        """End background work; everything is on disk afterwards."""
