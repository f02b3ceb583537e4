"""The agenda: requests that are asked when their time has come. Satisfies `bot.ports.Agenda`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable

from sqlalchemy import Row, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from bot.model.operation import Asked
from bot.model.principal import Door, Principal
from bot.operations.record import moment
from bot.ports import Appointment, Clock
from bot.storage.database import Database
from bot.storage.operations import agenda

BATCH = 50
"""Most appointments that one tick keeps; the next tick goes on."""


class DurableAgenda:
    """Appointments in our own database; any replica keeps what is due."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def add(self, appointment: Appointment) -> None:
        values = {
            "due_at": appointment.at.timestamp(),
            "command": appointment.command,
            "request": json.dumps(dict(appointment.request)),
            "principal": appointment.principal.model_dump_json(),
        }
        dialect = sqlite if self._database.is_sqlite else postgresql
        statement = dialect.insert(agenda).values(id=appointment.id, **values)
        async with self._database.write() as connection:
            await connection.execute(statement.on_conflict_do_update(index_elements=[agenda.c.id], set_=values))

    async def get(self, id: str) -> Appointment | None:  # noqa: A002  # the port's word
        async with self._database.read() as connection:
            row = (await connection.execute(select(agenda).where(agenda.c.id == id))).first()
        return _appointment(row) if row is not None else None

    async def remove(self, id: str) -> bool:  # noqa: A002  # the port's word
        async with self._database.write() as connection:
            return bool((await connection.execute(delete(agenda).where(agenda.c.id == id))).rowcount)

    async def keep(self, ask: Callable[[Asked], Awaitable[object]]) -> int:
        """Ask what is due; return how many. Asked first and struck out after: a crash in between asks the same
        operation again, which changes nothing."""
        now = self._clock()
        statement = select(agenda).where(agenda.c.due_at <= now.timestamp()).order_by(agenda.c.due_at).limit(BATCH)
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
        for row in rows:
            due = _appointment(row)
            await ask(
                Asked(
                    operation=_operation(due),
                    command=due.command,
                    request=dict(due.request),
                    principal=due.principal,
                    door=Door.AGENDA,
                    now=now,
                )
            )
            async with self._database.write() as connection:
                # Only the one that was asked: meanwhile it may have been given another time.
                mine = (agenda.c.id == due.id, agenda.c.due_at == row.due_at)
                await connection.execute(delete(agenda).where(*mine))
        return len(rows)


def _operation(due: Appointment) -> str:
    """The same appointment at the same time always leads to the same operation."""
    digest = hashlib.sha256(f"{due.id}\n{due.at.timestamp()}".encode()).hexdigest()
    return f"op-{digest[:20]}"


def _appointment(row: Row[tuple[object, ...]]) -> Appointment:
    return Appointment(
        id=row.id,
        at=moment(row.due_at),
        command=row.command,
        request=json.loads(row.request),
        principal=Principal.model_validate_json(row.principal),
    )
