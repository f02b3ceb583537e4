"""`/idp sweep`: the nightly report, now."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel

from bot.command import Answer, Context, Query, Subject
from bot.deps import Deps
from bot.errors import UsageError
from bot.sweeping import sweep
from bot.sweeping.telling import sentence, shown


class Sweep(BaseModel, frozen=True, extra="forbid"):
    """Everything: there is nothing to choose."""


def parse(words: Sequence[str]) -> Sweep:
    if words:
        raise UsageError(f"I do not know what `{words[0][:40]}` means here.", hint="Type `/idp sweep` alone.")
    return Sweep()


async def answer(request: Sweep, context: Context, deps: Deps) -> Answer:
    """Compare what stands with the book, as the nightly sweep does."""
    report = await sweep(deps, context.now)
    return Answer(text=sentence(report), blocks=shown(report), data=report.data())


async def subject(request: Sweep, context: Context, deps: Deps) -> Subject:
    """It is about everybody's, so nobody owns it: administrators ask."""
    return Subject(owner=None)


QUERY: Query[Sweep] = Query(
    name="sweep",
    summary="See what should be gone and is not, and what should be there and is not",
    usage="",
    request=Sweep,
    parse=parse,
    answer=answer,
    subject=subject,
)
