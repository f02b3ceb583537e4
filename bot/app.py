"""The composition root: opens what is needed, wires the rooms, closes what it opened. The only room that knows both
sides."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.alerting.actions import WHY
from bot.alerting.book import Book
from bot.alerting.channels import OwnerChannels
from bot.alerting.clicking import ASKS, FORMS, AlertButtons, by_value
from bot.alerting.figures import Figures
from bot.alerting.identity import DIGEST, GROUP
from bot.alerting.opening import Office, Terms, open_office
from bot.alerting.polling import Polling
from bot.alerting.quieting import Quieting
from bot.alerting.source import AlertCards, CardsByPrefix, DigestCards, catalog_names
from bot.announcing import Announcements, Details, HomePages, OperationCards, TeamChannels
from bot.answering import Answering
from bot.background import again_and_again, ended
from bot.catalog.catalog import Catalog
from bot.catalog.options import CatalogOptions
from bot.checkups.watching import Watch
from bot.clock import FollowedClock, machine_clock
from bot.command import Answer, Context, Query
from bot.deps import Deps
from bot.effects import effect_catalog
from bot.errors import Mistake, PlatformError, UpstreamUnavailable
from bot.explaining.clicking import WhyClicks
from bot.following import Following
from bot.forms.schema import form_of
from bot.golden_paths.sandbox import Limits, Sandbox
from bot.golden_paths.skeletons import ForgeFetcher
from bot.golden_paths.sources import FolderSource, GitSource, Source, TemplateLibrary
from bot.golden_paths.steps import ForgeNames, Runner
from bot.http.alertmanager import AlertmanagerWebhook
from bot.http.answers import spoken_errors
from bot.http.api import Api
from bot.http.probes import Probes
from bot.http.tokens import Tokens
from bot.http.webhooks import GitHubWebhooks
from bot.intake import Registry
from bot.metrics import Metrics
from bot.model.canonical import JSON
from bot.model.entities import Group, full_ref
from bot.model.forge_events import (
    BuildEnded,
    ForgeEvent,
    PullRequestComment,
    PullRequestEvent,
    Push,
    RepositoryEvent,
)
from bot.model.operation import Behind, Need, OperationView, State
from bot.model.plan import OFFERED
from bot.model.principal import Principal
from bot.notifications.book import DurableNotifications
from bot.notifications.ci import FailingBuilds
from bot.notifications.drawing import PREFIX as NEWS
from bot.notifications.gate import Change, Judged, judge
from bot.notifications.morning import Morning
from bot.notifications.orphans import TeamOrphans
from bot.notifications.personal import Direct, told_directly
from bot.notifications.streaks import NewsCards, Streaks, look_at_news
from bot.notifications.sync import FailingDeliveries
from bot.offering import Offers
from bot.operations.agenda import DurableAgenda
from bot.operations.contracts import Allowed, Denied, Filters, NeedsApproval, Planned
from bot.operations.defects import report, sentence
from bot.operations.engine import Operations
from bot.operations.environments import DurableEnvironments
from bot.operations.seal import FilePublisher, HeadPublisher, Sealer, signing_key
from bot.planner import CommandPlanner
from bot.policy.rules import Rules, in_force
from bot.ports import Clock, Cluster, Deployments, Ports, Traffic, Turns, build_key
from bot.previewing import Previewing
from bot.previews.idleness import Senses
from bot.publishing import ChannelPublisher, GitPublisher
from bot.pull_request_notes import PullRequestNotes
from bot.pull_requests import PullRequests
from bot.queries import load_queries
from bot.rendering.delivery import Place
from bot.settings import Settings
from bot.slack.channels import Channels
from bot.slack.door import SlackDoor
from bot.slack.gateway import SlackGateway
from bot.slack.home import Creation, HomePublisher
from bot.slack.outbox import Outbox
from bot.slack.pace import SystemTimer
from bot.slack.rooms import SlackRooms
from bot.slack.socket_mode import SocketMode
from bot.slack.talk import SlackNames, Talk
from bot.storage.database import Database
from bot.storage.migrate import upgrade
from bot.sweeping.clicking import Sweepings
from bot.sweeping.nightly import Nightly
from bot.sweeping.telling import ACTION as SWEEP
from bot.systems import ledger_key_file, open_clusters, open_deployments, open_forge, open_observed, spoken_database
from bot.waiting import LocalWaiting
from commands import COMMANDS, health_why
from commands.health_why import HealthWhy
from integrations.github import GitHubForge
from integrations.github.webhooks import parse, verify
from integrations.prometheus import PrometheusTraffic
from integrations.resvg import ResvgPictures
from integrations.resvg import connect as connect_pictures

log = logging.getLogger(__name__)

SHIPPED_PATHS = Path(__file__).parent.parent / "manifests" / "golden_paths"
DOOR_TICK_S = 5.0
FIRST_SWEEP_S = 20.0
CHANNELS_S = 3.0
PEOPLE_S = 6 * 3600.0
CATCH_UP_S = 3.0
"""How often a replica looks for what another one has added to the catalog."""
AGENDA_S = 1.0
"""How often it is looked whether a term has come."""
TEMPLATE_SWEEP_S = 60.0
NIGHT_S = 2.0
"""How often it is looked whether the nightly sweep is due."""
HELD_S = 1.0
"""How often it is looked whether something that was held is to be told."""
ALERTS_S = 1.0
"""How often it is looked whether Alertmanager is to be asked, or a critical alert to be urged."""
FIGURES_S = 10.0
TIDY_S = 3600.0
MAX_HTTP_BODY = 26_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A running Causeway."""

    settings: Settings
    database: Database
    clock: Clock
    registry: Registry
    deps: Deps
    operations: Operations
    answer: Callable[[Query[Any], Any, Context], Awaitable[Answer]]
    tokens: Tokens
    timed: Middleware
    routes: tuple[web.RouteDef, ...]

    def web(self) -> web.Application:
        """The one HTTP application: Slack's edge, the API, webhooks, probes."""
        application = web.Application(middlewares=[self.timed, spoken_errors], client_max_size=MAX_HTTP_BODY)
        application.add_routes(self.routes)
        return application


