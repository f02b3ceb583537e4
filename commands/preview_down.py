"""`/preview down`: a preview goes with all that it has, and the receipt proves it."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

from bot.command import Command, Context
from bot.deps import Deps
from bot.model.plan import Plan
from bot.previews.ending import Ending, ending_plan, read_ending
from bot.previews.wording import only_name


class PreviewDown(BaseModel, frozen=True, extra="forbid"):
    """Which one."""

    name: str = Field(default="", max_length=200, description="Empty: the team's only one", examples=["new-checkout"])


def parse(words: Sequence[str]) -> PreviewDown:
    return PreviewDown(name=only_name(words, "/preview down"))


async def read_facts(request: PreviewDown, context: Context, deps: Deps) -> Ending:
    return await read_ending(request.name, context, deps)


def plan(request: PreviewDown, facts: Ending) -> Plan:
    return ending_plan(facts)


COMMAND: Command[PreviewDown, Ending] = Command(
    name="preview.down",
    summary="Delete a preview, with proof that nothing is left",
    usage="[name]",
    request=PreviewDown,
    facts=read_facts,
    plan=plan,
    owner=lambda _: None,
    environment=lambda _: "",
    parse=parse,
)
