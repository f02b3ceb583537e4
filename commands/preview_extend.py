"""`/preview extend`: a preview ends later."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

from bot.command import Command, Context
from bot.deps import Deps
from bot.errors import UsageError
from bot.model.duration import Duration, parse_duration
from bot.model.plan import Plan
from bot.previews.keeping import Kept, extend_plan, read_kept
from bot.releases.wording import read

USAGE = "[name] [by 2d]"


class PreviewExtend(BaseModel, frozen=True, extra="forbid"):
    """Which one, and by how long."""

    name: str = Field(default="", max_length=200, description="Empty: the team's only one", examples=["new-checkout"])
    by: Duration | None = Field(default=None, description="Empty: the usual span, as far as allowed", examples=["2d"])


def parse(words: Sequence[str]) -> PreviewExtend:
    """Both `extend demo by 2d` and `extend demo 2d` are said."""
    said = read(words, most=2, known=("by", "for"), usage=f"/preview extend {USAGE}")
    plain = list(said.plain)
    span = said.after.get("by") or said.after.get("for", "")
    if plain and not span and _is_span(plain[-1]):
        span = plain.pop()
    if len(plain) > 1:
        raise UsageError(f"I could not read `{' '.join(plain)[:200]}`.", hint=f"Try `/preview extend {USAGE}`.")
    return PreviewExtend.model_validate({"name": plain[0] if plain else "", "by": span or None})


def _is_span(word: str) -> bool:
    try:
        parse_duration(word)
    except ValueError:
        return False
    return True


async def read_facts(request: PreviewExtend, context: Context, deps: Deps) -> Kept:
    return await read_kept(request.name, context, deps)


def plan(request: PreviewExtend, facts: Kept) -> Plan:
    return extend_plan(facts, request.by)


COMMAND: Command[PreviewExtend, Kept] = Command(
    name="preview.extend",
    summary="Let a preview stand longer",
    usage=USAGE,
    request=PreviewExtend,
    facts=read_facts,
    plan=plan,
    owner=lambda _: None,
    environment=lambda _: "",
    parse=parse,
)
