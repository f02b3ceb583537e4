"""One HTTP client for what answers in JSON and is asked over plain HTTP: bounded in time and in size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.errors import TooMuch
from integrations.reading.bodies import Body
from integrations.reading.errors import late, no_result, unknown, unreachable

CONNECT_S = 2.0
"""Longest wait for a connection, in seconds: these systems stand in the same network."""
CONNECTIONS = 10
"""At once, to one system."""
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}
"""Not packed: what a packed answer grows to cannot be seen before it has grown."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def is_html(self) -> bool:
        """Whether it is a page for people, such as a proxy in the way shows."""
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return kind == "text/html" or self.body[:64].lstrip().lower().startswith((b"<!doctype", b"<html"))


class Client:
    """One session, opened with the first question. An address may hold a login; no text of ours repeats it."""

    def __init__(self, system: str, url: str, *, timeout_s: float, most_bytes: int) -> None:
        self.system = system
        self._url = url.rstrip("/")
        self._timeout_s = timeout_s
        self._most_bytes = most_bytes
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Reply:
        """Return whatever status there was. Raise `TimedOut`, `UpstreamUnavailable`, `TooMuch`."""
        return await self._call("GET", path, query=query)

    async def change(self, method: str, path: str, body: Any = None) -> Reply:
        """Send a change. Raise `OutcomeUnknown` where it was sent, or may have been, and no answer came."""
        return await self._call(method, path, body=body, write=True)

    async def _call(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Any = None, write: bool = False
    ) -> Reply:
        limit = aiohttp.ClientTimeout(total=self._timeout_s, sock_connect=CONNECT_S)
        read = Body(self.system, most_bytes=self._most_bytes)
        try:
            async with self._open().request(
                method, self._url + path, params=query, json=body, timeout=limit, allow_redirects=False
            ) as answer:
                if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
                    raise unknown(self.system, "its answer came packed") if write else no_result(self.system)
                async for part in answer.content.iter_any():
                    read.add(part)
                return Reply(answer.status, read.whole(), answer.headers)
        except TooMuch:
            if write:
                raise unknown(self.system, "its answer is longer than we read") from None
            raise
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise unreachable(self.system, _why(error)) from None
        except TimeoutError:
            raise unknown(self.system, "no whole answer came in time") if write else late(self.system) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if write:
                raise unknown(self.system, f"the connection broke off ({_why(error)})") from None
            raise unreachable(self.system, _why(error)) from None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            # Redirects are not followed: they would send a login elsewhere, as a sign-on page in the way does.
            connector = aiohttp.TCPConnector(limit=CONNECTIONS)
            self._session = aiohttp.ClientSession(
                headers=HEADERS, connector=connector, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session


def _why(error: BaseException) -> str:
    """Name the kind of a failure. Its own words may hold an address with a login."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return "its certificate is not trusted"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its name cannot be resolved"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "the connection was refused"
    return "no answer in time" if isinstance(error, TimeoutError) else "the connection was lost"
