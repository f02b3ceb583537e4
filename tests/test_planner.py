"""Commands and policy together: who is refused, and what needs nobody's leave because it was agreed on long before."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.intake import Registry
from bot.model.operation import Asked
from bot.model.principal import Door, Principal
from bot.operations.contracts import Allowed, Denied
from bot.planner import CommandPlanner
from bot.policy.rules import Rules, in_force
from commands import COMMANDS
from tests.previews.asking import applied, plan, village
from tests.previews.village import DAY, MONDAY, Village

STRANGER = Principal(user="user:default/stranger", display_name="Sample Stranger")


async def judged(made: Village, command: str, door: Door = Door.SLACK) -> Allowed | Denied | object:
    platform = made.platform
    rules = in_force(Rules(), platform.environments, platform.previews)
    planner = CommandPlanner(Registry(COMMANDS), made.deps, rules)
    asked = Asked(
        operation="op-2",
        command=command,
        request={"name": "demo"},
        principal=STRANGER,
        door=door,
        now=made.now,
    )
    return (await planner.plan(asked)).decision


async def standing() -> Village:
    made = await village()
    await applied(made, await plan(made, "preview.up", name="demo", services=["orders-api"]))
    return made


@pytest.mark.parametrize("command", ["preview.down", "preview.extend", "preview.sleep"])
async def test_as_long_as_a_preview_lives_it_is_its_owners(command: str) -> None:
    made = await standing()
    made.now = MONDAY + timedelta(hours=1)
    decision = await judged(made, command)
    assert isinstance(decision, Denied)
    assert "Only members of team-orders" in decision.sentence


async def test_once_it_is_over_its_end_needs_nobodys_leave() -> None:
    made = await standing()
    made.now = MONDAY + 3 * DAY
    assert isinstance(await judged(made, "preview.down"), Allowed)


async def test_what_the_platform_does_by_itself_was_agreed_on_when_it_was_made() -> None:
    made = await standing()
    made.now = MONDAY + 2 * DAY
    for command in ("preview.remind", "preview.sleep"):
        assert isinstance(await judged(made, command, Door.AGENDA), Allowed)
    assert isinstance(await judged(made, "preview.down", Door.AGENDA), Denied)
