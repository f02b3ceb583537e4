"""From what a door received to a request that can be stored: the same for Slack, HTTP and the command line."""

from __future__ import annotations

import difflib
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from bot.command import AnyCommand, Command, Query
from bot.errors import Invalid, Mistake, NotFound, plainly
from bot.model.canonical import JSON


def new_operation_id() -> str:
    """Return an id that nobody can guess and that fits into a branch name, a label and a sentence."""
    return f"op-{secrets.token_hex(10)}"


class Registry:
    """All commands by name."""

    def __init__(self, commands: Sequence[AnyCommand]) -> None:
        self.commands = {command.name: command for command in commands}

    def get(self, name: str) -> AnyCommand:
        """Return the command, by `service.create` or `service create`. Raise `NotFound` that names the nearest."""
        key = name.replace(" ", ".")
        if key in self.commands:
            return self.commands[key]
        near = difflib.get_close_matches(key, self.commands, 1)
        hint = f"Did you mean `{near[0]}`?" if near else f"There are: {', '.join(sorted(self.commands))}."
        raise NotFound(f"There is no command `{name}`.", hint=hint)

    def changing(self, name: str) -> Command[Any, Any]:
        """Return a command that changes something. Raise `NotFound` for a query."""
        command = self.get(name)
        if isinstance(command, Query):
            raise NotFound(f"`{name}` only answers; it makes no plan.", hint=f"Run it: `causeway run {name}`.")
        return command


def request_of(command: AnyCommand, values: Mapping[str, JSON]) -> BaseModel:
    """Return the typed request. Raise `Invalid` that lists every wrong value by name."""
    try:
        request: BaseModel = command.request.model_validate(values)
    except ValidationError as error:
        mistakes = [
            Mistake(".".join(str(part) for part in problem["loc"]), plainly(problem["msg"]))
            for problem in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        told = "; ".join(str(mistake) for mistake in mistakes)
        raise Invalid(f"`{command.name}` cannot be asked for like this.", mistakes, hint=f"{told}.") from None
    return request
