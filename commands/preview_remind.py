"""`preview remind`: the owner is asked what shall become of a preview before it ends. It is asked by itself."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

from bot.command import Command, Context
from bot.deps import Deps
from bot.model.plan import Plan
from bot.previews.keeping import Kept, read_kept, remind_plan
from bot.previews.wording import only_name


class PreviewRemind(BaseModel, frozen=True, extra="forbid"):
    """Which one."""

    name: str = Field(default="", max_length=200, description="Empty: the team's only one", examples=["new-checkout"])


def parse(words: Sequence[str]) -> PreviewRemind:
    return PreviewRemind(name=only_name(words, "/preview remind"))


async def read_facts(request: PreviewRemind, context: Context, deps: Deps) -> Kept:
    return await read_kept(request.name, context, deps)


def plan(request: PreviewRemind, facts: Kept) -> Plan:
    return remind_plan(facts)


COMMAND: Command[PreviewRemind, Kept] = Command(
    name="preview.remind",
    summary="Ask the owner of a preview what shall become of it",
    usage="[name]",
    request=PreviewRemind,
    facts=read_facts,
    plan=plan,
    owner=lambda _: None,
    environment=lambda _: "",
    parse=parse,
)
