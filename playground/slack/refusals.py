"""How the simulator says no: as Slack's Web API does, and as a Slack client does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class SlackRefusal(Exception):
    """The Web API's `{"ok": false, "error": …}`.

    `messages` go to `response_metadata.messages`; `retry_after` (seconds) makes it a 429; `extra` are further fields
    of the answer, such as `needed` and `provided` of `missing_scope`.
    """

    def __init__(
        self, error: str, *, messages: Sequence[str] = (), retry_after: int | None = None, **extra: Any
    ) -> None:
        super().__init__(error)
        self.error = error
        self.messages = tuple(messages)
        self.retry_after = retry_after
        self.extra = extra

    def body(self) -> dict[str, Any]:
        answer: dict[str, Any] = {"ok": False, "error": self.error, **self.extra}
        if self.messages:
            answer["response_metadata"] = {"messages": list(self.messages)}
        return answer


class ClientRefusal(Exception):
    """What `/sim/…` will not do: 400 wrong call, 404 no such thing, 409 what a client would not let a person do."""

    def __init__(self, status: int, error: str, message: str, errors: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.message = message
        self.errors = dict(errors) if errors else None

    def body(self) -> dict[str, Any]:
        answer: dict[str, Any] = {"error": self.error, "message": self.message}
        if self.errors:
            answer["errors"] = self.errors
        return answer
