"""What Slack is told of operations: the card in the team's channel, a word to the person, the home tab."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.catalog.index import Index
from bot.clock import machine_clock
from bot.model.operation import Asked, Need, OperationView, State
from bot.model.plan import Plan
from bot.model.principal import Door, Principal
from bot.notifications.gate import Change, Judged, is_stalled
from bot.notifications.holding import hold, hold_direct, let_go
from bot.notifications.personal import Direct
from bot.ports import Clock
from bot.releases.services import owner_by_name
from bot.slack.cards import card, thread
from bot.slack.channels import Channels
from bot.slack.contracts import Blocks, Click
from bot.slack.help import marked
from bot.slack.home import Creation, Home, Line, ServiceLine
from bot.slack.message import Message
from bot.slack.mrkdwn import escape
from bot.slack.outbox import Card, Outbox
from bot.slack.telling import open_form
from bot.storage.operations import operations

UNATTENDED = frozenset({Door.FORGE, Door.AGENDA})
"""Doors at which nobody waits for an answer."""
TELL_THEMSELVES = frozenset({"alert", "incident"})
"""First words of commands whose effects write into the timeline of an alert."""

View = Callable[[str], Awaitable[OperationView]]


class Channel(Protocol):
    """Which channel belongs to an operation."""

    async def __call__(self, view: OperationView) -> str: ...


class TeamChannels:
    """The owner's channel; without one, where the request was typed; without that, the platform channel."""

    def __init__(
        self, index: Callable[[], Index], channels: Channels, configured: Mapping[str, str], platform: str
    ) -> None:
        """`configured` maps full group references to channels and wins over the catalog's annotation."""
        self._index = index
        self._channels = channels
        self._configured = configured
        self._platform = platform

    async def __call__(self, view: OperationView) -> str:
        owner = view.plan.owner if view.plan else owner_by_name(self._index(), str(view.request.get("service", "")))
        named = (self._configured.get(owner) or self._index().channel_of(owner)) if owner else None
        if named and (found := await self._channels.find(named)):
            return found
        if view.origin.slack_channel:
            return view.origin.slack_channel
        return await self._channels.find(self._platform) or self._platform


class OperationCards:
    """Satisfies the outbox's `CardSource`."""

    def __init__(self, view: View, channel: Channel, clock: Clock) -> None:
        self._view = view
        self._channel = channel
        self._clock = clock

    async def card(self, operation_id: str) -> Card | None:
        """What could not even be planned has no card: the person who asked is told. Where nobody did, the team is."""
        view = await self._view(operation_id)
        if view.plan is None and view.state.final and view.door not in UNATTENDED:
            return None
        return Card(
            message=card(view, now=self._clock()),
            revision=view.revision,
            channel=await self._channel(view),
            urgent=view.state is not State.RUNNING or view.stalled is not None,
        )


Judge = Callable[[Change], Judged]
Directly = Callable[[Change, Need | None, str], Iterable[Direct]]
"""`(change, need, digest)`: what people are told directly of it."""


