"""`app-manifest.yml`: what Slack is told about the app, made from the registered commands and the methods we call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from bot.slack.edge import PATH
from bot.slack.registry import ROOT, Registry

METHOD_SCOPES: dict[str, tuple[str, ...]] = {
    "auth.test": (),
    "apps.connections.open": (),  # the app-level token's own scope, connections:write
    "chat.postEphemeral": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "chat.getPermalink": (),
    "conversations.archive": ("channels:manage",),
    "conversations.create": ("channels:manage",),
    "conversations.history": ("channels:history", "groups:history"),
    "conversations.invite": ("channels:manage",),
    "conversations.list": ("channels:read", "groups:read"),
    "conversations.replies": ("channels:history", "groups:history"),
    "conversations.setTopic": ("channels:manage",),
    "files.completeUploadExternal": ("files:write",),
    "files.getUploadURLExternal": ("files:write",),
    "users.info": ("users:read", "users:read.email"),
    "users.list": ("users:read", "users:read.email"),
    "views.open": (),
    "views.publish": (),
    "views.update": (),
}
"""Every Web API method the app calls and the bot scopes it needs; a test holds it against the code."""

EVENT_SCOPES: dict[str, tuple[str, ...]] = {"app_home_opened": (), "app_mention": ("app_mentions:read",)}

_HEADER = (
    "# Made by `causeway manifest` from the registered commands; `causeway manifest --check` says when it is old.\n"
)
_SUMMARIES = {ROOT: "The developer platform: everything it can do"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestSettings:
    name: str = "Causeway"
    public_url: str = "https://causeway.example.com"
    """Where Slack reaches the server. Not used with Socket Mode."""
    socket_mode: bool = False


def render(registry: Registry, settings: ManifestSettings) -> str:
    """Return the manifest as YAML; the same commands and settings give the same text."""
    return _HEADER + yaml.safe_dump(manifest(registry, settings), sort_keys=False, allow_unicode=True, width=120)


def is_current(text: str, registry: Registry, settings: ManifestSettings) -> bool:
    return text == render(registry, settings)


def scopes() -> list[str]:
    """Return the bot scopes that commands, methods and events need, and no other."""
    needed = {scope for every in (*METHOD_SCOPES.values(), *EVENT_SCOPES.values()) for scope in every}
    return sorted({"commands", *needed})


def manifest(registry: Registry, settings: ManifestSettings) -> dict[str, Any]:
    url = None if settings.socket_mode else f"{settings.public_url.rstrip('/')}{PATH}"
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": settings.name,
            "description": "The front door of the developer platform",
            "background_color": "#1f3a4d",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": settings.name, "always_online": True},
            "slash_commands": [_slash_command(registry, noun, url) for noun in registry.nouns],
        },
        "oauth_config": {"scopes": {"bot": scopes()}},
        "settings": {
            "event_subscriptions": _with_url({"bot_events": sorted(EVENT_SCOPES)}, "request_url", url),
            "interactivity": _with_url(
                _with_url({"is_enabled": True}, "request_url", url), "message_menu_options_url", url
            ),
            "org_deploy_enabled": False,
            "socket_mode_enabled": settings.socket_mode,
            "token_rotation_enabled": False,
        },
    }


def _slash_command(registry: Registry, noun: str, url: str | None) -> dict[str, Any]:
    own = [command for command in registry.commands if command.name.partition(".")[0] == noun]
    alone = next((command for command in own if command.name == noun), None)
    verbs = [command.name.partition(".")[2].replace(".", " ") for command in own if "." in command.name]
    if alone is not None:
        description, hint = alone.summary, " | ".join(filter(None, [alone.usage, *verbs]))
    else:
        description = _SUMMARIES.get(noun) or f"{noun.capitalize()}: {', '.join(verbs)}"
        hint = "help" if noun == ROOT else " | ".join(verbs)
    told: dict[str, Any] = {"command": registry.slash(noun), "description": description[:2000], "should_escape": True}
    if hint:
        told["usage_hint"] = hint[:1000]
    return _with_url(told, "url", url)


def _with_url(part: dict[str, Any], key: str, url: str | None) -> dict[str, Any]:
    return part | {key: url} if url else part
