"""The step that a runbook advises, as a request: only what helps the alert's own service, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from bot.command import Command
from bot.errors import PlatformError, UsageError
from bot.intake import Registry
from bot.model.alerts import AlertGroup
from bot.model.canonical import JSON
from bot.model.entities import full_ref

ALLOWED = ("service.restart", "service.scale", "service.rollback", "database.resize")
"""What an alert's annotation may advise. It comes from outside: everything else is typed by a person."""
_HINT = "Type the command yourself, if it is right."


def step_request(group: AlertGroup, registry: Registry) -> tuple[str, dict[str, JSON]]:
    """Return command and request of a group's `runbook_step`.

    Raise `UsageError` for one that is not allowed, cannot be read, or is about something else than the alert.
    """
    words = group.runbook_step.removeprefix("/").split()
    if words[:1] == ["idp"]:
        words = words[1:]
    name = ".".join(words[:2])
    if name not in ALLOWED:
        raise UsageError(f"The runbook advises `{group.runbook_step}`, which a button may not do.", hint=_HINT)
    command = registry.changing(name)
    request = _read(command, words[2:], group.runbook_step)
    if not group.service or not _is_about(request, group, is_database=name.startswith("database.")):
        raise UsageError(
            f"The runbook advises `{group.runbook_step}`, which is not about the alert's own service.", hint=_HINT
        )
    return name, request


def _read(command: Command, words: list[str], line: str) -> dict[str, JSON]:  # type: ignore[type-arg]  # any
    if command.parse is None:
        raise UsageError(f"`{line}` cannot be typed.", hint=_HINT)
    try:
        request: Mapping[str, JSON] = command.parse(words).model_dump(mode="json", by_alias=True)
    except (ValidationError, PlatformError) as error:
        raise UsageError(f"The runbook advises `{line}`, which I cannot read.", hint=_HINT) from error
    return dict(request)


def _is_about(request: Mapping[str, JSON], group: AlertGroup, *, is_database: bool) -> bool:
    """Say whether it names the alert's service, and its environment where the alert has one."""
    named = str(request.get("database" if is_database else "service") or "")
    own = full_ref(group.service, kind="component")
    if is_database:  # a service's database is called after it
        mine = named in {group.service, f"{group.service}-db"}
    else:
        mine = bool(named) and full_ref(named, kind="component") == own
    environment = str(request.get("environment") or "")
    return mine and (not group.environment or environment == group.environment)
