"""Waiting until a service is healthy: what ends the wait, what is told meanwhile, what it survives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.effects import AwaitHealthy
from bot.effects.attendance import READ_AGAIN_S, REFRESH_S, TICK_S
from bot.errors import Conflict, NotFound, Refused, UpstreamUnavailable
from bot.model.effect import Outcome
from bot.ports import NewRepository, ObjectRef, Pause, Ports, SyncOperation, SyncWindows
from tests.effects.scenes import OLD, run
from tests.fakes.catalog import FakeCatalog
from tests.fakes.cluster import FakeCluster
from tests.fakes.deployments import FakeDeployments, application
from tests.fakes.forge import FakeForge

NAME = "orders-staging"
NEW, FORMER = "ghcr.io/acme/orders:2", "ghcr.io/acme/orders:1"
LABELS = {"causeway.io/service": "orders", "causeway.io/environment": "staging"}
EFFECT = AwaitHealthy(
    id="await",
    service="orders",
    environment="staging",
    cluster="default",
    namespace=NAME,
    application=NAME,
    image=NEW,
    patience_s=60,
)
DIRECT = EFFECT.model_copy(update={"application": ""})


class SteppedWaiting:
    """Implements `bot.ports.Waiting`: time passes when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    @contextmanager
    def listening(self, *_keys: str) -> Iterator[Pause]:
        yield self._pause

    async def _pause(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now + seconds, woken))
        await woken

    async def forward(self, seconds: float) -> None:
        until = self.now + seconds
        while due := [one for one in self._sleepers if one[0] <= until and not one[1].done()]:
            at, woken = min(due, key=lambda one: one[0])
            self._sleepers.remove((at, woken))
            self.now = at
            woken.set_result(None)
            await quiet()
        self.now = until


async def quiet() -> None:
    """Let everybody who has something to do in this process do it."""
    for _ in range(60):
        await asyncio.sleep(0)


