"""Waits that report and stall, and operations that take turns."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from bot.model.effect import Effect, EffectCatalog, Outcome, Run
from bot.model.operation import Asked, OperationView, Reason, State
from bot.model.plan import Plan
from bot.operations.contracts import Planned
from bot.operations.planning import QUEUE_LOOK
from bot.ports import Ports
from tests.operations.replica import Replica, replica
from tests.operations.world import AUTHOR, OTHER, Await, FakePlanner, MakeFile, asked


class Room:
    """What a test and the waiting effect tell one another; one for each test."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.says: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()


ROOMS: dict[str, Room] = {}


class Linger(Effect, frozen=True):
    """Reports what it is told to, until it is let go."""

    kind: ClassVar[str] = "test.linger"
    undoable: ClassVar[bool] = False
    waits: ClassVar[bool] = True
    keepable: ClassVar[bool] = True

    room: str

    def describe(self) -> str:
        return "Wait until it is healthy"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        room = ROOMS[self.room]
        told = asyncio.ensure_future(self._tell(room, run))
        try:
            await room.ready.wait()
        except asyncio.CancelledError:
            room.cancelled.set()
            raise
        finally:
            told.cancel()
        return Outcome(seen="healthy", changed=False)

    async def _tell(self, room: Room, run: Run) -> None:
        while True:
            text, stalled = await room.says.get()
            await run.report(text, stalled=stalled)


class LanePlanner(FakePlanner):
    """Plans the named files, a wait in the room of that name where one is asked for, all in one lane."""

    async def plan(self, asked: Asked) -> Planned:
        await super().plan(asked)
        names = [str(name) for name in asked.request["files"]]  # type: ignore[union-attr]  # a list, as `asked` made it
        effects: list[Effect] = [
            Linger(id="linger", room=name) if name in ROOMS else MakeFile(id=name, text=name) for name in names
        ]
        plan = Plan.of(f"Make {', '.join(names)}", effects, revisions=self.revisions, lane="deploy:orders/staging")
        plan = plan.model_copy(update={"undo_later": "restart" not in names, "takes_over": names[0].startswith("end")})
        return Planned(plan, self.decision)


def lanes(a: Replica) -> None:
    planner = LanePlanner()
    planner.decision = a.planner.decision
    a.planner.plan = planner.plan  # type: ignore[method-assign]  # the replica's own planner goes on deciding
    a.operations._means.effects._kinds.update(EffectCatalog([MakeFile, Await, Linger])._kinds)


def room(name: str) -> Room:
    ROOMS[name] = Room()
    return ROOMS[name]


def stalled(view: OperationView) -> bool:
    return view.stalled is not None


async def test_what_a_wait_reports_stands_on_the_step_until_it_is_over(url: str, tmp_path: Path) -> None:
    here = room("reports")
    async with replica(url, tmp_path) as a:
        lanes(a)
        await a.operations.submit(asked("one", "reports"))
        await here.says.put(("1 of 2 pods are ready", False))
        view = await a.operations.wait("op-1", lambda v: any(step.progress for step in v.steps))
        assert [step.progress for step in view.steps] == ["", "1 of 2 pods are ready"]
        assert (view.state, stalled(view)) == (State.RUNNING, False)
        here.ready.set()
        done = await a.until()
        assert (done.state, done.steps[1].progress) == (State.SUCCEEDED, "")


async def test_a_stalled_wait_offers_to_wait_and_to_keep_and_goes_on_by_itself(url: str, tmp_path: Path) -> None:
    here = room("stalls")
    async with replica(url, tmp_path) as a:
        lanes(a)
        await a.operations.submit(asked("stalls"))
        await here.says.put(("It crashes at start. Roll back.", True))
        view = await a.operations.wait("op-1", stalled)
        assert set(view.buttons) == {"wait", "keep", "undo"}
        waited = await a.operations.press(view.buttons["wait"], OTHER)
        assert waited.accepted
        view = await a.operations.wait("op-1", lambda v: v.patience is not None)
        assert set(view.buttons) == {"keep", "undo"}
        await here.says.put(("Another reason.", True))
        view = await a.operations.wait("op-1", lambda v: bool(v.stalled and v.stalled.progress == "Another reason."))
        assert "wait" in view.buttons, "another reason is another question"
        here.ready.set()
        assert (await a.until()).state is State.SUCCEEDED


