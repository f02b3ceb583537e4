"""Cards of alerts, as the outbox asks for them; and one source for cards of all kinds."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import func, select

from bot.alerting.cards import DIGEST_SHOWN, Names, card, digest
from bot.alerting.rows import read_group, read_groups
from bot.catalog.index import Index
from bot.model.alerts import AlertState, Severity
from bot.model.entities import full_ref
from bot.ports import Clock
from bot.slack.outbox import Card, CardSource
from bot.storage.alerts import alert_digests, alert_groups
from bot.storage.database import Database


class AlertCards:
    """Satisfies the outbox's `CardSource` for groups."""

    def __init__(self, database: Database, clock: Clock, names: Names) -> None:
        self._database = database
        self._clock = clock
        self._names = names

    async def card(self, operation_id: str) -> Card | None:
        async with self._database.read() as connection:
            group = await read_group(connection, operation_id)
        if group is None or not group.has_card:
            return None
        return Card(
            message=card(group, now=self._clock(), names=self._names),
            revision=group.revision,
            channel=group.channel,
            urgent=group.severity is Severity.CRITICAL or not group.is_open,
        )


class DigestCards:
    """The same for digests of a day."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def card(self, operation_id: str) -> Card | None:
        async with self._database.read() as connection:
            found = await connection.execute(select(alert_digests).where(alert_digests.c.id == operation_id))
            row = found.mappings().first()
            where = alert_groups.c.digest == operation_id
            groups = await read_groups(connection, where, limit=DIGEST_SHOWN) if row else ()
            fires = func.count().filter(alert_groups.c.state == AlertState.FIRING.value)
            counts = select(func.count().label("total"), fires.label("firing")).where(where)
            counted = (await connection.execute(counts)).one()
        if row is None:
            return None
        message = digest(operation_id, row["day"], groups, total=counted.total, firing=counted.firing)
        return Card(message=message, revision=row["revision"], channel=row["channel"])


class CardsByPrefix:
    """Asks the source that the begin of an id names; all other ids belong to operations."""

    def __init__(self, otherwise: CardSource, sources: Mapping[str, CardSource]) -> None:
        self._otherwise = otherwise
        self._sources = dict(sources)

    async def card(self, operation_id: str) -> Card | None:
        for prefix, source in self._sources.items():
            if operation_id.startswith(prefix):
                return await source.card(operation_id)
        return await self._otherwise.card(operation_id)


def catalog_names(index: Callable[[], Index]) -> Names:
    """Return what people call a person or group of the catalog; the last part of the reference for others."""

    def name(ref: str) -> str:
        if ref.startswith("user:") and (person := index().principal(full_ref(ref, kind="user"))) is not None:
            return person.display_name
        found = index().get(ref)
        return found.entity.title if found is not None else ref.rpartition("/")[2].rpartition(":")[2]

    return name
