"""Runs queries: the one way in for all doors, so that each meets the same policy."""

from __future__ import annotations

import logging
import secrets
from dataclasses import replace
from typing import Any

from bot.command import Answer, Context, Query
from bot.completing import completed
from bot.deps import Deps
from bot.errors import PlatformError, Refused
from bot.model.principal import Door
from bot.policy.rules import Rules, may_ask

log = logging.getLogger(__name__)


class Answering:
    """Satisfies what the doors call `answer`."""

    def __init__(self, deps: Deps, rules: Rules) -> None:
        self._deps = deps
        self._rules = rules

    async def __call__(self, query: Query[Any], request: Any, context: Context) -> Answer:
        """Return the answer; only in Slack, which can be told more later, it may be a first part.

        Raise `Refused` for whoever may not ask this, before anything that they may not see is read.
        """
        if query.subject is not None:
            subject = await query.subject(request, context, self._deps)
            verdict = may_ask(self._rules, context.principal, query.name, subject.owner, subject.environment)
            if not verdict.allowed:
                raise Refused(verdict.because)
            request = subject.request or request
        answer = await query.answer(request, context, self._deps)
        return answer if context.door is Door.SLACK else await _whole(answer)


async def _whole(answer: Answer) -> Answer:
    found = await completed(answer, _sentence)
    if not found.missing:
        return found.answer
    first = found.answer
    data = {**first.data, "incomplete": found.missing} if isinstance(first.data, dict) else first.data
    return replace(first, text=f"{first.text}\n{found.missing}", data=data)


def _sentence(error: Exception) -> str:
    if isinstance(error, PlatformError):
        return str(error)
    reference = secrets.token_hex(4)
    log.error("answer_not_completed", exc_info=error, extra={"reference": reference})
    return f"It is our fault: quote `{reference}` to the platform team."
