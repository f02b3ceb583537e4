"""One cluster's HTTP session: sends a request and returns its answer, whatever its status."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import aiohttp

from integrations.kubernetes.access import Access, load

if TYPE_CHECKING:
    from kubernetes.aio.client import ApiClient

CONNECT_S = 5.0
JSON = "application/json"
APPLY = "application/apply-patch+yaml"
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
"""Asks for an object's metadata and nothing else of it."""
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""The same of a list."""


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = field(default=None, repr=False)
    kind: str = JSON
    accept: str = JSON

    @property
    def url(self) -> str:
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came."""

    status: int
    body: bytes = field(repr=False)
    retry_after_s: float | None = None


class NotSent(Exception):
    """The request never reached the server; the text says why, without addresses of ours or tokens."""


class NoAnswer(Exception):
    """The request was sent, and no whole answer came."""


class Connection:
    """Opens itself at the first request, with the library loaded off the event loop.

    A token that is not accepted any more is read anew once: tokens in files and those of login programs expire.
    """

    def __init__(self, cluster: str, access: Access, *, timeout_s: float) -> None:
        self._cluster = cluster
        self._access = access
        self._limits = aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_S)
        self._opening = asyncio.Lock()
        self._client: ApiClient | None = None

    async def send(self, request: Request) -> Reply:
        """Raise `NotSent` or `NoAnswer`."""
        answer = await self._answer(request, self._limits)
        try:
            body = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NoAnswer("the answer broke off") from error
        finally:
            answer.release()
        said = body if answer.status < 300 else self.without_token(body)
        return Reply(answer.status, said, _seconds(answer.headers.get("Retry-After")))

    @asynccontextmanager
    async def stream(self, request: Request, *, silence_s: float) -> AsyncIterator[tuple[int, AsyncIterator[bytes]]]:
        """Yield the status and the lines of an answer that goes on. Give up when nothing comes for `silence_s`.

        Raise `NotSent` or `NoAnswer`, also from the lines.
        """
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=silence_s)
        answer = await self._answer(request, limits)
        try:
            yield answer.status, _lines(answer)
        finally:
            answer.close()

    def without_token(self, said: bytes) -> bytes:
        """Return what a server said with our token taken out: errors quote their servers."""
        held = self._client.configuration.api_key.get("BearerToken", "") if self._client else ""
        token = held.rpartition(" ")[2].encode()
        return said.replace(token, b"(hidden)") if token else said

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _answer(self, request: Request, limits: aiohttp.ClientTimeout) -> aiohttp.ClientResponse:
        client = await self._open()
        answer = await self._once(client, request, limits)
        if answer.status == 401 and await self._renewed(client):
            answer.release()
            return await self._once(client, request, limits)
        return answer

    async def _once(self, client: ApiClient, request: Request, limits: aiohttp.ClientTimeout) -> aiohttp.ClientResponse:
        headers = {"Content-Type": request.kind, "Accept": request.accept, "User-Agent": "causeway"}
        await client.update_params_for_auth(headers, [], ["BearerToken"], request.path, request.method, request.body)
        url = client.configuration.host + request.url
        try:
            # The library's own client, past its generated models: they would cost a second and 100 MB to load.
            answer = await client.call_api(request.method, url, headers, request.body, _request_timeout=limits)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise NotSent(_why(error)) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NoAnswer("no answer came in time" if isinstance(error, TimeoutError) else _BROKE) from error
        response: aiohttp.ClientResponse = answer.response
        return response

    async def _open(self) -> ApiClient:
        async with self._opening:
            if self._client is None:
                library = await asyncio.to_thread(importlib.import_module, "kubernetes.aio.client")
                self._client = library.ApiClient(await load(self._access, self._cluster))
            return self._client

    async def _renewed(self, client: ApiClient) -> bool:
        """Read the credentials anew; say whether they are others now."""
        fresh = (await load(self._access, self._cluster)).api_key
        if fresh == client.configuration.api_key:
            return False
        client.configuration.api_key = fresh
        return True


_BROKE = "the connection was lost"


async def _lines(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        while line := await answer.content.readline():
            yield line
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        # ValueError: a line longer than any object that a server keeps.
        raise NoAnswer(_BROKE) from error


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isdecimal() else None


def _why(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return "its certificate is not the one that we trust"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its host name is unknown"
    return "it cannot be reached"
