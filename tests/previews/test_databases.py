"""Which databases a preview gets that its request does not name."""

from __future__ import annotations

from typing import Any

import pytest

from bot.effects import ApplyObjects, AwaitDatabase
from bot.model.plan import Plan
from tests.previews.asking import effects, plan, platform, runs, village
from tests.previews.village import MONDAY, Village


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
