"""The forges that one contract suite runs on: our fake, and the adapter against the playground's GitHub."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.ports import Forge
from integrations.github import GitHubForge, Pace, connect
from playground.github.peer import GitHubPeer
from tests.fakes.forge import FakeForge

TOKEN = "personal-token-of-the-test"
SECRETS = {"webhook": SecretStr("webhook-secret-of-the-test")}
FAST = Pace(burst=10_000, points_per_minute=10**6, creations_per_minute=10**6, creations_per_hour=10**6)


@dataclass
class Rig:
    """The playground's GitHub on a loopback port and adapters that speak to it."""

    peer: GitHubPeer
    url: str
    as_person: GitHubForge
    as_app: Callable[[], Awaitable[GitHubForge]]
    requests: list[tuple[str, str, Any]]
    """Every REST call as the peer saw it: method, path, JSON body."""

    async def fault(self, **order: Any) -> None:
        await self._sim("POST", "faults", order)

    async def no_faults(self) -> None:
        await self._sim("DELETE", "faults", None)

    async def as_author(self, method: str, path: str, body: Any = None) -> Any:
        """Do what Sample Author does."""
        return await self.by_hand(method, path, body, token=self.peer.hub.access.token_of("author"))

    async def by_hand(self, method: str, path: str, body: Any = None, *, token: str = TOKEN) -> Any:
        """Do what a person does, past the adapter."""
        headers = {"Authorization": f"token {token}"}
        async with aiohttp.request(method, f"{self.url}{path}", json=body, headers=headers) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def _sim(self, method: str, what: str, body: Any) -> None:
        async with aiohttp.request(method, f"{self.url}/sim/{what}", json=body) as answer:
            assert answer.status == 200, await answer.text()


async def nap(_seconds: float) -> None:
    """Take the place of sleeping: tests never wait."""


@asynccontextmanager
async def playground_github(data_dir: Path) -> AsyncIterator[Rig]:
    requests: list[tuple[str, str, Any]] = []
    peer = GitHubPeer(
        data_dir=data_dir,
        base_url="http://127.0.0.1",
        clock=lambda: datetime.now(UTC),
        token=TOKEN,
        webhook_secret="unused",
        on_request=lambda method, path, body: requests.append((method, path, body)),
    )
    async with AsyncExitStack() as stack:
        await peer.start()
        stack.push_async_callback(peer.close)
        server = TestServer(peer.application())
        await server.start_server()
        stack.push_async_callback(server.close)
        url = peer.base_url = str(server.make_url("")).rstrip("/")

        def opened(**who: Any) -> GitHubForge:
            forge = connect(url, secrets=SECRETS, pace=FAST, sleep=nap, **who)
            stack.push_async_callback(forge.close)
            return forge

        async def as_app() -> GitHubForge:
            app_id, _, key = await peer.app_credentials()
            return opened(app_id=str(app_id), app_key=SecretStr(key))

        yield Rig(peer, url, opened(token=SecretStr(TOKEN)), as_app, requests)


@dataclass
class Hands:
    """One of the forges, and what people and CI do to it."""

    forge: Forge
    rig: Rig | None = None
    """None for the fake."""
    shows_packages: bool = True

    async def tag(self, name: str, tag: str, sha: str) -> None:
        if isinstance(self.forge, FakeForge):
            self.forge.tag(name, tag, sha)
        else:
            await self._by_hand("git/refs", name, {"ref": f"refs/tags/{tag}", "sha": sha})

    async def release(self, name: str, tag: str, title: str, *, prerelease: bool = False) -> None:
        if isinstance(self.forge, FakeForge):
            self.forge.release(name, tag, name=title, prerelease=prerelease)
        else:
            await self._by_hand("releases", name, {"tag_name": tag, "name": title, "prerelease": prerelease})

    async def build(self, name: str, sha: str) -> None:
        """Let CI build a commit that was pushed to main; the playground does so by itself."""
        if isinstance(self.forge, FakeForge):
            self.forge.run_workflow(name, sha)
            self.forge.publish_image(name, sha, sha[:7], "main")

    async def say(self, name: str, number: int, body: str) -> None:
        """Comment as Sample Author."""
        if isinstance(self.forge, FakeForge):
            self.forge.say(name, number, body, by="author")
        else:
            assert self.rig is not None
            await self.rig.as_author("POST", f"/repos/{name}/issues/{number}/comments", {"body": body})

    async def label(self, name: str, number: int, label: str) -> None:
        if isinstance(self.forge, FakeForge):
            self.forge.change_pull_request(name, number, labels=[label])
        else:
            await self._by_hand(f"issues/{number}/labels", name, {"labels": [label]})

    async def offer_from_fork(self, name: str) -> int:
        """Let Sample Author fork a repository and open a pull request from there; return its number."""
        if isinstance(self.forge, FakeForge):
            self.forge.push(name, {"a": b"1"}, branch="main-of-fork")
            made = await self.forge.create_pull_request(name, head="main-of-fork", base="main", title="Mine", body="")
            self.forge.change_pull_request(name, made.number, head_repository=f"author/{name.rpartition('/')[2]}")
            return made.number
        assert self.rig is not None
        fork = await self.rig.as_author("POST", f"/repos/{name}/forks", None)
        change = {"message": "Mine", "content": "eA==", "branch": "main"}
        await self.rig.as_author("PUT", f"/repos/{fork['full_name']}/contents/mine.txt", change)
        asked = {"title": "Mine", "head": "author:main", "base": "main"}
        return int((await self.rig.as_author("POST", f"/repos/{name}/pulls", asked))["number"])

    async def _by_hand(self, what: str, name: str, body: Any) -> None:
        assert self.rig is not None
        await self.rig.by_hand("POST", f"/repos/{name}/{what}", body)


@pytest.fixture(params=["fake", "token", "app"])
async def hands(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Hands]:
    if request.param == "fake":
        yield Hands(FakeForge())
        return
    async with playground_github(tmp_path / "github") as rig:
        if request.param == "token":
            yield Hands(rig.as_person, rig)
        else:
            yield Hands(await rig.as_app(), rig, shows_packages=False)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with playground_github(tmp_path / "github") as opened:
        yield opened
