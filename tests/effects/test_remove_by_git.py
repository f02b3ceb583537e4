"""What Git delivers is deleted by a commit, waited for, and leaves its team's project."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import yaml

from bot.effects import AwaitApplicationGone, LeaveProject, RemoveFiles
from bot.model.effect import Outcome, Undo
from bot.ports import File
from tests.effects.scenes import OLD, PROJECT, World, run, world
from tests.effects.test_remove_namespace import Breathing, Told
from tests.fakes.deployments import FakeDeployments, application

PATH = "argocd/projects/team-orders.yaml"
REMOVE = RemoveFiles(id="delete", repository=OLD, deleted=("apps/old.yaml", "apps/never.yaml"), message="Delete old")
LEAVE = LeaveProject(id="leave", repository=OLD, branch="main", path=PATH, project=PROJECT)
AWAIT = AwaitApplicationGone(id="await", application="orders-pr-7", root="root", patience_s=10)


async def text(made: World, path: str) -> str | None:
    head = await made.forge.branch_head(OLD, "main")
    assert head is not None
    content = await made.forge.file(OLD, head.sha, path)
    return content.decode() if content is not None else None


async def put(made: World, path: str, content: str) -> None:
    head = await made.forge.branch_head(OLD, "main")
    assert head is not None
    await made.forge.commit(OLD, "main", [File(path, content.encode())], "Put", parent=head.sha)


async def test_files_are_deleted_in_one_commit_and_nothing_puts_them_back() -> None:
    made = await world()
    outcome = await REMOVE.apply(made.ports, run(REMOVE))
    assert await text(made, "apps/old.yaml") is None
    assert await text(made, "run.sh") == "#!/bin/sh\n"
    commits = made.forge.calls.count("commit")
    assert await REMOVE.apply(made.ports, run(REMOVE, attempt=2)) == outcome
    assert made.forge.calls.count("commit") == commits
    assert (await REMOVE.undo(made.ports, run(REMOVE), outcome)).how is Undo.NOTHING
    assert await text(made, "apps/old.yaml") is None


async def test_what_is_deleted_already_needs_no_commit() -> None:
    made = await world()
    effect = REMOVE.model_copy(update={"deleted": ("apps/never.yaml",)})
    assert not (await effect.apply(made.ports, run(effect))).changed
    assert "commit" not in made.forge.calls


async def test_a_project_keeps_the_destinations_of_others() -> None:
    made = await world()
    theirs = {"namespace": "users", "server": "https://kubernetes.default.svc"}
    whole: Any = {**PROJECT, "spec": {**as_dict(PROJECT["spec"])}}
    whole["spec"]["destinations"] = [theirs, *whole["spec"]["destinations"]]
    await put(made, PATH, yaml.safe_dump(whole))
    await LEAVE.apply(made.ports, run(LEAVE))
    left = yaml.safe_load(await text(made, PATH) or "")["spec"]
    assert left["destinations"] == [theirs]
    assert left["clusterResourceWhitelist"] == [{"group": "", "kind": "Namespace"}], "others may need it"


async def test_the_last_one_takes_the_project_along() -> None:
    made = await world()
    await put(made, PATH, yaml.safe_dump(dict(PROJECT)))
    first = await LEAVE.apply(made.ports, run(LEAVE))
    assert (first.changed, await text(made, PATH)) == (True, None)
    assert await LEAVE.apply(made.ports, run(LEAVE, attempt=2)) == first


async def test_a_project_that_is_not_there_is_left() -> None:
    made = await world()
    assert not (await LEAVE.apply(made.ports, run(LEAVE))).changed


def as_dict(value: Any) -> dict[str, Any]:
    return dict(value)


async def waited(deployments: FakeDeployments | None, happenings: Sequence[Any] = ()) -> tuple[Outcome, Told]:
    told = Told()
    where = replace(World().ports, deployments=deployments, waiting=Breathing(list(happenings)))
    async with asyncio.timeout(20):
        return await AWAIT.apply(where, run(AWAIT).model_copy(update={"report": told})), told


async def test_argo_cd_is_told_to_look_and_waited_for() -> None:
    deployments = FakeDeployments(application("orders-pr-7"), application("root"))
    outcome, told = await waited(deployments, [lambda: None, lambda: deployments.remove("orders-pr-7")])
    assert deployments.refreshed == ["root"]
    assert told.reports[0] == ("Argo CD is deleting the application orders-pr-7.", False)
    assert outcome.seen == "Argo CD has deleted the application orders-pr-7 with all that it had made"


async def test_what_argo_cd_says_of_a_deletion_that_does_not_work_is_told() -> None:
    deployments = FakeDeployments(application("orders-pr-7"), application("root"))

    def fail() -> None:
        deployments.change(
            "orders-pr-7", conditions=(("DeletionError", "cannot reach the cluster; token=hunter2hunter2"),)
        )

    happenings = [fail, lambda: None, lambda: None, lambda: deployments.remove("orders-pr-7")]
    _, told = await waited(deployments, happenings)
    assert told.stalled == [
        (
            "Argo CD is deleting the application orders-pr-7. It says: cannot reach the cluster; token=‹hidden›. "
            "Look in Argo CD what holds it, a finalizer of one of its objects as a rule, or ask the platform team."
        )
    ]


async def test_an_argo_cd_that_is_away_is_waited_for() -> None:
    deployments = FakeDeployments(application("orders-pr-7"))

    def back() -> None:
        deployments.remove("orders-pr-7")
        deployments.mend()

    _, told = await waited(deployments, [deployments.lose_sight, lambda: None, back, lambda: None])
    assert ("Argo CD does not answer. Causeway goes on by itself once it answers.", False) in told.reports


async def test_without_argo_cd_nothing_is_waited_for() -> None:
    outcome, _ = await waited(None)
    assert (outcome.changed, outcome.seen) == (False, "no Argo CD is connected, so it was not waited for")
