"""The simulated workspace: everything that its parts share, and the app that is installed in it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from playground.clock import PlaygroundClock
from playground.slack.directory import Directory
from playground.slack.faults import Faults
from playground.slack.messages import Messages
from playground.slack.pictures import kind
from playground.slack.rates import Rates
from playground.slack.store import Json, Store
from playground.slack.stream import Log, Stream
from playground.slack.tokens import ResponseUrls, SlackTokens, Triggers
from playground.slack.views import Views

SCOPES: Final = frozenset(
    {
        "app_mentions:read", "bookmarks:read", "bookmarks:write", "calls:read", "calls:write", "canvases:read",
        "canvases:write", "channels:history", "channels:join", "channels:manage", "channels:read", "chat:write",
        "chat:write.customize", "chat:write.public", "commands", "dnd:read", "emoji:read", "files:read", "files:write",
        "groups:history", "groups:read", "groups:write", "im:history", "im:read", "im:write", "incoming-webhook",
        "links:read", "links:write", "metadata.message:read", "mpim:history", "mpim:read", "mpim:write", "pins:read",
        "pins:write", "reactions:read", "reactions:write", "team:read", "usergroups:read", "usergroups:write",
        "users.profile:read", "users:read", "users:read.email", "users:write", "workflow.steps:execute",
    }
)  # fmt: skip
"""Bot scopes that Slack knows (those that such a bot might ask for)."""

EVENTS: Final = {
    "app_home_opened": (),
    "app_mention": ("app_mentions:read",),
    "message.channels": ("channels:history",),
    "message.groups": ("groups:history",),
    "message.im": ("im:history",),
    "reaction_added": ("reactions:read",),
    "member_joined_channel": ("channels:read",),
}
"""Events that the simulator sends, and the scopes of which one is needed."""


@dataclass(frozen=True, slots=True)
class App:
    """What Slack was told about the app."""

    tokens: SlackTokens
    scopes: frozenset[str]
    commands: tuple[Json, ...] = ()
    """Slash commands as in the manifest; empty: any command is delivered."""
    events: frozenset[str] = frozenset({"app_home_opened", "app_mention", "message.im"})

    def __post_init__(self) -> None:
        unknown = self.scopes - SCOPES
        if unknown:
            raise ValueError(f"Slack has no scope {', '.join(sorted(unknown))}.")

    def hears(self, event: str) -> bool:
        needed = EVENTS[event]
        return event in self.events and (not needed or not self.scopes.isdisjoint(needed))


def told_by(manifest: Mapping[str, Any], tokens: SlackTokens, scopes: frozenset[str]) -> App:
    """Return the app that a manifest describes: its slash commands and the events it asked for."""
    features = manifest.get("features") or {}
    subscriptions = (manifest.get("settings") or {}).get("event_subscriptions") or {}
    return App(
        tokens,
        scopes,
        commands=tuple(features.get("slash_commands") or ()),
        events=frozenset(subscriptions.get("bot_events") or ()),
    )


@dataclass(slots=True)
class Workspace:
    clock: PlaygroundClock
    store: Store
    stream: Stream
    log: Log
    directory: Directory
    messages: Messages
    views: Views
    triggers: Triggers
    urls: ResponseUrls
    rates: Rates
    app: App
    base_url: str
    folder: Path
    tickets: set[str] = field(default_factory=set)
    """Socket Mode connections that were asked for and not opened yet."""
    faults: Faults = field(default_factory=Faults)
    offered: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    """Options that the bot offered last, by (view id or message ts, action id)."""

    def bot_content(self) -> Json:
        """Return what marks a message as the app's own."""
        return {"bot_id": self.directory.bot_id, "app_id": self.directory.app_id}

    def keep_file(self, name: str, content: bytes, user: str, **more: Any) -> Json:
        """Store a file and return Slack's file object."""
        file_id = more.pop("id", None) or new_file_id()
        files = self.folder / "files"
        files.mkdir(exist_ok=True)
        (files / file_id).write_bytes(content)
        file = {
            "id": file_id,
            "created": int(self.clock().timestamp()),
            "timestamp": int(self.clock().timestamp()),
            "name": name,
            "title": name,
            **kind(name, content),
            "size": len(content),
            "user": user,
            "url_private": f"{self.base_url}/sim/files/{file_id}",
            "url_private_download": f"{self.base_url}/sim/files/{file_id}",
            "permalink": f"{self.base_url}/sim/files/{file_id}",
            **more,
        }
        self.store.put("file", file_id, file)
        return file


def new_file_id() -> str:
    return "F" + secrets.token_hex(5).upper()


def open_workspace(
    *, folder: Path, base_url: str, clock: PlaygroundClock, app: App, sample: ModuleType, rate_limits: bool
) -> Workspace:
    """Open the workspace that an earlier run left in `folder`, or a new one with the sample company in it."""
    store = Store(folder)
    stream = Stream(store, clock)
    directory = Directory(store, stream, sample)
    directory.load()
    identity = {
        "team_id": directory.team_id,
        "app_id": directory.app_id,
        "app_installed_team_id": directory.team_id,
        "bot_id": directory.bot_id,
    }
    return Workspace(
        clock=clock,
        store=store,
        stream=stream,
        log=Log(store, clock),
        directory=directory,
        messages=Messages(store, stream, clock, directory.team_id),
        views=Views(store, stream, clock, identity),
        triggers=Triggers(clock),
        urls=ResponseUrls(store, clock, base_url),
        rates=Rates(clock, enabled=rate_limits),
        app=app,
        base_url=base_url.rstrip("/"),
        folder=folder,
    )
