"""The only sender of Slack Web API calls: one session, one pace, errors that say whether it may have happened."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import OutcomeUnknown, PlatformError, UpstreamUnavailable
from bot.slack.broadcasts import sends, without_broadcasts
from bot.slack.pace import Pace, Timer

TIMEOUT_S = 10.0
"""Longest wait for one call, in seconds. Slack answers in a few hundred milliseconds or not at all."""

_HINT = "Try again in a minute."
_JSON_METHODS = ("chat.", "views.")
_NEVER_WAITS = frozenset({"views.open", "views.push"})
"""Their trigger lives 3 seconds: a call that cannot go now need not go at all."""

_READS = ("auth.test", "conversations.history", "conversations.list", "conversations.replies", "team.info", "users.")
_MAY_HAVE_HAPPENED = frozenset(
    {"fatal_error", "internal_error", "request_timeout", "service_unavailable", "team_added_to_org"}
)
_RATE_LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})


class SlackRefused(PlatformError):
    """Slack answered no; `code` is its own name for the reason (`channel_not_found`). Trying again changes nothing."""

    def __init__(self, method: str, code: str, details: tuple[str, ...] = ()) -> None:
        super().__init__(f"Slack refused `{method}`: {code}.", hint=" ".join(details))
        self.method = method
        self.code = code


class Gateway(Protocol):
    """What everybody who talks to Slack calls."""

    async def call(self, method: str, *, patience_s: float | None = None, **arguments: Any) -> dict[str, Any]:
        """Return Slack's answer. Wait for our turn first, at most `patience_s` seconds (None: as long as it takes).

        Raise `SlackRefused` (with `code`), `UpstreamUnavailable` (it did not happen; with `retry_after_s` where Slack
        named a time) or `OutcomeUnknown` (it may have happened: look before doing it again).
        """

    async def respond(self, response_url: str, payload: Mapping[str, Any]) -> None:
        """Post to the `response_url` of a command or click. Raises as `call` does."""

    async def upload(self, upload_url: str, content: bytes) -> None:
        """Send a file's bytes where `files.getUploadURLExternal` said. Raises as `call` does."""

    def delay(self, method: str, channel: str | None = None, *, ahead: int = 0) -> float:
        """Return the seconds until this call may go out; 0 for now. `ahead`: calls of the method about to go first."""


class SlackGateway:
    """The gateway to the real Slack, or to whatever speaks like it at `base_url`."""

    def __init__(
        self, session: aiohttp.ClientSession, token: str, *, base_url: str, timer: Timer, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._session = session
        self._timeout_s = timeout_s
        self._timer = timer
        self._pace = Pace(timer)
        self._client = AsyncWebClient(token=token, base_url=base_url, session=session, retry_handlers=[])

    def delay(self, method: str, channel: str | None = None, *, ahead: int = 0) -> float:
        return self._pace.delay(method, channel, ahead=ahead)

    async def call(self, method: str, *, patience_s: float | None = None, **arguments: Any) -> dict[str, Any]:
        channel = arguments.get("channel")
        if sends(method):
            arguments = without_broadcasts(arguments)
        await self._turn(method, channel, 0.0 if method in _NEVER_WAITS else patience_s)
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._client.api_call(method, **_request(method, arguments))
        except SlackApiError as error:
            raise self._translated(error, method, channel) from None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _lost(error, method) from error
        data = answer.data
        if not isinstance(data, dict):
            raise _unknown(method)
        return data

    async def respond(self, response_url: str, payload: Mapping[str, Any]) -> None:
        await self._post(response_url, "response_url", json=without_broadcasts(dict(payload)))

    async def upload(self, upload_url: str, content: bytes) -> None:
        await self._post(upload_url, "file upload", data=content)

    async def _turn(self, method: str, channel: str | None, patience_s: float | None) -> None:
        """Wait until the call may go out. Whoever comes later sees a call that is about to go as gone."""
        until = None if patience_s is None else self._timer.now() + patience_s
        while (wait := self._pace.delay(method, channel)) > 0:
            if until is not None and self._timer.now() + wait > until:
                raise UpstreamUnavailable("Slack is busy.", hint=_HINT, retry_after_s=wait)
            await self._timer.sleep(wait)
        self._pace.take(method, channel)

    async def _post(self, url: str, what: str, **body: Any) -> None:
        if urlsplit(url).scheme not in ("http", "https"):
            raise SlackRefused(what, "invalid_url")
        try:
            async with self._session.post(
                url, timeout=aiohttp.ClientTimeout(total=self._timeout_s), **body
            ) as response:
                status, retry_after = response.status, response.headers.get("Retry-After")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _lost(error, what) from error
        if status == 429:
            raise UpstreamUnavailable("Slack is busy.", hint=_HINT, retry_after_s=_seconds(retry_after))
        if status >= 500:
            raise _unknown(what)
        if status >= 400:
            raise SlackRefused(what, f"http_{status}")

    def _translated(self, error: SlackApiError, method: str, channel: str | None) -> PlatformError:
        response = error.response
        status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
        data = getattr(response, "data", None)
        code = str(data["error"]) if isinstance(data, dict) and data.get("error") else ""
        if status == 429 or code in _RATE_LIMITED:
            seconds = _seconds(response.headers.get("Retry-After"))
            self._pace.pause(method, channel, seconds)
            return UpstreamUnavailable("Slack asked us to wait.", hint=_HINT, retry_after_s=seconds)
        if not code or status >= 500 or code in _MAY_HAVE_HAPPENED:
            return _unknown(method)
        return SlackRefused(method, code, _details(data))


def _request(method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return how slack_sdk shall send it: JSON where Slack takes it, a form everywhere else."""
    given = {name: value for name, value in arguments.items() if value is not None}
    if method.startswith(_JSON_METHODS):
        return {"json": given}
    return {"data": {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}}


def _lost(error: Exception, method: str) -> PlatformError:
    """A call without an answer: it did not happen only if there was no connection to send it on."""
    never_sent = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
    if never_sent or method.startswith(_READS):
        return UpstreamUnavailable("Slack could not be reached.", hint=_HINT)
    return _unknown(method)


def _unknown(method: str) -> PlatformError:
    if method.startswith(_READS):
        return UpstreamUnavailable("Slack did not answer.", hint=_HINT)
    return OutcomeUnknown("Slack did not answer, so it may or may not have been done.", hint=_HINT)


def _seconds(header: str | None) -> float:
    """Return what `Retry-After` says; 30 where it says nothing usable."""
    try:
        return min(max(float(header or ""), 1.0), 3600.0)
    except ValueError:
        return 30.0


def _details(data: Any) -> tuple[str, ...]:
    """Return Slack's own words on which block or scope was wrong. They hold no text of ours."""
    metadata = data.get("response_metadata") if isinstance(data, dict) else None
    messages = metadata.get("messages") if isinstance(metadata, dict) else None
    needed = data.get("needed") if isinstance(data, dict) else None
    found = [str(message)[:200] for message in messages or () if isinstance(message, str)]
    return (*found[:3], *((f"The app needs the scope {needed}.",) if needed else ()))