@dataclass
class Scene:
    cluster: FakeCluster = field(default_factory=lambda: FakeCluster(namespaces=[NAME]))
    deployments: FakeDeployments = field(default_factory=FakeDeployments)
    forge: FakeForge = field(default_factory=FakeForge)
    time: SteppedWaiting = field(default_factory=SteppedWaiting)
    told: list[tuple[str, bool]] = field(default_factory=list)
    clusters: bool = True

    def ports(self) -> Ports:
        return Ports(
            forge=self.forge,
            catalog=FakeCatalog(),
            clusters={"default": self.cluster} if self.clusters else {},
            deployments=self.deployments,
            waiting=self.time,
        )

    @property
    def last(self) -> tuple[str, bool]:
        return self.told[-1]

    @property
    def texts(self) -> list[str]:
        return [text for index, (text, _) in enumerate(self.told) if index == 0 or self.told[index - 1][0] != text]

    async def report(self, text: str, *, stalled: bool = False) -> None:
        self.told.append((text, stalled))

    @asynccontextmanager
    async def awaiting(self, effect: AwaitHealthy = EFFECT) -> AsyncIterator[asyncio.Task[Outcome]]:
        this = run(effect).model_copy(update={"report": self.report})
        task = asyncio.create_task(effect.apply(self.ports(), this))
        await quiet()
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert self.deployments.followed == set(), "nobody follows any more"
            assert self.cluster._watches == [], "nobody watches any more"

    # --- the cluster

    def deployment(self, image: str = NEW, *, replicas: int = 2, ready: int | None = None, **status: Any) -> None:
        available = replicas if ready is None else ready
        whole = {
            "observedGeneration": 9,
            "replicas": replicas,
            "updatedReplicas": replicas,
            "availableReplicas": available,
            **status,
        }
        self._put("apps/v1", "Deployment", "orders", self._workload(image, replicas), whole)

    def cron_job(self, image: str = NEW) -> None:
        template = self._workload(image, 1)["template"]
        self._put("batch/v1", "CronJob", "orders", {"jobTemplate": {"spec": {"template": template}}}, {})

    def replica_set(self) -> None:
        uid = self.cluster.find(ObjectRef("apps/v1", "Deployment", "orders", NAME))["metadata"]["uid"]
        owner = {"kind": "Deployment", "name": "orders", "uid": uid, "controller": True}
        self._put("apps/v1", "ReplicaSet", "orders-a1", {"replicas": 2}, {}, owners=[owner])

    def pod(self, name: str, **status: Any) -> None:
        uid = self.cluster.find(ObjectRef("apps/v1", "ReplicaSet", "orders-a1", NAME))["metadata"]["uid"]
        owner = {"kind": "ReplicaSet", "name": "orders-a1", "uid": uid, "controller": True}
        spec = {"containers": [{"name": "app", "image": NEW}]}
        self._put("v1", "Pod", name, spec, {"phase": "Running", **status}, owners=[owner])

    def crashing(self, restarts: int) -> None:
        self.deployment(ready=1)
        self.replica_set()
        state = {"waiting": {"reason": "CrashLoopBackOff"}}
        last = {"terminated": {"exitCode": 1, "reason": "Error"}}
        status = {"name": "app", "state": state, "lastState": last, "restartCount": restarts}
        self.pod("orders-a1-x", containerStatuses=[status])
        self.pod("orders-a1-y", conditions=[{"type": "Ready", "status": "True"}])
        self.cluster.logs[NAME, "orders-a1-x"] = ["Traceback", "KeyError: 'DATABASE_URL'"]

    def _put(
        self, api_version: str, kind: str, name: str, spec: Any, status: Any, *, owners: list[Any] | None = None
    ) -> None:
        metadata = {"name": name, "namespace": NAME, "labels": LABELS}
        metadata |= {"ownerReferences": owners} if owners else {}
        obj = {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec, "status": status}
        self.cluster.put(obj)

    def _workload(self, image: str, replicas: int) -> dict[str, Any]:
        template = {"spec": {"containers": [{"name": "app", "image": image}]}}
        return {"replicas": replicas, "template": template}


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def done(task: asyncio.Task[Outcome]) -> Outcome:
    async with asyncio.timeout(30):
        return await task


# --- what ends the wait


async def test_what_is_healthy_already_ends_the_wait_at_once(scene: Scene) -> None:
    scene.deployment()
    scene.deployments.put(application(NAME))
    async with scene.awaiting() as task:
        outcome = await done(task)
    assert (outcome.seen, outcome.changed) == ("orders in staging runs 2, 2 pods ready", False)
    assert outcome.links == {"Argo CD": f"https://argocd.example/applications/argocd/{NAME}"}
    assert scene.told == []


async def test_a_rollout_is_followed_to_its_end(scene: Scene) -> None:
    scene.deployment(FORMER)
    scene.deployments.put(application(NAME, sync="OutOfSync", revision="a" * 40))
    async with scene.awaiting() as task:
        scene.deployments.change(NAME, operation=SyncOperation("Running", "", "a" * 40))
        await quiet()
        scene.deployment(updatedReplicas=0)
        scene.deployments.change(NAME, sync="Synced", health="Progressing", operation=None)
        await quiet()
        for ready in (0, 1, 2):
            scene.deployment(ready=ready)
            await quiet()
        assert not task.done(), "Argo CD has not said that it is healthy"
        scene.deployments.change(NAME, health="Healthy")
        await done(task)
    assert scene.texts == [
        "Argo CD has read aaaaaaa and is about to sync it.",
        "Argo CD is syncing aaaaaaa.",
        "0 of 2 new pods made.",
        "0 of 2 pods are ready.",
        "1 of 2 pods are ready.",
        "The pods are ready; Argo CD calls the rest Progressing.",
    ]
    assert not any(stalled for _, stalled in scene.told)


