"""Which databases a preview gets that its request does not name."""

from __future__ import annotations

from typing import Any

import pytest

from bot.command import Context
from bot.effects import ApplyObjects, AwaitDatabase
from bot.errors import Refused
from bot.model.plan import Plan
from bot.model.principal import Door, Principal
from bot.ports import NewRepository
from bot.previews.asking import PreviewUp
from bot.releases.services import SLUG
from commands.preview_up import COMMAND
from tests.commands.running import COMPANY
from tests.previews.asking import effects, plan, platform, runs, village
from tests.previews.village import MONDAY, Village
from tests.releases.house import document

WEB = "acme/checkout-web"


async def with_staging(seed: str = "", *, requested: dict[str, Any] | None, **spec: Any) -> Village:
    """Return a village whose orders-api runs in staging, perhaps with a database that somebody has asked for."""
    made = await village(platform(seed=seed), **spec)
    await runs(made, "staging", requested, **spec)
    return made


REQUESTED = {"size": "medium", "by": "user:default/author", "at": MONDAY}


def awaited(found: Plan) -> list[str]:
    return [one.name for one in effects(found) if isinstance(one, AwaitDatabase)]


def cluster(found: Plan) -> dict[str, Any]:
    """The database's Cluster as the plan would apply it."""
    (delivered,) = [one for one in effects(found) if isinstance(one, ApplyObjects)]
    (only,) = [one for one in delivered.objects if one["kind"] == "Cluster"]
    return dict(only)


async def test_a_database_that_was_asked_for_by_command_is_in_the_preview_too() -> None:
    made = await with_staging(requested=REQUESTED)
    found = await plan(made, "preview.up", name="demo", services=["orders-api"])
    assert awaited(found) == ["orders-api-db"]
    assert cluster(found)["spec"]["storage"]["size"] == "10Gi", "of the first size: a preview holds little"
    assert set(cluster(found)["spec"]["bootstrap"]["initdb"]) == {"database", "owner"}, "it begins empty"


async def test_it_is_filled_from_where_the_platform_fills_previews() -> None:
    made = await with_staging("staging", requested={**REQUESTED, "size": "small"})
    found = await plan(made, "preview.up", name="demo", services=["orders-api"])
    assert "import" in cluster(found)["spec"]["bootstrap"]["initdb"]
    empty = await plan(made, "preview.up", name="demo", services=["orders-api"], seed="none")
    assert "import" not in cluster(empty)["spec"]["bootstrap"]["initdb"]


CHECKOUT = Principal(
    user="user:default/buyer", display_name="Sample Buyer", groups=frozenset({"group:default/team-checkout"})
)


async def ask_as_checkout(made: Village, **request: Any) -> Plan:
    annotated = f"{{name: checkout-web, annotations: {{{SLUG}: {WEB}}}}}"
    made.catalog = COMPANY.replace("{name: checkout-web}", annotated)
    if await made.forge.repository(WEB) is None:
        await made.forge.create_repository(NewRepository(WEB, ""))
        made.forge.push(WEB, {"platform.yaml": document().replace(b"orders-api", b"checkout-web")})
    context = Context(operation="op-1", principal=CHECKOUT, door=Door.SLACK, now=made.now)
    typed = PreviewUp.model_validate(request)
    return COMMAND.plan(typed, await COMMAND.facts(typed, context, made.deps))


async def test_no_image_of_ones_own_reads_another_teams_data() -> None:
    """Whoever wants to look into their database asks `/database connect`, which they approve."""
    made = await with_staging("staging", requested={**REQUESTED, "size": "small"})
    strange = {"checkout-web": "", "orders-api": "ghcr.io/evil/acme/orders-api:1"}
    with pytest.raises(Refused, match="orders-api is of team-orders, and with an image of your own it would read a co"):
        await ask_as_checkout(made, name="demo", services=strange)
    assert (
        await ask_as_checkout(made, name="demo", services=strange, seed="none")
    ).owner == "group:default/team-checkout"
    own = {"checkout-web": "", "orders-api": "ghcr.io/acme/orders-api:other"}
    assert awaited(await ask_as_checkout(made, name="demo", services=own)) == ["orders-api-db"]
    assert awaited(await plan(made, "preview.up", name="demo", services={"orders-api": strange["orders-api"]}))


async def test_so_is_one_that_the_document_asks_for() -> None:
    made = await with_staging("staging", requested=None, database={"type": "postgresql"})
    found = await plan(made, "preview.up", name="demo", services=["orders-api"])
    assert "import" in cluster(found)["spec"]["bootstrap"]["initdb"]


@pytest.mark.parametrize("seed", ["", "staging"])
async def test_a_service_without_one_gets_none(seed: str) -> None:
    made = await with_staging(seed, requested=None)
    assert awaited(await plan(made, "preview.up", name="demo", services=["orders-api"])) == []


async def test_what_stands_nowhere_yet_begins_empty() -> None:
    made = await village(platform(seed="staging"), database={"type": "postgresql"})
    found = await plan(made, "preview.up", name="demo", services=["orders-api"])
    assert "import" not in cluster(found)["spec"]["bootstrap"]["initdb"]
