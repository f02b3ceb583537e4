"""Forms being filled in. A modal carries a draft's id and version; everything typed lives here, and expires."""

from __future__ import annotations

import json
import secrets
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.canonical import JSON
from bot.model.operation import Asked
from bot.ports import Clock
from bot.storage.database import Database
from bot.storage.slack_inbound import drafts

KEEP_S = 24 * 3600.0
"""How long an untouched draft lives, in seconds."""
MAX_REMEMBERED = 1024


class DraftState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    """Closed by its person; a button opens it again."""
    SUBMITTED = "submitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    id: str
    version: int
    """Grows with every change of page, so that a second press on an old page changes nothing."""
    team: str
    user: str
    channel: str
    command: str
    words: tuple[str, ...]
    page: int
    values: Mapping[str, JSON]
    state: DraftState
    asked: Asked | None
    expires_at: float

    @property
    def metadata(self) -> str:
        """What the modal carries."""
        return f"{self.id}.{self.version}"


def read_metadata(text: Any) -> tuple[str, int]:
    """Return draft id and version; an empty id for what is not ours."""
    if not isinstance(text, str):
        return "", 0
    identifier, _, version = text.partition(".")
    valid = version.isascii() and version.isdigit() and len(version) < 9
    return (identifier, int(version)) if valid else ("", 0)


class Drafts:
    """Stores drafts; the newest are also held in memory, for option lists that may not wait."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._memory: OrderedDict[str, Draft] = OrderedDict()

    async def begin(
        self,
        *,
        team: str,
        user: str,
        channel: str,
        command: str,
        words: Sequence[str],
        values: Mapping[str, JSON] | None = None,
    ) -> Draft:
        draft = Draft(
            id=secrets.token_urlsafe(15).replace(".", "_"),
            version=1,
            team=team,
            user=user,
            channel=channel,
            command=command,
            words=tuple(words),
            page=0,
            values=dict(values or {}),
            state=DraftState.OPEN,
            asked=None,
            expires_at=self._expiry(),
        )
        async with self._database.write() as connection:
            await connection.execute(insert(drafts).values(_row(draft)))
        self._remember(draft)
        return draft

    async def get(self, identifier: str, *, user: str, team: str) -> Draft | None:
        """Return the draft if it is this person's and has not expired."""
        if not identifier:
            return None
        async with self._database.read() as connection:
            row = (await connection.execute(select(drafts).where(drafts.c.id == identifier))).one_or_none()
        draft = _draft(row._asdict()) if row else None
        if draft is None or draft.expires_at < self._clock().timestamp() or (draft.user, draft.team) != (user, team):
            return None
        self._remember(draft)
        return draft

    async def glance(self, identifier: str, *, user: str, team: str) -> Draft | None:
        """As `get`, from memory where possible; it may be a moment old."""
        draft = self._memory.get(identifier)
        if draft and (draft.user, draft.team) == (user, team) and draft.expires_at >= self._clock().timestamp():
            return draft
        return await self.get(identifier, user=user, team=team)

    async def stored(self, identifier: str) -> Draft | None:
        """Return the draft whoever it belongs to: for work that was accepted already."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(drafts).where(drafts.c.id == identifier))).one_or_none()
        return _draft(row._asdict()) if row else None

    async def keep(self, draft: Draft, values: Mapping[str, JSON]) -> Draft:
        """Store what was typed so far on the same page."""
        async with self._database.write() as connection:
            return await self._change(connection, draft, replace(draft, values=values)) or draft

    async def turn(self, draft: Draft, page: int, values: Mapping[str, JSON]) -> Draft | None:
        """Store the answers and move to a page; None when the draft has moved on meanwhile."""
        moved = replace(draft, version=draft.version + 1, page=page, values=values, state=DraftState.OPEN)
        async with self._database.write() as connection:
            return await self._change(connection, draft, moved)

    async def submit(self, connection: AsyncConnection, draft: Draft, asked: Asked) -> bool:
        """Mark it submitted inside the caller's transaction; False when somebody was faster."""
        done = replace(draft, state=DraftState.SUBMITTED, asked=asked)
        return await self._change(connection, draft, done) is not None

    async def close(self, draft: Draft, values: Mapping[str, JSON]) -> bool:
        async with self._database.write() as connection:
            closed = replace(draft, state=DraftState.CLOSED, values=values)
            return await self._change(connection, draft, closed) is not None

    async def sweep(self) -> None:
        """Delete what has expired."""
        now = self._clock().timestamp()
        async with self._database.write() as connection:
            await connection.execute(delete(drafts).where(drafts.c.expires_at < now))

    async def _change(self, connection: AsyncConnection, before: Draft, after: Draft) -> Draft | None:
        fresh = replace(after, expires_at=self._expiry())
        same = (drafts.c.id == before.id) & (drafts.c.version == before.version) & (drafts.c.state == before.state)
        result = await connection.execute(update(drafts).where(same).values(_row(fresh)))
        if result.rowcount != 1:
            self._memory.pop(before.id, None)
            return None
        self._remember(fresh)
        return fresh

    def _expiry(self) -> float:
        return self._clock().timestamp() + KEEP_S

    def _remember(self, draft: Draft) -> None:
        self._memory[draft.id] = draft
        self._memory.move_to_end(draft.id)
        if len(self._memory) > MAX_REMEMBERED:
            self._memory.popitem(last=False)


def _row(draft: Draft) -> dict[str, Any]:
    return {
        "id": draft.id,
        "version": draft.version,
        "team": draft.team,
        "user": draft.user,
        "channel": draft.channel,
        "command": draft.command,
        "words": json.dumps(draft.words),
        "page": draft.page,
        "form_values": json.dumps(dict(draft.values)),
        "state": draft.state.value,
        "asked": draft.asked.model_dump_json() if draft.asked else "",
        "expires_at": draft.expires_at,
    }


def _draft(row: Mapping[str, Any]) -> Draft:
    return Draft(
        id=row["id"],
        version=row["version"],
        team=row["team"],
        user=row["user"],
        channel=row["channel"],
        command=row["command"],
        words=tuple(json.loads(row["words"])),
        page=row["page"],
        values=json.loads(row["form_values"]),
        state=DraftState(row["state"]),
        asked=Asked.model_validate_json(row["asked"]) if row["asked"] else None,
        expires_at=row["expires_at"],
    )