async def test_old_pods_must_have_left(scene: Scene) -> None:
    scene.deployments.put(application(NAME))
    scene.deployment(replicas=2)
    ref = ObjectRef("apps/v1", "Deployment", "orders", NAME)
    live = scene.cluster.find(ref)
    scene.cluster.put({**live, "status": {**live["status"], "replicas": 3, "availableReplicas": 3}})
    async with scene.awaiting() as task:
        assert scene.last == ("The new pods are ready; 1 old pod is leaving.", False)
        scene.deployment()
        await done(task)


async def test_health_of_the_version_before_is_not_taken_for_that_of_the_new_one(scene: Scene) -> None:
    scene.deployment(FORMER)
    scene.deployments.put(application(NAME))
    async with scene.awaiting() as task:
        assert not task.done()
        scene.deployment(NEW, observedGeneration=0)
        await quiet()
        assert not task.done(), "the controller has not looked yet"
        scene.deployment(NEW)
        await done(task)


async def test_a_head_that_holds_our_commit_will_do_and_an_older_one_will_not(scene: Scene) -> None:
    await scene.forge.create_repository(NewRepository(OLD, ""))
    before = (await scene.forge.recent_commits(OLD, "main"))[0].sha
    ours = scene.forge.push(OLD, {"a": b"1"})
    after = scene.forge.push(OLD, {"b": b"2"})
    scene.deployment()
    scene.deployments.put(application(NAME, revision=before, repo_url=f"https://forge.example/{OLD}.git"))
    async with scene.awaiting(EFFECT.model_copy(update={"revision": ours})) as task:
        assert scene.last == (f"Waiting for Argo CD to read commit {ours[:7]}.", False)
        scene.deployments.change(NAME, revision=after)
        await done(task)


@pytest.mark.parametrize("lost", [UpstreamUnavailable("GitHub is away."), Refused("No.")])
async def test_a_forge_that_cannot_compare_is_asked_again(scene: Scene, lost: Exception) -> None:
    await scene.forge.create_repository(NewRepository(OLD, ""))
    ours = scene.forge.push(OLD, {"a": b"1"})
    after = scene.forge.push(OLD, {"b": b"2"})
    scene.deployment()
    scene.deployments.put(application(NAME, revision=after))
    scene.forge.refuse("compare", lost, times=4)
    async with scene.awaiting(EFFECT.model_copy(update={"revision": ours, "repository": OLD})) as task:
        assert not task.done()
        await scene.time.forward(4 * TICK_S)
        await done(task)


@pytest.mark.parametrize(
    "wanted",
    [
        {"version_label": "v2"},
        {"restarted_at": "2026-03-02T09:00:00Z"},
        {"replicas": 5},
    ],
    ids=lambda wanted: next(iter(wanted)),
)
async def test_the_live_workload_must_carry_all_that_is_wanted(scene: Scene, wanted: dict[str, Any]) -> None:
    scene.deployment()
    scene.deployments.put(application(NAME))
    async with scene.awaiting(EFFECT.model_copy(update=wanted)) as task:
        assert not task.done()
        ref = ObjectRef("apps/v1", "Deployment", "orders", NAME)
        live = scene.cluster.find(ref)
        labels, annotations = (
            {"app.kubernetes.io/version": "v2"},
            {"kubectl.kubernetes.io/restartedAt": "2026-03-02T09:00:00Z"},
        )
        live["spec"]["template"]["metadata"] = {"labels": labels, "annotations": annotations}
        live["spec"]["replicas"] = 5
        live["status"] |= {"replicas": 5, "updatedReplicas": 5, "availableReplicas": 5}
        scene.cluster.put(live)
        await done(task)


async def test_a_schedule_is_there_once_it_is_stored(scene: Scene) -> None:
    scene.cron_job(FORMER)
    scene.deployments.put(application(NAME))
    async with scene.awaiting(EFFECT.model_copy(update={"workload": "CronJob"})) as task:
        assert not task.done()
        scene.cron_job()
        assert (await done(task)).seen == "orders in staging runs 2"


