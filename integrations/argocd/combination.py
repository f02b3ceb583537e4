"""Reads Application resources, which tell everything at once and to many; acts through Argo CD's API, which asks who
may. What Causeway uses where it has both."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

from bot.errors import UpstreamUnavailable
from bot.ports import Application, Seen, SyncWindows
from integrations.argocd.api import ArgoCDApi
from integrations.argocd.resources import ApplicationResources


class ResourcesAndApi:
    """Implements `bot.ports.Deployments`."""

    def __init__(self, resources: ApplicationResources, api: ArgoCDApi) -> None:
        self._resources = resources
        self._api = api
        self._reads: ApplicationResources | ArgoCDApi | None = None

    async def close(self) -> None:
        await self._resources.close()
        await self._api.close()

    async def application(self, name: str) -> Application | None:
        return await (await self._reader()).application(name)

    async def applications(self, *, labels: Mapping[str, str] | None = None) -> Sequence[Application]:
        return await (await self._reader()).applications(labels=labels)

    async def follow(self, name: str) -> AsyncGenerator[Seen, None]:
        async with aclosing((await self._reader()).follow(name)) as following:
            async for seen in following:
                yield seen

    async def refresh(self, name: str) -> None:
        await self._api.refresh(name)

    async def sync(self, name: str, *, revision: str = "", prune: bool = True) -> None:
        await self._api.sync(name, revision=revision, prune=prune)

    async def windows(self, name: str) -> SyncWindows:
        return await self._api.windows(name)

    def web_url(self, name: str) -> str:
        return self._api.web_url(name)

    async def _reader(self) -> ApplicationResources | ArgoCDApi:
        """Return who reads: the API where the cluster does not know Applications, or hides them from us."""
        if self._reads is not None:
            return self._reads
        try:
            self._reads = self._resources if await self._resources.can_read() else self._api
        except UpstreamUnavailable:
            return self._resources  # which says so; the next reader finds out
        return self._reads
