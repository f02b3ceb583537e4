from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.errors import Conflict, NotFound, UsageError
from bot.model.operation import Decided, OperationView, Reason, State
from bot.model.plan import Revision
from bot.operations.contracts import Allowed, Denied
from bot.operations.planning import what_changed
from tests.operations.replica import Replica, replica
from tests.operations.world import APPROVER, AUTHOR, OTHER, asked, files_plan, needs_approval


async def waiting(a: Replica, *files: str) -> OperationView:
    a.planner.decision = needs_approval(hours=24)
    await a.operations.submit(asked(*(files or ("one",))))
    return await a.until(awaits)


def awaits(seen: OperationView) -> bool:
    return seen.state is State.AWAITING_APPROVAL and "approve" in seen.buttons


async def test_nothing_happens_before_somebody_approves(url: str, tmp_path: Path) -> None:
    async with replica(url, tmp_path) as a:
        seen = await waiting(a)
        assert a.folder.files() == {}
        assert seen.need is not None
        assert seen.due_at is not None
        assert set(seen.buttons) == {"approve", "reject", "undo"}
        answer = await a.operations.press(seen.buttons["approve"], APPROVER)
        assert (answer.accepted, answer.text) == (True, "You approved it.")
        done = await a.until()
        assert done.state is State.SUCCEEDED
        assert [(one.principal.user, one.digest) for one in done.approvals] == [(APPROVER.user, seen.digest)]
        assert done.due_at is None


