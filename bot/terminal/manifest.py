"""`causeway manifest`: what Slack is told about the app, made from the registered commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.errors import UsageError
from bot.settings import Settings
from bot.slack.app_manifest import ManifestSettings, is_current, manifest, render
from bot.slack.registry import Registry
from commands import COMMANDS

Result = tuple[int, list[str]]


def manifest_of() -> dict[str, Any]:
    """The manifest of a workspace with default settings, as data."""
    return manifest(Registry(COMMANDS), ManifestSettings())


def write(file: Path, settings: Settings) -> Result:
    try:
        file.write_text(render(*_told(settings)))
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}.", hint="Choose another --file.") from error
    return 0, [f"{file} is written. Paste it at api.slack.com/apps, or update the app from it."]


def check(file: Path, settings: Settings) -> Result:
    """Exit 1 when the file is not what the commands of today make."""
    if not file.exists():
        return 1, [f"{file} does not exist. Run `causeway manifest`."]
    if not is_current(file.read_text(), *_told(settings)):
        return 1, [f"{file} is out of date. Run `causeway manifest` and look at what changed."]
    return 0, [f"{file} is up to date."]


def _told(settings: Settings) -> tuple[Registry, ManifestSettings]:
    told = ManifestSettings(socket_mode=bool(settings.environment.slack_app_token.get_secret_value()))
    if settings.environment.public_url:
        told = ManifestSettings(public_url=settings.environment.public_url, socket_mode=told.socket_mode)
    return Registry(COMMANDS, settings.configuration.slack.command_prefix), told
