"""Argo CD through its REST API: reads, follows and acts with one account of Argo CD's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from pydantic import SecretStr

from bot.errors import NotFound, Refused
from bot.ports import Application, Seen, SyncWindows
from integrations.argocd import shapes, windows
from integrations.argocd.answers import Busy
from integrations.argocd.client import Asked, Client, application_path
from integrations.argocd.stream import Sleep, Stream

REFRESH_S = 15.0
"""A refresh is answered when it is over. It goes on without us: who waits for it follows the application."""


class ArgoCDApi:
    """Implements `bot.ports.Deployments`."""

    def __init__(
        self,
        url: str,
        token: SecretStr,
        *,
        namespace: str = "argocd",
        web_url: str = "",
        timeout_s: float = 10.0,
        refresh_s: float = REFRESH_S,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._namespace = namespace
        self._web_url = (web_url or url).rstrip("/")
        self._refresh_s = refresh_s
        self._client = Client(url, token, timeout_s=timeout_s)
        self._stream = Stream(self._client, namespace, sleep=sleep)

    async def close(self) -> None:
        await self._stream.close()
        await self._client.close()

    async def application(self, name: str) -> Application | None:
        """Return None for one that does not exist; Argo CD answers the same for one that our account may not see."""
        try:
            return shapes.application(await self._get(name, f"show {name}"))
        except NotFound:
            return None

    async def applications(self, *, labels: Mapping[str, str] | None = None) -> Sequence[Application]:
        query = {"appNamespace": self._namespace}
        if labels:
            query["selector"] = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
        found = await self._client.get("/api/v1/applications", "list applications", query)
        return [shapes.application(one) for one in found.get("items") or ()]

    def follow(self, name: str) -> AsyncGenerator[Seen, None]:
        return self._stream.follow(name)

    async def refresh(self, name: str) -> None:
        try:
            await self._get(name, f"refresh {name}", {"refresh": "normal"}, timeout_s=self._refresh_s)
        except Asked:
            return

    async def sync(self, name: str, *, revision: str = "", prune: bool = True) -> None:
        body: dict[str, Any] = {"name": name, "appNamespace": self._namespace, "prune": prune}
        if revision:
            body["revision"] = revision
        try:
            await self._client.post(application_path(name, "/sync"), f"sync {name}", body)
        except Busy:
            return
        except Refused as error:
            raise await self._with_window(name, error) from None

    async def windows(self, name: str) -> SyncWindows:
        path = application_path(name, "/syncwindows")
        doing = f"tell the sync windows of {name}"
        return windows.of_answer(await self._client.get(path, doing, {"appNamespace": self._namespace}))

    def web_url(self, name: str) -> str:
        return f"{self._web_url}/applications/{self._namespace}/{name}"

    async def _get(
        self, name: str, doing: str, query: Mapping[str, str] | None = None, *, timeout_s: float | None = None
    ) -> Any:
        whole = {"appNamespace": self._namespace, **(query or {})}
        return await self._client.get(
            application_path(name), doing, whole, timeout_s=timeout_s, long=timeout_s is not None
        )

    async def _with_window(self, name: str, error: Refused) -> Refused:
        """Name the window that keeps a sync from happening: Argo CD only says that there is one."""
        if "sync window" not in error.message:
            return error
        found = await self.windows(name)
        return Refused(f"Argo CD does not sync {name}: {windows.in_words(found)}.", hint="Wait until it opens.")
