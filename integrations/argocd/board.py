"""Who follows which application. One source tells the board; the board tells each follower what is new to it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from bot.ports import Application, Seen


class Follower:
    """What one who follows has not taken yet: only the newest counts, so that a slow one skips."""

    def __init__(self) -> None:
        self._newest: Seen | None = None
        self._woken = asyncio.Event()
        self._failure: BaseException | None = None

    def tell(self, seen: Seen) -> None:
        self._newest = seen
        self._woken.set()

    def fail(self, failure: BaseException) -> None:
        self._failure = failure
        self._woken.set()

    async def next(self) -> Seen:
        """Raise what ended the following against its will."""
        await self._woken.wait()
        self._woken.clear()
        if self._newest is None:
            raise self._failure or RuntimeError("nothing to tell")
        seen, self._newest = self._newest, None
        if self._failure is not None:
            self._woken.set()
        return seen


@dataclass(slots=True)
class _Known:
    """What the followers of one name were told last."""

    followers: set[Follower]
    version: int = -1
    seen: Seen | None = None
    words: int = 0
    """How often something was shown of it."""


class Board:
    """The followed names, and what is known of each. Nothing is kept of what nobody follows."""

    def __init__(self) -> None:
        self._names: dict[str, _Known] = {}
        self._problem = ""

    @property
    def names(self) -> list[str]:
        return list(self._names)

    def follows(self, name: str) -> bool:
        return name in self._names

    def join(self, name: str) -> Follower:
        follower = Follower()
        known = self._names.setdefault(name, _Known(set()))
        known.followers.add(follower)
        if self._problem:
            follower.tell(Seen(problem=self._problem))
        elif known.seen is not None:
            follower.tell(known.seen)
        return follower

    def leave(self, name: str, follower: Follower) -> None:
        known = self._names.get(name)
        if known is None:
            return
        known.followers.discard(follower)
        if not known.followers:
            del self._names[name]

    def words(self, name: str) -> int:
        """Return what `show` takes for `asked_at`, before one asks."""
        known = self._names.get(name)
        return known.words if known is not None else 0

    def show(
        self, name: str, application: Application | None, version: int = 0, *, asked_at: int | None = None
    ) -> None:
        """Tell how it is at that version; None when it is gone.

        What is older than the last word is left out; so is an answer that was asked for before the last word
        (`asked_at`) and holds nothing: it may have been made meanwhile.
        """
        known = self._names.get(name)
        if known is None or self._problem:
            return
        if application is None and asked_at not in (None, known.words):
            return
        if application is not None and known.seen is not None and 0 < version <= known.version:
            return
        known.words += 1
        known.version = max(version, known.version)
        if known.seen is not None and known.seen.application == application:
            return
        known.seen = Seen(application)
        for follower in known.followers:
            follower.tell(known.seen)

    def lose(self, problem: str) -> None:
        """Tell everybody once that nothing can be seen. The next `find` ends it."""
        if self._problem:
            return
        self._problem = problem
        for follower in self._followers():
            follower.tell(Seen(problem=problem))

    def tell(self, name: str, problem: str) -> None:
        """Tell the followers of one name that it alone is out of sight; what is shown next ends that."""
        known = self._names.get(name)
        for follower in known.followers if known is not None else ():
            follower.tell(Seen(problem=problem))

    def find(self) -> None:
        """End being out of sight: from here on `show` tells again, be it what was known before."""
        if not self._problem:
            return
        self._problem = ""
        for known in self._names.values():
            known.seen = None

    def fail(self, failure: BaseException) -> None:
        for follower in self._followers():
            follower.fail(failure)

    def _followers(self) -> Iterable[Follower]:
        return [follower for known in self._names.values() for follower in known.followers]
