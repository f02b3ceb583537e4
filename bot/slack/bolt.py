"""Dispatch through Bolt: one catch-all listener for each kind of payload, no wait for the ack, no call before the work.

Bolt gets the payload as a dict, the way its Socket Mode adapter hands it over, so it parses nothing. Listeners are
registered with a pattern that fits everything; which command, button or view it is, the router decides with a dict.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.edge import EMPTY, Reply
from bot.slack.envelope import Envelope, Kind

log = logging.getLogger(__name__)

EVERYTHING = re.compile("")
_ENVELOPE = "causeway_envelope"

Handler = Callable[[Envelope], Awaitable[Mapping[str, Any] | None]]


class Failures(Protocol):
    """What becomes of an exception: never a 500, always a sentence."""

    async def failed(self, envelope: Envelope, error: Exception) -> Mapping[str, Any] | None:
        """Tell the person, and return the answer for Slack."""


class _Known(AsyncAuthorize):
    """The token is known, so nobody is asked: by default Bolt calls `auth.test` before it does anything."""

    def __init__(self, token: str) -> None:
        self._result = AuthorizeResult(enterprise_id=None, team_id=None, bot_token=token)

    async def __call__(self, **_of_the_request: Any) -> AuthorizeResult:
        return self._result


class BoltDispatch:
    """Takes an envelope through Bolt to its handler and returns what Slack is answered. Never raises."""

    def __init__(self, *, client: AsyncWebClient, handlers: Mapping[Kind, Handler], failures: Failures) -> None:
        """`client` carries the token and the shared session. A kind without a handler is answered with an empty 200."""
        self._handlers = handlers
        self._failures = failures
        self._app = _app(client)
        for register in (
            self._app.command,
            self._app.action,
            self._app.view_submission,
            self._app.options,
            self._app.event,
            self._app.view_closed,
            self._app.shortcut,
        ):
            register(EVERYTHING)(self._listen)

    @property
    def listeners(self) -> int:
        return len(self._app._async_listeners)  # noqa: SLF001 - Bolt offers no count, and a test holds ours down

    async def __call__(self, envelope: Envelope) -> Reply:
        try:
            request = AsyncBoltRequest(mode="socket_mode", body=envelope.payload, context={_ENVELOPE: envelope})
            response = await self._app.async_dispatch(request)
            if response.status == 200:
                return Reply(response.body, is_json=True) if response.body else EMPTY
            error: Exception = RuntimeError(f"Bolt answered {response.status}")
        except Exception as raised:  # noqa: BLE001 - a shape that Bolt does not expect; `failed` logs it
            error = raised
        return Reply.of(await self._last_word(envelope, error))

    async def _listen(self, context: AsyncBoltContext) -> BoltResponse:
        envelope: Envelope = context[_ENVELOPE]
        try:
            handler = self._handlers.get(envelope.kind)
            answer = await handler(envelope) if handler else None
        except Exception as error:  # noqa: BLE001 - nobody is left without an answer; `failed` logs it
            answer = await self._last_word(envelope, error)
        return BoltResponse(status=200, body=json.dumps(answer) if answer else "")

    async def _last_word(self, envelope: Envelope, error: Exception) -> Mapping[str, Any] | None:
        try:
            return await self._failures.failed(envelope, error)
        except Exception:
            log.exception("slack_failure_not_told", extra={"kind": envelope.kind.value})
            return None


def _app(client: AsyncWebClient) -> AsyncApp:
    bare = AsyncWebClient(
        base_url=client.base_url, session=client.session, timeout=client.timeout, retry_handlers=[], logger=log
    )
    return AsyncApp(
        name="causeway",
        logger=log,
        client=bare,
        authorize=_Known(client.token or ""),
        process_before_response=True,
        request_verification_enabled=False,
        ignoring_self_events_enabled=False,
        ignoring_self_assistant_message_events_enabled=False,
        ssl_check_enabled=False,
        url_verification_enabled=False,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )
