"""Answers of a fake that is asked by query: what is said to which, who waits, and what was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

A = TypeVar("A")

Fits = str | Callable[[str], bool]
"""A part of the query's text, or a predicate of it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question as it came. What a method does not have stays None."""

    method: str
    query: str
    begin: datetime | None = None
    """Or the moment, where there is one."""
    end: datetime | None = None
    step: timedelta | None = None
    limit: int | None = None


class Programmed(Generic[A]):
    """The rule that was added last and fits decides; a query that none fits gets `otherwise`."""

    def __init__(self, otherwise: A) -> None:
        self.otherwise = otherwise
        self.asked: list[Asked] = []
        self._answers: list[tuple[Fits, A | Exception | Callable[[Asked], A]]] = []
        self._held: list[tuple[Fits, asyncio.Event]] = []

    def answer(self, fits: Fits, answer: A | Exception | Callable[[Asked], A]) -> None:
        """Say this to queries that hold that text (or fit). An exception is raised; a function is asked each time."""
        self._answers.append((fits, answer))

    def hold(self, fits: Fits = "", event: asyncio.Event | None = None) -> asyncio.Event:
        """Let such queries wait, without one all of them, until the returned event (yours, if given) is set."""
        event = event or asyncio.Event()
        self._held.append((fits, event))
        return event

    async def find(self, asked: Asked) -> A:
        self.asked.append(asked)
        for fits, event in self._held:
            if _fits(fits, asked.query):
                await event.wait()
        for fits, answer in reversed(self._answers):
            if not _fits(fits, asked.query):
                continue
            if isinstance(answer, Exception):
                raise answer
            return answer(asked) if callable(answer) else answer
        return self.otherwise


def _fits(fits: Fits, query: str) -> bool:
    return fits in query if isinstance(fits, str) else fits(query)
