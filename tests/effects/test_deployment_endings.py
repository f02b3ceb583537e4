from __future__ import annotations

import pytest

from bot.errors import NotFound, Refused, UpstreamUnavailable
from tests.effects.scenes import END_DEPLOYMENTS, ENVIRONMENT, OLD, World, run, world


async def states(made: World) -> list[str | None]:
    records = await made.forge.deployment_records(OLD, ENVIRONMENT)
    return [await made.forge.deployment_state(OLD, one.id) for one in records]


async def test_every_record_of_the_environment_becomes_inactive() -> None:
    made = await world()
    await made.forge.create_deployment(OLD, "main", ENVIRONMENT, description="Another", payload={})
    outcome = await END_DEPLOYMENTS.apply(made.ports, run(END_DEPLOYMENTS))
    assert await states(made) == ["inactive", "inactive"]
    assert "2 deployments of" in outcome.seen
    again = await END_DEPLOYMENTS.apply(made.ports, run(END_DEPLOYMENTS))
    assert (again.changed, again.seen.startswith("no deployment")) == (False, True)


async def test_other_environments_are_left_alone() -> None:
    made = await world()
    effect = END_DEPLOYMENTS.model_copy(update={"environment": "elsewhere"})
    await effect.apply(made.ports, run(effect))
    assert await states(made) == ["success"]


@pytest.mark.parametrize("error", [Refused("Our token may not."), NotFound("There is no such repository.")])
async def test_what_the_forge_refuses_is_told_and_the_teardown_goes_on(error: Exception) -> None:
    made = await world()
    made.forge.refuse("deployment_records", error)
    outcome = await END_DEPLOYMENTS.apply(made.ports, run(END_DEPLOYMENTS))
    assert not outcome.changed
    assert str(error) in outcome.seen


async def test_a_forge_that_is_away_is_tried_again_for_a_while() -> None:
    made = await world()
    made.forge.refuse("deployment_records", UpstreamUnavailable("GitHub is away."), times=3)
    for attempt in (1, 2):
        with pytest.raises(UpstreamUnavailable):
            await END_DEPLOYMENTS.apply(made.ports, run(END_DEPLOYMENTS, attempt=attempt))
    outcome = await END_DEPLOYMENTS.apply(made.ports, run(END_DEPLOYMENTS, attempt=3))
    assert "was not told" in outcome.seen
