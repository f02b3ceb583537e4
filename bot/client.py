"""The command line as a client of a running Causeway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp

from bot.errors import Conflict, NotFound, PlatformError, Refused, UpstreamUnavailable, UsageError
from bot.model.canonical import JSON

ERRORS: Mapping[int, type[PlatformError]] = {401: Refused, 403: Refused, 404: NotFound, 409: Conflict, 422: UsageError}
ANSWER_S = 90.0


class Client:
    """Speaks to `/api/v1` with a bearer token."""

    def __init__(self, session: aiohttp.ClientSession, server: str, token: str) -> None:
        self._session = session
        self._base = server.rstrip("/") + "/api/v1"
        self._headers = {"Authorization": f"Bearer {token}"}

    async def plan(self, command: str, values: Mapping[str, JSON]) -> dict[str, Any]:
        return await self._call("POST", f"/requests/{command}?dry_run=true", values)

    async def run(self, command: str, values: Mapping[str, JSON], *, wait_s: float) -> dict[str, Any]:
        return await self._call("POST", f"/requests/{command}?wait_s={wait_s:.0f}", values)

    async def operation(self, operation: str, *, wait_s: float) -> dict[str, Any]:
        return await self._call("GET", f"/operations/{operation}?wait_s={wait_s:.0f}")

    async def _call(self, method: str, path: str, body: Mapping[str, JSON] | None = None) -> dict[str, Any]:
        """Raise the `PlatformError` that the server's answer stands for."""
        try:
            async with self._session.request(
                method,
                self._base + path,
                json=body,
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=ANSWER_S),
            ) as response:
                answer = await response.json(content_type=None)
                status = response.status
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise UpstreamUnavailable(
                f"Causeway did not answer at {self._base}.", hint="Check --server, and that it runs."
            ) from error
        if not isinstance(answer, dict):
            raise UpstreamUnavailable(f"{self._base} does not speak Causeway's language.", hint="Check --server.")
        if status >= 400:
            kind = ERRORS.get(status, UpstreamUnavailable)
            raise kind(str(answer.get("error", f"Causeway answered {status}.")), hint=str(answer.get("hint", "")))
        return answer
