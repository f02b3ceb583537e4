"""Runs queries: the one way in for all doors, so that each meets the same policy."""

from __future__ import annotations

from typing import Any

from bot.command import Answer, Context, Query
from bot.deps import Deps
from bot.errors import Refused
from bot.policy.rules import Rules, may_ask


class Answering:
    """Satisfies what the doors call `answer`."""

    def __init__(self, deps: Deps, rules: Rules) -> None:
        self._deps = deps
        self._rules = rules

    async def __call__(self, query: Query[Any], request: Any, context: Context) -> Answer:
        """Raise `Refused` for whoever may not ask this, before anything that they may not see is read."""
        if query.subject is not None:
            subject = await query.subject(request, context, self._deps)
            verdict = may_ask(self._rules, context.principal, query.name, subject.owner, subject.environment)
            if not verdict.allowed:
                raise Refused(verdict.because)
        return await query.answer(request, context, self._deps)
