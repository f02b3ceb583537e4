"""A company that deploys by Git, in memory: ask a command, look at its plan, let its commits happen, ask again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import yaml

from bot.command import Command, Context
from bot.deps import Deps
from bot.effects import CancelAppointment, CommitFiles, JoinProject, MakeAppointment, effect_catalog
from bot.golden_paths.sources import TemplateLibrary
from bot.golden_paths.steps import Runner
from bot.intake import request_of
from bot.model.effect import Effect, Run
from bot.model.late import ASKED, of_asking
from bot.model.operation import Behind
from bot.model.plan import Plan
from bot.model.platform import Platform
from bot.model.principal import Door, Principal
from bot.model.release import Release
from bot.ports import NewRepository, Ports
from bot.rendering.delivery.reading import parsed
from commands import COMMANDS
from tests.commands.company import known
from tests.fakes.agenda import FakeAgenda
from tests.fakes.catalog import FakeCatalog
from tests.fakes.deployments import FakeDeployments
from tests.fakes.forge import FakeForge

MONDAY = datetime.fromisoformat("2026-03-02T09:00:00+00:00")
GITOPS = "acme/gitops"
SOURCE = "acme/orders-api"
CATALOG = """
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: team-orders, annotations: {causeway.io/slack-channel: team-orders}}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: author}
spec: {profile: {displayName: Sample Author, email: author@acme.example}, memberOf: [team-orders]}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: teammate, annotations: {github.com/user-login: mate}}
spec: {profile: {displayName: Sample Teammate}, memberOf: [team-orders]}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: orders-api, annotations: {github.com/project-slug: acme/orders-api}}
spec: {type: service, lifecycle: production, owner: team-orders}
"""
PLATFORM = Platform.model_validate(
    {
        "clusters": {"main": {}},
        "environments": {
            "staging": {"cluster": "main", "domain": "staging.acme.example", "automatic": True},
            "production": {"cluster": "main", "domain": "acme.example", "approve": "owner", "max_replicas": 6},
        },
        "image_owner": "acme",
        "gitops": {"repository": GITOPS},
    }
)
DONE_BY_GIT = (CommitFiles, JoinProject, MakeAppointment, CancelAppointment)
"""Effects that a house lets happen; the others wait for, or tell, systems that it does not have."""


def document(name: str = "orders-api", **spec: Any) -> bytes:
    told = {"apiVersion": "platform.company.io/v1", "kind": "WebService", "metadata": {"name": name}, "spec": spec}
    return yaml.safe_dump(told).encode()


@dataclass
class House:
    forge: FakeForge = field(default_factory=FakeForge)
    agenda: FakeAgenda = field(default_factory=FakeAgenda)
    platform: Platform = PLATFORM
    catalog: str = CATALOG
    deployments: FakeDeployments | None = None
    lanes: dict[str, tuple[Behind, ...]] = field(default_factory=dict)
    now: datetime = MONDAY
    asked: int = 0

    async def begin(self) -> House:
        """Make the GitOps repository, and a service with one commit."""
        await self.forge.create_repository(NewRepository(GITOPS, "What runs where"))
        await self.forge.create_repository(NewRepository(SOURCE, "Orders"))
        self.push(replicas=2)
        return self

    def push(self, message: str = "Work", *, files: dict[str, bytes] | None = None, **spec: Any) -> str:
        """Commit to the service; return the commit."""
        return self.forge.push(SOURCE, {"platform.yaml": document(**spec), **(files or {})}, message=message)

    @property
    def deps(self) -> Deps:
        index = known(self.catalog)
        return Deps(
            forge=self.forge,
            catalog=lambda: index,
            templates=cast("TemplateLibrary", None),
            runner=cast("Runner", None),
            platform=self.platform,
            agenda=self.agenda,
            groups_of_channel=self._groups,
            deployments=self.deployments,
            in_lane=self._in_lane,
        )

    async def _in_lane(self, lane: str) -> tuple[Behind, ...]:
        return self.lanes.get(lane, ())

    async def _groups(self, channel: str) -> tuple[str, ...]:
        return ("group:default/team-orders",) if channel == "C-ORDERS" else ()

    def context(self, user: str = "author", channel: str | None = None) -> Context:
        self.asked += 1
        who = Principal(
            user=f"user:default/{user}", display_name=f"Sample {user.title()}", email=f"{user}@acme.example"
        )
        return Context(operation=f"op-{self.asked}", principal=who, door=Door.SLACK, now=self.now, channel=channel)

    async def plan(self, name: str, /, *, user: str = "author", channel: str | None = None, **request: Any) -> Plan:
        command = next(one for one in COMMANDS if one.name == name)
        assert isinstance(command, Command)
        context = self.context(user, channel)
        typed = request_of(command, request)
        plan: Plan = command.plan(typed, await command.facts(typed, context, self.deps))
        return plan

    async def do(self, name: str, /, *, user: str = "author", **request: Any) -> Plan:
        """Plan it and let its commits and appointments happen."""
        plan = await self.plan(name, user=user, **request)
        for effect in effects(plan):
            if isinstance(effect, DONE_BY_GIT):
                await self.bound(effect).apply(self.ports, self._run(effect, user))
        return plan

    async def undo(self, plan: Plan) -> None:
        for effect in reversed(effects(plan)):
            if isinstance(effect, DONE_BY_GIT):
                await self.bound(effect).undo(self.ports, self._run(effect, "author"), None)

    def bound(self, effect: Effect) -> Effect:
        """Return it as it is carried out: with id and time of the operation, after its commit."""
        return effect.bound({ASKED: of_asking(f"op-{self.asked}", self.now), "deliver": {"commitHash": "c0ffee"}})

    @property
    def ports(self) -> Ports:
        return Ports(forge=self.forge, catalog=FakeCatalog(), agenda=self.agenda)

    def _run(self, effect: Effect, user: str) -> Run:
        who = Principal(
            user=f"user:default/{user}", display_name=f"Sample {user.title()}", email=f"{user}@acme.example"
        )
        return Run(operation=f"op-{self.asked}", effect=effect.id, principal=who, now=self.now)

    def files(self, folder: str = "") -> dict[str, str]:
        """What the GitOps repository holds below a folder."""
        found = self.forge.files(GITOPS)
        return {path: text.decode() for path, text in found.items() if path.startswith(folder)}

    def release(self, environment: str = "staging") -> Release:
        text = self.files()[f"apps/orders-api/{environment}/.causeway/release.yaml"]
        found = parsed(text, "release")
        assert found is not None
        return found

    def object(self, kind: str, environment: str = "staging") -> dict[str, Any]:
        text = self.files()[f"apps/orders-api/{environment}/{kind.lower()}-orders-api.yaml"]
        found: dict[str, Any] = yaml.safe_load(text)
        return found

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)


def effects(plan: Plan) -> list[Effect]:
    return [effect_catalog().load(step.effect) for step in plan.steps]


def ids(plan: Plan) -> list[str]:
    return [step.id for step in plan.steps]
