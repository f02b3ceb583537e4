"""What the engine needs from outside: planning and policy, announcing, and its settings."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.operation import Asked, Need, OperationView, State
from bot.model.plan import Plan
from bot.model.principal import Principal
from bot.ports import Clock

Sleeper = Callable[[float], Awaitable[None]]
"""Waits that many seconds between two tries of one effect."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Policy lets it happen at once."""


@dataclass(frozen=True, slots=True)
class NeedsApproval:
    need: Need
    expires_after: timedelta


@dataclass(frozen=True, slots=True)
class Denied:
    """Policy says no; the sentence names the rule and who could allow it."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and what policy says about it."""

    plan: Plan
    decision: Allowed | NeedsApproval | Denied


class Planner(Protocol):
    """Commands and policy, as the engine meets them."""

    async def plan(self, asked: Asked) -> Planned:
        """Read the facts and plan. Called again just before running, with the same frozen time and id.

        Raise `PlatformError` for a wrong request and `UpstreamUnavailable` when facts cannot be read now.
        """

    async def may_approve(self, view: OperationView, principal: Principal) -> Allowed | Denied:
        """Say whether this person may decide on the plan of `view` (its `need` names who may), now."""

    async def may_undo(self, view: OperationView, principal: Principal) -> Allowed | Denied:
        """Say whether this person may undo, retry, keep or withdraw the operation, now."""


class Announcer(Protocol):
    """Tells cards and other listeners that an operation changed."""

    async def operation_changed(self, connection: AsyncConnection, operation_id: str, revision: int) -> None:
        """Note it inside the transaction of the change, so that neither is ever without the other."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which operations to list; what is None does not matter."""

    states: frozenset[State] | None = None
    user: str | None = None
    command: str | None = None


def machine_time() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How patient the engine is. All times in seconds."""

    lease_s: float = 15.0
    """How long a silent replica keeps its operations. Renewed every third of it; with `tick_s` it bounds a takeover,
    which must stay below 30 s."""
    tick_s: float = 1.0
    """Time between two looks for what is due."""
    effect_tries: int = 5
    """How often an effect, an undo or the reading of facts is tried while the other side does not answer."""
    retry_first_s: float = 1.0
    """Wait before the second try; doubles with each one."""
    retry_most_s: float = 30.0
    """Longest wait between two tries, unless the other side asks for more."""
    retry_after_most_s: float = 300.0
    """Longest wait that the other side may ask for."""
    stuck_first_s: float = 60.0
    """Wait before a stuck undo is tried again; doubles with each try."""
    stuck_most_s: float = 3600.0
    """Longest wait between two tries of a stuck undo."""
    sweep_s: float = 3600.0
    """Time between two cleanings of what the durable engine remembers."""
    close_s: float = 10.0
    """How long running effects may go on when the replica is closed; what remains is left to the next start."""
    lease_clock: Clock = machine_time
    """The clock of leases: the machine's, even where the other clock is moved forward (playground)."""
    sleep: Sleeper = asyncio.sleep