async def test_direct_delivery_needs_no_argo_cd(scene: Scene) -> None:
    async with scene.awaiting(DIRECT) as task:
        assert scene.told == [] or scene.last == ("Waiting for the cluster to make the workload.", False)
        scene.deployment(ready=1)
        await quiet()
        assert scene.last == ("1 of 2 pods are ready.", False)
        scene.deployment()
        assert (await done(task)).links == {}


async def test_without_the_cluster_argo_cds_word_is_taken(scene: Scene) -> None:
    scene.clusters = False
    scene.deployments.put(application(NAME, images=(FORMER,)))
    async with scene.awaiting() as task:
        assert not task.done()
        scene.deployments.change(NAME, images=(NEW,))
        await done(task)


async def test_a_cluster_that_is_not_connected_is_no_place_to_deliver_to_directly(scene: Scene) -> None:
    scene.clusters = False
    async with scene.awaiting(DIRECT) as task:
        with pytest.raises(NotFound, match="The cluster `default` is not connected"):
            await done(task)


async def test_an_application_that_is_deleted_meanwhile_ends_it(scene: Scene) -> None:
    scene.deployments.put(application(NAME, health="Progressing"))
    async with scene.awaiting() as task:
        scene.deployments.remove(NAME)
        with pytest.raises(Conflict, match="The Application orders-staging was deleted while it was waited for"):
            await done(task)


async def test_an_application_that_comes_late_is_waited_for(scene: Scene) -> None:
    async with scene.awaiting() as task:
        assert scene.last == ("Waiting for Argo CD to make the Application orders-staging.", False)
        scene.deployment()
        scene.deployments.put(application(NAME))
        await done(task)


# --- what is told


async def test_a_crash_is_told_at_once_with_its_last_line_and_waited_through(scene: Scene) -> None:
    scene.deployments.put(application(NAME, health="Progressing"))
    scene.crashing(restarts=2)
    async with scene.awaiting() as task:
        assert scene.last == (
            (
                "orders in staging is not healthy: 1 of 2 pods of 2 crashes at start (exit code 1, 2 restarts); "
                "its last line is `KeyError: 'DATABASE_URL'`. "
                "Set DATABASE_URL in platform.yaml and deploy again, or roll back."
            ),
            True,
        )
        scene.pod("orders-a1-x", conditions=[{"type": "Ready", "status": "True"}], containerStatuses=[])
        scene.deployment()
        await scene.time.forward(TICK_S)
        assert scene.last == ("The pods are ready; Argo CD calls the rest Progressing.", False)
        scene.deployments.change(NAME, health="Healthy")
        await done(task)


async def test_a_first_deploy_is_not_told_to_roll_back(scene: Scene) -> None:
    scene.deployments.put(application(NAME, health="Progressing"))
    scene.crashing(restarts=2)
    async with scene.awaiting(EFFECT.model_copy(update={"first": True})):
        assert scene.last[0].endswith("Set DATABASE_URL in platform.yaml and deploy again, or undo it.")


async def test_one_crash_may_be_a_coincidence(scene: Scene) -> None:
    scene.deployments.put(application(NAME, health="Progressing"))
    scene.crashing(restarts=1)
    async with scene.awaiting():
        assert scene.last == ("1 of 2 pods are ready.", False)
        await scene.time.forward(60 + TICK_S)
        assert scene.last[1]


async def test_a_reason_that_only_counts_on_is_not_told_anew(scene: Scene) -> None:
    scene.deployments.put(application(NAME, health="Progressing"))
    scene.crashing(restarts=2)
    async with scene.awaiting():
        first = scene.last
        for restarts in range(3, 9):
            scene.crashing(restarts)
            await scene.time.forward(TICK_S)
        assert {text for text, stalled in scene.told if stalled} == {first[0]}


