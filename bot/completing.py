"""An answer in two parts: wait for the rest, in bounded time, and say so when it does not come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.command import Answer

WITHIN_S = 30.0
"""Longest wait for the rest of an answer, in seconds. Whoever asks systems gives up on each of them long before."""


@dataclass(frozen=True, slots=True)
class Completed:
    answer: Answer
    """The whole, or the first part where the rest did not come."""
    missing: str = ""
    """Why the rest did not come: a sentence for a person, plain with code in backticks. Empty: it came."""


async def completed(answer: Answer, sentence: Callable[[Exception], str]) -> Completed:
    """Wait for the whole of an answer. `sentence` says what a person reads about an error."""
    try:
        async with asyncio.timeout(WITHIN_S):
            while answer.complete is not None:
                answer = await answer.complete()
    except TimeoutError:
        why = "It took too long. Ask again in a minute."
    except Exception as error:  # noqa: BLE001 - the first part has been told: whatever comes then, it is marked
        why = sentence(error)
    else:
        return Completed(answer)
    return Completed(replace(answer, complete=None), f"The rest of this answer did not come. {why}")
