"""Every request that the adapter sends, held against GitHub's own OpenAPI description."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.ports import Author, Commit, File, Forge, NewRepository
from integrations.github.transport import Authorization, Reply, Transport
from tests.fakes.forge import FakeForge
from tests.integrations.github.conftest import playground_github
from tests.integrations.github.test_whole_plans import GITOPS, NAME, back, go
from tests.peers.github.openapi import check_request, find
from tests.peers.tools import need

Sent = list[tuple[str, str, Any]]
AUTHOR = Author("Sample Author", "author@acme.example")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    need("node_modules")
    requests: Sent = []
    send = Transport.send

    async def record(self: Transport, method: str, path: str, authorization: Authorization, **rest: Any) -> Reply:
        requests.append((method, path, rest.get("body")))
        return await send(self, method, path, authorization, **rest)

    monkeypatch.setattr(Transport, "send", record)
    return requests


@asynccontextmanager
async def forge_of(kind: str, data_dir: Path) -> AsyncIterator[Forge]:
    async with playground_github(data_dir) as rig:
        yield rig.as_person if kind == "token" else await rig.as_app()


async def everything(forge: Forge) -> None:
    """Call what a whole plan and its undo do not."""
    await forge.create_repository(NewRepository(NAME, "x"))
    head = await forge.branch_head(NAME, "main")
    assert head is not None
    await forge.update_repository(NAME, description="y", homepage="https://parcels.example")
    await forge.tree(NAME, "main", "docs")
    await forge.file(GITOPS, "main", "README.md")
    commit = await forge.commit(NAME, "feature/a+b", [File("x.bin", b"\0\xff")], "One", parent=head.sha)
    await forge.move_branch(NAME, "feature/a+b", to=head.sha, expected=commit.sha)
    await forge.delete_branch(NAME, "feature/a+b")
    await forge.set_variable(NAME, "A", "1")
    await forge.set_variable(NAME, "A", "2")
    await forge.activity(NAME)
    await forge.repositories("acme")
    await versions(forge, await forge.commit(NAME, "main", [File("a", b"1")], "On", parent=head.sha, author=AUTHOR))
    await conversation(forge)
    await forge.delete_repository(NAME)


async def conversation(forge: Forge) -> None:
    head = await forge.branch_head(NAME, "main")
    assert head is not None
    await forge.commit(NAME, "talk", [File("b", b"1")], "Talk", parent=head.sha)
    opened = await forge.create_pull_request(NAME, head="talk", base="main", title="Talk", body="")
    await forge.pull_request(NAME, opened.number)
    made = await forge.create_comment(NAME, opened.number, "One")
    await forge.comments(NAME, opened.number)
    await forge.update_comment(NAME, made.id, "Two")
    await forge.delete_comment(NAME, made.id)


async def versions(forge: Forge, commit: Commit) -> None:
    await forge.tags(NAME)
    await forge.releases(NAME)
    await forge.images(NAME)
    await forge.images("author/none")
    await forge.compare(NAME, commit.parents[0], "main")
    await forge.workflow_runs(NAME, commit.sha)
    record = await forge.create_deployment(NAME, commit.sha, "staging", description="Parcels", payload={"op": "1"})
    await forge.create_deployment(NAME, commit.sha, "pr-1", description="Parcels", payload={}, transient=True)
    await forge.deployment_records(NAME, "staging")
    await forge.set_deployment_state(NAME, record.id, "in_progress", description="Soon")
    await forge.set_deployment_state(NAME, record.id, "success", url="https://parcels.example")
    await forge.deployment_state(NAME, record.id)


@pytest.mark.parametrize("kind", ["token", "app"])
async def test_every_request_is_one_that_github_describes(kind: str, sent: Sent, tmp_path: Path) -> None:
    async with forge_of(kind, tmp_path / "github") as forge:
        await back(forge, await go(forge))
        await everything(forge)
        if kind == "token":  # an App is not installed with people
            await forge.repositories("author")
    complaints = {complaint for method, path, body in sent for complaint in check_request(method, path, body)}
    # GitHub takes this permission; its description of a token's permissions does not list it.
    assert {one for one in complaints if "actions_variables" not in one} == set()
    methods = {
        (method, operation.template) for method, path, _ in sent if (operation := find(method, path.split("?")[0]))
    }
    assert len(methods) >= (49 if kind == "app" else 47)


def test_the_fake_answers_every_method_of_the_port() -> None:
    methods = {name for name in vars(Forge) if not name.startswith("_")}
    assert {name for name in methods if not hasattr(FakeForge, name)} == set()


def test_the_library_is_loaded_with_the_first_call_not_with_the_program() -> None:
    code = "import sys, integrations.github; sys.exit(bool({'github', 'requests', 'nacl'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
