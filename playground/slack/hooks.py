"""What the app posts through a response URL, or as the body of its answer to a command."""

from __future__ import annotations

from typing import Any

from playground.slack import content
from playground.slack.call import Call
from playground.slack.refusals import SlackRefusal
from playground.slack.store import Json
from playground.slack.workspace import Workspace


def respond(call: Call, key: str) -> Json:
    """Answer a post to a response URL: a new message, or a change of the one that the person clicked in.

    That of a command has no message to change, not even what was posted through it before: it posts a new one.
    """
    grant = call.slack.urls.use(key)
    if call.flag("delete_original"):
        _delete(call.slack, grant)
        return {"ok": True}
    said = _said(call)
    original = _original(call.slack, grant)
    if call.flag("replace_original") and original is not None:
        call.slack.messages.change(original, blocks=[], **_without_blocks(said))
        if said.get("blocks"):
            call.slack.messages.change(original, blocks=said["blocks"])
        return {"ok": True}
    post(call.slack, grant, said, in_channel=call.text("response_type") == "in_channel")
    return {"ok": True}


def _without_blocks(said: Json) -> Json:
    return {name: value for name, value in said.items() if name != "blocks"}


def _said(call: Call) -> Json:
    said = content.read(call)
    if content.is_empty(said):
        raise SlackRefusal("no_text")
    if call.text("thread_ts"):
        said["thread_ts"] = call.text("thread_ts")
    metadata = call.json("metadata", "invalid_metadata_format")
    return {**said, "metadata": content.metadata_of(metadata)} if metadata else said


def _original(slack: Workspace, grant: Json) -> Json | None:
    if grant["original_ts"] is None:
        return None
    return slack.messages.get(grant["channel"], grant["original_ts"], grant["user"])


def _delete(slack: Workspace, grant: Json) -> None:
    original = _original(slack, grant)
    if original is None:
        raise SlackRefusal("message_not_found")
    slack.messages.delete(original)


def post(slack: Workspace, grant: Json, said: Json, *, in_channel: bool) -> Json:
    """Post as the app; unlike chat.postMessage this needs no membership of the channel."""
    message = {**slack.bot_content(), "thread_ts": grant["thread_ts"], **said}
    to = None if in_channel else grant["user"]
    return slack.messages.post(grant["channel"], slack.directory.bot_user, message, ephemeral_to=to)


def answered_command(slack: Workspace, grant: Json, body: Any) -> list[str]:
    """Show what the bot answered to a command. Return what Slack would object to."""
    if body in ("", None, {}):
        return []
    arguments = body if isinstance(body, dict) else {"text": str(body)}
    call = Call("command", arguments, slack)
    try:
        post(slack, grant, _said(call), in_channel=call.text("response_type") == "in_channel")
    except SlackRefusal as refusal:
        return [f"Slack refuses this answer: {'; '.join((refusal.error, *refusal.messages))}"]
    return call.violations
