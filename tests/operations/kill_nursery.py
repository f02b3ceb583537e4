"""Lives that end early. A process that has imported everything forks one child for each life it is told to start.

It reads one order (JSON) a line from standard input and answers with one line: how the child ended. A child that is
told so kills itself with SIGKILL at one boundary; its report lists the boundaries it passed.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

import bot.operations.dbos_driver  # noqa: F401  # imported before the fork: it is half of what a life would cost
from bot.model.operation import Asked, OperationView
from bot.model.plan import Plan
from bot.model.principal import Principal
from bot.operations.contracts import Allowed, Planned, Settings
from bot.operations.engine import Operations, is_final
from bot.operations.record import Record
from bot.storage.database import Database
from tests.operations.kill_table import EFFECTS, Point, Refuse, case
from tests.operations.world import APPROVER, TaskDriver, asked, needs_approval

PR_SET_PDEATHSIG = 1


class Order(BaseModel):
    """One life."""

    url: str
    folder: Path
    case: str
    report: Path
    operation: str = "kill-0"
    fails: bool = False
    """The plan ends with an effect that fails."""
    approved: bool = False
    """The plan needs an approval, which this life gives."""
    replica: str = "a"
    late_s: float = 0.0
    """How far beyond the machine's time the clock of leases is: what died before has lapsed by then."""
    lease_s: float = 3600.0
    durable: bool = True
    """Whether DBOS begins the runs. Without it the next life finds them by their lapsed lease only, which costs a
    quarter of the time."""
    kill_at: int | None = None


class Points:
    """Counts boundaries, and dies at one of them."""

    def __init__(self, kill_at: int | None) -> None:
        self.passed: list[str] = []
        self._kill_at = kill_at

    def __call__(self, name: str) -> None:
        if len(self.passed) == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.passed.append(name)


class CasePlanner:
    def __init__(self, order: Order, point: Point) -> None:
        self._order, self._point = order, point

    async def plan(self, asked: Asked) -> Planned:
        self._point("before planning")
        effects = [*case(self._order.case).effects, *([Refuse(id="refuse")] if self._order.fails else [])]
        plan = Plan.of("Change it", effects)
        self._point("after planning")
        return Planned(plan=plan, decision=needs_approval() if self._order.approved else Allowed())

    async def may_approve(self, view: OperationView, principal: Principal) -> Allowed:
        return Allowed()

    async def may_undo(self, view: OperationView, principal: Principal) -> Allowed:
        return Allowed()


class PointingAnnouncer:
    def __init__(self, point: Point) -> None:
        self._point = point

    async def operation_changed(self, connection: AsyncConnection, operation_id: str, revision: int) -> None:
        self._point(f"before commit {revision}")


async def live(order: Order) -> None:
    """Submit, approve if need be, wait for the end."""
    points = Points(order.kill_at)
    database = Database(order.url)
    late = timedelta(seconds=order.late_s)

    operations = Operations(
        database=database,
        effects=EFFECTS,
        ports=case(order.case).ports(order.folder, points),
        planner=CasePlanner(order, points),
        announcer=PointingAnnouncer(points),
        clock=lambda: datetime.now(UTC),
        replica=order.replica,
        driver=None if order.durable else TaskDriver(),
        settings=Settings(tick_s=0.05, lease_s=order.lease_s, lease_clock=lambda: datetime.now(UTC) + late),
    )
    _point_after_commits(operations, points)
    await operations.start()
    stored = await operations.submit(asked(operation=order.operation))
    if order.approved:
        waiting = await operations.wait(stored.id, lambda seen: seen.state.final or "approve" in seen.buttons)
        if not waiting.state.final:
            await operations.press(waiting.buttons["approve"], APPROVER)
    done = await operations.wait(stored.id, is_final)
    report = {"state": done.state, "problem": done.problem, "points": points.passed}
    order.report.write_text(json.dumps(report))


def _point_after_commits(operations: Operations, point: Point) -> None:
    changes = operations._store.changes
    notify = changes.notify

    def pointing(changed: Record) -> None:
        point("after commit")
        notify(changed)

    changes.notify = pointing  # type: ignore[method-assign]  # the one place that every commit passes


def _fork(order: Order) -> int:
    """Return the wait status of the child that lived as ordered."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    status = 1
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        asyncio.run(_bounded(order))
        status = 0
    finally:
        os._exit(status)  # no ends, no flushing: the next life must do without


async def _bounded(order: Order) -> None:
    async with asyncio.timeout(60):
        await live(order)
        os._exit(0)


def main() -> None:
    gc.freeze()
    for line in sys.stdin:
        status = _fork(Order.model_validate_json(line))
        answer: dict[str, Any] = {"killed": os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL}
        answer["exit"] = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
        print(json.dumps(answer), flush=True)  # noqa: T201  # the answer


if __name__ == "__main__":
    main()
