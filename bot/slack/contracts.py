"""What the inbound half needs from its neighbours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.command import Answer, Context, Picture, Query, TextFile
from bot.forms.model import FormField, Option
from bot.model.operation import Asked, Decided, OperationView
from bot.model.principal import Principal

Blocks = Sequence[Mapping[str, Any]]


class Web(Protocol):
    """Immediate calls of Slack's Web API: modals, and who somebody is."""

    async def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Return Slack's answer. Raise `PlatformError`, with Slack's own error name in `code`, when it says no."""


class Replies(Protocol):
    """What people are told; sent in its own time, surviving a restart. The same `key` twice is one message."""

    async def ephemeral(
        self, *, channel: str, user: str, text: str, blocks: Blocks = (), key: str | None = None
    ) -> None: ...
    async def message(self, *, channel: str, text: str, blocks: Blocks = (), key: str | None = None) -> None: ...
    async def tell(
        self,
        identifier: str,
        *,
        channel: str,
        user: str,
        text: str,
        blocks: Blocks = (),
        thread_ts: str | None = None,
        key: str | None = None,
    ) -> None:
        """Post a message; told again by the same id, the same message is changed."""

    async def file(
        self,
        *,
        channel: str,
        user: str,
        file: TextFile | Picture,
        comment: str,
        thread_ts: str | None = None,
        key: str | None = None,
    ) -> None: ...


Answers = Callable[[Query[Any], Any, Context], Awaitable[Answer]]
"""`(query, request, context)`: runs a query for whoever policy lets ask it. Raises `PlatformError`."""


class OperationsDoor(Protocol):
    """The engine, as a door sees it."""

    async def submit(self, asked: Asked) -> Any:
        """Take the request. The same `asked.operation` twice is one operation. Raise `PlatformError` when refused."""

    async def press(self, button_id: str, principal: Principal) -> Decided: ...
    async def view(self, operation_id: str) -> OperationView | None: ...


class Directory(Protocol):
    """The catalog's people. Answers from memory."""

    def principal_by_email(self, email: str) -> Principal | None: ...


class OptionSource(Protocol):
    """What a picker offers. Answers from memory: Slack takes no late answer."""

    def options(
        self, field: FormField | None, action_id: str, query: str, principal: Principal
    ) -> Sequence[Option]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """A pressed button, after the person was recognised."""

    action: str
    value: str
    principal: Principal
    user: str
    channel: str
    """Empty where the button stands on the home tab or in a modal."""
    message_ts: str
    trigger: str


OnClick = Callable[[Click], Awaitable[str | None]]
"""Does what a button says; returns the sentence for the person who pressed it, if there is one."""
HomeOpened = Callable[[Principal, str], Awaitable[None]]
"""`(principal, slack_user)`: draw the home tab."""
