"""The book of what was made for a while. Satisfies `bot.ports.Environments`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Row, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.operations.record import moment
from bot.ports import EnvironmentRecord
from bot.storage.database import Database
from bot.storage.environments import environments

KEY = ("kind", "cluster", "name", "operation")


class DurableEnvironments:
    """The lines of all replicas, in our own database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def enter(self, record: EnvironmentRecord) -> None:
        key = {name: getattr(record, name) for name in KEY}
        values = {
            "namespace": record.namespace,
            "team": record.team,
            "owner": record.by,
            "created_at": record.created_at.timestamp(),
            "expires_at": _seconds(record.expires_at),
            "ended_at": _seconds(record.ended_at),
            "holds": json.dumps(dict(record.holds), sort_keys=True),
        }
        dialect = sqlite if self._database.is_sqlite else postgresql
        statement = dialect.insert(environments).values(**key, **values)
        columns = [environments.c[name] for name in KEY]
        async with self._database.write() as connection:
            await connection.execute(statement.on_conflict_do_update(index_elements=columns, set_=values))

    async def get(self, kind: str, cluster: str, name: str) -> EnvironmentRecord | None:
        table = environments.c
        statement = (
            select(environments)
            .where(table.kind == kind, table.cluster == cluster, table.name == name)
            .order_by(table.ended_at.is_not(None), table.ended_at.desc(), table.created_at.desc())
            .limit(1)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(statement)).first()
        return _record(row) if row is not None else None

    async def end(self, kind: str, cluster: str, name: str, operation: str, at: datetime) -> None:
        table = environments.c
        statement = (
            update(environments)
            .where(table.kind == kind, table.cluster == cluster, table.name == name, table.operation == operation)
            .where(table.ended_at.is_(None))
            .values(ended_at=at.timestamp())
        )
        async with self._database.write() as connection:
            await connection.execute(statement)

    async def standing(self, kind: str = "") -> Sequence[EnvironmentRecord]:
        table = environments.c
        statement = select(environments).where(table.ended_at.is_(None))
        statement = statement.order_by(table.created_at, table.cluster, table.name, table.operation)
        async with self._database.read() as connection:
            rows = await connection.execute(statement.where(table.kind == kind) if kind else statement)
            return [_record(row) for row in rows]


def _seconds(at: datetime | None) -> float | None:
    return at.timestamp() if at is not None else None


def _record(row: Row[tuple[object, ...]]) -> EnvironmentRecord:
    return EnvironmentRecord(
        name=row.name,
        kind=row.kind,
        cluster=row.cluster,
        namespace=row.namespace,
        team=row.team,
        by=row.owner,
        operation=row.operation,
        created_at=moment(row.created_at),
        expires_at=moment(row.expires_at) if row.expires_at is not None else None,
        ended_at=moment(row.ended_at) if row.ended_at is not None else None,
        holds=json.loads(row.holds),
    )
