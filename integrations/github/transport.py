"""PyGithub at work: in a bounded pool of threads, one `Github` object per thread, never on the event loop.

One object shared by threads can send another thread's request, so each thread has its own. Pacing and retries are off:
the limiter and the client above decide those, because PyGithub repeats writes whose answer was lost.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from github import Github

THREADS = 8
DEADLINE_FACTOR = 4
"""A server that drips its answer is given up after this many timeouts."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    text: str = field(repr=False)


class NotSent(Exception):
    """The request never reached GitHub."""


class NoAnswer(Exception):
    """The request was sent, and no whole answer came."""


@dataclass(frozen=True, slots=True)
class Authorization:
    """`scheme` is `token` or `Bearer`. The value is never printed."""

    scheme: str
    value: str = field(repr=False)


class Transport:
    """Sends one request and returns its answer, whatever its status."""

    def __init__(self, base_url: str, *, timeout_s: int = 15) -> None:
        self._base_url = base_url.rstrip("/")
        self._timeout_s = timeout_s
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="github", initializer=_load)
        self._local = threading.local()
        self._opened: list[Github] = []

    async def send(
        self,
        method: str,
        path: str,
        authorization: Authorization,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Raise `NotSent` or `NoAnswer`."""
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._pool, self._send, method, path, authorization, body, dict(headers or {}))
        try:
            async with asyncio.timeout(self._timeout_s * DEADLINE_FACTOR):
                return await work
        except TimeoutError as error:
            raise NoAnswer("no whole answer in time") from error

    async def app_token(self, app_id: str, private_key: str) -> Authorization:
        """Return a signed JSON Web Token that speaks for the App itself. Raise `ValueError` for a key that is none."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, _app_token, app_id, private_key)

    async def close(self) -> None:
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)
        for github in self._opened:
            github.close()

    def _send(self, method: str, path: str, authorization: Authorization, body: Any, headers: dict[str, str]) -> Reply:
        import requests  # noqa: PLC0415  # the pool has loaded it with PyGithub

        github = self._github()
        # PyGithub's own authentication is off: each job brings its own token.
        headers["Authorization"] = f"{authorization.scheme} {authorization.value}"
        headers.setdefault("Accept", "application/vnd.github+json")
        try:
            status, received, text = github.requester.requestJson(method, path, input=body, headers=headers)
        except requests.exceptions.ChunkedEncodingError as error:
            raise NoAnswer("the answer broke off") from error
        except requests.exceptions.ConnectionError as error:
            raise _lost(error) from error
        except requests.exceptions.Timeout as error:
            raise NoAnswer("no answer in time") from error
        except requests.exceptions.ContentDecodingError as error:
            raise NoAnswer("the answer cannot be read") from error
        except (requests.exceptions.RequestException, RuntimeError) as error:
            # RuntimeError is PyGithub's word for a redirect to another host.
            raise NotSent(error.__class__.__name__) from error
        return Reply(status, received, text)

    def _github(self) -> Github:
        github: Github | None = getattr(self._local, "github", None)
        if github is None:
            github = self._local.github = _open(self._base_url, self._timeout_s)
            self._opened.append(github)
        return github


_loading = threading.Lock()


def _load() -> None:
    """Import what the threads need, one after the other: threads that import the same packages at the same time can
    be handed a half-made module."""
    with _loading:
        import github  # noqa: F401, PLC0415  # 0.25 s and 40 MB, which a start without GitHub should not pay


def _open(base_url: str, timeout_s: int) -> Github:
    from github import Github  # noqa: PLC0415  # the same

    # At DEBUG it would write request bodies into the log, a webhook's secret among them.
    logging.getLogger("github.Requester").setLevel(logging.INFO)
    return Github(
        base_url=base_url,
        timeout=timeout_s,
        retry=None,
        seconds_between_requests=None,
        seconds_between_writes=None,
        user_agent="causeway",
        lazy=True,
    )


def _app_token(app_id: str, private_key: str) -> Authorization:
    from github import Auth  # noqa: PLC0415  # the same
    from jwt import PyJWTError  # noqa: PLC0415  # comes with PyGithub

    try:
        return Authorization("Bearer", Auth.AppAuth(app_id, private_key).create_jwt())
    except PyJWTError:
        # Its words may quote the key.
        raise ValueError("the key cannot be read") from None


def _lost(error: Exception) -> NotSent | NoAnswer:
    """Tell a connection that was never made from one that broke after the request went out."""
    import requests  # noqa: PLC0415  # the same
    from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError  # noqa: PLC0415  # the same

    never_made = (requests.exceptions.ConnectTimeout, requests.exceptions.SSLError, requests.exceptions.ProxyError)
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    if isinstance(error, never_made) or isinstance(reason, (NewConnectionError, ConnectTimeoutError)):
        return NotSent("the connection could not be made")
    return NoAnswer("the connection was lost")
