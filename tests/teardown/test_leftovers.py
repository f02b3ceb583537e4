"""500 previews that are made, fail, are killed and torn down at random: nothing is left of any."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.effects import ApplyObjects, CommitFiles, EnterBook, FileBody, JoinProject
from bot.errors import Conflict, OutcomeUnknown, PlatformError, UpstreamUnavailable
from bot.model.effect import Effect, Outcome, Undo
from bot.ports import Application, ObjectRef, Ports
from bot.rendering.delivery import Place, Standing
from bot.rendering.delivery.gitops import application_file, project_file, project_of
from bot.sweeping import sweep
from bot.teardown import read_contents, teardown_effects
from tests.commands.company import MONDAY, deps
from tests.effects.scenes import OLD, World, kubernetes, run
from tests.effects.scenes import world as with_repository
from tests.fakes.deployments import FakeDeployments, application
from tests.fakes.faults import Fault, Faults, When
from tests.operations.kill_argocd import Briefly
from tests.teardown.test_teardown import BY_GIT, NAME, OURS, PLACE, RDS, STANDING

RUNS = 500
SEED = 20260302
MOST_LIVES = 12
"""Each fault happens once, so that so many attempts are more than enough."""


class Killed(Exception):
    """The process is gone at this call; the next one begins the same effect anew."""


class FromGit(FakeDeployments):
    """An Argo CD that knows an application as long as its file is there."""

    def __init__(self, world: World) -> None:
        super().__init__(application("root"))
        self._world = world

    async def application(self, name: str) -> Application | None:
        head = await self._world.forge.branch_head(OLD, "main")
        assert head is not None
        there = await self._world.forge.file(OLD, head.sha, f"argocd/applications/{name}.yaml")
        return application(name) if there is not None else None


@dataclass
class Life:
    """One preview, from its first operation to its last."""

    chance: random.Random
    world: World
    place: Place
    lives: int = 0
    standing: Standing = field(default=STANDING)

    @property
    def ports(self) -> Ports:
        return replace(self.world.ports, deployments=FromGit(self.world), waiting=Briefly())

    def faults(self) -> Sequence[Faults]:
        return (self.world.cluster.faults, self.world.forge.faults, self.world.book.faults)

    def tempt(self, *, refuse: bool) -> None:
        """Let something go wrong at some call that comes."""
        for faults in self.faults():
            faults.faults.clear()
        for _ in range(self.chance.randrange(4)):
            errors: list[Exception] = [Killed(), OutcomeUnknown("Lost."), UpstreamUnavailable("Away.")]
            error = self.chance.choice([*errors, Conflict("No.")] if refuse else errors)
            when = When.BEFORE if isinstance(error, Conflict) else self.chance.choice(list(When))
            self.chance.choice(self.faults()).faults.append(Fault("*", error, when, self.chance.randrange(14)))

    async def apply(self, effect: Effect, operation: str) -> Outcome | None:
        """Apply as the engine does: again after a crash and after what may pass; None where it is refused."""
        for attempt in range(1, MOST_LIVES):
            try:
                return await effect.apply(self.ports, run(effect, attempt, operation))
            except (Killed, UpstreamUnavailable):
                self.lives += 1
            except PlatformError:
                return None
        raise AssertionError(f"{effect.id} never came to an end")

    async def undo(self, effect: Effect, operation: str, outcome: Outcome | None) -> None:
        for _ in range(MOST_LIVES):
            try:
                undone = await effect.undo(self.ports, run(effect, 1, operation), outcome)
                assert undone.how is not Undo.KEPT, undone.seen
                assert (await effect.gone(self.ports, run(effect, 1, operation), outcome)).absent
            except (Killed, UpstreamUnavailable, Conflict):
                self.lives += 1
            else:
                return
        raise AssertionError(f"{effect.id} could not be undone")

    async def up(self, operation: str) -> bool:
        """Make the preview; return whether it stands. One that fails is undone."""
        self.tempt(refuse=True)
        done: list[tuple[Effect, Outcome | None]] = []
        for effect in self.making():
            outcome = await self.apply(effect, operation)
            done.append((effect, outcome))
            if outcome is None:
                for one, known in reversed(done):
                    await self.undo(one, operation, known)
                return False
        return True

    async def down(self, operation: str) -> None:
        """Read what is there, and tear it down. Planning is tried again until it works, and changes nothing."""
        self.tempt(refuse=False)
        seen: dict[str, Mapping[str, Any]] = {}
        for effect in await self.plan():
            outcome = await self.apply(effect.bound(seen), operation)
            assert outcome is not None, effect.id
            seen[effect.id] = outcome.outputs

    async def plan(self) -> Sequence[Effect]:
        for _ in range(MOST_LIVES):
            try:
                contents = await read_contents(self.world.cluster, NAME, OURS, [cloud()])
                line = await self.world.book.get("preview", "default", "pr-7")
            except (Killed, UpstreamUnavailable):
                self.lives += 1
                continue
            made_by = line.operation if line is not None else ""
            return teardown_effects(
                contents, self.place, self.standing, what="preview", name="pr-7", summary="Delete", made_by=made_by
            )
        raise AssertionError("it could not be planned")

    def making(self) -> Sequence[Effect]:
        enter = EnterBook(
            id="enter",
            name="pr-7",
            what="preview",
            cluster="default",
            namespace=NAME,
            team="team-orders",
            by="user:default/author",
        )
        if self.place.is_gitops:
            return (enter, *by_git(self.place))
        objects = (kubernetes("ConfigMap", "web", NAME), kubernetes("Ingress", "web", NAME, spec={}), cloud())
        return enter, ApplyObjects(
            id="deliver",
            cluster="default",
            namespace=NAME,
            inventory=OURS,
            objects=objects[: self.chance.randrange(1, 4)],
            create_namespace=True,
        )


def cloud() -> dict[str, Any]:
    return {"apiVersion": RDS[0], "kind": RDS[1], "metadata": {"name": "pr-7-db"}}


def by_git(place: Place) -> Sequence[Effect]:
    texts = {
        application_file(place): "kind: Application\n",
        "apps/preview/pr-7/web.yaml": "kind: Service\n",
        "apps/preview/pr-7/.causeway/release.yaml": "service: preview\n",
    }
    files = tuple(FileBody(path=path, text=text) for path, text in texts.items())
    project = project_of(place, "", ())
    return (
        JoinProject(id="join", repository=OLD, branch="main", path=project_file(place), project=project),
        CommitFiles(id="deliver", repository=OLD, files=files, message="Bring up pr-7"),
    )


async def lived(number: int) -> tuple[World, int]:
    chance = random.Random(SEED + number)  # noqa: S311  # the same runs each time
    world = await with_repository()
    world.book._rows.clear()
    place = chance.choice([PLACE, BY_GIT])
    life = Life(chance, world, place)
    if place.is_gitops:
        life.standing = replace(STANDING, files={"web.yaml": "kind: Service\n"}, application="kind: Application\n")
    stands = False
    for again in range(chance.randrange(1, 4)):
        stands = await life.up(f"op_up_{again}") or stands
        if stands and chance.random() < 0.5:
            await life.down(f"op_down_{again}")
            stands = False
    if stands or chance.random() < 0.3:
        await life.down("op_down")
    for faults in life.faults():
        faults.faults.clear()
    return world, life.lives


async def test_nothing_is_left_of_500_previews_whatever_happened_to_them() -> None:
    empty = await with_repository()
    before = set(empty.cluster.refs())
    files = await paths(empty)
    lives = 0
    for number in range(RUNS):
        world, more = await lived(number)
        lives += more
        left = [*map(str, set(world.cluster.refs()) - before), *sorted(await paths(world) - files), *world.book.open]
        assert left == [], f"run {number} has left {left}"
    assert lives > RUNS / 4, "too little went wrong for this to show anything"


async def paths(world: World) -> set[str]:
    head = await world.forge.branch_head(OLD, "main")
    assert head is not None
    return {file.path for file in (await world.forge.tree(OLD, head.sha)).files}


async def test_the_sweep_finds_what_a_run_has_left_on_purpose() -> None:
    world = await with_repository()
    world.book._rows.clear()
    life = Life(random.Random(SEED), world, PLACE)  # noqa: S311  # as above
    for effect in life.making():
        await life.apply(effect, "op_up")
    await world.book.end("preview", "default", "pr-7", "op_up", MONDAY)
    ref = ObjectRef("v1", "Namespace", NAME)
    labels = {"app.kubernetes.io/managed-by": "causeway", "causeway.io/preview": NAME}
    live = world.cluster.find(ref)
    world.cluster.put({**live, "metadata": {**live["metadata"], "labels": {**live["metadata"]["labels"], **labels}}})
    here = replace(
        deps(), platform=PLACE.platform, clusters={"default": world.cluster}, environments=world.book, forge=world.forge
    )
    (orphan,) = (await sweep(here, MONDAY)).orphans
    assert orphan.preview == NAME
