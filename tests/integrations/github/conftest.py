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

    async def by_hand(self, method: str, path: str, body: Any = None) -> Any:
        """Do what a person does, past the adapter."""
        headers = {"Authorization": f"token {TOKEN}"}
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
