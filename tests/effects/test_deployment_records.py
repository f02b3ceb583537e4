from __future__ import annotations

import pytest

from bot.effects import ConcludeDeployment, RecordDeployment
from bot.errors import Conflict, OutcomeUnknown, Refused, UpstreamUnavailable
from bot.model.effect import Effect, Outcome, Undo
from bot.model.late import Late, OutputRef
from bot.ports import DeploymentState
from tests.effects.scenes import CONCLUDE, ENVIRONMENT, OLD, OPERATION, RECORD, World, deployed, prepared, run, world


async def states(made: World, environment: str = ENVIRONMENT) -> list[DeploymentState | None]:
    """Return the states of an environment's records, oldest first."""
    records = await made.forge.deployment_records(OLD, environment)
    return [await made.forge.deployment_state(OLD, one.id) for one in reversed(records)]


async def through(made: World, record: RecordDeployment = RECORD) -> list[tuple[Effect, Outcome]]:
    """Record a deployment and conclude it."""
    first = await record.apply(made.ports, run(record))
    conclude = CONCLUDE.model_copy(update={"environment": record.environment}).bound({"record": first.outputs})
    return [(record, first), (conclude, await conclude.apply(made.ports, run(conclude)))]


async def back(made: World, done: list[tuple[Effect, Outcome]]) -> None:
    for effect, outcome in reversed(done):
        assert (await effect.undo(made.ports, run(effect), outcome)).how is Undo.UNDONE


async def test_a_record_names_its_operation_step_and_what_it_replaces() -> None:
    made = await world()
    (before,) = await made.forge.deployment_records(OLD, ENVIRONMENT)
    outcome = await RECORD.apply(made.ports, run(RECORD))
    newest = (await made.forge.deployment_records(OLD, ENVIRONMENT))[0]
    assert newest.id == outcome.outputs["deployment"]
    assert newest.payload == {
        "causeway_operation": OPERATION,
        "causeway_step": "record",
        "causeway_replaces": before.id,
    }
    assert await states(made) == ["success", "in_progress"], "what runs still runs until the new one does"


async def test_the_environment_of_a_preview_is_known_to_be_passing() -> None:
    made = await world()
    passing = RECORD.model_copy(update={"environment": "pr-12-orders", "transient": True})
    for record in (RECORD, passing):
        await record.apply(made.ports, run(record))
    told = {one["environment"]: one["transient"] for one in made.forge.stored_deployments(OLD)}
    assert told == {ENVIRONMENT: False, "pr-12-orders": True}


async def test_in_a_passing_environment_we_end_the_earlier_one_ourselves() -> None:
    made = await world()
    passing = RECORD.model_copy(update={"environment": "pr-12", "transient": True})
    done = []
    for record in (passing.model_copy(update={"id": "earlier"}), passing):
        first = await record.apply(made.ports, run(record))
        conclude = CONCLUDE.model_copy(update={"environment": "pr-12", "transient": True})
        conclude = conclude.bound({"record": first.outputs})
        done = [(record, first), (conclude, await conclude.apply(made.ports, run(conclude)))]
    assert await states(made, "pr-12") == ["inactive", "success"]
    await back(made, done)
    assert await states(made, "pr-12") == ["success", "inactive"]


async def test_a_success_takes_the_place_of_the_earlier_one() -> None:
    made = await world()
    await through(made)
    assert await states(made) == ["inactive", "success"]


async def test_a_deployment_taken_back_lets_the_earlier_one_be_active_again() -> None:
    made = await world()
    await back(made, await through(made))
    assert await states(made) == ["success", "inactive"]


async def test_in_production_earlier_ones_stay_as_the_forge_keeps_them() -> None:
    made = await world()
    production = RECORD.model_copy(update={"environment": "production"})
    await through(made, production)
    second = production.model_copy(update={"id": "second"})
    first = await second.apply(made.ports, run(second))
    conclude = CONCLUDE.model_copy(update={"environment": "production"}).bound({"record": first.outputs})
    outcome = await conclude.apply(made.ports, run(conclude))
    assert await states(made, "production") == ["success", "success"]
    await back(made, [(second, first), (conclude, outcome)])
    assert await states(made, "production") == ["success", "inactive"]


async def test_a_deployment_that_a_newer_one_replaced_is_taken_back_without_touching_others() -> None:
    made = await world()
    done = await through(made)
    await deployed(made.forge)
    await back(made, done)
    assert await states(made) == ["inactive", "inactive", "success"]


async def test_an_earlier_one_that_somebody_ended_stays_so_when_ours_never_succeeded() -> None:
    made, conclude = await prepared(CONCLUDE)
    earlier = (await made.forge.deployment_records(OLD, ENVIRONMENT))[-1]
    await made.forge.set_deployment_state(OLD, earlier.id, "inactive")
    await conclude.undo(made.ports, run(conclude), None)
    assert await states(made) == ["inactive", "in_progress"]


async def test_the_environments_first_record_replaces_nothing() -> None:
    made = await world()
    fresh = RECORD.model_copy(update={"environment": "preview"})
    done = await through(made, fresh)
    (record,) = await made.forge.deployment_records(OLD, "preview")
    assert "causeway_replaces" not in record.payload
    await back(made, done)
    assert await states(made, "preview") == ["inactive"]


