from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
from sqlalchemy import select, update

from bot.errors import Conflict, NotFound, OutcomeUnknown, PlatformError, Refused, UpstreamUnavailable, UsageError
from bot.model.late import Late, OutputRef
from bot.model.operation import Reason, State, StepState
from bot.model.plan import Plan
from bot.operations.contracts import Allowed, Denied, Filters, Planned
from bot.operations.record import Record
from bot.storage.operations import ledger_entries, operations
from tests.operations.replica import Replica, replica
from tests.operations.world import AUTHOR, MakeFile, asked, needs_approval

DOWN = UpstreamUnavailable("The forge did not answer.", hint="Try again in a minute.")


async def kinds(a: Replica, operation: str = "op-1") -> list[str]:
    async with a.database.read() as connection:
        rows = await connection.execute(
            select(ledger_entries.c.kind).where(ledger_entries.c.operation == operation).order_by(ledger_entries.c.id)
        )
        return list(rows.scalars())


# --- The straight road ------------------------------------------------------------------------------------------------


async def test_an_allowed_request_runs_to_its_end(url: str, tmp_path: Path) -> None:
    async with replica(url, tmp_path) as a:
        stored = await a.operations.submit(asked("one", "two", "await"))
        assert stored.state is State.PLANNED
        done = await a.until()
        assert done.state is State.SUCCEEDED
        assert [step.state for step in done.steps] == [StepState.DONE] * 3
        assert a.folder.files() == {"one": "text of one", "two": "text of two"}
        assert await kinds(a) == [
            "operation.asked",
            "operation.planned",
            "effect.done",
            "effect.done",
            "effect.done",
            "operation.succeeded",
        ]


