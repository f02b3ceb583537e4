"""How many operations of five trivial effects one replica finishes in a second, on each kind of database.

The whole engine runs as in production: stored rows, DBOS, the ledger with its sealer, card rows in the transaction of
each change. Only planning, the outside world and the sending to Slack are left out.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.effect import Effect, EffectCatalog, Outcome
from bot.model.effect import Run as EffectRun
from bot.model.operation import Asked, OperationView, State
from bot.model.plan import Plan
from bot.model.principal import Door, Principal
from bot.operations.contracts import Allowed, Planned
from bot.operations.engine import Operations
from bot.operations.seal import Sealer, signing_key
from bot.ports import CatalogRegistry, Forge, Ports
from bot.slack.outbox_rows import Rows
from bot.storage.database import Database
from bot.storage.migrate import upgrade
from tests.bench.figures import Figure, figure
from tests.peers.postgresql import cluster
from tests.peers.tools import TOOLS

RUNS = 3
AT_ONCE = 50
EFFECTS = 5
PATIENCE_S = 120.0
AUTHOR = Principal(user="user:default/author", display_name="Sample Author")


class Nothing(Effect, frozen=True):
    """Changes nothing, at once."""

    kind: ClassVar[str] = "bench.nothing"

    def describe(self) -> str:
        return f"Do nothing as {self.id}"

    async def apply(self, ports: Ports, run: EffectRun) -> Outcome:
        return Outcome(seen=f"{self.id} done")


class Planner:
    """Plans five effects; everybody may do everything."""

    async def plan(self, asked: Asked) -> Planned:
        effects = [Nothing(id=f"step-{number}") for number in range(EFFECTS)]
        return Planned(plan=Plan.of(f"Do nothing for {asked.operation}", effects), decision=Allowed())

    async def may_approve(self, view: OperationView, principal: Principal) -> Allowed:
        return Allowed()

    async def may_undo(self, view: OperationView, principal: Principal) -> Allowed:
        return Allowed()


class CardRows:
    """Notes that a card has to be drawn, as production does; nobody draws it."""

    def __init__(self, database: Database) -> None:
        self._rows = Rows(database, "bench")

    async def operation_changed(self, connection: AsyncConnection, operation_id: str, revision: int) -> None:
        await self._rows.card_changed(connection, operation_id, revision)


async def run() -> list[Figure]:
    figures = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        rates = await measured(f"sqlite:///{folder / 'causeway.db'}", folder)
        figures.append(_figure("sqlite", rates))
        with _postgresql() as url:
            if url is None:
                print("operations_per_s_postgresql is left out: PostgreSQL is not installed here (`make test` does it)")
            else:
                figures.append(_figure("postgresql", await measured(url, folder)))
    return figures


def _figure(database: str, rates: list[float]) -> Figure:
    against = f"{AT_ONCE} operations of {EFFECTS} effects at once"
    return figure(f"operations_per_s_{database}", rates, "1/s", better="higher", against=against)


async def measured(url: str, folder: Path) -> list[float]:
    """Return the rates of `RUNS` batches, in operations a second, after one that nobody counts."""
    await asyncio.to_thread(upgrade, url)
    database = Database(url)
    key = await asyncio.to_thread(signing_key, folder / "ledger-key.pem")
    nobody = Ports(forge=cast("Forge", None), catalog=cast("CatalogRegistry", None))
    operations = Operations(
        database=database,
        effects=EffectCatalog([Nothing]),
        ports=nobody,
        planner=Planner(),
        announcer=CardRows(database),
        clock=_now,
        replica="bench",
        sealer=Sealer(database, key, [], replica="bench", clock=_now),
    )
    try:
        async with operations:
            return [await _batch(operations, number) for number in range(RUNS + 1)][1:]
    finally:
        await database.close()


async def _batch(operations: Operations, batch: int) -> float:
    begin = time.perf_counter()
    async with asyncio.timeout(PATIENCE_S):
        views = await asyncio.gather(*(_one(operations, f"op-{batch}-{number}") for number in range(AT_ONCE)))
    rate = AT_ONCE / (time.perf_counter() - begin)
    if not all(view.state is State.SUCCEEDED for view in views):
        raise RuntimeError(f"Not every operation succeeded: {[view.problem for view in views if view.problem]}")
    return rate


async def _one(operations: Operations, name: str) -> OperationView:
    asked = Asked(operation=name, command="bench.nothing", request={}, principal=AUTHOR, door=Door.CLI, now=_now())
    await operations.submit(asked)
    return await operations.wait(name)


@contextmanager
def _postgresql() -> Iterator[str | None]:
    binaries = TOOLS["postgresql"].find()
    if binaries is None:
        yield None
        return
    with cluster(binaries) as running:
        yield running.database()


def _now() -> datetime:
    return datetime.now(UTC)
