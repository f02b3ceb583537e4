"""Waiting until a database is ready: what ends the wait, what is told meanwhile, what it survives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.effects import AwaitDatabase
from bot.effects.database import MainObject
from bot.effects.database_wait import LONGEST_PAUSE_S, TICK_S
from bot.errors import Refused, UpstreamUnavailable
from bot.model.effect import Outcome
from bot.ports import ObjectRef, Ports
from tests.effects.databases import AWAIT_DATABASE, CNPG, MAIN, NAME, SECRET
from tests.effects.scenes import NAMESPACE, run
from tests.effects.test_await_healthy import SteppedWaiting, quiet
from tests.fakes.catalog import FakeCatalog
from tests.fakes.cluster import FakeCluster
from tests.fakes.forge import FakeForge

AWS = "database.aws.crossplane.io/v1beta1"
EFFECT = AWAIT_DATABASE.model_copy(update={"patience_s": 60, "contact": "#databases"})
IN_CLOUD = AwaitDatabase(
    id="await",
    cluster="default",
    namespace=NAMESPACE,
    main=MainObject(api_version=AWS, kind="RDSInstance", name=NAME),
    secret=f"{NAME}-connection",
    name=NAME,
    provider="crossplane",
    patience_s=60,
)
BY_FILE = AwaitDatabase(
    id="await", cluster="default", namespace=NAMESPACE, secret=f"{NAME}-db", name=NAME, provider="git", patience_s=60
)


@dataclass
class Scene:
    cluster: FakeCluster = field(default_factory=lambda: FakeCluster(namespaces=[NAMESPACE]))
    time: SteppedWaiting = field(default_factory=SteppedWaiting)
    told: list[tuple[str, bool]] = field(default_factory=list)

    @property
    def last(self) -> tuple[str, bool]:
        return self.told[-1]

    @property
    def texts(self) -> list[str]:
        return [text for index, (text, _) in enumerate(self.told) if index == 0 or self.told[index - 1][0] != text]

    async def report(self, text: str, *, stalled: bool = False) -> None:
        self.told.append((text, stalled))

    @asynccontextmanager
    async def awaiting(self, effect: AwaitDatabase = EFFECT) -> AsyncIterator[asyncio.Task[Outcome]]:
        ports = Ports(forge=FakeForge(), catalog=FakeCatalog(), clusters={"default": self.cluster}, waiting=self.time)
        this = run(effect).model_copy(update={"report": self.report})
        task = asyncio.create_task(effect.apply(ports, this))
        await quiet()
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert self.cluster._watches == [], "nobody watches any more"

    async def instances(self, phase: str, ready: int, *, wanted: int = 2, **spec: Any) -> None:
        status: dict[str, Any] = (
            {"phase": phase, "readyInstances": ready, "writeService": f"{NAME}-rw"} if phase else {}
        )
        self.cluster.put(
            {
                "apiVersion": CNPG,
                "kind": "Cluster",
                "metadata": {"name": NAME, "namespace": NAMESPACE},
                "spec": {"instances": wanted, **spec},
                "status": status,
            }
        )
        await quiet()

    async def claim(self, phase: str) -> None:
        metadata = {"name": f"{NAME}-1", "namespace": NAMESPACE, "labels": {"cnpg.io/cluster": NAME}}
        spec = {"storageClassName": "fast", "resources": {"requests": {"storage": "10Gi"}}}
        claim: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": metadata,
            "spec": spec,
        }
        self.cluster.put({**claim, "status": {"phase": phase}})
        metadata = {"name": "event-1", "namespace": NAMESPACE}
        about = {"kind": "PersistentVolumeClaim", "name": f"{NAME}-1"}
        why = 'storageclass.storage.k8s.io "fast" not found'
        event: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": metadata,
            "involvedObject": about,
            "message": why,
        }
        self.cluster.put({**event, "reason": "ProvisioningFailed", "type": "Warning"})
        await quiet()

    async def secret(self, name: str = SECRET) -> None:
        metadata = {"name": name, "namespace": NAMESPACE}
        held: dict[str, Any] = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
        self.cluster.put({**held, "data": {"password": "aHVzaA=="}})
        await quiet()

    async def in_cloud(self, *conditions: tuple[str, str, str, str], state: str = "") -> None:
        told: list[Any] = [dict(zip(("type", "status", "reason", "message"), one, strict=True)) for one in conditions]
        endpoint = {"address": "orders-db.abc.rds.example", "port": 5432}
        metadata: dict[str, Any] = {"name": NAME, "annotations": {"crossplane.io/external-name": "orders-db-x7"}}
        at: dict[str, Any] = {"dbInstanceStatus": state, "endpoint": endpoint if state == "available" else {}}
        self.cluster.put(
            {
                "apiVersion": AWS,
                "kind": "RDSInstance",
                "metadata": metadata,
                "spec": {"forProvider": {"region": "eu-central-1"}},
                "status": {"conditions": told, "atProvider": at},
            }
        )
        await quiet()


def stuck(*words: str) -> tuple[str, bool]:
    return "".join(words), True


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_it_tells_how_far_the_database_is_and_ends_once_it_is_ready_and_bound(scene: Scene) -> None:
    async with scene.awaiting() as task:
        await scene.instances("", 0)
        await scene.instances("Setting up primary", 0)
        await scene.instances("Creating a new replica", 1)
        await scene.instances("Cluster in healthy state", 2)
        assert not task.done(), "nobody can connect yet"
        await scene.secret()
        await scene.time.forward(TICK_S)
        outcome = await task
    assert scene.texts == [
        "Waiting for Cluster orders-db in orders-staging to be made.",
        "Waiting for the database operator to take it up.",
        "Setting up the first of 2 instances.",
        "1 of 2 instances is ready; setting up instance 2.",
        "It runs; waiting for its Secret orders-db-app.",
    ]
    assert not any(stalled for _, stalled in scene.told)
    assert outcome.outputs == {"state": "ready", "host": "orders-db-rw.orders-staging", "external_name": ""}
    assert outcome.seen == "the database orders-db is ready with 2 of 2 instances"
    assert not outcome.changed


async def test_no_value_of_the_secret_is_asked_for(scene: Scene) -> None:
    await scene.instances("Cluster in healthy state", 2)
    await scene.secret()
    async with scene.awaiting() as task:
        await task
    assert scene.cluster.calls.count("exists") == 1
    assert scene.cluster.calls.count("get") == 1, "its main object alone was read"
    assert "aHVzaA" not in task.result().model_dump_json()


async def test_what_waiting_cannot_mend_is_told_at_once_and_mended_it_goes_on(scene: Scene) -> None:
    await scene.instances("Setting up primary", 0)
    await scene.claim("Pending")
    async with scene.awaiting() as task:
        assert scene.last == stuck(
            "The database orders-db is not ready: its volume orders-db-1 (10Gi, storage class fast) cannot be made, "
            "because the storage class fast does not exist. Have that class made, or another one chosen. "
            "Ask #databases."
        )
        await scene.claim("Bound")
        await scene.time.forward(LONGEST_PAUSE_S)
        assert scene.last == ("Setting up the first of 2 instances.", False)
        await scene.secret()
        await scene.instances("Cluster in healthy state", 2)
        await task


async def test_silence_is_told_after_the_patience_only(scene: Scene) -> None:
    await scene.instances("", 0)
    async with scene.awaiting():
        await scene.time.forward(55)
        assert scene.last == ("Waiting for the database operator to take it up.", False)
        await scene.time.forward(10)
        assert scene.last == stuck(
            "The database orders-db is not ready: its operator, CloudNativePG, has not taken it up. Have somebody look "
            "whether the operator runs and watches this namespace. Ask #databases."
        )


async def test_whatever_moves_renews_the_patience(scene: Scene) -> None:
    await scene.instances("Setting up primary", 0)
    async with scene.awaiting():
        await scene.time.forward(55)
        await scene.instances("Creating a new replica", 1)
        await scene.time.forward(55)
        assert not any(stalled for _, stalled in scene.told)


async def test_what_does_not_change_is_looked_at_less_and_less_often(scene: Scene) -> None:
    await scene.instances("Setting up primary", 0)
    async with scene.awaiting():
        await scene.time.forward(3600)
        assert scene.cluster.calls.count("get") < 3600 / LONGEST_PAUSE_S + 10


async def test_where_secrets_may_not_be_looked_at_the_operator_is_believed(scene: Scene) -> None:
    scene.cluster.refuse("exists", Refused("We may not get secrets."), times=99)
    await scene.instances("Cluster in healthy state", 2)
    async with scene.awaiting() as task:
        assert scene.last == ("It runs; waiting for its Secret orders-db-app.", False)
        found = scene.cluster.find(MAIN)
        found["status"]["secretsResourceVersion"] = {"applicationSecretVersion": "7"}
        scene.cluster.put(found)
        await quiet()
        outcome = await task
    assert outcome.seen == "the database orders-db is ready with 2 of 2 instances"


async def test_a_cloud_database_tells_its_address_and_its_name_in_the_cloud(scene: Scene) -> None:
    scene.cluster.refuse("exists", Refused("We may not get secrets."), times=99)
    synced = ("Synced", "True", "ReconcileSuccess", "")
    await scene.in_cloud(synced, ("Ready", "False", "Creating", ""), state="creating")
    async with scene.awaiting(IN_CLOUD) as task:
        assert scene.last == ("The cloud is creating it.", False)
        await scene.in_cloud(synced, ("Ready", "True", "Available", ""), state="available")
        outcome = await task
    assert outcome.outputs == {"state": "ready", "host": "orders-db.abc.rds.example", "external_name": "orders-db-x7"}
    assert "the cloud calls it orders-db-x7" in outcome.seen


async def test_a_refusing_cloud_is_told_at_once(scene: Scene) -> None:
    message = (
        "create failed: cannot create RDS instance: operation error RDS: CreateDBInstance, https response error "
        "StatusCode: 400, RequestID: 8f2b, api error InvalidParameterValue: MasterUsername admin cannot be used as it "
        "is a reserved word used by the engine"
    )
    await scene.in_cloud(("Synced", "False", "ReconcileError", message), ("Ready", "False", "Creating", ""))
    async with scene.awaiting(IN_CLOUD):
        assert scene.last == stuck(
            "The database orders-db is not ready: the cloud refuses what was asked for (MasterUsername admin cannot be "
            "used as it is a reserved word used by the engine). Have what it names changed, and try again. "
            "Ask the platform team."
        )


async def test_of_a_file_in_git_only_the_secret_tells(scene: Scene) -> None:
    async with scene.awaiting(BY_FILE) as task:
        assert scene.last == ("Waiting for its Secret orders-db-db, which whoever makes it writes.", False)
        await scene.time.forward(65)
        assert scene.last[0].startswith("The database orders-db is not ready: its Secret orders-db-db is not in")
        await scene.secret(f"{NAME}-db")
        await scene.time.forward(LONGEST_PAUSE_S)
        outcome = await task
    assert outcome.outputs["state"] == "ready"


async def test_an_unknown_kind_is_told_at_once(scene: Scene) -> None:
    effect = EFFECT.model_copy(update={"main": MainObject(api_version="x.example/v1", kind="Store", name=NAME)})
    async with scene.awaiting(effect):
        assert scene.last == stuck(
            "The database orders-db cannot be made: the cluster does not know the kind Store of x.example, so "
            "CloudNativePG is not installed there. Have it installed, or have another provider chosen for this "
            "environment. Ask #databases."
        )


async def test_a_cluster_that_is_away_is_waited_for(scene: Scene) -> None:
    await scene.secret()
    await scene.instances("Setting up primary", 0)
    scene.cluster.refuse("get", UpstreamUnavailable("The cluster `default` cannot be reached."), times=3)
    async with scene.awaiting() as task:
        away = "The cluster `default` cannot be reached. Causeway goes on by itself once it answers."
        assert scene.last == (away, False)
        await scene.time.forward(TICK_S * 8)
        assert scene.last == ("Setting up the first of 2 instances.", False)
        await scene.instances("Cluster in healthy state", 2)
        await task


async def test_a_lost_watch_does_not_keep_it_from_the_end(scene: Scene) -> None:
    await scene.secret()
    await scene.instances("Setting up primary", 0)
    async with scene.awaiting() as task:
        scene.cluster.lose_watches()
        await scene.instances("Cluster in healthy state", 2)
        await scene.time.forward(LONGEST_PAUSE_S)
        await task


async def test_its_deletion_meanwhile_is_told(scene: Scene) -> None:
    await scene.instances("Setting up primary", 0)
    async with scene.awaiting():
        scene.cluster.remove(MAIN)
        await quiet()
        assert scene.last == ("Waiting for Cluster orders-db in orders-staging to be made.", False)
        await scene.time.forward(65)
        assert scene.last[0].startswith(
            "The database orders-db is not ready: Cluster orders-db in orders-staging does not exist."
        )


def test_what_a_person_keeps_is_no_ready_database() -> None:
    kept = EFFECT.kept("Setting up the first of 2 instances.", "Sample Author")
    assert kept.kept
    assert kept.outputs == {"state": "failure"}


def test_where_the_main_object_stands_follows_from_who_makes_it() -> None:
    assert EFFECT.database().main == MAIN
    assert IN_CLOUD.database().main == ObjectRef(AWS, "RDSInstance", NAME)
    named = MainObject(api_version=AWS, kind="RDSInstance", name=NAME, namespace="elsewhere")
    assert IN_CLOUD.model_copy(update={"main": named}).database().main == ObjectRef(
        AWS, "RDSInstance", NAME, "elsewhere"
    )
    assert EFFECT.describe() == "Wait until the PostgreSQL database orders-db is ready"
