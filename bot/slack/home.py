"""App Home: the portal's front page. Drawn from plain data, published only when it looks different."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from bot.errors import PlatformError
from bot.health.verdict import State as Health
from bot.model.canonical import JSON, sha256
from bot.model.operation import State
from bot.slack import blocks, limits
from bot.slack.gateway import Gateway
from bot.slack.message import Block
from bot.slack.mrkdwn import cut, escape, link, local_time, said
from bot.slack.pace import SystemTimer, Timer
from bot.storage.database import Database
from bot.storage.slack_outbound import slack_homes

log = logging.getLogger(__name__)

DEBOUNCE_S = 3.0
"""News for one person within this time become one publication, in seconds."""

SHOWN = 10
"""Most lines of one part."""

CREATE = "create"
"""Block of the buttons that open a form; their `action_id` is `create:<value>`."""

_STATES = {
    State.PLANNED: "being planned",
    State.AWAITING_APPROVAL: "waiting for approval",
    State.RUNNING: "working",
    State.SUCCEEDED: "done",
    State.FAILED: "failed",
    State.UNDONE: "undone",
    State.EXPIRED: "expired",
    State.REJECTED: "rejected",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """A button that opens a form."""

    label: str
    command: str
    """What it does as a command: `service.create python-service`; also the button's value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One operation."""

    title: str
    state: State
    at: datetime
    url: str = ""
    """Where its card stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLine:
    """How one service is, as it was seen last."""

    service: str
    health: Health | None = None
    """None: it is being looked at."""
    environment: str = ""
    """Where it is worst."""
    told: str = ""
    """What decides it, as a plain sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Everything the page shows to one person."""

    name: str
    create: Sequence[Creation] = ()
    approvals: Sequence[Line] = ()
    """What waits for this person's decision."""
    operations: Sequence[Line] = ()
    """Their own, newest first."""
    services: Sequence[ServiceLine] = ()
    """Those of their groups, the worst first."""
    documentation: Sequence[tuple[str, str]] = ()
    """Title and URL."""
    notice: str = ""
    """A sentence for those who may not use it: whom to ask."""


class HomeSource(Protocol):
    async def home(self, slack_user: str) -> Home | None:
        """Return what one person sees, or None for whoever sees nothing. From memory or our database only."""


def home(page: Home) -> dict[str, JSON]:
    """Return the view."""
    if page.notice:
        return _view([blocks.header("Causeway"), blocks.section(escape(page.notice))])
    body = [
        blocks.header(f"Hello, {page.name}"),
        blocks.section("Make what you need; it is planned, checked and built while you watch."),
        *_creations(page.create),
        *_part("Waiting for your decision", page.approvals, "Nothing waits for you."),
        *_services(page.services),
        *_part("What you asked for", page.operations, "Nothing yet. Begin with one of the buttons above."),
        *_documentation(page.documentation),
    ]
    return _view(body)


def _view(body: Sequence[Block]) -> dict[str, JSON]:
    return {"type": "home", "blocks": list(blocks.guarded(body, limits.VIEW_BLOCKS))}


def _creations(create: Sequence[Creation]) -> list[Block]:
    buttons = [
        blocks.button(one.label, f"create:{one.command}"[: limits.ACTION_ID], one.command, style=_first(number))
        for number, one in enumerate(create[: limits.ACTIONS_ELEMENTS])
    ]
    return [blocks.actions(buttons, block_id=CREATE)] if buttons else []


def _first(number: int) -> blocks.Style:
    return "primary" if number == 0 else None


def _part(title: str, lines: Sequence[Line], nothing: str) -> list[Block]:
    texts = [_line(line) for line in lines[:SHOWN]]
    if len(lines) > SHOWN:
        texts.append(f"and {len(lines) - SHOWN} more")
    return [blocks.divider(), *blocks.lines([f"*{title}*", *(texts or [nothing])])]


_SIGNS = {Health.HEALTHY: "🟢", Health.UNKNOWN: "⚪", Health.DEGRADED: "🟡", Health.DOWN: "🔴"}


def _services(lines: Sequence[ServiceLine]) -> list[Block]:
    """Nothing for whoever has no service."""
    if not lines:
        return []
    shown = blocks.fold([_service(line) for line in lines], SHOWN, "and {} more")
    look = blocks.button("Look closer", "health", "/health", spoken="Look closer at my services")
    return [blocks.divider(), blocks.section("*My services*", accessory=look), *blocks.lines(shown)]


def _service(line: ServiceLine) -> str:
    if line.health is None:
        return f"⚪ *{escape(line.service)}* is being looked at"
    where = f"{escape(line.environment)} · " if line.environment else ""
    return f"{_SIGNS[line.health]} *{escape(line.service)}* {where}{line.health} · {said(cut(line.told, 200))}"


def _line(line: Line) -> str:
    title = cut(line.title, 200)
    return f"• {link(line.url, title)} · {_STATES[line.state]} · {local_time(line.at)}"


def _documentation(pages: Sequence[tuple[str, str]]) -> list[Block]:
    if not pages:
        return []
    return [
        blocks.divider(),
        *blocks.lines(["*Documentation*", *(f"• {link(url, title)}" for title, url in pages[:SHOWN])]),
    ]


class HomePublisher:
    """Publishes a person's page some seconds after news of them, and only if it looks different from the last."""

    def __init__(self, gateway: Gateway, source: HomeSource, database: Database, *, timer: Timer | None = None) -> None:
        self._gateway = gateway
        self._source = source
        self._database = database
        self._timer = timer or SystemTimer()
        self._due: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def changed(self, slack_user: str) -> None:
        """Have the person's page drawn anew, once for all news of the next seconds."""
        if slack_user not in self._due:
            self._due.add(slack_user)
            task = asyncio.create_task(self._soon(slack_user))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def publish(self, slack_user: str, *, force: bool = False) -> bool:
        """Publish now, as when the person opens the page. Return whether Slack had to be told anything.

        `force` is for a page that Slack does not have (`app_home_opened` without a `view`), whatever we remember.
        """
        page = await self._source.home(slack_user)
        if page is None:
            return False
        view = home(page)
        digest = sha256(view)
        if not force and await self._last(slack_user) == digest:
            return False
        await self._gateway.call("views.publish", user_id=slack_user, view=view)
        await self._store(slack_user, digest)
        return True

    async def settle(self) -> None:
        """Wait until all news so far are published."""
        await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Forget what is not published: the page is drawn when it is opened."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _soon(self, slack_user: str) -> None:
        await self._timer.sleep(DEBOUNCE_S)
        self._due.discard(slack_user)  # what comes from here on needs another drawing
        try:
            await self.publish(slack_user)
        except PlatformError as error:
            log.warning("home_not_published", extra={"problem": str(error)})
        except Exception:
            log.exception("home_not_published")

    async def _last(self, slack_user: str) -> str | None:
        async with self._database.read() as connection:
            statement = select(slack_homes.c.hash).where(slack_homes.c.user == slack_user)
            return (await connection.execute(statement)).scalar_one_or_none()

    async def _store(self, slack_user: str, digest: str) -> None:
        values = {"hash": digest, "published_at": self._timer.now()}
        async with self._database.write() as connection:
            dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
            insert = dialect.insert(slack_homes).values(user=slack_user, **values)
            await connection.execute(insert.on_conflict_do_update(index_elements=["user"], set_=values))
