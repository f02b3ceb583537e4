"""Calls of Argo CD's REST API. The token stands in a header and nowhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import aiohttp
from pydantic import SecretStr

from bot.errors import UpstreamUnavailable
from integrations.argocd.answers import unknown, unreachable, value

CONNECT_S = 5.0
SILENCE_S = 40.0
"""Longest silence of a stream before it is asked for again. Argo CD answers with the first event, however long that
takes, and from then on sends a comment every 15 s. Proxies often give up what says nothing for a minute."""
LONGEST_BODY = 128 * 1024 * 1024
"""Bytes of one answer; two thousand applications are about 30 MB."""


class Asked(Exception):
    """The request was sent whole, and no answer came in time."""


class Client:
    """One session for all calls, opened with the first."""

    def __init__(self, url: str, token: SecretStr, *, timeout_s: float = 10.0) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(
        self, path: str, doing: str, query: Mapping[str, str], *, timeout_s: float | None = None, long: bool = False
    ) -> Any:
        """Read JSON. With `long` raise `Asked` where the answer does not come in time."""
        return await self._call("GET", path, doing, query=query, timeout_s=timeout_s, long=long)

    async def post(self, path: str, doing: str, body: Mapping[str, Any]) -> Any:
        return await self._call("POST", path, doing, body=body, write=True)

    @asynccontextmanager
    async def stream(self, path: str, doing: str, query: Mapping[str, str]) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a stream of server-sent events; yield its lines. Raise `UpstreamUnavailable` when it breaks."""
        limit = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENCE_S)
        headers = {"Accept": "text/event-stream"}
        try:
            async with self._open().get(
                self._url + path, params=query, timeout=limit, headers=headers, allow_redirects=False
            ) as answer:
                if answer.status != 200:
                    value(answer.status, await answer.content.read(64 * 1024), doing, write=False)
                yield _lines(answer.content)
        except aiohttp.ClientConnectorError as error:
            raise unreachable(doing, _why(error)) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unknown(doing, f"the connection broke off ({_why(error)})", write=False) from None

    async def _call(
        self,
        method: str,
        path: str,
        doing: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        timeout_s: float | None = None,
        write: bool = False,
        long: bool = False,
    ) -> Any:
        limit = aiohttp.ClientTimeout(total=timeout_s or self._timeout_s, sock_connect=CONNECT_S)
        try:
            async with self._open().request(
                method, self._url + path, params=query, json=body, timeout=limit, allow_redirects=False
            ) as answer:
                content = await _whole(answer.content, doing)
                status = answer.status
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise unreachable(doing, _why(error)) from None
        except TimeoutError:
            if long:
                raise Asked from None
            raise unknown(doing, "no whole answer came in time", write=write) from None
        except (aiohttp.ClientError, OSError) as error:
            raise unknown(doing, f"the connection broke off ({_why(error)})", write=write) from None
        return value(status, content, doing, write=write)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            token = self._token.get_secret_value()
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            # Redirects are not followed: they would send the token elsewhere, as a sign-on page in the way does.
            self._session = aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=20))
        return self._session


def application_path(name: str, rest: str = "") -> str:
    return f"/api/v1/applications/{quote(name, safe='')}{rest}"


async def _whole(content: aiohttp.StreamReader, doing: str) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in content.iter_any():
        size += len(part)
        if size > LONGEST_BODY:
            raise UpstreamUnavailable(f"Argo CD's answer is too long to {doing}.")
        parts.append(part)
    return b"".join(parts)


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Split at line ends ourselves: one application may be longer than aiohttp's lines."""
    rest = b""
    async for part in content.iter_any():
        *lines, rest = (rest + part).split(b"\n")
        if len(rest) > LONGEST_BODY:
            raise UpstreamUnavailable("Argo CD's stream has a line without an end.")
        for line in lines:
            yield line


def _why(error: BaseException) -> str:
    """Name the kind of a failure. Its own words may hold an address with credentials."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return "its certificate is not trusted"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its name cannot be resolved"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "the connection was refused"
    return "no answer in time" if isinstance(error, TimeoutError) else "the connection was lost"