class Announcements:
    """Satisfies the engine's `Announcer`. Everything is noted in the transaction of the change."""

    def __init__(
        self,
        outbox: Outbox,
        home_changed: Callable[[str], None],
        hear: Callable[[Asked, int], None] = lambda _asked, _revision: None,
        *,
        judge: Judge | None = None,
        directly: Directly | None = None,
        clock: Clock = machine_clock,
    ) -> None:
        """`hear` is told of every change as well; it returns at once. `judge` says when what nobody waits for is told;
        without it, at once. `directly` says what people are told beside that."""
        self._directly = directly
        self._judge = judge
        self._clock = clock
        self._outbox = outbox
        self._home_changed = home_changed
        self._hear = hear

    async def operation_changed(self, connection: AsyncConnection, operation_id: str, revision: int) -> None:
        table = operations.c
        columns = select(table.state, table.asked, table.problem, table.digest, table.plan, table.steps, table.need)
        columns = columns.where(table.id == operation_id)
        row = (await connection.execute(columns)).one()
        asked = Asked.model_validate_json(row.asked)
        self._hear(asked, revision)
        if asked.principal.slack_user:
            self._home_changed(asked.principal.slack_user)
        state = State(row.state)
        await self._tell_people(connection, asked, state, row)
        if await self._is_beside(connection, asked, state, row):
            await self._told_beside(connection, asked, state, row)
        elif state.final and await self._is_without_card(connection, asked, state, row):
            # It never got as far as a card: it could not be planned, or policy refused the plan.
            await self._tell(connection, asked, row.problem)
        elif row.digest is None and row.problem and not state.final:
            await self._say(connection, asked, f"I am still planning what you asked for. {row.problem}")
        elif row.digest is not None or state.final:  # before there is a plan there is nothing to show
            if await self._is_held(connection, asked, state, row):
                return
            urgent = state is not State.RUNNING
            await self._outbox.operation_changed(connection, operation_id, revision, urgent=urgent)

    async def _tell_people(self, connection: AsyncConnection, asked: Asked, state: State, row: Any) -> None:
        """Note what people want to be told directly; it is told soon, or after their quiet hours."""
        if self._directly is None or not (state.final or state is State.AWAITING_APPROVAL):
            return
        plan = Plan.model_validate_json(row.plan) if row.plan else None
        need = Need.model_validate_json(row.need) if row.need else None
        for one in self._directly(Change(asked=asked, state=state, plan=plan), need, row.digest or ""):
            told = {"person": one.person, "news": one.news.value, "line": one.line}
            await hold_direct(connection, one.id, due=one.due, now=self._clock(), **told)

    async def _is_held(self, connection: AsyncConnection, asked: Asked, state: State, row: Any) -> bool:
        """Whether nobody wants to hear of it yet. Asked again at each change: what becomes trouble is told."""
        if self._judge is None or asked.door not in UNATTENDED:
            return False
        if await self._outbox.has_card(connection, asked.operation):
            return False
        plan = Plan.model_validate_json(row.plan) if row.plan else None
        judged = self._judge(Change(asked=asked, state=state, plan=plan, stalled=is_stalled(row.steps)))
        decided = judged.decided
        if decided.at is not None and (decided.how == "later" or (decided.how == "summary" and state.final)):
            await hold(
                connection,
                asked.operation,
                subject=judged.subject,
                news=judged.news,
                how="later" if decided.how == "later" else "summary",
                due=decided.at,
                line=judged.line,
                now=self._clock(),
            )
        else:
            await let_go(connection, [asked.operation])
        return decided.how != "now"

    async def _is_without_card(self, connection: AsyncConnection, asked: Asked, state: State, row: Any) -> bool:
        """Of something that is over."""
        if asked.door in UNATTENDED or (asked.origin.beside and _is_left(state, row)):
            return False
        return not await self._outbox.has_card(connection, asked.operation)

    async def _is_beside(self, connection: AsyncConnection, asked: Asked, state: State, row: Any) -> bool:
        """Whether it is told in the thread of another card. Once somebody has to decide (about a plan, a step that is
        stuck, or what is left of it) it has a card of its own, and keeps it."""
        if not asked.origin.beside or await self._outbox.has_card(connection, asked.operation):
            return False
        if asked.door in UNATTENDED:
            # Nobody waits for an answer: what went wrong has to be seen, and so has what has no card to stand below.
            if not await self._outbox.has_card(connection, asked.origin.beside):
                return False
            if state.final and not (state is State.SUCCEEDED and await _went_well(connection, asked.origin.beside)):
                return False
        stuck = any(step.get("stalled") for step in json.loads(row.steps or "[]"))
        decided_on = state is State.AWAITING_APPROVAL or _is_left(state, row) or (stuck and state is State.RUNNING)
        return not decided_on

    async def _told_beside(self, connection: AsyncConnection, asked: Asked, state: State, row: Any) -> None:
        """What was done is said in the thread, for all; what failed to whoever asked. What people decide about an alert
        says so itself, in the same thread."""
        if not state.final:
            if row.digest is None and row.problem:
                await self._say(connection, asked, f"I am still planning what you asked for. {row.problem}")
        elif state is not State.SUCCEEDED:
            await self._tell(connection, asked, row.problem)
        elif asked.command.partition(".")[0] not in TELL_THEMSELVES and row.plan:
            summary = Plan.model_validate_json(row.plan).summary
            text = f"✅ {escape(summary)}, asked by {escape(asked.principal.display_name)}."
            key = f"beside:{asked.operation}"
            await self._outbox.thread(asked.origin.beside, [Message(text=text)], key=key, connection=connection)

    async def _tell(self, connection: AsyncConnection, asked: Asked, problem: str) -> None:
        draft = asked.origin.slack_draft
        again = open_form(marked(problem), draft, "Open the form again") if draft else ()
        await self._say(connection, asked, problem, again)

    async def _say(self, connection: AsyncConnection, asked: Asked, sentence: str, shown: Blocks = ()) -> None:
        """Tell the person who asked in Slack, where they asked."""
        user, channel = asked.origin.slack_user, asked.origin.slack_channel
        if asked.door is not Door.SLACK or user is None:
            return
        text = marked(sentence)
        if channel:
            await self._outbox.ephemeral(channel=channel, user=user, text=text, blocks=shown, connection=connection)
        else:
            await self._outbox.message(channel=user, text=text, blocks=shown, connection=connection)


