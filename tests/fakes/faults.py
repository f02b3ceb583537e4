"""Faults for in-memory fakes of ports: refuse a call, lose it on its way, or lose its answer."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from bot.errors import OutcomeUnknown

P = ParamSpec("P")
R = TypeVar("R")


class When(StrEnum):
    BEFORE = "before"
    """The work is not done."""
    AFTER = "after"
    """The work is done and its answer is lost."""


@dataclass
class Fault:
    method: str
    error: Exception
    when: When
    skip: int = 0
    times: int = 1


class Faults:
    """What goes wrong, by method (`*` for any), and the calls as they came."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.calls: list[str] = []

    def refuse(self, method: str, error: Exception, *, times: int = 1, skip: int = 0) -> None:
        """Raise `error` from the next `times` calls, after `skip` good ones; the work is not done."""
        self.faults.append(Fault(method, error, When.BEFORE, skip, times))

    def lose_call_before(self, method: str, *, times: int = 1, skip: int = 0) -> None:
        """Drop the connection before the work is done."""
        self.faults.append(Fault(method, _unknown(method), When.BEFORE, skip, times))

    def lose_answer_after(self, method: str, *, times: int = 1, skip: int = 0) -> None:
        """Do the work, then drop the connection."""
        self.faults.append(Fault(method, _unknown(method), When.AFTER, skip, times))

    def next(self, method: str) -> Fault | None:
        """Count one call; return the fault that meets it."""
        self.calls.append(method)
        hit = None
        for fault in self.faults:
            if fault.method not in (method, "*") or fault.times <= 0:
                continue
            if fault.skip > 0:
                fault.skip -= 1
            elif hit is None:
                fault.times -= 1
                hit = fault
        return hit


class Faulty(Protocol):
    faults: Faults


F = TypeVar("F", bound=Faulty)


def call(method: Callable[Concatenate[F, P], Awaitable[R]]) -> Callable[Concatenate[F, P], Coroutine[Any, Any, R]]:
    """Let the fake's faults meet this method."""

    @functools.wraps(method)
    async def meets_faults(self: F, /, *args: P.args, **kwargs: P.kwargs) -> R:
        fault = self.faults.next(method.__name__)
        if fault and fault.when is When.BEFORE:
            raise fault.error
        result = await method(self, *args, **kwargs)
        if fault:
            raise fault.error
        return result

    return meets_faults


def _unknown(method: str) -> OutcomeUnknown:
    return OutcomeUnknown(f"The connection was lost during {method}.")
