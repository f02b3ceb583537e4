"""Argo CD through the cluster: what is read and followed, what may be written, and both adapters together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from bot.errors import NotFound, Refused, UpstreamUnavailable
from bot.ports import ObjectRef, Seen
from integrations.argocd import ApplicationResources, ArgoCDApi, ResourcesAndApi, connect
from integrations.argocd.resources import LOOK_AGAIN_S
from tests.fakes.cluster import FakeCluster
from tests.integrations.argocd.documents import HEAD, document, operation, project
from tests.integrations.argocd.stub import argo_cd

NAME = "orders-api-staging"
REF = ObjectRef("argoproj.io/v1alpha1", "Application", NAME, "argocd")
SATURDAY = datetime(2026, 3, 7, 12, 0, tzinfo=UTC)


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster(namespaces=["argocd"])


def reader(cluster: FakeCluster, **options: Any) -> ApplicationResources:
    return ApplicationResources(cluster, clock=lambda: SATURDAY, **options)


async def told(seen: AsyncIterator[Seen]) -> Seen:
    async with asyncio.timeout(30):
        return await anext(seen)


async def health(seen: AsyncIterator[Seen]) -> str:
    found = await told(seen)
    assert found.application is not None
    return found.application.health


def put(cluster: FakeCluster, name: str = NAME, **status: Any) -> None:
    cluster.put(document(name, **status))


async def test_reading(cluster: FakeCluster) -> None:
    put(cluster)
    put(cluster, "billing-staging")
    found = await reader(cluster).application(NAME)
    assert found is not None
    assert found.revision == HEAD
    assert await reader(cluster).application("nobody-staging") is None
    assert len(await reader(cluster).applications()) == 2
    of_orders = await reader(cluster).applications(labels={"causeway.io/service": "orders-api"})
    assert [one.name for one in of_orders] == [NAME]


async def test_following_with_one_watch_for_all(cluster: FakeCluster) -> None:
    put(cluster)
    resources = reader(cluster)
    async with aclosing(resources.follow(NAME)) as first, aclosing(resources.follow("late-staging")) as second:
        assert await health(first) == "Healthy"
        assert await told(second) == Seen()
        async with aclosing(resources.follow(NAME)) as third:
            assert await health(third) == "Healthy", "who comes later is told as well"
        assert len(cluster._watches) == 1
        put(cluster, health={"status": "Degraded"})
        assert await health(first) == "Degraded"
        put(cluster, "late-staging")
        assert await health(second) == "Healthy"
        cluster.remove(REF)
        assert await told(first) == Seen()
    assert cluster._watches == []


async def test_a_name_that_nobody_followed_until_now_is_read(cluster: FakeCluster) -> None:
    put(cluster)
    put(cluster, "other-staging", health={"status": "Degraded"})
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0)

    resources = reader(cluster, sleep=pause)
    async with aclosing(resources.follow(NAME)) as first:
        assert await health(first) == "Healthy"
        async with aclosing(resources.follow("other-staging")) as second:
            assert await health(second) == "Degraded"
        async with aclosing(resources.follow("nobody-staging")) as third:
            assert await told(third) == Seen()
        cluster.refuse("get", UpstreamUnavailable("The cluster is away."))
        async with aclosing(resources.follow("other-staging")) as fourth:
            assert (await told(fourth)).problem == "The cluster is away. Causeway goes on by itself once it answers."
            assert await health(fourth) == "Degraded"
            assert pauses == [LOOK_AGAIN_S]


async def test_being_out_of_sight_is_told_once_and_ends_by_itself(cluster: FakeCluster) -> None:
    put(cluster)
    resources = reader(cluster)
    async with aclosing(resources.follow(NAME)) as seen:
        assert await health(seen) == "Healthy"
        cluster.lose_watches("The cluster cannot be reached.")
        assert await told(seen) == Seen(problem="The cluster cannot be reached.")
        async with aclosing(resources.follow(NAME)) as late:
            assert await told(late) == Seen(problem="The cluster cannot be reached.")
        cluster.mend_watches()
        assert await health(seen) == "Healthy"
        cluster.lose_watches("Again.")
        assert (await told(seen)).problem == "Again."
        cluster.remove(REF)
        cluster.mend_watches()
        assert await told(seen) == Seen()


async def test_a_defect_reaches_who_follows(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_args: object, **_named: object) -> AsyncIterator[object]:
        nothing: object
        for nothing in ():
            yield nothing
        raise RuntimeError("a defect")

    monkeypatch.setattr(cluster, "watch", broken)
    async with aclosing(reader(cluster).follow(NAME)) as seen:
        with pytest.raises(RuntimeError, match="a defect"):
            await told(seen)


@pytest.mark.parametrize("act", ["refresh", "sync"])
async def test_without_the_right_to_write_it_says_what_to_configure(cluster: FakeCluster, act: str) -> None:
    put(cluster)
    with pytest.raises(Refused) as refused:
        await getattr(reader(cluster), act)(NAME)
    assert str(refused.value) == (
        f"Causeway may not {act} {NAME}: it only reads Argo CD's resources. Set CAUSEWAY_ARGOCD_URL and "
        "CAUSEWAY_ARGOCD_TOKEN, so that Argo CD's API is asked; or grant the right to patch Applications "
        "(manifests/install/components/argocd-write) and set `platform.argocd.write_applications: true`."
    )
    assert "apply" not in cluster.calls


async def test_a_refresh_is_an_annotation(cluster: FakeCluster) -> None:
    put(cluster)
    await reader(cluster, may_write=True).refresh(NAME)
    live = cluster.find(REF)
    assert live["metadata"]["annotations"] == {"argocd.argoproj.io/refresh": "normal"}
    assert live["spec"] == document()["spec"]


async def test_a_sync_is_an_operation(cluster: FakeCluster) -> None:
    put(cluster)
    await reader(cluster, may_write=True).sync(NAME, revision=HEAD)
    live = cluster.find(REF)
    assert live["operation"] == {
        "initiatedBy": {"username": "causeway"},
        "sync": {"revision": HEAD, "prune": True, "syncOptions": ["CreateNamespace=true"]},
    }
    assert live["spec"] == document()["spec"]
    before = cluster.world()
    await reader(cluster, may_write=True).refresh(NAME)
    assert cluster.world() == before, "a refresh does not take the operation away before it begins"


async def test_a_sync_beside_another_changes_nothing(cluster: FakeCluster) -> None:
    put(cluster, operationState=operation("Running", "one or more tasks are running"))
    await reader(cluster, may_write=True).sync(NAME)
    assert "apply" not in cluster.calls


@pytest.mark.parametrize("act", ["refresh", "sync", "windows"])
async def test_an_unknown_application_is_never_made(cluster: FakeCluster, act: str) -> None:
    with pytest.raises(NotFound, match="Argo CD has no application `orders-api-staging`"):
        await getattr(reader(cluster, may_write=True), act)(NAME)
    assert cluster.find(REF) is None


async def test_a_closed_window_refuses_a_sync(cluster: FakeCluster) -> None:
    put(cluster)
    window = {"kind": "deny", "schedule": "0 18 * * 5", "duration": "60h", "applications": ["orders-*"]}
    cluster.put(project(window))
    resources = reader(cluster, may_write=True)
    assert not (await resources.windows(NAME)).may_sync
    with pytest.raises(Refused, match="the sync window `deny 0 18 \\* \\* 5 for 60h` is open"):
        await resources.sync(NAME)
    assert "operation" not in cluster.find(REF)
    cluster.put(project({**window, "manualSync": True}))
    await resources.sync(NAME)
    assert "operation" in cluster.find(REF)


def test_where_a_person_looks(cluster: FakeCluster) -> None:
    assert reader(cluster, web_url="https://argocd.example/").web_url(NAME) == (
        f"https://argocd.example/applications/argocd/{NAME}"
    )
    assert reader(cluster).web_url(NAME) == ""


# --- both together


async def test_together_they_read_resources_and_act_through_the_api(cluster: FakeCluster) -> None:
    put(cluster)
    async with argo_cd() as (stub, api):
        stub.put(document(health={"status": "Degraded"}))
        both = ResourcesAndApi(reader(cluster), api)
        found = await both.application(NAME)
        assert found is not None
        assert found.health == "Healthy"
        assert len(await both.applications()) == 1
        async with aclosing(both.follow(NAME)) as seen:
            assert await health(seen) == "Healthy"
        await both.refresh(NAME)
        await both.sync(NAME)
        await both.windows(NAME)
        assert [(method, path.rpartition("/")[2]) for method, path, _, _ in stub.asked] == [
            ("GET", NAME),
            ("POST", "sync"),
            ("GET", "syncwindows"),
        ]
        assert both.web_url(NAME) == api.web_url(NAME)
        await both.close()


@pytest.mark.parametrize("error", [NotFound("The cluster does not know the kind."), Refused("We may not.")])
async def test_where_the_cluster_hides_applications_the_api_tells(cluster: FakeCluster, error: Exception) -> None:
    cluster.refuse("get", error, times=99)
    async with argo_cd() as (stub, api):
        stub.put(document())
        both = ResourcesAndApi(reader(cluster), api)
        assert await both.application(NAME) is not None
        async with aclosing(both.follow(NAME)) as seen:
            assert await health(seen) == "Healthy"
        await both.close()


async def test_a_cluster_that_is_away_decides_nothing(cluster: FakeCluster) -> None:
    put(cluster)
    cluster.refuse("get", UpstreamUnavailable("The cluster is away."), times=2)
    async with argo_cd() as (_, api):
        both = ResourcesAndApi(reader(cluster), api)
        with pytest.raises(UpstreamUnavailable):
            await both.application(NAME)
        assert await both.application(NAME) is not None
        await both.close()


def test_what_is_connected_by_what_is_configured(cluster: FakeCluster) -> None:
    def kind(**given: Any) -> type[object]:
        return type(connect(clock=lambda: SATURDAY, **given))

    address = {"url": "https://argocd.example", "token": SecretStr("x")}
    assert kind() is type(None)
    assert kind(cluster=cluster) is ApplicationResources
    assert kind(**address) is ArgoCDApi
    assert kind(cluster=cluster, **address) is ResourcesAndApi
