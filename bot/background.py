"""What goes on by itself: done again and again, whatever happens to one of its turns."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from bot.errors import PlatformError

log = logging.getLogger(__name__)


async def again_and_again(
    seconds: float, act: Callable[[], Awaitable[Any]], name: str, *, at_once: bool = False
) -> None:
    """Act every so many seconds, for ever. What fails is logged under the name, and tried again at the next turn."""
    if not at_once:
        await asyncio.sleep(seconds)
    while True:
        try:
            await act()
        except PlatformError as error:
            log.warning("background_delayed", extra={"part": name, "problem": error.message})
        except Exception:
            log.exception("background_failed", extra={"part": name})  # the loop must outlive one failure
        await asyncio.sleep(seconds)


async def ended(task: asyncio.Task[None]) -> None:
    """End a task, and wait until it has."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