async def test_every_change_is_announced_with_its_revision(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        await a.operations.submit(asked("one"))
        done = await a.until()
        assert a.announcer.told == [("op-1", revision) for revision in range(1, done.revision + 1)]


async def test_a_change_that_cannot_be_announced_did_not_happen(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:

        async def refuse(*_: object) -> None:
            raise RuntimeError("no")

        a.announcer.operation_changed = refuse  # type: ignore[method-assign,assignment]  # the point of the test
        with pytest.raises(RuntimeError):
            await a.operations.submit(asked("one"))
        with pytest.raises(NotFound):
            await a.operations.view("op-1")
        assert await kinds(a) == []


async def test_the_same_request_twice_is_one_operation(url: str, tmp_path: Path) -> None:
    async with replica(url, tmp_path) as a:
        await asyncio.gather(*(a.operations.submit(asked("one")) for _ in range(5)))
        await a.until()
        assert a.folder.history() == ["made one"]
        assert (await kinds(a)).count("operation.asked") == 1


async def test_a_plan_without_effects_succeeds(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        await a.operations.submit(asked())
        assert (await a.until()).state is State.SUCCEEDED


async def test_later_effects_get_what_earlier_ones_yielded(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        late = Late(parts=("digest ", OutputRef(effect="one", output="digest")))
        plan_of(a, MakeFile(id="one", text="x"), MakeFile(id="two", text=late))
        await a.operations.submit(asked("one"))
        assert (await a.until()).state is State.SUCCEEDED
        assert a.folder.files()["two"] == "digest 2d711642"


async def test_an_output_that_is_missing_fails_and_undoes(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        late = Late(parts=(OutputRef(effect="one", output="nothing"),))
        plan_of(a, MakeFile(id="one"), MakeFile(id="two", text=late))
        await a.operations.submit(asked("one"))
        done = await a.until()
        assert done.state is State.UNDONE
        assert "did not yield `nothing`" in done.problem
        assert a.folder.files() == {}


def plan_of(a: Replica, *effects: MakeFile) -> None:
    async def plan(_: object) -> Planned:
        return Planned(plan=Plan.of("made by hand", effects), decision=Allowed())

    a.planner.plan = plan  # type: ignore[method-assign,assignment]  # a plan that no request describes


async def test_a_dry_run_stores_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        planned = await a.operations.dry_run(asked("one"))
        assert [step.text for step in planned.plan.steps] == ["Make the file one"]
        with pytest.raises(NotFound):
            await a.operations.view("op-1")
        assert a.folder.files() == {}


async def test_a_defect_in_a_dry_run_is_a_reference(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        a.planner.errors = [ZeroDivisionError("secret 42")]
        with pytest.raises(PlatformError, match=r"it is our fault\. Quote `[0-9a-f]{8}`"):
            await a.operations.dry_run(asked("one"))


async def test_operations_are_listed_latest_first(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        for number in range(3):
            a.time.forward(minutes=1)
            await a.operations.submit(asked("one", operation=f"op-{number}", now=a.time.now))
            await a.until(operation=f"op-{number}")
        listed = await a.operations.list(Filters(user=AUTHOR.user), limit=2)
        assert [one.id for one in listed] == ["op-2", "op-1"]
        undone = await a.operations.list(Filters(states=frozenset({State.UNDONE}), command="test.files"))
        assert [one.id for one in undone] == ["op-2", "op-1"]


@pytest.mark.parametrize("value", [2**60, float("inf"), "half \ud800"])
async def test_a_request_that_cannot_be_stored_is_a_wrong_request(
    sqlite_url: str, tmp_path: Path, value: object
) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        strange = asked("one").model_copy(update={"request": {"files": [value]}})
        with pytest.raises(UsageError):
            await a.operations.submit(strange)


async def test_a_null_character_is_stored_on_every_database(url: str, tmp_path: Path) -> None:
    async with replica(url, tmp_path) as a:
        a.planner.errors = [UsageError("No file is called `\x00`.")]
        await a.operations.submit(asked("a\x00b"))
        done = await a.until()
        assert done.request == {"files": ["a\x00b"]}
        assert done.problem == "No file is called `�`."


# --- Planning that ends it --------------------------------------------------------------------------------------------


async def test_a_wrong_request_fails_with_its_sentence(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        a.planner.errors = [UsageError("There is no template `x`.", hint="Try `python-service`.")]
        await a.operations.submit(asked("one"))
        done = await a.until()
        assert (done.state, done.reason) == (State.FAILED, Reason.WRONG_REQUEST)
        assert done.problem == "There is no template `x`. Try `python-service`."


@pytest.mark.parametrize("how", ["decision", "error"])
async def test_a_denied_request_is_rejected(sqlite_url: str, tmp_path: Path, how: str) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        if how == "decision":
            a.planner.decision = Denied("Only the owners may. Ask group:default/orders.")
        else:
            a.planner.errors = [Refused("Only the owners may. Ask group:default/orders.")]
        await a.operations.submit(asked("one"))
        done = await a.until()
        assert (done.state, done.reason) == (State.REJECTED, Reason.REFUSED_BY_POLICY)
        assert done.problem == "Only the owners may. Ask group:default/orders."
        assert a.folder.files() == {}


async def test_a_defect_shows_a_reference_and_logs_no_values(
    sqlite_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        a.planner.errors = [ZeroDivisionError("token ghp_secret")]
        with caplog.at_level(logging.ERROR):
            await a.operations.submit(asked("one"))
            done = await a.until()
        assert (done.state, done.reason) == (State.FAILED, Reason.FAULT)
        (logged,) = caplog.records
        assert f"Quote `{logged.__dict__['reference']}`" in done.problem
        assert logged.__dict__["error"] == "ZeroDivisionError"
        assert "ghp_secret" not in str(logged.__dict__)


async def test_facts_that_cannot_be_read_are_tried_again(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        a.planner.errors = [DOWN, DOWN]
        await a.operations.submit(asked("one"))
        assert (await a.until()).state is State.SUCCEEDED
        assert a.slept == [1.0, 2.0]


async def test_facts_that_can_never_be_read_end_it(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        a.planner.errors = [DOWN] * 5
        await a.operations.submit(asked("one"))
        done = await a.until()
        assert done.state is State.FAILED
        assert "The forge did not answer." in done.problem
        assert "Nothing was changed" in done.problem


# --- Effects that fail ------------------------------------------------------------------------------------------------


async def test_a_silent_system_is_tried_again_with_growing_waits(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        wants_more = UpstreamUnavailable("Slow down.", retry_after_s=7)
        a.folder.faults["apply before two"] = [DOWN, wants_more, DOWN]
        await a.operations.submit(asked("one", "two"))
        done = await a.until()
        assert done.state is State.SUCCEEDED
        assert a.slept == [1.0, 7, 4.0]
        assert done.steps[1].problem == ""


async def test_a_patient_effect_waits_for_as_long_as_a_system_is_away(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MakeFile, "patient", True)
    async with replica(sqlite_url, tmp_path) as a:
        a.folder.faults["apply before one"] = [DOWN] * 8
        await a.operations.submit(asked("one"))
        assert (await a.until()).state is State.SUCCEEDED
        assert a.slept == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
        assert a.folder.history() == ["made one"]


async def test_an_unknown_outcome_is_looked_at_before_it_is_done_again(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        a.folder.faults["apply between one"] = [OutcomeUnknown("No answer came.")]
        await a.operations.submit(asked("one"))
        assert (await a.until()).state is State.SUCCEEDED
        assert a.folder.history() == ["made one"]


async def test_a_failure_undoes_in_reverse_order(url: str, tmp_path: Path) -> None:
    async with replica(url, tmp_path) as a:
        a.folder.faults["apply before three"] = [Conflict("The name is taken.", hint="Choose another.")]
        await a.operations.submit(asked("one", "two", "await", "three", "four"))
        done = await a.until()
        assert (done.state, done.reason) == (State.UNDONE, Reason.EFFECT_FAILED)
        assert a.folder.history() == ["made one", "made two", "removed two", "removed one"]
        assert [step.state.value for step in done.steps] == ["undone", "undone", "done", "failed", "pending"]
        assert done.problem == (
            "“Make the file three” did not work: The name is taken. Choose another. Nothing is left behind."
        )


@pytest.mark.parametrize("error", [ValueError("boom"), *[OutcomeUnknown("No answer came.")]])
async def test_what_a_failed_effect_may_have_done_is_undone_too(
    sqlite_url: str, tmp_path: Path, error: Exception
) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        a.folder.faults["apply between two"] = [error] * 5
        await a.operations.submit(asked("one", "two"))
        done = await a.until()
        assert done.state is State.UNDONE
        assert a.folder.files() == {}
        assert done.steps[1].state is StepState.UNDONE
        assert done.steps[1].problem


async def test_what_others_changed_is_kept_and_reported(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:

        async def somebody_edits() -> None:
            a.folder.write("one", "edited", "op-1")
            raise Conflict("The name is taken.")

        a.folder.faults["apply before two"] = [somebody_edits]
        await a.operations.submit(asked("one", "two"))
        done = await a.until()
        assert done.state is State.FAILED
        assert a.folder.files() == {"one": "edited"}
        (left,) = done.leftovers
        assert (left.state, left.command) == (StepState.KEPT, "rm one")
        assert "One thing is kept; everything else was undone." in done.problem


async def test_what_others_own_is_not_touched(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        a.folder.write("two", "theirs", "op-other")
        await a.operations.submit(asked("one", "two"))
        assert (await a.until()).state is State.UNDONE
        assert a.folder.files() == {"two": "theirs"}


# --- Undos that fail --------------------------------------------------------------------------------------------------


async def stuck(a: Replica, *faults: Exception) -> None:
    a.folder.faults["apply before two"] = [Conflict("The name is taken.")]
    a.folder.faults["undo before one"] = list(faults)
    await a.operations.submit(asked("one", "two"))
    await a.until()
    await a.settle()


async def test_a_failed_undo_is_shown_with_the_command_and_tried_again_until_gone(url: str, tmp_path: Path) -> None:
    async with replica(url, tmp_path) as a:
        await stuck(a, Refused("Our token may not."), Refused("Our token may not."))
        first = await a.operations.view("op-1")
        assert first.state is State.FAILED
        (left,) = first.leftovers
        assert (left.state, left.command, left.problem) == (StepState.STUCK, "rm one", "Our token may not.")
        assert left.retry_at is not None
        a.time.forward(seconds=59)
        assert await a.operations.tick() == 0
        a.time.forward(seconds=1)
        assert await a.operations.tick() == 1
        again = await a.until(lambda seen: seen.leftovers[0].retry_at != left.retry_at)
        assert again.leftovers[0].retry_at is not None
        assert (again.leftovers[0].retry_at - a.time.now).total_seconds() == 120
        await a.settle()
        a.time.forward(seconds=120)
        await a.operations.tick()
        done = await a.until(lambda seen: seen.state is State.UNDONE)
        assert done.leftovers == ()
        assert done.problem.endswith("Nothing is left behind.")
        assert a.folder.files() == {}


async def test_an_undo_that_left_something_is_stuck_until_it_is_proved_gone(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:

        async def it_comes_back() -> None:
            a.folder.write("one", "again", "op-1")

        a.folder.faults["gone one"] = [it_comes_back]
        await stuck(a)
        found = await a.operations.view("op-1")
        assert found.leftovers[0].problem == "It is still there: file one."


async def test_a_person_can_have_it_tried_at_once(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        await stuck(a, Refused("Our token may not."))
        buttons = (await a.operations.view("op-1")).buttons
        assert set(buttons) == {"retry", "keep"}
        assert (await a.operations.press(buttons["retry"], AUTHOR)).accepted
        assert (await a.until(lambda seen: seen.state is State.UNDONE)).leftovers == ()
        late = await a.operations.press(buttons["keep"], AUTHOR)
        assert (late.accepted, late.text) == (False, "Nothing is stuck here any more.")


async def test_a_person_can_keep_what_is_stuck(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        await stuck(a, Refused("Our token may not."))
        assert (await a.operations.keep("op-1", AUTHOR)).accepted
        kept = await a.operations.view("op-1")
        assert (kept.state, kept.leftovers[0].state) == (State.FAILED, StepState.KEPT)
        a.time.forward(days=1)
        assert await a.operations.tick() == 0
        assert a.folder.files() == {"one": "text of one"}


# --- Undo on request --------------------------------------------------------------------------------------------------


async def test_a_finished_operation_can_be_undone(url: str, tmp_path: Path) -> None:
    async with replica(url, tmp_path) as a:
        await a.operations.submit(asked("one", "two"))
        button = (await a.until()).buttons["undo"]
        first = await a.operations.press(button, AUTHOR)
        done = await a.until(lambda seen: seen.state is State.UNDONE)
        assert done.reason is Reason.ASKED_TO_UNDO
        assert done.problem == "Sample Author asked to undo it. Nothing is left behind."
        assert a.folder.files() == {}
        assert await a.operations.press(button, AUTHOR) == first


async def test_a_running_operation_turns_round_after_the_effect_at_hand(url: str, tmp_path: Path) -> None:
    async with replica(url, tmp_path) as a:
        reached, go_on = asyncio.Event(), asyncio.Event()

        async def pause() -> None:
            reached.set()
            await go_on.wait()

        a.folder.faults["apply between two"] = [pause]
        await a.operations.submit(asked("one", "two", "three"))
        await reached.wait()
        assert (await a.operations.undo("op-1", AUTHOR)).accepted
        go_on.set()
        done = await a.until()
        assert (done.state, done.reason) == (State.UNDONE, Reason.ASKED_TO_UNDO)
        assert a.folder.history() == ["made one", "made two", "removed two", "removed one"]


async def test_undo_asked_during_the_last_effect_is_not_lost(url: str, tmp_path: Path) -> None:
    async with replica(url, tmp_path) as a:
        reached, go_on = asyncio.Event(), asyncio.Event()

        async def pause() -> None:
            reached.set()
            await go_on.wait()

        a.folder.faults["apply between one"] = [pause]
        await a.operations.submit(asked("one"))
        await reached.wait()
        assert (await a.operations.undo("op-1", AUTHOR)).accepted
        go_on.set()
        assert (await a.until()).state is State.UNDONE
        assert a.folder.files() == {}
        assert "operation.succeeded" not in await kinds(a)


async def test_what_has_not_begun_is_withdrawn(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        a.planner.decision = needs_approval()
        await a.operations.submit(asked("one"))
        await a.until(lambda seen: seen.state is State.AWAITING_APPROVAL)
        assert (await a.operations.undo("op-1", AUTHOR)).accepted
        done = await a.until()
        assert (done.state, done.reason) == (State.UNDONE, Reason.ASKED_TO_UNDO)
        assert done.problem == "Sample Author withdrew it. Nothing was changed."


async def test_who_may_not_undo_is_told_why(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        await a.operations.submit(asked("one"))
        await a.until()
        a.planner.refuses = frozenset({AUTHOR.user})
        answer = await a.operations.undo("op-1", AUTHOR)
        assert (answer.accepted, answer.refused, answer.text) == (False, True, "You may not undo this: rule test.")
        assert a.folder.files() == {"one": "text of one"}


async def test_undo_while_waiting_to_try_again_ends_the_patience(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        a.folder.faults["apply before one"] = [DOWN] * 5

        async def sleep(_: float) -> None:
            await a.operations.undo("op-1", AUTHOR)

        object.__setattr__(a.settings, "sleep", sleep)
        await a.operations.submit(asked("one"))
        done = await a.until()
        assert (done.state, done.reason) == (State.UNDONE, Reason.ASKED_TO_UNDO)
        assert len(a.folder.faults["apply before one"]) == 3


# --- Leases -----------------------------------------------------------------------------------------------------------


async def test_another_replica_takes_over_what_has_lapsed_and_fences_the_first(url: str, tmp_path: Path) -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def pause() -> None:
        reached.set()
        await go_on.wait()

    async with replica(url, tmp_path) as a, replica(url, tmp_path, name="b", time=a.time) as b:
        a.folder.faults["apply between one"] = [pause]
        await a.operations.submit(asked("one", "two"))
        await reached.wait()
        assert await b.operations.tick() == 0
        b.time.forward(seconds=b.settings.lease_s)
        assert await b.operations.tick() == 1
        done = await b.until()
        assert done.state is State.SUCCEEDED
        assert b.driver.forgotten == [("op-1", 1)]
        before = done.revision
        go_on.set()
        await asyncio.gather(*a.driver._tasks)
        assert (await a.operations.view("op-1")).revision == before
        assert a.folder.history() == ["made one", "made two"]


async def test_two_replicas_that_look_at_once_take_it_once(url: str, tmp_path: Path) -> None:
    async with replica(url, tmp_path) as a, replica(url, tmp_path, name="b", time=a.time) as b:
        a.driver.deaf = True
        await a.operations.submit(asked("one"))
        await a.settle()
        a.driver.deaf = False
        a.time.forward(seconds=a.settings.lease_s)
        assert sum(await asyncio.gather(a.operations.tick(), b.operations.tick())) == 1
        await a.settle()
        await b.settle()
        assert (await a.operations.view("op-1")).state is State.SUCCEEDED
        assert a.folder.history() == ["made one"]


async def test_a_renewed_lease_does_not_lapse(url: str, tmp_path: Path) -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def pause() -> None:
        reached.set()
        await go_on.wait()

    async with replica(url, tmp_path) as a, replica(url, tmp_path, name="b", time=a.time) as b:
        a.folder.faults["apply between one"] = [pause]
        await a.operations.submit(asked("one"))
        await reached.wait()
        a.time.forward(seconds=a.settings.lease_s - 1)
        await a.operations._runs.renew()
        a.time.forward(seconds=a.settings.lease_s - 1)
        assert await b.operations.tick() == 0
        go_on.set()
        assert (await a.until()).state is State.SUCCEEDED


async def test_a_replica_that_lost_its_lease_stops_even_in_the_middle_of_an_effect(
    sqlite_url: str, tmp_path: Path
) -> None:
    reached = asyncio.Event()

    async def hang() -> None:
        reached.set()
        await asyncio.Event().wait()

    async with replica(sqlite_url, tmp_path) as a:
        a.folder.faults["apply before one"] = [hang]
        await a.operations.submit(asked("one"))
        await reached.wait()
        async with a.database.write() as connection:
            await connection.execute(update(operations).values(lease_token=99))
        await a.operations._runs.renew()
        await asyncio.gather(*a.driver._tasks)
        assert (await a.operations.view("op-1")).state is State.RUNNING


async def test_a_closed_replica_lets_go_at_once(url: str, tmp_path: Path) -> None:
    reached = asyncio.Event()

    async def hang() -> None:
        reached.set()
        await asyncio.Event().wait()

    async with replica(url, tmp_path, name="b") as b:
        async with replica(url, tmp_path, time=b.time) as a:
            a.folder.faults["apply before one"] = [hang]
            await a.operations.submit(asked("one"))
            await reached.wait()
        assert await b.operations.tick() == 1
        assert (await b.until()).state is State.SUCCEEDED


async def test_a_run_that_comes_back_after_a_crash_takes_its_lease_again(url: str, tmp_path: Path) -> None:
    async with replica(url, tmp_path) as dead:
        dead.driver.deaf = True
        await dead.operations.submit(asked("one"))
    async with replica(url, tmp_path) as again, replica(url, tmp_path, name="b") as other:
        await other.driver.start("op-1", 1)
        await asyncio.gather(*other.driver._tasks)
        assert (await other.operations.view("op-1")).state is State.PLANNED
        await again.driver.start("op-1", 1)
        assert (await again.until()).state is State.SUCCEEDED


async def test_a_database_that_is_away_for_a_moment_costs_a_lease_and_nothing_more(
    sqlite_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        store = a.operations._store
        save = store.save

        async def away(of: Record, *args: object, **changes: object) -> Record:
            store.save = save  # type: ignore[method-assign]  # put back what was there
            raise OSError("disk")

        store.save = away  # type: ignore[method-assign]  # one failure
        await a.operations.submit(asked("one"))
        await a.settle()
        assert "run_interrupted" in caplog.messages
        a.time.forward(seconds=a.settings.lease_s)
        await a.operations.tick()
        assert (await a.until()).state is State.SUCCEEDED


# --- Waiting ----------------------------------------------------------------------------------------------------------


async def test_waiting_sees_what_another_replica_does(url: str, tmp_path: Path) -> None:
    async with replica(url, tmp_path) as a, replica(url, tmp_path, name="b", time=a.time) as b:
        object.__setattr__(b.settings, "tick_s", 0.01)
        a.planner.decision = needs_approval()
        await a.operations.submit(asked("one"))
        waiting = await b.until(lambda seen: seen.state is State.AWAITING_APPROVAL)
        waiter = asyncio.create_task(b.until())
        await a.operations.undo(waiting.id, AUTHOR)
        assert (await waiter).state is State.UNDONE


async def test_nobody_waits_for_an_unknown_operation(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        with pytest.raises(NotFound):
            await a.operations.wait("op-none")
