"""Commands and policy together: who is refused, and what needs nobody's leave because it was agreed on long before."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.errors import Conflict
from bot.intake import Registry
from bot.model.operation import Asked
from bot.model.principal import Door, Principal
from bot.operations.contracts import Allowed, Denied
from bot.planner import CommandPlanner
from bot.policy.rules import Rules, in_force
from commands import COMMANDS
from tests.previews.asking import SOURCE, applied, plan, village
from tests.previews.village import DAY, MONDAY, Village

STRANGER = Principal(user="user:default/stranger", display_name="Sample Stranger")


async def judged(made: Village, command: str, door: Door = Door.SLACK, name: str = "demo") -> Allowed | Denied | object:
    platform = made.platform
    rules = in_force(Rules(), platform.environments, platform.previews)
    planner = CommandPlanner(Registry(COMMANDS), made.deps, rules)
    asked = Asked(
        operation="op-2",
        command=command,
        request={"name": name},
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
    with pytest.raises(Conflict):
        await judged(made, "preview.down", Door.AGENDA)


# --- a pull request's preview


NAME = "pr-1-orders-api"


async def shown(made: Village) -> None:
    head = made.forge.push(SOURCE, {"next": b"1"}, branch="next")
    await made.forge.create_pull_request(SOURCE, head="next", base="main", title=head, body="")


async def test_with_its_pull_request_a_preview_ends_whoever_has_closed_that() -> None:
    """People of other teams merge too, and what they leave behind is nobody's."""
    made = await village()
    await shown(made)
    await applied(made, await plan(made, "preview.up", name="demo", pull_request=f"{SOURCE}#1"))
    assert isinstance(await judged(made, "preview.down", Door.FORGE), Denied)
    made.forge.change_pull_request(SOURCE, 1, state="closed")
    assert isinstance(await judged(made, "preview.down", Door.FORGE), Allowed)
    assert isinstance(await judged(made, "preview.down"), Denied), "somebody who merely asks is no event"


async def test_what_is_still_being_made_is_taken_back_by_its_owners_or_with_its_pull_request() -> None:
    """A comment of a stranger below it must not."""
    made = await village()
    await shown(made)
    made.running["up-1"] = NAME
    decision = await judged(made, "preview.down", Door.FORGE, NAME)
    assert isinstance(decision, Denied)
    assert "Only members of team-orders" in decision.sentence
    found = await plan(made, "preview.down", door=Door.FORGE, name=NAME)
    assert (found.owner, found.agreed, found.takes_over) == ("group:default/team-orders", False, True)
    made.forge.change_pull_request(SOURCE, 1, state="closed")
    assert isinstance(await judged(made, "preview.down", Door.FORGE, NAME), Allowed)


async def test_one_of_a_chosen_name_that_waits_for_its_build_ends_with_its_pull_request() -> None:
    made = await village()
    await shown(made)
    up = await plan(made, "preview.up", name="demo", pull_request=f"{SOURCE}#1")
    book = up.model_copy(update={"steps": tuple(one for one in up.steps if one.effect.kind == "book.enter")})
    await applied(made, book)
    assert isinstance(await judged(made, "preview.down", Door.FORGE), Denied)
    made.forge.change_pull_request(SOURCE, 1, state="closed")
    assert isinstance(await judged(made, "preview.down", Door.FORGE), Allowed)


async def test_the_clock_takes_back_nothing_that_is_made_anew_under_the_name_of_what_is_gone() -> None:
    made = await village()
    made.running["up-1"] = "demo"
    assert not (await plan(made, "preview.down", door=Door.AGENDA, name="demo")).takes_over
