"""An Argo CD beside the fake forge: what it shows follows from Git, as of when it was last told to look."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bot.errors import NotFound
from bot.ports import Application, Pause, Seen, SyncWindows
from tests.fakes.deployments import OPEN, application
from tests.fakes.forge import FakeForge

ROOT = "root"
LONG_S = 5.0
"""From here on a pause is slept: nobody is meant to come to its end."""


class GitDelivery:
    """Implements `bot.ports.Deployments`. An application is there once the root has read its file, and runs the image
    that its folder named when the application itself was read last. What was read outlives the process, in `file`."""

    def __init__(self, forge: FakeForge, repository: str, file: Path) -> None:
        self._forge = forge
        self._repository = repository
        self._file = file

    async def application(self, name: str) -> Application | None:
        read = self._read()
        if await self._text(read.get(ROOT, ""), f"argocd/applications/{name}.yaml") is None:
            return None
        revision = read.get(name, "")
        image = await self._text(revision, f"apps/{name.replace('-', '/', 1)}/image.txt")
        return application(name, revision=revision, images=(image.strip(),) if image else ())

    async def applications(self, *, labels: Mapping[str, str] | None = None) -> Sequence[Application]:
        raise NotImplementedError

    async def follow(self, name: str) -> AsyncIterator[Seen]:
        yield Seen(await self.application(name))
        await asyncio.get_running_loop().create_future()

    async def refresh(self, name: str) -> None:
        if name != ROOT and await self.application(name) is None:
            raise NotFound(f"Argo CD has no application {name}, or hides it from us.")
        head = await self._forge.branch_head(self._repository, "main")
        assert head is not None
        beside = self._file.with_suffix(".new")
        beside.write_text(json.dumps({**self._read(), name: head.sha}))
        beside.replace(self._file)

    async def sync(self, name: str, *, revision: str = "", prune: bool = True) -> None:
        await self.refresh(name)

    async def windows(self, name: str) -> SyncWindows:
        return OPEN

    def web_url(self, name: str) -> str:
        return f"https://argocd.example/applications/argocd/{name}"

    def _read(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self._file.read_text()) if self._file.exists() else {}
        return found

    async def _text(self, commit: str, path: str) -> str | None:
        content = await self._forge.file(self._repository, commit, path) if commit else None
        return content.decode() if content is not None else None


class Briefly:
    """Implements `bot.ports.Waiting`: who looks again and again does so at once."""

    @contextmanager
    def listening(self, *_keys: str) -> Iterator[Pause]:
        async def pause(seconds: float) -> None:
            await asyncio.sleep(seconds if seconds >= LONG_S else 0)

        yield pause