async def test_a_deployment_that_is_kept_though_it_does_not_run_is_a_failure_and_replaces_nothing() -> None:
    made = await world()
    first = await RECORD.apply(made.ports, run(RECORD))
    late = CONCLUDE.model_copy(update={"ended": Late(parts=(OutputRef(effect="await", output="state"),))})
    conclude = late.bound({"record": first.outputs, "await": {"state": "failure"}})
    outcome = await conclude.apply(made.ports, run(conclude))
    assert outcome.seen.endswith("to staging has failed")
    assert await states(made) == ["success", "failure"]
    await back(made, [(RECORD, first), (conclude, outcome)])
    assert await states(made) == ["success", "inactive"]
    with pytest.raises(Conflict, match="no earlier step has yielded"):
        await (
            late.bound({"record": first.outputs, "await": {"state": "success"}})
            .model_copy(update={"ended": late.ended})
            .apply(made.ports, run(late))
        )


def test_a_deployment_ends_in_one_of_two_ways() -> None:
    late = CONCLUDE.model_copy(update={"ended": Late(parts=(OutputRef(effect="await", output="state"),))})
    with pytest.raises(ValueError, match="success"):
        late.bound({"record": {"deployment": 1}, "await": {"state": "Healthy"}})


async def test_a_step_that_was_taken_back_uses_its_record_again() -> None:
    made = await world()
    await back(made, await through(made))
    await RECORD.apply(made.ports, run(RECORD))
    assert await states(made) == ["success", "in_progress"]


@pytest.mark.parametrize("effect", [RECORD, CONCLUDE], ids=["record", "conclude"])
async def test_a_forge_that_stays_away_is_tried_thrice_and_then_left_alone(effect: Effect) -> None:
    made, bound = await prepared(effect)
    method = "create_deployment" if effect is RECORD else "set_deployment_state"
    made.forge.refuse(method, UpstreamUnavailable("GitHub could not be reached."), times=9)
    for attempt in (1, 2):
        with pytest.raises(UpstreamUnavailable):
            await bound.apply(made.ports, run(bound, attempt))
    outcome = await bound.apply(made.ports, run(bound, 3))
    assert outcome.seen == "The forge was not told of this deployment: GitHub could not be reached."


async def test_a_record_whose_answers_all_got_lost_is_taken_back_all_the_same() -> None:
    made = await world()
    before = made.look()
    made.forge.lose_answer_after("create_deployment")
    with pytest.raises(OutcomeUnknown):
        await RECORD.apply(made.ports, run(RECORD))
    made.forge.refuse("deployment_records", UpstreamUnavailable("Away."))
    outcome = await RECORD.apply(made.ports, run(RECORD, 3))
    assert outcome.outputs == {"deployment": ""}
    assert (await RECORD.undo(made.ports, run(RECORD), outcome)).how is Undo.UNDONE
    assert (await RECORD.gone(made.ports, run(RECORD), outcome)).absent
    assert made.look() == before


async def test_what_was_not_recorded_is_not_concluded() -> None:
    made = await world()
    made.forge.refuse("create_deployment", Conflict("No ref found for: 1a2b3c4."))
    (_, recorded), (conclude, concluded) = await through(made)
    assert recorded.seen == "The forge was not told of this deployment: No ref found for: 1a2b3c4."
    assert (recorded.outputs, recorded.changed) == ({"deployment": ""}, False)
    assert (concluded.seen, concluded.changed) == ("the forge was not told of this deployment", False)
    assert (await conclude.undo(made.ports, run(conclude), concluded)).how is Undo.NOTHING
    assert await states(made) == ["success"]


@pytest.mark.parametrize("effect", [RECORD, CONCLUDE], ids=["record", "conclude"])
async def test_a_permission_that_was_lost_since_keeps_the_record_and_says_how_to_end_it(effect: Effect) -> None:
    made, bound = await prepared(effect)
    outcome = await bound.apply(made.ports, run(bound))
    made.forge.refuse("*", Refused("GitHub does not let us."), times=9)
    undone = await bound.undo(made.ports, run(bound), outcome)
    assert (undone.how, undone.seen) == (Undo.KEPT, "GitHub does not let us.")
    assert undone.command.startswith("gh api")
    assert not (await bound.gone(made.ports, run(bound), outcome)).absent
    assert (await bound.undo(made.ports, run(bound), None)).how is Undo.NOTHING


@pytest.mark.parametrize("effect", [RECORD, CONCLUDE], ids=["record", "conclude"])
async def test_a_repository_that_is_gone_is_an_undo_that_is_done(effect: Effect) -> None:
    made, bound = await prepared(effect)
    outcome = await bound.apply(made.ports, run(bound))
    await made.forge.delete_repository(OLD)
    assert (await bound.undo(made.ports, run(bound), outcome)).how is Undo.UNDONE
    assert (await bound.gone(made.ports, run(bound), outcome)).absent


def test_the_manual_command_can_be_pasted() -> None:
    assert ConcludeDeployment(id="c", repository=OLD, environment="staging", deployment="7").manual() == (
        "gh api --method POST repos/acme/gitops/deployments/7/statuses -f state=inactive"
    )
