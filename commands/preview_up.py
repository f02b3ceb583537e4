"""`/preview up`: services and their databases stand together for a while, each at an address of its own."""

from __future__ import annotations

from bot.command import Command, Context
from bot.deps import Deps
from bot.model.plan import Plan
from bot.previews.asking import USAGE, PreviewUp, parse
from bot.previews.form import UpForm
from bot.previews.making import UpFacts, read_up
from bot.previews.planning import up_plan


async def read_facts(request: PreviewUp, context: Context, deps: Deps) -> UpFacts:
    return await read_up(request, context, deps)


def plan(request: PreviewUp, facts: UpFacts) -> Plan:
    return up_plan(facts)


COMMAND: Command[PreviewUp, UpFacts] = Command(
    name="preview.up",
    summary="Let services run together for a while, to look at them",
    usage=USAGE,
    request=PreviewUp,
    facts=read_facts,
    plan=plan,
    owner=lambda _: None,
    environment=lambda _: "",
    form=UpForm,
    parse=parse,
)
