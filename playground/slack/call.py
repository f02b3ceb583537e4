"""One Web API call: its arguments however they came, and the table of methods that answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from playground.slack.rates import Tier
from playground.slack.refusals import SlackRefusal
from playground.slack.store import Json
from playground.slack.workspace import Workspace


@dataclass(slots=True)
class Call:
    """Arguments of query, form and JSON merged; values may be text, as Slack takes `"1"`, `"true"` and JSON in text."""

    method: str
    arguments: Json
    slack: Workspace
    violations: list[str] = field(default_factory=list)

    def text(self, name: str, default: str | None = None) -> str | None:
        value = self.arguments.get(name)
        return default if value in (None, "") else str(value)

    def required(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise SlackRefusal("invalid_arguments", messages=[f"[ERROR] missing required field: {name}"])
        return value

    def flag(self, name: str) -> bool:
        return str(self.arguments.get(name, "")).lower() in ("1", "true")

    def number(self, name: str, default: int) -> int:
        value = self.text(name)
        if value is None:
            return default
        if not value.isdecimal():
            problem = f"[ERROR] must be an integer [json-pointer:/{name}]"
            raise SlackRefusal("invalid_arguments", messages=[problem])
        return int(value)

    def json(self, name: str, malformed: str = "invalid_arguments") -> Any:
        """Return an argument that is JSON, given as such or as text; None when it was left out."""
        value = self.arguments.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError as error:
            raise SlackRefusal(malformed) from error

    def needs(self, *scopes: str) -> None:
        """Raise `missing_scope` unless the app was granted one of the scopes."""
        if scopes and self.slack.app.scopes.isdisjoint(scopes):
            provided = ",".join(sorted(self.slack.app.scopes))
            raise SlackRefusal("missing_scope", needed=",".join(scopes), provided=provided)

    def page(self, items: list[Json], default: int = 100) -> tuple[list[Json], Json]:
        """Return the asked page of a list and its `response_metadata`."""
        start = self._cursor()
        limit = max(1, self.number("limit", default))
        more = start + limit < len(items)
        return items[start : start + limit], {"next_cursor": f"offset:{start + limit}" if more else ""}

    def _cursor(self) -> int:
        cursor = self.text("cursor")
        if cursor is None:
            return 0
        _, _, offset = cursor.partition("offset:")
        if not offset.isdecimal():
            raise SlackRefusal("invalid_cursor")
        return int(offset)


Handler = Callable[[Call], Json]


@dataclass(frozen=True, slots=True)
class Method:
    name: str
    tier: Tier
    scopes: tuple[str, ...]
    """One of them is needed; none: any token will do."""
    caller: Literal["bot", "app", "anyone"]
    """Whose token is needed."""
    handler: Handler


METHODS: dict[str, Method] = {}


def method(
    name: str, tier: Tier, *scopes: str, caller: Literal["bot", "app", "anyone"] = "bot"
) -> Callable[[Handler], Handler]:
    """Register a function as the answer to a Web API method; what it returns goes beside `"ok": true`."""

    def register(handler: Handler) -> Handler:
        METHODS[name] = Method(name, tier, scopes, caller, handler)
        return handler

    return register