async def test_facts_are_read_again_before_it_runs(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        seen = await waiting(a)
        await a.operations.press(seen.buttons["approve"], APPROVER)
        await a.until()
        assert a.planner.asked == 2


async def test_a_moved_digest_voids_the_approval_says_what_changed_and_asks_again(url: str, tmp_path: Path) -> None:
    async with replica(url, tmp_path) as a:
        a.planner.revisions = (Revision(of="template:python", at="aaa"),)
        first = await waiting(a)
        a.planner.revisions = (Revision(of="template:python", at="bbb"),)
        await a.operations.press(first.buttons["approve"], APPROVER)
        second = await a.until(lambda seen: awaits(seen) and seen.digest != first.digest)
        assert a.folder.files() == {}
        (voided,) = second.voided
        assert (voided.digest, voided.changes) == (first.digest, ("`template:python` changed from aaa to bbb.",))
        old = await a.operations.press(first.buttons["reject"], OTHER)
        assert not old.accepted
        assert old.text == "The plan has changed since. Look at the new one and decide on that."
        await a.operations.press(second.buttons["approve"], APPROVER)
        assert (await a.until()).state is State.SUCCEEDED


async def test_a_plan_that_moves_to_and_fro_is_asked_anew_each_time(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        seen = await waiting(a)
        buttons = [seen.buttons["approve"]]
        for revision in (Revision(of="x", at="1"), None):
            a.planner.revisions = (revision,) if revision else ()
            await a.operations.press(buttons[-1], APPROVER)
            seen = await a.until(lambda now, before=buttons[-1]: awaits(now) and now.buttons["approve"] != before)  # type: ignore[misc]  # bound now
            buttons.append(seen.buttons["approve"])
        assert (await a.operations.press(buttons[0], APPROVER)).text == "You approved it."
        assert (await a.operations.view(seen.id)).state is State.AWAITING_APPROVAL
        assert (await a.operations.press(buttons[-1], APPROVER)).accepted
        assert (await a.until()).state is State.SUCCEEDED


async def test_a_click_on_a_plan_that_was_voided_is_told_so(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        seen = await waiting(a)
        answer = await a.operations.decide(seen.id, "0" * 64, APPROVER, True)
        assert answer.text == "The plan has changed since. Look at the new one and decide on that."
        assert (await a.operations.view(seen.id)).state is State.AWAITING_APPROVAL


async def test_an_unrelated_change_voids_nothing(sqlite_url: str, tmp_path: Path) -> None:
    assert files_plan(["a"]).digest == files_plan(["a"]).model_copy(update={"summary": "other words"}).digest


async def test_when_the_approved_plan_is_refused_by_now_it_is_rejected(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        seen = await waiting(a)
        a.planner.decision = Denied("Changes are frozen until Monday.")
        await a.operations.press(seen.buttons["approve"], APPROVER)
        done = await a.until()
        assert (done.state, done.reason) == (State.REJECTED, Reason.REFUSED_BY_POLICY)
        assert a.folder.files() == {}


async def test_when_the_approved_request_is_wrong_by_now_it_fails(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        seen = await waiting(a)
        a.planner.errors = [UsageError("The service exists by now.")]
        await a.operations.press(seen.buttons["approve"], APPROVER)
        done = await a.until()
        assert (done.state, done.problem) == (State.FAILED, "The service exists by now.")


async def test_a_rejected_plan_does_not_run(url: str, tmp_path: Path) -> None:
    async with replica(url, tmp_path) as a:
        seen = await waiting(a)
        assert seen.digest is not None
        answer = await a.operations.decide(seen.id, seen.digest, APPROVER, False, "too big")
        assert answer.text == "You rejected it."
        done = await a.until()
        assert (done.state, done.reason) == (State.REJECTED, Reason.REJECTED)
        assert done.problem == "Sample Approver rejected it: too big. Nothing was changed."
        assert a.folder.files() == {}


async def test_the_one_who_asked_may_not_approve_and_the_button_stays_good(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        seen = await waiting(a)
        answer = await a.operations.press(seen.buttons["approve"], AUTHOR)
        assert (answer.accepted, answer.refused, answer.text) == (False, True, "You may not approve this: rule test.")
        assert (await a.operations.press(seen.buttons["approve"], APPROVER)).accepted


async def test_the_right_to_approve_is_asked_when_it_is_clicked(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        seen = await waiting(a)
        a.planner.refuses = frozenset({APPROVER.user})
        assert (await a.operations.press(seen.buttons["approve"], APPROVER)).refused


async def test_the_same_click_gets_the_same_answer_every_time(url: str, tmp_path: Path) -> None:
    async with replica(url, tmp_path) as a, replica(url, tmp_path, name="b", time=a.time) as b:
        seen = await waiting(a)
        button = seen.buttons["approve"]
        presses = [one.operations.press(button, APPROVER) for one in (a, b, a, b)]
        answers = await asyncio.gather(*presses)
        await a.settle()
        await b.settle()
        answers += [await b.operations.press(button, APPROVER)]
        assert answers == [Decided(accepted=True, text="You approved it.", operation="op-1")] * 5
        assert a.folder.history() == ["made one"]
    async with replica(url, tmp_path) as restarted:
        assert await restarted.operations.press(button, APPROVER) == answers[0]


async def test_of_two_who_decide_at_once_one_is_told_who_was_quicker(url: str, tmp_path: Path) -> None:
    async with replica(url, tmp_path) as a, replica(url, tmp_path, name="b", time=a.time) as b:
        seen = await waiting(a)
        answers = await asyncio.gather(
            a.operations.press(seen.buttons["approve"], APPROVER), b.operations.press(seen.buttons["reject"], OTHER)
        )
        assert [answer.accepted for answer in answers].count(True) == 1
        loser = next(answer for answer in answers if not answer.accepted)
        assert loser.text in (
            "Sample Approver has already approved this plan; your click changed nothing.",
            "Sample Other has already rejected this plan; your click changed nothing.",
        )
        assert len((await a.operations.view(seen.id)).approvals) == 1


async def test_whoever_changes_their_mind_is_too_late(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        seen = await waiting(a)
        await a.operations.press(seen.buttons["approve"], APPROVER)
        answer = await a.operations.press(seen.buttons["reject"], APPROVER)
        assert answer.text == "You have already approved this plan; your click changed nothing."


async def test_an_approval_expires(url: str, tmp_path: Path) -> None:
    async with replica(url, tmp_path) as a:
        seen = await waiting(a)
        a.time.forward(hours=23)
        assert await a.operations.tick() == 0
        a.time.forward(hours=1)
        assert await a.operations.tick() == 1
        done = await a.operations.view(seen.id)
        assert (done.state, done.reason) == (State.EXPIRED, Reason.EXPIRED)
        assert done.buttons == {}
        answer = await a.operations.press(seen.buttons["approve"], APPROVER)
        assert (answer.accepted, answer.text) == (False, "This approval has expired. Ask again with the command.")


async def test_a_click_after_the_time_is_too_late_even_before_the_tick(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        seen = await waiting(a)
        a.time.forward(hours=24)
        assert not (await a.operations.press(seen.buttons["approve"], APPROVER)).accepted
        await a.operations.tick()
        assert (await a.operations.view(seen.id)).state is State.EXPIRED


async def test_an_approved_operation_survives_a_crash_before_it_runs(url: str, tmp_path: Path) -> None:
    async with replica(url, tmp_path) as a:
        seen = await waiting(a)
        a.driver.deaf = True
        await a.operations.press(seen.buttons["approve"], APPROVER)
    async with replica(url, tmp_path, name="b", time=a.time) as b:
        b.time.forward(seconds=b.settings.lease_s)
        await b.operations.tick()
        assert (await b.until()).state is State.SUCCEEDED


async def test_buttons_are_opaque_and_unknown_ones_are_refused(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        seen = await waiting(a)
        assert all(len(key) >= 22 and seen.id not in key for key in seen.buttons.values())
        assert (await a.operations.press("guess", APPROVER)).text == (
            "This button is not known any more. Open the operation again."
        )
        with pytest.raises(NotFound):
            await a.operations.decide("op-none", "0" * 64, APPROVER, True)


async def test_a_decision_where_none_is_wanted_is_told_so(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        await a.operations.submit(asked("one"))
        done = await a.until()
        assert done.digest is not None
        answer = await a.operations.decide(done.id, done.digest, APPROVER, True)
        assert answer.text == "This plan does not wait for an approval."


async def test_an_approved_plan_that_fails_leaves_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        a.folder.faults["apply before two"] = [Conflict("The name is taken.")]
        seen = await waiting(a, "one", "two")
        await a.operations.press(seen.buttons["approve"], APPROVER)
        assert (await a.until()).state is State.UNDONE
        assert a.folder.files() == {}


async def test_a_moved_plan_that_needs_nobody_runs(sqlite_url: str, tmp_path: Path) -> None:
    async with replica(sqlite_url, tmp_path) as a:
        seen = await waiting(a)
        a.planner.decision = Allowed()
        a.planner.revisions = (Revision(of="x", at="1"),)
        await a.operations.press(seen.buttons["approve"], APPROVER)
        done = await a.until()
        assert done.state is State.SUCCEEDED
        assert len(done.voided) == 1


def test_what_changed_names_revisions_and_steps() -> None:
    old = files_plan(["a", "b", "c"], [Revision(of="x", at="1"), Revision(of="y", at="1")])
    new = files_plan(["b", "d", "await"], [Revision(of="x", at="2"), Revision(of="z", at="1")])
    assert what_changed(old, new) == (
        "`x` changed from 1 to 2.",
        "`y` is not read any more.",
        "`z` is read now (1).",
        "No longer planned: Make the file a.",
        "No longer planned: Make the file c.",
        "New: Make the file d.",
        "New: Wait until it is ready.",
    )
    assert what_changed(files_plan(["a", "b"]), files_plan(["b", "a"])) == ("The steps are in another order.",)
