"""Ask preview commands of a village with a service: plan them, without letting anything happen."""

from __future__ import annotations

from typing import Any, cast

import yaml

from bot.command import Command, Context
from bot.effects import effect_catalog
from bot.intake import request_of
from bot.model.effect import Effect, Run
from bot.model.late import ASKED, of_asking
from bot.model.plan import Plan
from bot.model.platform import Platform
from bot.model.principal import Door, Principal
from bot.model.release import Release
from bot.ports import Cluster, NewRepository, Ports
from bot.releases.services import service_of
from bot.rendering.delivery.change import release_file, release_text
from commands import COMMANDS
from tests.commands.running import COMPANY
from tests.fakes.catalog import FakeCatalog
from tests.previews.village import MONDAY, Village
from tests.releases.house import document

ORDERS = "group:default/team-orders"
AUTHOR = Principal(user="user:default/author", display_name="Sample Author", groups=frozenset({ORDERS}))
SOURCE, GITOPS = "acme/orders-api", "acme/gitops"

SEEDED = {"seeding": {"method": "import", "secret": "reads-staging"}}


def platform(**previews: Any) -> Platform:
    return Platform.model_validate(
        {
            "clusters": {"main": {}},
            "environments": {
                "staging": {"cluster": "main", "domain": "staging.acme.example", "database": SEEDED},
                "production": {
                    "cluster": "main",
                    "domain": "acme.example",
                    "personal_data": True,
                    "database": SEEDED,
                },
            },
            "image_owner": "acme",
            "gitops": {"repository": GITOPS},
            "previews": {"base": "staging", "domain": "preview.acme.example", "longest": "10d", **previews},
        }
    )


async def village(given: Platform | None = None, **spec: Any) -> Village:
    """Return a village whose orders-api has one commit."""
    made = Village(platform=given or platform(), catalog=COMPANY)
    for name in (SOURCE, GITOPS):
        await made.forge.create_repository(NewRepository(name, ""))
    made.forge.push(GITOPS, {"README.md": b"What runs where"})
    made.forge.push(SOURCE, {"platform.yaml": document(**spec)})
    return made


async def runs(made: Village, environment: str, requested: dict[str, Any] | None = None, **spec: Any) -> None:
    """Let orders-api run in an environment, perhaps with a database that somebody has asked for."""
    service = service_of(next(one for one in made.deps.catalog().components() if one.label == "orders-api"))
    place = service.place(made.deps, environment)
    head = await made.forge.branch_head(service.repository, "main")
    assert head is not None
    release = Release.model_validate(
        {
            "service": "orders-api",
            "environment": environment,
            "team": "team-orders",
            "repository": service.repository,
            "current": {
                "version": {"name": head.sha[:7], "commit": head.sha, "image": f"ghcr.io/acme/orders-api:{head.sha}"},
                "at": MONDAY,
                "by": "user:default/author",
                "operation": "op-0",
            },
            "document": yaml.safe_load(document(**spec)),
            "database": requested,
        }
    )
    made.forge.push(GITOPS, {release_file(place): release_text(release).encode()})


async def plan(made: Village, command_name: str, /, *, door: Door = Door.SLACK, **request: Any) -> Plan:
    """Return the plan of a command of the author's."""
    command = next(one for one in COMMANDS if one.name == command_name)
    assert isinstance(command, Command)
    context = Context(operation="op-1", principal=AUTHOR, door=door, now=made.now)
    typed = request_of(command, request)
    found: Plan = command.plan(typed, await command.facts(typed, context, made.deps))
    return found


async def applied(made: Village, done: Plan) -> None:
    """Let what a plan delivers straight to the cluster be there."""
    for effect in effects(done):
        if effect.kind in ("cluster.apply_objects", "book.enter"):
            bound = effect.bound({ASKED: of_asking("op-1", made.now)})
            ports = Ports(
                forge=made.forge,
                catalog=FakeCatalog(),
                clusters={"main": cast("Cluster", made.cluster)},
                environments=made.book,
            )
            await bound.apply(ports, Run(operation="op-1", effect=bound.id, principal=AUTHOR, now=made.now))


def effects(of: Plan) -> list[Effect]:
    return [effect_catalog().load(step.effect) for step in of.steps]


def kinds(of: Plan) -> list[str]:
    return [effect.kind for effect in effects(of)]