async def test_a_crash_that_repeats_itself_is_looked_at_less_and_less_often(scene: Scene) -> None:
    scene.deployments.put(application(NAME, health="Progressing"))
    scene.crashing(restarts=2)
    async with scene.awaiting():
        for restarts in range(3, 23):
            scene.crashing(restarts)
            await scene.time.forward(TICK_S)
        assert scene.cluster.calls.count("log_tail") <= 6
        waiting = {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "ghcr.io/acme/orders:2"'}
        scene.pod("orders-a1-x", containerStatuses=[{"name": "app", "state": {"waiting": waiting}}])
        await scene.time.forward(TICK_S)
        assert "cannot be pulled" in scene.last[0], "what is new is told at once"


async def test_what_may_pass_is_told_when_the_patience_is_over(scene: Scene) -> None:
    scene.deployments.put(application(NAME, health="Progressing"))
    scene.deployment(ready=0)
    scene.replica_set()
    message = "0/3 nodes are available: 3 Insufficient cpu."
    unscheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    scene.pod("orders-a1-x", phase="Pending", conditions=[unscheduled])
    async with scene.awaiting():
        await scene.time.forward(60 - TICK_S)
        assert scene.last == ("0 of 2 pods are ready.", False)
        await scene.time.forward(READ_AGAIN_S)
        assert scene.last == (
            (
                "orders in staging is not healthy: 1 of 2 pods of 2 has no node: all 3 nodes lack cpu. "
                "Choose a smaller size or fewer replicas, or ask the platform team for more room."
            ),
            True,
        )


async def test_patience_begins_anew_with_each_step_forward_but_not_with_a_step_back(scene: Scene) -> None:
    scene.deployments.put(application(NAME, health="Progressing"))
    scene.deployment(replicas=3, ready=0)
    async with scene.awaiting():
        await scene.time.forward(50)
        scene.deployment(replicas=3, ready=1)
        await scene.time.forward(50)
        assert not scene.last[1]
        scene.deployment(replicas=3, ready=0)
        await scene.time.forward(20)
        assert scene.last[1]


async def test_another_version_in_its_place_is_told(scene: Scene) -> None:
    scene.deployment("ghcr.io/acme/orders:3")
    scene.deployments.put(application(NAME))
    async with scene.awaiting() as task:
        await scene.time.forward(60 + TICK_S)
        assert scene.last == (
            (
                "orders in staging is healthy, but runs `ghcr.io/acme/orders:3` instead of 2: somebody has deployed "
                "another version since. Keep it as it is, or deploy again."
            ),
            True,
        )
        assert not task.done()


async def test_a_closed_window_is_told(scene: Scene) -> None:
    scene.deployment(FORMER)
    told = "deny 0 18 * * 5 for 60h"
    scene.deployments.closed[NAME] = SyncWindows(may_sync=False, may_sync_by_hand=False, told=told)
    scene.deployments.put(application(NAME, sync="OutOfSync"))
    async with scene.awaiting():
        await scene.time.forward(60 + TICK_S)
        assert scene.last == (
            (
                "orders in staging is not updated: a sync window of the project team-orders is closed "
                "(`deny 0 18 * * 5 for 60h`). Wait until syncs are allowed again."
            ),
            True,
        )


async def test_argo_cd_is_asked_again_to_read_the_commit(scene: Scene) -> None:
    await scene.forge.create_repository(NewRepository(OLD, ""))
    before = (await scene.forge.recent_commits(OLD, "main"))[0].sha
    ours = scene.forge.push(OLD, {"a": b"1"})
    scene.deployment()
    scene.deployments.put(application(NAME, revision=before))
    scene.deployments.faults.refuse("refresh", UpstreamUnavailable("Argo CD is away."))
    scene.deployments.on_refresh = lambda name: scene.deployments.change(name, revision=ours)
    async with scene.awaiting(EFFECT.model_copy(update={"revision": ours, "repository": OLD})) as task:
        await scene.time.forward(REFRESH_S)
        assert not task.done()
        await scene.time.forward(REFRESH_S)
        await done(task)


# --- what it survives


async def test_argo_cd_may_go_out_of_sight_and_come_back(scene: Scene) -> None:
    scene.deployments.put(application(NAME, health="Progressing"))
    scene.deployment(ready=1)
    async with scene.awaiting() as task:
        scene.deployments.lose_sight()
        scene.deployment()
        await quiet()
        assert scene.last == ("Argo CD does not answer.", False)
        await scene.time.forward(60 + TICK_S)
        assert scene.last == (
            (
                "Whether orders in staging is healthy cannot be seen (Argo CD does not answer); its pods are ready. "
                "Wait: it goes on by itself once Argo CD is back."
            ),
            True,
        )
        scene.deployments.change(NAME, health="Healthy")
        scene.deployments.mend()
        await done(task)


async def test_the_cluster_may_go_out_of_sight_and_come_back(scene: Scene) -> None:
    scene.deployment(ready=1)
    async with scene.awaiting(DIRECT) as task:
        scene.cluster.lose_watches("The cluster `default` cannot be reached.")
        away = UpstreamUnavailable("The cluster `default` cannot be reached.")
        scene.cluster.refuse("list", away, times=99)
        await quiet()
        assert scene.last == ("The cluster `default` cannot be reached.", False)
        await scene.time.forward(60 + TICK_S)
        assert scene.last == (
            "The cluster `default` cannot be reached. Wait: it goes on by itself once the cluster is back.",
            True,
        )
        scene.deployment()
        scene.cluster.mend_watches()
        await done(task)


async def test_a_cluster_that_forbids_to_look_leaves_the_word_to_argo_cd(scene: Scene) -> None:
    scene.deployments.put(application(NAME, health="Progressing", images=(NEW,)))
    scene.cluster.lose_watches("We may not watch deployments in orders-staging.")
    scene.cluster.refuse("list", Refused("We may not."), times=99)
    async with scene.awaiting() as task:
        await scene.time.forward(60 + TICK_S)
        text, stalled = scene.last
        assert stalled
        assert "I may not read deployments in orders-staging, pods in orders-staging and" in text
        scene.deployments.change(NAME, health="Healthy")
        await done(task)


async def test_a_namespace_that_is_missing_at_first_is_waited_for(scene: Scene) -> None:
    scene.cluster.remove(ObjectRef("v1", "Namespace", NAME))
    async with scene.awaiting(DIRECT) as task:
        await scene.time.forward(60 + TICK_S)
        assert scene.last == (
            (
                "orders in staging is not deployed: its namespace orders-staging does not exist. "
                "Wait until it is created; if it lasts, ask the platform team."
            ),
            True,
        )
        scene.cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAME}})
        scene.deployment()
        await done(task)


