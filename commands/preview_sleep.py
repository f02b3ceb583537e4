"""`/preview sleep`: nothing of a preview runs, and its data stays."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

from bot.command import Command, Context
from bot.deps import Deps
from bot.model.plan import Plan
from bot.previews.keeping import Kept, read_kept, sleep_plan
from bot.previews.wording import only_name


class PreviewSleep(BaseModel, frozen=True, extra="forbid"):
    """Which one."""

    name: str = Field(default="", max_length=200, description="Empty: the team's only one", examples=["new-checkout"])


def parse(words: Sequence[str]) -> PreviewSleep:
    return PreviewSleep(name=only_name(words, "/preview sleep"))


async def read_facts(request: PreviewSleep, context: Context, deps: Deps) -> Kept:
    return await read_kept(request.name, context, deps, rendered=True)


def plan(request: PreviewSleep, facts: Kept) -> Plan:
    return sleep_plan(facts)


COMMAND: Command[PreviewSleep, Kept] = Command(
    name="preview.sleep",
    summary="Stop a preview until somebody wakes it; its data stays",
    usage="[name]",
    request=PreviewSleep,
    facts=read_facts,
    plan=plan,
    owner=lambda _: None,
    environment=lambda _: "",
    parse=parse,
)
