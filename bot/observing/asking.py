"""Asks one system, in its own time: what it says, or in a sentence why it says nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from bot.errors import PlatformError
from bot.health.verdict import Reading

log = logging.getLogger(__name__)

LONGEST_S = 8.0
"""Longest wait for one system, in seconds: after this the answer is complete without it."""

T = TypeVar("T")


def unanswered(who: str) -> Reading[T]:
    """Return what stands for the answer while it is being waited for."""
    return Reading(problem=f"{who} has not answered yet.")


async def asked(who: str, ask: Callable[[], Awaitable[T | None]], now: datetime, turn: asyncio.Semaphore) -> Reading[T]:
    """Return what `who` answers once it is its turn. Raises nothing: neither one system's trouble nor a defect of ours
    keeps the others from being told."""
    try:
        async with asyncio.timeout(LONGEST_S), turn:
            return Reading(await ask(), at=now)
    except TimeoutError:
        return Reading(problem=f"{who} did not answer within {LONGEST_S:g} seconds.")
    except PlatformError as error:
        return Reading(problem=error.message)
    except Exception:
        log.exception("observation_failed", extra={"system": who})
        return Reading(problem=f"What {who} says could not be read, and that is our fault.")
