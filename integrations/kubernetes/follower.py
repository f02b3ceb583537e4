"""What one who follows a watch has not taken yet. Of each object only its latest state is kept: a slow one skips."""

from __future__ import annotations

import asyncio
from typing import Protocol

from bot.ports import Change


class Told(Protocol):
    """Something to tell, made when it is taken."""

    @property
    def what(self) -> str:
        """As in `Change`."""

    def change(self) -> Change: ...


class Plain:
    """A change that is there already."""

    __slots__ = ("_change",)

    def __init__(self, change: Change) -> None:
        self._change = change

    @property
    def what(self) -> str:
        return self._change.what

    def change(self) -> Change:
        return self._change


class Follower:
    def __init__(self) -> None:
        self._waiting: dict[str, Told] = {}
        self._woken = asyncio.Event()
        self._over = False
        self._failure: BaseException | None = None

    def tell(self, key: str, told: Told) -> None:
        """Put it in line; in the place of an older state of the same object (`key`), if that was not taken yet."""
        if told.what == "lost":
            # Everything that is there will be told again; what has gone will not.
            self._waiting = {key: one for key, one in self._waiting.items() if one.what == "deleted"}
        self._waiting[key] = told
        self._woken.set()

    def end(self, failure: BaseException | None = None) -> None:
        self._over, self._failure = True, failure
        self._woken.set()

    async def next(self) -> Change | None:
        """Return the next change, or None when there will be none. Raise what ended the watch against its will."""
        await asyncio.sleep(0)  # thousands of objects at once must not hold up everybody else
        await self._woken.wait()
        if not self._waiting:
            if self._failure is not None:
                raise self._failure
            return None
        told = self._waiting.pop(next(iter(self._waiting)))
        if not self._waiting and not self._over:
            self._woken.clear()
        return told.change()