async def test_keeping_ends_the_wait_and_the_operation_goes_on(url: str, tmp_path: Path) -> None:
    here = room("keeps")
    async with replica(url, tmp_path) as a:
        lanes(a)
        await a.operations.submit(asked("keeps", "after"))
        await here.says.put(("It crashes at start.", True))
        await a.operations.wait("op-1", stalled)
        assert (await a.operations.keep("op-1", AUTHOR)).accepted
        done = await a.until()
        assert done.state is State.SUCCEEDED
        assert here.cancelled.is_set()
        outcome = done.steps[0].outcome
        assert outcome is not None
        assert outcome.seen == "Sample Author ended the wait: It crashes at start."
        assert a.folder.files() == {"after": "after"}


async def test_a_plan_may_say_that_undo_makes_no_sense_once_it_is_done(url: str, tmp_path: Path) -> None:
    async with replica(url, tmp_path) as a:
        lanes(a)
        await a.operations.submit(asked("one"))
        assert set((await a.until()).buttons) == {"undo"}
        await a.operations.submit(asked("restart", operation="op-2"))
        assert (await a.until(operation="op-2")).buttons == {}


async def test_undo_ends_a_wait_at_once(url: str, tmp_path: Path) -> None:
    here = room("undoes")
    async with replica(url, tmp_path) as a:
        lanes(a)
        await a.operations.submit(asked("one", "undoes"))
        await here.says.put(("moving", False))
        await a.operations.wait("op-1", lambda v: bool(v.steps and v.steps[-1].progress))
        assert (await a.operations.undo("op-1", AUTHOR)).accepted
        done = await a.until()
        assert (done.state, done.reason) == (State.UNDONE, Reason.ASKED_TO_UNDO)
        assert here.cancelled.is_set()
        assert a.folder.files() == {}


async def test_a_click_that_another_replica_takes_ends_the_wait_here(url: str, tmp_path: Path) -> None:
    here = room("elsewhere")
    async with replica(url, tmp_path) as a, replica(url, tmp_path, name="b") as b:
        lanes(a)
        lanes(b)
        await a.operations.submit(asked("elsewhere"))
        await here.says.put(("It crashes at start.", True))
        await a.operations.wait("op-1", stalled)
        assert (await b.operations.keep("op-1", OTHER)).accepted
        await a.operations._runs.renew()
        assert (await a.until()).state is State.SUCCEEDED
        assert here.cancelled.is_set()


async def test_a_wait_goes_on_after_its_replica_has_died(url: str, tmp_path: Path) -> None:
    here = room("dies")
    async with replica(url, tmp_path) as a:
        lanes(a)
        await a.operations.submit(asked("dies"))
        await here.says.put(("It crashes at start.", True))
        await a.operations.wait("op-1", stalled)
        await a.operations._runs.close(0)
        assert here.cancelled.is_set()
        async with replica(url, tmp_path, name="b") as b:
            lanes(b)
            await b.operations.tick()
            here.ready.set()
            assert (await b.until()).state is State.SUCCEEDED


async def test_the_second_of_a_lane_stands_in_line_and_sees_the_first(url: str, tmp_path: Path) -> None:
    here = room("first")
    async with replica(url, tmp_path) as a:
        lanes(a)
        await a.operations.submit(asked("first"))
        await here.says.put(("moving", False))
        await a.operations.wait("op-1", lambda v: bool(v.steps and v.steps[0].progress))
        await a.operations.submit(asked("two", operation="op-2"))
        second = await a.operations.wait("op-2", lambda v: v.behind is not None)
        assert second.behind is not None
        assert (second.state, second.behind.operation, second.behind.by) == (State.PLANNED, "op-1", "Sample Author")
        assert set(second.buttons) == {"undo"}
        assert [one.operation for one in await a.operations.in_lane("deploy:orders/staging")] == ["op-1", "op-2"]
        assert a.folder.files() == {}
        here.ready.set()
        await a.until()
        await a.operations.tick()
        done = await a.until(operation="op-2")
        assert (done.state, done.behind) == (State.SUCCEEDED, None)
        assert a.folder.files() == {"two": "two"}
        began, ended = done.created_at, done.updated_at
        hour, lane = timedelta(hours=1), ["deploy:orders/staging"]
        told = await a.operations.history([*lane, "deploy:orders/production"], began, ended)
        assert {one.id for one in told} == {"op-1", "op-2"}
        assert await a.operations.history(["deploy:orders/production"], began, ended) == ()
        assert await a.operations.history(lane, began - 2 * hour, began - hour) == ()
        assert await a.operations.history(lane, ended + hour, ended + 2 * hour) == ()


