"""What is said before a direct delivery that the cluster would refuse."""

from __future__ import annotations

import pytest

from bot.errors import Refused
from bot.model.platform import Platform
from bot.rendering.delivery import Place, refuse_without_rights
from bot.rendering.delivery.rights import IN_PREVIEWS, WRITTEN
from bot.rendering.previews import place_of
from bot.terminal.doctor.rights import DIRECT, granted
from tests.fakes.cluster import FakeCluster

PLATFORM = Platform.model_validate({"environments": {"staging": {"delivery": "direct"}, "production": {}}})
NAMESPACE = "orders-staging"


def place(environment: str = "staging") -> Place:
    return Place(platform=PLATFORM, service="orders", environment=environment, team="team-orders")


def test_the_component_grants_all_that_is_asked_for() -> None:
    component = {(right.group, right.resource) for right in granted(DIRECT) if right.verb == "patch"}
    assert {(version.rpartition("/")[0], resource) for version, resource in (*WRITTEN, *IN_PREVIEWS)} <= component


async def test_with_all_rights_nothing_is_said() -> None:
    await refuse_without_rights(place(), {"default": FakeCluster(namespaces=[NAMESPACE])})
    await refuse_without_rights(place(), {"default": FakeCluster()})  # it may be made


async def test_what_may_not_be_written_is_named() -> None:
    cluster = FakeCluster(namespaces=[NAMESPACE])
    cluster.denied = {("patch", "ingresses"), ("patch", "services")}
    with pytest.raises(Refused) as refused:
        await refuse_without_rights(place(), {"default": cluster})
    assert str(refused.value) == (
        "staging is delivered straight to the cluster `default`, which does not let Causeway write services or "
        "ingresses in the namespace `orders-staging`. The platform team grants that with "
        "`manifests/install/components/direct-delivery`; `causeway doctor` says what is missing."
    )


async def test_a_preview_needs_the_rights_to_its_limits_as_well() -> None:
    platform = Platform.model_validate({"environments": {"staging": {}}, "previews": {"base": "staging"}})
    cluster = FakeCluster(namespaces=["pr-1", NAMESPACE])
    cluster.denied = {("patch", "resourcequotas")}
    with pytest.raises(Refused, match="does not let Causeway write resourcequotas in the namespace `pr-1`"):
        await refuse_without_rights(place_of(platform, "pr-1", "team-orders"), {"default": cluster})
    await refuse_without_rights(place(), {"default": cluster})


async def test_a_missing_namespace_that_cannot_be_made_is_named() -> None:
    cluster = FakeCluster()
    cluster.denied = {("create", "namespaces")}
    with pytest.raises(Refused, match="has no namespace `orders-staging`, and does not let Causeway make one"):
        await refuse_without_rights(place(), {"default": cluster})


async def test_nothing_is_asked_where_git_delivers() -> None:
    cluster = FakeCluster()
    cluster.denied = {("create", "namespaces"), *(("patch", resource) for _, resource in WRITTEN)}
    await refuse_without_rights(place("production"), {"default": cluster})
    assert cluster.calls == []