async def test_what_breaks_the_following_is_no_silence(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_args: object, **_named: object) -> AsyncIterator[object]:
        nothing: object
        for nothing in ():
            yield nothing
        raise RuntimeError("a defect")

    monkeypatch.setattr(scene.cluster, "watch", broken)
    scene.deployments.put(application(NAME))
    async with scene.awaiting() as task:
        with pytest.raises(RuntimeError, match="a defect"):
            await done(task)


async def test_a_person_may_keep_it_as_it_is(scene: Scene) -> None:
    assert EFFECT.waits
    assert EFFECT.keepable
    kept = EFFECT.kept("1 of 2 pods are ready.", "Sample Author")
    assert kept.seen == "Sample Author ended the wait: 1 of 2 pods are ready."


async def test_looking_is_never_faster_than_every_two_seconds(scene: Scene) -> None:
    """Whatever happens, the cluster is read at most once a tick; everything else is told by watches."""
    assert TICK_S >= 2
    scene.deployments.put(application(NAME, health="Progressing"))
    async with scene.awaiting():
        for restarts in range(2, 20):
            scene.crashing(restarts)
            await quiet()
        once = scene.cluster.calls.count("list")
        await scene.time.forward(TICK_S)
        assert scene.cluster.calls.count("list") == 2 * once
