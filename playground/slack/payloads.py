"""What Slack sends to the app, in its own shapes."""

from __future__ import annotations

import json
import secrets
from typing import Any, Final
from urllib.parse import urlencode

from playground.slack.directory import TEAM_DOMAIN
from playground.slack.shapes import team
from playground.slack.state import state_field
from playground.slack.store import Json
from playground.slack.workspace import Workspace

VERIFICATION: Final = "not-used-any-more"
"""Slack's old verification token, which nobody should look at."""


def person(user: Json) -> Json:
    return {"id": user["id"], "username": user["name"], "name": user["name"], "team_id": user["team_id"]}


def command(slack: Workspace, user: Json, channel: Json, word: str, text: str) -> Json:
    return {
        "token": VERIFICATION,
        "team_id": slack.directory.team_id if not user["is_external"] else user["team_id"],
        "team_domain": TEAM_DOMAIN,
        "channel_id": channel["id"],
        "channel_name": "directmessage" if channel["is_im"] else channel["name"],
        "user_id": user["id"],
        "user_name": user["name"],
        "command": word,
        "text": text,
        "api_app_id": slack.directory.app_id,
        "is_enterprise_install": "false",
    }


def _interaction(slack: Workspace, kind: str, user: Json) -> Json:
    return {
        "type": kind,
        "user": person(user),
        "api_app_id": slack.directory.app_id,
        "token": VERIFICATION,
        "team": team(slack.directory),
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _channel(channel: Json) -> Json:
    return {"id": channel["id"], "name": "directmessage" if channel["is_im"] else channel["name"]}


def in_message(slack: Workspace, kind: str, user: Json, channel: Json, message: Json) -> Json:
    """Return the part that every interaction with a message has."""
    container = {
        "type": "message",
        "message_ts": message["ts"],
        "channel_id": channel["id"],
        "is_ephemeral": message["ephemeral_to"] is not None,
    }
    if message["thread_ts"]:
        container["thread_ts"] = message["thread_ts"]
    shown = {"message": slack.messages.as_slack(message, metadata=True)} if not message["ephemeral_to"] else {}
    return {
        **_interaction(slack, kind, user),
        "container": container,
        "channel": _channel(channel),
        **shown,
    }


def in_view(slack: Workspace, kind: str, user: Json, view: Json) -> Json:
    """Return the part that every interaction with a view has."""
    payload = {**_interaction(slack, kind, user), "view": slack.views.as_slack(view)}
    if kind in ("block_actions", "block_suggestion"):
        payload["container"] = {"type": "view", "view_id": view["id"]}
    return payload


def action(block: Json, element: Json, chosen: Json | None, action_ts: str) -> Json:
    """Return one entry of `actions`: the element, and what it shows after it was used."""
    kind = element["type"]
    sent: Json = {"type": kind, "block_id": block["block_id"], "action_id": element["action_id"]}
    for name in ("text", "value", "style", "placeholder", "confirm", "icon"):
        if name in element:
            sent[name] = element[name]
    for name, initial in element.items():
        if name.startswith("initial_"):
            sent[name] = initial
    if chosen:
        sent.update({name: value for name, value in chosen.items() if name != "type"})
    field = state_field(kind)
    if field and field not in sent:
        sent[field] = None
    return {**sent, "action_ts": action_ts}


def event(slack: Workspace, inner: Json) -> Json:
    """Return an Events API callback around an event."""
    directory = slack.directory
    authorization = {
        "enterprise_id": None,
        "team_id": directory.team_id,
        "user_id": directory.bot_user,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    return {
        "token": VERIFICATION,
        "team_id": directory.team_id,
        "context_team_id": directory.team_id,
        "context_enterprise_id": None,
        "api_app_id": directory.app_id,
        "event": inner,
        "type": "event_callback",
        "event_id": "Ev" + secrets.token_hex(5).upper(),
        "event_time": int(slack.clock().timestamp()),
        "authorizations": [authorization],
        "is_ext_shared_channel": False,
        "event_context": secrets.token_urlsafe(24),
    }


def form(kind: str, payload: Json) -> tuple[bytes, str]:
    """Return the HTTP body and content type in which Slack sends a payload of this kind."""
    if kind == "command":
        return urlencode(payload).encode(), "application/x-www-form-urlencoded"
    if kind == "event":
        return json.dumps(payload).encode(), "application/json"
    return urlencode({"payload": json.dumps(payload)}).encode(), "application/x-www-form-urlencoded"


def parsed(body: bytes) -> Any:
    """Return a bot's answer: JSON where it is, else its text."""
    text = body.decode(errors="replace")
    try:
        return json.loads(text) if text.strip() else ""
    except ValueError:
        return text
