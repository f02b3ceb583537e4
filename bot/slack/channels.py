"""Names of channels and their ids. People and the catalog say `team-orders`; Slack wants `C…`."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Any

from bot.errors import PlatformError
from bot.slack.gateway import Gateway

log = logging.getLogger(__name__)

PAGE = 200
MOST_PAGES = 25
REFRESH_S = 600.0
RETRY_S = 10.0
_ID = re.compile(r"[CGD][A-Z0-9]{6,}")


class Channels:
    """Knows the public channels of the workspace. Answers from memory; an unknown name is asked for again in time."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._ids: dict[str, str] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Keep the list current in the background: Slack being away must not keep us from starting."""
        self._task = asyncio.create_task(self._keep_current(), name="slack-channels")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def id_of(self, name: str) -> str | None:
        """Return the id of a channel given by name (with or without `#`) or id, or None for an unknown name."""
        name = name.strip().lstrip("#")
        return name if _ID.fullmatch(name) else self._ids.get(name)

    async def find(self, name: str) -> str | None:
        """The same, asking Slack once where the name is not known yet. Raise `PlatformError` when Slack is away."""
        found = self.id_of(name)
        if found is None and name:
            await self.refresh()
            found = self.id_of(name)
        return found

    async def refresh(self) -> None:
        ids: dict[str, str] = {}
        cursor = ""
        for _ in range(MOST_PAGES):
            page: dict[str, Any] = {"cursor": cursor} if cursor else {}
            answer = await self._gateway.call(
                "conversations.list", types="public_channel,private_channel", exclude_archived=True, limit=PAGE, **page
            )
            ids |= {channel["name"]: channel["id"] for channel in answer.get("channels", [])}
            cursor = (answer.get("response_metadata") or {}).get("next_cursor", "")
            if not cursor:
                break
        self._ids = ids

    async def _keep_current(self) -> None:
        while True:
            try:
                await self.refresh()
                pause = REFRESH_S
            except PlatformError as error:
                log.warning("channels_not_read", extra={"problem": error.message})
                pause = RETRY_S
            await asyncio.sleep(pause)