async def test_whoever_comes_next_ends_a_wait_that_is_stuck(url: str, tmp_path: Path) -> None:
    here = room("broken")
    async with replica(url, tmp_path) as a:
        lanes(a)
        await a.operations.submit(asked("broken"))
        await here.says.put(("It crashes at start.", True))
        await a.operations.wait("op-1", stalled)
        await a.operations.submit(asked("fix", operation="op-2"))
        await a.operations.wait("op-2", lambda v: v.behind is not None)
        a.time.forward(seconds=QUEUE_LOOK.total_seconds())
        await a.operations.tick()
        first = await a.until()
        assert first.state is State.SUCCEEDED
        assert first.steps[0].outcome is not None
        assert first.steps[0].outcome.kept
        await a.operations.tick()
        assert (await a.until(operation="op-2")).state is State.SUCCEEDED
        assert a.folder.files() == {"fix": "fix"}


async def test_an_end_has_taken_back_what_is_still_being_made(url: str, tmp_path: Path) -> None:
    """Though nothing is stuck: neither is waited for what is about to go, nor is what stands in line begun."""
    here = room("busy")
    async with replica(url, tmp_path) as a:
        lanes(a)
        await a.operations.submit(asked("one", "busy"))
        await here.says.put(("moving", False))
        await a.operations.wait("op-1", lambda v: bool(len(v.steps) > 1 and v.steps[1].progress))
        for number, name in ((2, "two"), (3, "end"), (4, "end-again")):
            await a.operations.submit(asked(name, operation=f"op-{number}"))
            await a.operations.wait(f"op-{number}", lambda v: v.behind is not None)
        while not (await a.operations.view("op-1")).state.final:
            a.time.forward(seconds=QUEUE_LOOK.total_seconds())
            await a.operations.tick()
        assert (await a.until()).state is State.UNDONE
        assert here.cancelled.is_set()
        second = await a.until(operation="op-2")
        assert second.state is State.UNDONE
        assert second.problem.endswith("takes its place. Nothing was changed.")
        for operation in ("op-3", "op-4"):
            while not (await a.operations.view(operation)).state.final:
                a.time.forward(seconds=QUEUE_LOOK.total_seconds())
                await a.operations.tick()
            assert (await a.until(operation=operation)).state is State.SUCCEEDED
        assert a.folder.files() == {"end": "end", "end-again": "end-again"}
        assert "made two" not in a.folder.history()


async def test_a_lane_is_first_come_first_served(url: str, tmp_path: Path) -> None:
    here = room("head")
    async with replica(url, tmp_path) as a:
        lanes(a)
        await a.operations.submit(asked("head"))
        await here.says.put(("moving", False))
        await a.operations.wait("op-1", lambda v: bool(v.steps and v.steps[0].progress))
        for number in (2, 3):
            await a.operations.submit(asked(f"f{number}", operation=f"op-{number}"))
            await a.operations.wait(f"op-{number}", lambda v: v.behind is not None)
        third = await a.operations.view("op-3")
        assert third.behind is not None
        assert third.behind.operation == "op-2"
        here.ready.set()
        await a.until()
        for number in (2, 3):
            await a.operations.tick()
            await a.until(operation=f"op-{number}")
        assert a.folder.history() == ["made f2", "made f3"]


async def test_what_stands_in_line_can_be_withdrawn(url: str, tmp_path: Path) -> None:
    here = room("busy")
    async with replica(url, tmp_path) as a:
        lanes(a)
        await a.operations.submit(asked("busy"))
        await here.says.put(("moving", False))
        await a.operations.wait("op-1", lambda v: bool(v.steps and v.steps[0].progress))
        await a.operations.submit(asked("two", operation="op-2"))
        await a.operations.wait("op-2", lambda v: v.behind is not None)
        assert (await a.operations.undo("op-2", AUTHOR)).accepted
        done = await a.until(operation="op-2")
        assert done.state is State.UNDONE
        here.ready.set()
        await a.until()
        assert a.folder.files() == {}