@asynccontextmanager
async def open_app(settings: Settings) -> AsyncIterator[App]:
    """Open everything, hand it over, and close it in reverse order, whatever happened in between."""
    async with AsyncExitStack() as stack:
        yield await _Wiring(settings, stack).app()


class _Wiring:
    """Builds the parts in the order in which they need one another."""

    def __init__(self, settings: Settings, stack: AsyncExitStack) -> None:
        self._environment = settings.environment
        self._configuration = settings.configuration
        self._settings = settings
        self._stack = stack
        self.waiting = LocalWaiting()
        self._replica = settings.environment.replica or f"replica-{secrets.token_hex(4)}"

    async def app(self) -> App:
        self.session = await self._stack.enter_async_context(
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        )
        self.clock = await self._clock()
        self.database = await self._database()
        self._import_engine()
        self.forge = self._forge()
        self.catalog = await self._catalog()
        self.agenda = DurableAgenda(self.database, self.clock)
        self.environments = DurableEnvironments(self.database)
        self.alert_book = Book(self.database, self.clock)
        self.wishes = DurableNotifications(self.database)
        self.clusters, self.deployments = await self._platform()
        self._observed()
        self.deps = await self._deps()
        self.registry = Registry(COMMANDS)
        self.planner = CommandPlanner(self.registry, self.deps, self._rules())
        self.answer = Answering(self.deps, self._rules())
        self.gateway, self.channels = await self._slack()
        self.outbox = Outbox(
            self.database,
            self.gateway,
            self._cards(),
            fallback_channel=await self._fallback_channel(),
        )
        self.alert_book.told_through(self.outbox)
        self.streaks = Streaks(self.database, self.outbox, self.wishes.of_team, self.clock, replica=self._replica)
        self.builds = FailingBuilds(self.streaks, lambda: self.catalog.index)
        self.pages = self._home_pages()
        self.home = HomePublisher(self.gateway, self.pages, self.database)
        self.turns = Turns()
        self.notes = PullRequestNotes(self._view, self.forge, lambda: self.catalog.index, self.turns)
        self.operations = await self._operations()
        self.following = Following(self.deps, self.operations.submit, self.clock)
        self.pull_requests = PullRequests(self.deps, self.operations.submit, self.clock, self.notes.follow)
        self.previewing = self._previewing()
        door = await self._door()
        webhooks = await self._webhooks()
        alertmanager = await self._alerting()
        tokens = Tokens(
            [(full_ref(token.user, kind="user"), token.sha256) for token in self._configuration.api_tokens],
            self.catalog.principal,
        )
        api = Api(
            registry=self.registry,
            operations=self.operations,
            tokens=tokens,
            clock=self.clock,
            explain=explained,
            answer=self.answer,
        )
        metrics = Metrics(self.catalog, self.figures)
        probes = Probes({"database": self._database_trouble}, metrics.registry)
        self._background()
        return App(
            settings=self._settings,
            database=self.database,
            clock=self.clock,
            registry=self.registry,
            deps=self.deps,
            operations=self.operations,
            answer=self.answer,
            tokens=tokens,
            timed=metrics.timed,
            routes=(*door.routes(), *api.routes(), *webhooks.routes(), *alertmanager.routes(), *probes.routes()),
        )

    # --- below everything

    def _import_engine(self) -> None:
        """Have the durable engine's library read while golden paths are inspected in their children: start is quicker.

        Whoever needs the library before it is read waits for it; what stops it from being read is told there.
        """
        task = asyncio.create_task(asyncio.to_thread(_imported, "bot.operations.dbos_driver"), name="import-engine")
        self._stack.push_async_callback(ended, task)

    async def _clock(self) -> Clock:
        if not self._environment.clock_url:
            return machine_clock
        clock = FollowedClock(self._environment.clock_url, self.session)
        try:
            await clock.start()
        except (aiohttp.ClientError, TimeoutError):
            hint = "Start the playground first, or unset CAUSEWAY_CLOCK_URL: it is for the playground only."
            raise UpstreamUnavailable("The playground's clock does not answer.", hint=hint) from None
        self._stack.push_async_callback(clock.close)
        return clock

    async def _database(self) -> Database:
        with spoken_database():
            await asyncio.to_thread(upgrade, self._environment.database_url)
        database = Database(self._environment.database_url)
        self._stack.push_async_callback(database.close)
        return database

    def _forge(self) -> GitHubForge:
        forge = open_forge(self._settings)
        self._stack.push_async_callback(forge.close)
        return forge

    async def _catalog(self) -> Catalog:
        part = self._configuration.catalog
        catalog = Catalog(self.database, self.forge, self.clock, folders=part.folders, repositories=part.repositories)
        await catalog.load()
        if catalog.is_empty:
            # The first start ever: without people nobody could be recognised. Later starts know what the last one did.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FIRST_SWEEP_S):
                    await catalog.refresh()
        return catalog

    async def _platform(self) -> tuple[Mapping[str, Cluster], Deployments | None]:
        """The clusters and Argo CD as configured. Nothing is sent before the first call."""
        clusters = open_clusters(self._settings)
        for cluster in clusters.values():
            self._stack.push_async_callback(cluster.close)
        deployments = open_deployments(self._settings, clusters, self.clock)
        if deployments is not None:
            self._stack.push_async_callback(deployments.close)
        return clusters, deployments

    def _observed(self) -> None:
        """What measures, fires, writes and traces, as configured."""
        found = open_observed(self._settings)
        for port in found.opened:
            self._stack.push_async_callback(port.close)
        self.metrics, self.alerts, self.logs, self.traces = found.metrics, found.alerts, found.logs, found.traces

    def _rules(self) -> Rules:
        platform = self._configuration.platform
        return in_force(self._configuration.policy, platform.environments, platform.previews)

    async def _deps(self) -> Deps:
        part, github = self._configuration.golden_paths, self._configuration.github
        limits = Limits(memory=part.memory_mb * 1024 * 1024, cpu_s=part.cpu_s, wall_s=part.wall_s)
        sandbox = await self._stack.enter_async_context(Sandbox(limits))
        sources: list[Source] = [FolderSource(folder) for folder in part.folders or (SHIPPED_PATHS,)]
        sources += [GitSource(self.forge, git.repository, branch=git.ref, path=git.path) for git in part.repositories]
        self.templates = TemplateLibrary(sources, sandbox=sandbox, form=form_of)
        await self.templates.load()
        for broken in self.templates.broken():
            log.warning("golden_path_broken", extra={"source": broken.source, "problem": broken.message})
        names = ForgeNames(owner=github.organization, host=github.host, web_url=github.web_url)
        return Deps(
            forge=self.forge,
            catalog=lambda: self.catalog.index,
            templates=self.templates,
            runner=Runner(
                sandbox=sandbox, forge=names, entities=self.catalog, fetcher=ForgeFetcher(self.forge, github.web_url)
            ),
            broken=self._broken,
            organizations=frozenset(
                name.lower() for name in (github.organization, *github.other_organizations) if name
            ),
            private_repositories=github.private_repositories,
            platform=self._configuration.platform,
            queries=load_queries(self._configuration.platform.queries),
            clusters=self.clusters,
            deployments=self.deployments,
            agenda=self.agenda,
            environments=self.environments,
            metrics=self.metrics,
            alerts=self.alerts,
            logs=self.logs,
            traces=self.traces,
            alert_book=self.alert_book,
            notification_book=self.wishes,
            pictures=self._pictures(),
            groups_of_channel=self._groups_of_channel,
            in_lane=self._in_lane,
            history=self._history,
        )

    def _pictures(self) -> ResvgPictures:
        pictures = connect_pictures()
        self._stack.push_async_callback(pictures.close)
        return pictures

    def _broken(self) -> tuple[Mistake, ...]:
        paths = (Mistake(f"{one.source} {one.path}".strip(), one.message) for one in self.templates.broken())
        return (*self.catalog.mistakes, *paths)

    # --- Slack and the engine

    @property
    def _speaks_slack(self) -> bool:
        return bool(self._environment.slack_bot_token.get_secret_value())

    async def _slack(self) -> tuple[SlackGateway, Channels]:
        token = self._environment.slack_bot_token.get_secret_value()
        address = f"{self._environment.slack_api_url}/"
        gateway = SlackGateway(self.session, token, base_url=address, timer=SystemTimer())
        channels = Channels(gateway)
        if self._speaks_slack:
            await channels.start()
            self._stack.push_async_callback(channels.close)
        return gateway, channels

    async def _fallback_channel(self) -> str:
        """The platform channel's id; its name while Slack cannot be asked, which is enough to post."""
        name = self._configuration.slack.platform_channel
        if not self._speaks_slack:
            return name
        try:
            async with asyncio.timeout(CHANNELS_S):
                return await self.channels.find(name) or name
        except (TimeoutError, PlatformError):
            return name

    def _team_channels(self) -> TeamChannels:
        part = self._configuration.slack
        configured = {full_ref(group, kind="group"): channel for group, channel in part.channels.items()}
        return TeamChannels(lambda: self.catalog.index, self.channels, configured, part.platform_channel)

    def _home_pages(self) -> HomePages:
        async def recent(user: str) -> list[OperationView]:
            return await self.operations.list(Filters(user=user), 10)

        async def waiting(user: str) -> list[OperationView]:
            principal = self.catalog.index.principal(user)
            views = await self.operations.list(Filters(states=frozenset({State.AWAITING_APPROVAL})), 50)
            if principal is None:
                return []
            return [view for view in views if isinstance(await self.planner.may_approve(view, principal), Allowed)]

        def creations() -> list[Creation]:
            return [
                Creation(label=path.template.title, command=f"service.create {path.id}")
                for path in self.templates.list()
            ]

        def changed(slack_user: str) -> None:
            self.home.changed(slack_user)  # which is made from these pages, and so is not there yet

        watch = Watch(self.deps, self.clock, changed)
        self._stack.push_async_callback(watch.close)
        return HomePages(recent=recent, waiting=waiting, creations=creations, services=watch.lines)

    async def _operations(self) -> Operations:
        part = self._configuration.ledger
        publishers: list[HeadPublisher] = []
        if part.publish_file:
            publishers.append(FilePublisher(part.publish_file))
        if part.publish_git:
            publishers.append(GitPublisher(self.forge, part.publish_git.repository, part.publish_git.path))
        if part.publish_channel:
            publishers.append(ChannelPublisher(self.channels, self.outbox, part.publish_channel))
        key = signing_key(ledger_key_file(self._settings))
        operations = Operations(
            database=self.database,
            effects=effect_catalog(),
            ports=Ports(
                forge=self.forge,
                catalog=self.catalog,
                clusters=self.clusters,
                deployments=self.deployments,
                agenda=self.agenda,
                environments=self.environments,
                alerts=self.alerts,
                alert_book=self.alert_book,
                notification_book=self.wishes,
                conversations=SlackRooms(self.gateway, self.outbox, self._name_in_slack)
                if self._speaks_slack
                else None,
                waiting=self.waiting,
                turns=self.turns,
            ),
            planner=self.planner,
            announcer=Announcements(
                self.outbox,
                self.home.changed,
                self.notes.changed,
                judge=self._judge,
                directly=self._directly,
                clock=self.clock,
            ),
            clock=self.clock,
            replica=self._replica,
            sealer=Sealer(self.database, key, publishers, replica=self._replica, clock=self.clock),
        )
        if self._speaks_slack:
            await self.outbox.start()
            self._stack.push_async_callback(self.outbox.close)
            self._stack.push_async_callback(self.home.close)
        await operations.start()
        self._stack.push_async_callback(operations.close)
        return operations

    def _judge(self, change: Change) -> Judged:
        return judge(change, self.wishes.of_team, self.catalog.index, self.clock())

    def _directly(self, change: Change, need: Need | None, digest: str) -> Iterator[Direct]:
        return told_directly(change, need, digest, self.wishes.people(), self.catalog.index, now=self.clock())

    def _previewing(self) -> Previewing:
        talk = Talk(self.gateway, self.outbox) if self._speaks_slack else None
        return Previewing(
            self.deps,
            self.operations.submit,
            self._view,
            self.clock,
            senses=Senses(traffic=self._traffic(), talk=talk),
            name_in_slack=SlackNames(self.database),
        )

    def _traffic(self) -> Traffic | None:
        return PrometheusTraffic(self.metrics, clock=self.clock) if self.metrics else None

    async def _name_in_slack(self, ref: str) -> str | None:
        """Who somebody of the catalog is in Slack."""
        person = self.catalog.index.principal(ref)
        return await SlackNames(self.database)(person.email) if person is not None and person.email else None

    async def _view(self, operation: str) -> OperationView:
        return await self.operations.view(operation)

    async def _groups_of_channel(self, channel: str) -> tuple[str, ...]:
        """The groups that call this channel their own, from the configuration or the catalog."""
        index = self.catalog.index
        names = {full_ref(group, kind="group"): name for group, name in self._configuration.slack.channels.items()}
        names |= {
            group.ref: named
            for group in index.all(Group)
            if group.ref not in names and (named := index.channel_of(group.ref))
        }
        return tuple([ref for ref, name in sorted(names.items()) if await self.channels.find(name) == channel])

    async def _in_lane(self, lane: str) -> tuple[Behind, ...]:
        return await self.operations.in_lane(lane)

    async def _history(self, service: str, begin: datetime, end: datetime) -> tuple[OperationView, ...]:
        platform = self._configuration.platform
        lanes = [
            Place(platform=platform, service=service, environment=name, team="").lane for name in platform.environments
        ]
        return await self.operations.history(lanes, begin, end)

    async def _database_trouble(self) -> str | None:
        try:
            async with asyncio.timeout(2.0), self.database.read() as connection:
                await connection.exec_driver_sql("SELECT 1")
        except Exception:  # noqa: BLE001  # whatever it is: what arrives now could not be stored
            return "the database does not answer"
        return None

    # --- doors

    async def _door(self) -> SlackDoor:
        async def home_opened(principal: Principal, slack_user: str) -> None:
            self.pages.seen(slack_user, principal)
            await self.home.publish(slack_user, force=True)

        environment, part = self._environment, self._configuration.slack
        offers = Offers(self.operations, self.clock)
        alerts = AlertButtons(self.alert_book, self.operations, self.registry, self.clock)
        door = SlackDoor(
            signing_secret=environment.slack_signing_secret.get_secret_value(),
            bot_token=environment.slack_bot_token.get_secret_value(),
            api_url=environment.slack_api_url,
            contact=f"#{part.platform_channel}",
            session=self.session,
            commands=COMMANDS,
            deps=self.deps,
            answer=self.answer,
            database=self.database,
            operations=self.operations,
            directory=self.catalog,
            options=CatalogOptions(lambda: self.catalog.index),
            gateway=self.gateway,
            outbox=self.outbox,
            clock=self.clock,
            command_prefix=part.command_prefix,
            actions={
                "details": Details(self._view, self.outbox),
                **dict.fromkeys(OFFERED, offers),
                **{action: by_value(alerts, offers) if action in OFFERED else alerts for action in ASKS},
                SWEEP: Sweepings(self.operations, self.clock),
                WHY: WhyClicks(self.alert_book, self._why, self.outbox, self.clock, _told),
            },
            forms_of=FORMS,
            home=home_opened,
        )
        await door.start()
        self._stack.push_async_callback(door.close)
        self._every(DOOR_TICK_S, door.tick, "slack-door")
        if self._speaks_slack:
            self._every(PEOPLE_S, door.warm, "slack-people", at_once=True)
        if app_token := environment.slack_app_token.get_secret_value():
            sockets = SocketMode(
                session=self.session,
                api_url=environment.slack_api_url,
                app_token=app_token,
                deliver=door.deliver,
                clock=self.clock,
            )
            await sockets.start()
            self._stack.push_async_callback(sockets.close)
        return door

    async def _why(self, service: str, environment: str, context: Context) -> Answer:
        return await self.answer(health_why.QUERY, HealthWhy(service=service, environment=environment), context)

    async def _webhooks(self) -> GitHubWebhooks:
        async def handle(event: ForgeEvent) -> None:
            if isinstance(event, BuildEnded) and event.repository:
                self.waiting.announce(build_key(event.repository, event.sha))
                await self.builds.built(event)
                await self.following.built(event)
            if isinstance(event, PullRequestEvent):
                await self.pull_requests.changed(event)
            if isinstance(event, PullRequestComment):
                await self.pull_requests.said(event)
            is_news = isinstance(event, RepositoryEvent) or (isinstance(event, Push) and event.to_default_branch)
            if event.repository and is_news and self.catalog.watches(event.repository):
                await self.catalog.refresh(event.repository)
            if any(event.repository == git.repository for git in self._configuration.golden_paths.repositories):
                await self.templates.refresh()

        secret = self._environment.github_webhook_secret
        webhooks = GitHubWebhooks(
            self.database,
            self.clock,
            verify=lambda body, signature: verify(secret, body, signature),
            parse=parse,
            handle=handle,
        )
        await webhooks.start()
        self._stack.push_async_callback(webhooks.close)
        return webhooks

    # --- alerts

    def _cards(self) -> CardsByPrefix:
        """One source for all cards: the begin of an id says whose it is."""
        alerts = AlertCards(self.database, self.clock, catalog_names(lambda: self.catalog.index))
        news = NewsCards(self.database, self._owner_channels())
        operations = OperationCards(self._view, self._team_channels(), self.clock)
        return CardsByPrefix(operations, {GROUP: alerts, DIGEST: DigestCards(self.database), NEWS: news})

    async def _alerting(self) -> AlertmanagerWebhook:
        part, slack = self._configuration.alerts, self._configuration.slack
        self.figures = Figures()
        self.office: Office = open_office(
            self.database,
            self.outbox,
            self.channels,
            lambda: self.catalog.index,
            platform=self._configuration.platform,
            terms=Terms(
                wait=part.wait,
                unposted=part.unposted,
                budget=part.budget,
                budgets=part.budgets,
                platform_channel=slack.platform_channel,
                channels={full_ref(group, kind="group"): channel for group, channel in slack.channels.items()},
            ),
            clock=self.clock,
            replica=self._replica,
            figures=self.figures,
            wishes_of=self.wishes.of_team,
        )
        desk = self.office.desk
        webhook = AlertmanagerWebhook(
            self.database, self.clock, token=self._environment.alertmanager_token, stored=desk.stir
        )
        self._stack.push_async_callback(webhook.close)
        await desk.start()
        self._stack.push_async_callback(desk.close)
        return webhook

    # --- what goes on by itself

    def _background(self) -> None:
        notes = asyncio.create_task(self.notes.run(), name="pull-request-notes")
        self._stack.push_async_callback(ended, notes)
        sweep_s = self._configuration.catalog.sweep.total_seconds()
        self._every(sweep_s, self.catalog.refresh, "catalog", at_once=True)
        self._every(AGENDA_S, lambda: self.agenda.keep(self.operations.submit), "agenda")
        self._every(AGENDA_S, self.previewing.tick, "previews")
        self._every(CATCH_UP_S, self.catalog.catch_up, "catalog-of-other-replicas")
        self._every(CATCH_UP_S, self.wishes.catch_up, "notifications", at_once=True)
        self._every(ALERTS_S, self.office.urging.tick, "alerts-urging")
        self._every(FIGURES_S, self.office.measuring.tick, "alerts-figures")
        self._every(TIDY_S, self.office.desk.tidy, "alerts-tidy")
        if self.deps.alerts is not None:
            polling = Polling(
                self.deps.alerts,
                self.office.desk,
                self.database,
                self.clock,
                replica=self._replica,
                receivers=self._configuration.alerts.receivers,
            )
            self._every(ALERTS_S, polling.tick, "alerts-poll", at_once=True)
            quieting = Quieting(self.database, self.alert_book, self.deps.alerts, self.clock)
            self._every(ALERTS_S, quieting.tick, "alerts-silences")
        if self._speaks_slack:
            self._every(NIGHT_S, self._nightly().tick, "sweep", at_once=True)
            deliveries = FailingDeliveries(self.deps, self.streaks, self.database, self.clock, replica=self._replica)
            self._every(AGENDA_S, deliveries.tick, "failing-deliveries")
            self._every(HELD_S, self._morning().tick, "held-news", at_once=True)
        if self._configuration.golden_paths.repositories or self._configuration.golden_paths.folders:
            self._every(TEMPLATE_SWEEP_S, self.templates.refresh, "golden-paths")

    def _owner_channels(self) -> OwnerChannels:
        slack = self._configuration.slack
        configured = {full_ref(group, kind="group"): channel for group, channel in slack.channels.items()}
        return OwnerChannels(lambda: self.catalog.index, self.channels, configured, slack.platform_channel)

    def _morning(self) -> Morning:
        return Morning(
            self.database,
            self.outbox,
            self._owner_channels(),
            self._name_in_slack,
            self.clock,
            replica=self._replica,
            looks=(look_at_news,),
        )

    def _nightly(self) -> Nightly:
        return Nightly(
            self.deps,
            self.database,
            self.outbox,
            self._fallback_channel,
            replica=self._replica,
            clock=self.clock,
            tell_teams=TeamOrphans(self.database, self.outbox, self._owner_channels(), self.wishes.of_team).tell,
        )

    def _every(self, seconds: float, act: Callable[[], Awaitable[Any]], name: str, *, at_once: bool = False) -> None:
        task = asyncio.create_task(again_and_again(seconds, act, name, at_once=at_once), name=name)
        self._stack.push_async_callback(ended, task)


def explained(planned: Planned) -> JSON:
    match planned.decision:
        case Allowed():
            return {"allowed": True, "approval": None}
        case NeedsApproval(need=need):
            return {"allowed": True, "approval": {"by": sorted(need.approvers), "rule": need.rule}}  # type: ignore[dict-item]  # texts are JSON
        case Denied(sentence=sentence):
            return {"allowed": False, "because": sentence}


def _told(error: Exception) -> str:
    """Return what a person reads about an error; a defect of ours is logged under the reference that they quote."""
    return str(error) if isinstance(error, PlatformError) else sentence(report(error, "answer_failed"))


def _imported(module: str) -> None:
    with contextlib.suppress(Exception):  # told, with its traceback, where the module is needed
        importlib.import_module(module)