async def _went_well(connection: AsyncConnection, operation: str) -> bool:
    """Whether its card says so: nothing good is told below one that was undone."""
    found = await connection.execute(select(operations.c.state).where(operations.c.id == operation))
    return found.scalar_one_or_none() == State.SUCCEEDED.value


def _is_left(state: State, row: Any) -> bool:
    """Whether it was planned, and something of it needs a person."""
    return state is State.FAILED and row.digest is not None


class Details:
    """The card's `details` button: the whole plan in the thread, once for each plan."""

    def __init__(self, view: View, outbox: Outbox) -> None:
        self._view = view
        self._outbox = outbox
        self._shown: set[str] = set()

    async def __call__(self, click: Click) -> str | None:
        view = await self._view(click.value)
        key = f"details:{view.id}:{view.digest}"
        if key in self._shown:
            return "The details are in the thread of the card."
        await self._outbox.thread(view.id, thread(view), key=key)
        self._shown.add(key)
        return None


class HomePages:
    """Satisfies the home tab's source: what a person may create, what waits for them, what they asked for."""

    def __init__(
        self,
        *,
        recent: Callable[[str], Awaitable[list[OperationView]]],
        waiting: Callable[[str], Awaitable[list[OperationView]]],
        creations: Callable[[], list[Creation]],
        services: Callable[[Principal, str], list[ServiceLine]] = lambda _principal, _slack_user: [],
    ) -> None:
        """`recent` and `waiting` take a full user reference. `services` answers from memory, and has the page drawn
        again once it knows more."""
        self._recent = recent
        self._waiting = waiting
        self._creations = creations
        self._services = services
        self._people: dict[str, Principal] = {}

    def seen(self, slack_user: str, principal: Principal) -> None:
        """Remember who opened the tab: only those have one to keep current."""
        self._people[slack_user] = principal

    async def home(self, slack_user: str) -> Home | None:
        person = self._people.get(slack_user)
        if person is None:
            return None
        user = person.user
        return Home(
            name=person.display_name,
            create=self._creations(),
            approvals=[_line(view) for view in await self._waiting(user)],
            operations=[_line(view) for view in await self._recent(user)],
            services=self._services(person, slack_user),
        )


def _line(view: OperationView) -> Line:
    title = view.plan.summary if view.plan else f"/{view.command.replace('.', ' ')}"
    return Line(title=title, state=view.state, at=view.updated_at)
