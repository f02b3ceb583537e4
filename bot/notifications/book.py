"""The wishes in our own database. Satisfies `bot.ports.NotificationBook`."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from bot.model.notifications import PersonalWishes, TeamWishes
from bot.storage.database import Database
from bot.storage.notifications import notification_wishes


class DurableNotifications:
    """Read anew each time: another replica may have written them down just now."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._remembered: dict[str, TeamWishes | PersonalWishes] = {}

    async def team(self, group: str) -> TeamWishes:
        found = await self.kept(group)
        return found if isinstance(found, TeamWishes) else TeamWishes()

    async def person(self, user: str) -> PersonalWishes:
        found = await self.kept(user)
        return found if isinstance(found, PersonalWishes) else PersonalWishes()

    async def kept(self, subject: str) -> TeamWishes | PersonalWishes | None:
        table = notification_wishes
        async with self._database.read() as connection:
            text = (await connection.execute(select(table.c.wishes).where(table.c.subject == subject))).scalar()
        if text is None:
            return None
        return _read(subject, text)

    def remembered(self, subject: str) -> TeamWishes | PersonalWishes | None:
        return self._remembered.get(subject)

    def of_team(self, group: str | None) -> TeamWishes:
        """Return those of a group, from memory; the defaults for what is nobody's."""
        found = self._remembered.get(group) if group else None
        return found if isinstance(found, TeamWishes) else TeamWishes()

    def people(self) -> dict[str, PersonalWishes]:
        """Return those of everybody who has written some down, by full reference, from memory."""
        return {key: one for key, one in self._remembered.items() if isinstance(one, PersonalWishes)}

    async def catch_up(self) -> None:
        """Remember what all replicas have written down."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(notification_wishes))).all()
        self._remembered = {row.subject: _read(row.subject, row.wishes) for row in rows}

    async def keep(self, subject: str, wishes: TeamWishes | PersonalWishes | None) -> None:
        table = notification_wishes
        self._remembered = {key: value for key, value in self._remembered.items() if key != subject}
        if wishes is not None:
            self._remembered[subject] = wishes
        async with self._database.write() as connection:
            if wishes is None:
                await connection.execute(delete(table).where(table.c.subject == subject))
                return
            dialect = sqlite if self._database.is_sqlite else postgresql
            values = {"wishes": wishes.model_dump_json()}
            statement = dialect.insert(table).values(subject=subject, **values)
            await connection.execute(statement.on_conflict_do_update(index_elements=[table.c.subject], set_=values))


def _read(subject: str, text: str) -> TeamWishes | PersonalWishes:
    model = PersonalWishes if subject.startswith("user:") else TeamWishes
    return model.model_validate_json(text)
