"""What holds for every effect: once or twice is the same, and nothing is left after undo, whatever was lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import pytest

from bot.effects import EFFECTS, GrowDisk, Note, ProtectDatabase, RetireApplication, RetireDatabase, effect_catalog
from bot.errors import Conflict, OutcomeUnknown, PlatformError, Refused, UpstreamUnavailable
from bot.model.effect import Effect, Outcome, StoredEffect, Undo
from tests.effects.scenes import (
    ALL,
    APPLY,
    APPLY_FRESH,
    COMMENT,
    COMMENT_READY,
    CONCLUDE,
    CREATE,
    IDS,
    NEXT,
    PROTECT,
    PULL_REQUEST,
    RECORD,
    REGISTER,
    World,
    insist,
    prepared,
    run,
)
from tests.fakes.faults import Faults

MARKED = (CREATE, NEXT, PULL_REQUEST, PROTECT, REGISTER, RECORD, COMMENT, APPLY, APPLY_FRESH)
"""Effects that leave the operation's name on what they make, outside of a repository that is the operation's own."""
MERELY_TOLD = (RECORD, CONCLUDE, COMMENT, COMMENT_READY)
"""Effects that tell the forge of something; where it refuses to listen, the operation goes on."""
every_effect = pytest.mark.parametrize("effect", ALL, ids=IDS)
Lose = Callable[[World, str], None]


def lose_before(world: World, method: str) -> None:
    faults_of(world, method).lose_call_before(method)


def lose_after(world: World, method: str) -> None:
    faults_of(world, method).lose_answer_after(method)


def faults_of(world: World, method: str) -> Faults:
    if method in CLUSTER:
        return world.cluster.faults
    if method in AGENDA:
        return world.agenda.faults
    if method in BOOK:
        return world.book.faults
    if method in ALERTS:
        return world.alerts.faults
    if method in ALERT_BOOK:
        return world.alert_book.faults
    if method in ROOMS:
        return world.rooms.faults
    if method in WISHES:
        return world.wishes.faults
    return world.catalog.faults if method in CATALOG else world.forge.faults


CLUSTER = {"apply", "delete"}
AGENDA = {"add", "remove"}
BOOK = {"enter", "end"}
ALERTS = {"silence", "unsilence"}
ALERT_BOOK = {"change"}
WISHES = {"keep"}
ROOMS = {"create_room", "set_topic", "archive_room"}
CATALOG = {"register", "unregister", "registered"}
LOOKS = {
    *("repository", "repositories", "activity", "branch_head", "recent_commits", "tree", "file", "pull_request_for"),
    *("topics", "team_permission", "variable", "ruleset", "webhooks", "registered"),
    *("deployment_records", "deployment_state", "pull_request", "comments"),
    *("get", "list", "rehearse"),
    *("kept", "group", "silences", "room", "address_of"),
}


def writes(world: World) -> list[str]:
    fakes = (
        *(world.forge, world.catalog, world.cluster, world.agenda, world.book),
        *(world.alerts, world.alert_book, world.rooms, world.wishes),
    )
    calls = [method for fake in fakes for method in fake.faults.calls]
    return [method for method in calls if method not in LOOKS]


async def the_writes_of(effect: Effect, act: Callable[[Effect, World], Awaitable[object]]) -> list[str]:
    world, bound = await prepared(effect)
    await act(bound, world)
    return writes(world)


async def undo_until_gone(effect: Effect, world: World, outcome: Outcome | None) -> Undo:
    for _ in range(5):
        try:
            undone = await effect.undo(world.ports, run(effect), outcome)
        except UpstreamUnavailable:
            continue
        assert (await effect.gone(world.ports, run(effect), outcome)).absent
        return undone.how
    raise AssertionError("the undo never came to an end")


@every_effect
async def test_applied_twice_is_applied_once(effect: Effect) -> None:
    world, bound = await prepared(effect)
    first = await bound.apply(world.ports, run(bound))
    after_first, calls = world.look(), len(writes(world))
    second = await bound.apply(world.ports, run(bound, attempt=2))
    assert world.look() == after_first
    assert calls > 0
    assert (second.outputs, second.made, second.changed) == (first.outputs, first.made, True)
    if effect.kind != "catalog.register":  # the registry's own `register` is the ensure
        assert len(writes(world)) == calls


@every_effect
@pytest.mark.parametrize("recorded", [True, False], ids=["recorded", "not recorded"])
async def test_apply_then_undo_leaves_the_world_as_it_was(effect: Effect, *, recorded: bool) -> None:
    world, bound = await prepared(effect)
    before = world.look()
    outcome = await bound.apply(world.ports, run(bound))
    assert world.look() != before
    assert not (await bound.gone(world.ports, run(bound), outcome if recorded else None)).absent
    assert await undo_until_gone(bound, world, outcome if recorded else None) is Undo.UNDONE
    assert world.look() == before


@every_effect
async def test_undo_can_be_repeated(effect: Effect) -> None:
    world, bound = await prepared(effect)
    before = world.look()
    outcome = await bound.apply(world.ports, run(bound))
    await bound.undo(world.ports, run(bound), outcome)
    again = await bound.undo(world.ports, run(bound), outcome)
    assert again.how in (Undo.UNDONE, Undo.NOTHING)
    assert world.look() == before


@every_effect
async def test_undo_of_what_never_happened_changes_nothing(effect: Effect) -> None:
    world, bound = await prepared(effect)
    before = world.look()
    undone = await bound.undo(world.ports, run(bound), None)
    assert undone.how in (Undo.UNDONE, Undo.NOTHING)
    assert (world.look(), writes(world)) in ((before, []), (before, ["unregister"]))
    assert (await bound.gone(world.ports, run(bound), None)).absent


@pytest.mark.parametrize("effect", MARKED, ids=[effect.id for effect in MARKED])
async def test_undo_leaves_alone_what_another_operation_made(effect: Effect) -> None:
    world, bound = await prepared(effect)
    await bound.apply(world.ports, run(bound, operation="op_other"))
    after = world.look()
    await bound.undo(world.ports, run(bound), None)
    assert world.look() == after


@every_effect
@pytest.mark.parametrize("lose", [lose_before, lose_after])
async def test_a_lost_connection_at_any_write_is_mended_by_trying_again(effect: Effect, lose: Lose) -> None:
    for method in await the_writes_of(effect, insist):
        straight, bound = await prepared(effect)
        expected = await insist(bound, straight)
        world, bound = await prepared(effect)
        lose(world, method)
        with pytest.raises(OutcomeUnknown):
            await bound.apply(world.ports, run(bound))
        outcome = await insist(bound, world)
        assert world.look() == straight.look()
        assert set(outcome.outputs) == set(expected.outputs)


@every_effect
@pytest.mark.parametrize("lose", [lose_before, lose_after])
async def test_a_lost_connection_at_any_write_can_be_undone_without_an_outcome(effect: Effect, lose: Lose) -> None:
    for method in await the_writes_of(effect, insist):
        world, bound = await prepared(effect)
        before = world.look()
        lose(world, method)
        with pytest.raises(OutcomeUnknown):
            await bound.apply(world.ports, run(bound))
        await undo_until_gone(bound, world, None)
        assert world.look() == before


@every_effect
@pytest.mark.parametrize("lose", [lose_before, lose_after])
async def test_a_lost_connection_during_undo_is_mended_by_trying_again(effect: Effect, lose: Lose) -> None:
    async def there_and_back(bound: Effect, world: World) -> None:
        outcome = await bound.apply(world.ports, run(bound))
        world.forge.calls.clear()
        world.catalog.faults.calls.clear()
        world.cluster.calls.clear()
        world.agenda.faults.calls.clear()
        world.book.faults.calls.clear()
        world.alerts.faults.calls.clear()
        world.alert_book.faults.calls.clear()
        world.rooms.faults.calls.clear()
        world.wishes.faults.calls.clear()
        await bound.undo(world.ports, run(bound), outcome)

    methods: Sequence[str] = await the_writes_of(effect, there_and_back)
    assert methods
    for method in methods:
        world, bound = await prepared(effect)
        before = world.look()
        outcome = await bound.apply(world.ports, run(bound))
        lose(world, method)
        with pytest.raises(OutcomeUnknown):
            await bound.undo(world.ports, run(bound), outcome)
        await undo_until_gone(bound, world, outcome)
        assert world.look() == before


@pytest.mark.parametrize("effect", [one for one in ALL if one not in MERELY_TOLD], ids=lambda effect: effect.id)
async def test_a_refusal_at_the_first_write_leaves_nothing(effect: Effect) -> None:
    world, bound = await prepared(effect)
    before = world.look()
    method = (await the_writes_of(effect, insist))[0]
    faults_of(world, method).refuse(method, Conflict("No."), times=9)
    with pytest.raises(PlatformError):
        await bound.apply(world.ports, run(bound))
    assert world.look() == before


@pytest.mark.parametrize("effect", MERELY_TOLD, ids=lambda effect: effect.id)
async def test_a_forge_that_refuses_to_be_told_stops_nothing(effect: Effect) -> None:
    world, bound = await prepared(effect)
    before = world.look()
    method = (await the_writes_of(effect, insist))[0]
    world.forge.refuse(method, Refused("GitHub does not let us."), times=9)
    outcome = await bound.apply(world.ports, run(bound))
    assert not outcome.changed
    assert outcome.seen.endswith(": GitHub does not let us.")
    assert " was not told" in outcome.seen
    assert await undo_until_gone(bound, world, outcome) is Undo.NOTHING
    assert world.look() == before


@pytest.mark.parametrize("effect", [*ALL, Note(id="note", message="Done.")], ids=[*IDS, "note"])
def test_an_effect_survives_storage(effect: Effect) -> None:
    stored = StoredEffect.model_validate_json(StoredEffect.of(effect).model_dump_json())
    assert effect_catalog().load(stored) == effect


@every_effect
def test_an_effect_describes_itself_in_one_line(effect: Effect) -> None:
    line = effect.describe()
    assert "\n" not in line
    assert line[0].isupper()


def test_every_kind_has_a_name_of_its_own_and_is_tested_here() -> None:
    assert len({kind.kind for kind in EFFECTS}) == len(EFFECTS)
    # Retiring an application or a database changes nothing itself, and a disk that has grown or a
    # database that is ready stays so: each has tests of its own.
    with_tests_of_their_own = {RetireApplication, RetireDatabase, GrowDisk, ProtectDatabase}
    assert {type(effect) for effect in ALL} == {kind for kind in EFFECTS if kind.undoable} - with_tests_of_their_own


async def test_a_note_changes_nothing_and_needs_no_undo() -> None:
    world, _ = await prepared(ALL[0])
    before = world.look()
    note = Note(id="note", message="Look at the runbook.")
    outcome = await note.apply(world.ports, run(note))
    assert (outcome.seen, outcome.changed, note.undoable) == ("Look at the runbook.", False, False)
    assert world.look() == before
