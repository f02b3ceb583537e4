"""`/preview wake`: a preview that sleeps runs again."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

from bot.command import Command, Context
from bot.deps import Deps
from bot.model.plan import Plan
from bot.previews.keeping import Kept, read_kept, wake_plan
from bot.previews.wording import only_name


class PreviewWake(BaseModel, frozen=True, extra="forbid"):
    """Which one."""

    name: str = Field(default="", max_length=200, description="Empty: the team's only one", examples=["new-checkout"])


def parse(words: Sequence[str]) -> PreviewWake:
    return PreviewWake(name=only_name(words, "/preview wake"))


async def read_facts(request: PreviewWake, context: Context, deps: Deps) -> Kept:
    return await read_kept(request.name, context, deps, rendered=True)


def plan(request: PreviewWake, facts: Kept) -> Plan:
    return wake_plan(facts)


COMMAND: Command[PreviewWake, Kept] = Command(
    name="preview.wake",
    summary="Start a preview again that sleeps",
    usage="[name]",
    request=PreviewWake,
    facts=read_facts,
    plan=plan,
    owner=lambda _: None,
    environment=lambda _: "",
    parse=parse,
)
