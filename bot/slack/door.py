"""The Slack door: everything inbound, wired together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import ClientSession, web
from slack_sdk.web.async_client import AsyncWebClient

from bot.command import AnyCommand
from bot.errors import UpstreamUnavailable
from bot.ports import Clock
from bot.slack.bolt import BoltDispatch
from bot.slack.contracts import Answers, Directory, HomeOpened, OnClick, OperationsDoor, OptionSource, Replies, Web
from bot.slack.conversation import Conversation
from bot.slack.drafts import Drafts
from bot.slack.edge import EMPTY, Edge, Reply
from bot.slack.envelope import ANSWERED_WHILE_SLACK_WAITS, Envelope, Kind
from bot.slack.identity import Identities
from bot.slack.inbox import Inbox
from bot.slack.registry import Registry
from bot.slack.router import Router
from bot.slack.telling import Telling
from bot.storage.database import Database

log = logging.getLogger(__name__)

ANSWER_S = 2.5
"""Longest work while Slack waits, in seconds; Slack gives up after 3."""
DRAIN_S = 10.0
"""How long `close` waits for work under way; what is left is taken up after the next start."""


class SlackDoor:
    """Takes deliveries from HTTP (`routes`) or Socket Mode (`deliver`); `tick` takes up what a dead process left."""

    def __init__(
        self,
        *,
        signing_secret: str,
        bot_token: str,
        api_url: str,
        contact: str,
        session: ClientSession,
        commands: Iterable[AnyCommand],
        deps: Any,
        answer: Answers,
        database: Database,
        operations: OperationsDoor,
        directory: Directory,
        options: OptionSource,
        gateway: Web,
        outbox: Replies,
        clock: Clock,
        command_prefix: str = "",
        home_team: str = "",
        actions: Mapping[str, OnClick] | None = None,
        forms_of: Mapping[str, str] | None = None,
        home: HomeOpened | None = None,
    ) -> None:
        """`contact` is the channel (`#platform`) in which refused people ask; `deps` is handed to forms.

        `answer` runs queries; `actions` are buttons of other rooms, by `action_id`; `forms_of` are buttons that
        open the form of a command; `home` draws the home tab.
        """
        self.registry = Registry(commands, command_prefix)
        self.inbox = Inbox(database, clock, self._start_work)
        self._drafts = Drafts(database, clock)
        identities = self._identities = Identities(
            database=database, web=gateway, directory=directory, clock=clock, contact=contact, home_team=home_team
        )
        telling = Telling(outbox, contact)
        conversation = Conversation(
            registry=self.registry,
            deps=deps,
            drafts=self._drafts,
            inbox=self.inbox,
            database=database,
            identities=identities,
            operations=operations,
            web=gateway,
            telling=telling,
            clock=clock,
            start_work=self._start_work,
        )
        self._router = Router(
            registry=self.registry,
            answer=answer,
            conversation=conversation,
            identities=identities,
            operations=operations,
            options=options,
            telling=telling,
            actions=actions,
            forms_of=forms_of,
            home=home,
        )
        client = AsyncWebClient(token=bot_token, base_url=f"{api_url.rstrip('/')}/", session=session)
        self.bolt = BoltDispatch(client=client, handlers=self._router.handlers, failures=self._router)
        self._edge = Edge(signing_secret=signing_secret, clock=clock, store=self.inbox.store, answer=self._answer)
        self._work: set[asyncio.Task[None]] = set()
        self._closing = False

    def routes(self) -> list[web.RouteDef]:
        return self._edge.routes()

    async def start(self) -> None:
        """Take up what an earlier process left behind."""
        await self.tick()

    async def tick(self) -> None:
        """Renew the leases of our own work, take over that of dead processes, forget what has expired.

        Call it every few seconds; from any replica.
        """
        await self.inbox.renew()
        await self._drafts.sweep()
        for envelope in await self.inbox.take_over():
            self._start_work(envelope)

    async def warm(self) -> None:
        """Learn who the catalog's people are. Raise `PlatformError` when Slack cannot be asked now."""
        await self._identities.warm()

    async def deliver(self, envelope: Envelope) -> Reply:
        """Take one delivery and return the answer for Slack. Raise `UpstreamUnavailable` when it was not stored."""
        if envelope.kind in ANSWERED_WHILE_SLACK_WAITS:
            return await self._answer(envelope)
        await self.inbox.store(envelope)
        return EMPTY

    async def idle(self) -> None:
        """Wait until no work is under way."""
        while self._work:
            await asyncio.wait(set(self._work))

    async def close(self) -> None:
        """Let work under way end, then break off the rest: their rows stay, for whoever comes next."""
        self._closing = True
        if self._work:
            _, late = await asyncio.wait(set(self._work), timeout=DRAIN_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self.inbox.close()

    def _start_work(self, envelope: Envelope) -> None:
        if self._closing:
            self.inbox.dropped(envelope.key)
            return
        self.inbox.begun(envelope.key)
        task = asyncio.create_task(self._do(envelope))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _do(self, envelope: Envelope) -> None:
        """The work behind an acknowledgement. A row whose work broke off is done again when its lease ends."""
        try:
            if envelope.kind is Kind.COMPLETION:
                await self._router.completion(envelope)
            else:
                await self.bolt(envelope)
        except Exception:
            log.exception("slack_work_broke_off", extra={"kind": envelope.kind.value})
            self.inbox.dropped(envelope.key)
        except asyncio.CancelledError:
            self.inbox.dropped(envelope.key)
            raise
        else:
            self.inbox.finished(envelope.key)

    async def _answer(self, envelope: Envelope) -> Reply:
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self.bolt(envelope)
        except TimeoutError:
            late = UpstreamUnavailable("That took too long, so nothing was sent.", hint="Press the button again.")
            return Reply.of(await self._router.failed(envelope, late))
