"""How effects wait for what others do: a pause that ends early when somebody says that it has happened."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Pause(Protocol):
    async def __call__(self, seconds: float) -> None:
        """Return after so many seconds, or at once when one of the keys was announced since the last pause."""


class Waiting(Protocol):
    """Pauses between looks. An announcement is a hint and may be lost (another replica got the webhook): who waits
    looks again after each pause, and believes only what it sees."""

    def listening(self, *keys: str) -> AbstractContextManager[Pause]:
        """Return the pause of somebody who waits for one of these keys. Announcements are remembered from here on, so
        that none falls between a look and the pause after it."""


class Unannounced:
    """Waiting where nobody announces anything: every pause is slept to its end."""

    @contextmanager
    def listening(self, *_keys: str) -> Iterator[Pause]:
        async def pause(seconds: float) -> None:
            await asyncio.sleep(seconds)

        yield pause


def build_key(repository: str, sha: str) -> str:
    """Return what is announced when a CI run for that commit has ended."""
    return f"build:{repository.lower()}@{sha}"
