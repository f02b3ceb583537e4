"""files.*: the three steps of an upload (ask for a URL, send the bytes there, complete)."""

from __future__ import annotations

import secrets

from playground.slack import limits
from playground.slack.call import Call, method
from playground.slack.methods.channels import to_post_in
from playground.slack.rates import Tier
from playground.slack.refusals import SlackRefusal
from playground.slack.store import Json
from playground.slack.workspace import Workspace, new_file_id


@method("files.getUploadURLExternal", Tier.FOUR, "files:write")
def upload_url(call: Call) -> Json:
    name, length = call.required("filename"), call.number("length", 0)
    if length <= 0:
        raise SlackRefusal("invalid_arguments", messages=["[ERROR] must be greater than 0 [json-pointer:/length]"])
    alt = call.text("alt_txt", "") or ""
    if len(alt) > limits.FILE_ALT_TEXT:
        raise SlackRefusal("alt_txt_too_large")
    key, file_id = secrets.token_urlsafe(18), new_file_id()
    wanted = {"key": key, "id": file_id, "name": name, "length": length, "alt_txt": alt, "received": False}
    call.slack.store.put("upload", key, wanted)
    return {"upload_url": f"{call.slack.base_url}/upload/v1/{key}", "file_id": file_id}


def receive(slack: Workspace, key: str, content: bytes) -> str:
    """Take the bytes of an upload and return what Slack says to it. Raise `SlackRefusal` for an unknown URL."""
    wanted = slack.store.get("upload", key)
    if wanted is None or wanted["received"]:
        raise SlackRefusal("invalid_url")
    if len(content) != wanted["length"]:
        raise SlackRefusal("length_mismatch")
    with slack.store.together():
        slack.store.put("upload", key, {**wanted, "received": True})
        told = {"alt_txt": wanted["alt_txt"]} if wanted.get("alt_txt") else {}
        slack.keep_file(wanted["name"], content, slack.directory.bot_user, id=wanted["id"], is_complete=False, **told)
    return f"OK - {len(content)}"


@method("files.completeUploadExternal", Tier.FOUR, "files:write")
def complete(call: Call) -> Json:
    """Make uploads into files; with a channel they are posted there as one message."""
    given = call.json("files")
    if not isinstance(given, list) or not given:
        raise SlackRefusal("invalid_arguments", messages=["[ERROR] missing required field: files"])
    slack = call.slack
    files = []
    for wanted in given:
        file = slack.store.get("file", str(wanted.get("id"))) if isinstance(wanted, dict) else None
        if file is None or file.pop("is_complete", True):  # an upload is completed once
            raise SlackRefusal("file_not_found")
        file["title"] = wanted.get("title") or file["title"]
        files.append(file)
    call.arguments.setdefault("channel", call.text("channel_id") or call.text("channels") or "")
    channel = to_post_in(call) if call.text("channel") else None
    with slack.store.together():
        for file in files:
            slack.store.put("file", file["id"], file)
        if channel:
            said = {"text": call.text("initial_comment", ""), "thread_ts": call.text("thread_ts"), "files": files}
            slack.messages.post(channel["id"], slack.directory.bot_user, {**slack.bot_content(), **said})
    return {"files": files}
