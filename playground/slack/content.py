"""What a message may hold: text, blocks, attachments and metadata, checked as Slack checks them."""

from __future__ import annotations

import json
from typing import Any

from playground.slack import limits
from playground.slack.blockkit import check_message
from playground.slack.call import Call
from playground.slack.pictures import is_picture
from playground.slack.refusals import SlackRefusal
from playground.slack.store import Json


def blocks_of(value: Any) -> list[Json]:
    """Return blocks that Slack takes. Raise `invalid_blocks` with every mistake otherwise."""
    if not isinstance(value, list):
        raise SlackRefusal("invalid_blocks_format")
    problems = check_message(value)
    if problems:
        raise SlackRefusal("invalid_blocks", messages=problems, errors=problems)
    return value


def metadata_of(value: Any) -> Json | None:
    if not value:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("event_type"), str) or not value["event_type"]:
        raise SlackRefusal("invalid_metadata_format")
    if not isinstance(value.get("event_payload"), dict):
        raise SlackRefusal("invalid_metadata_format")
    if len(json.dumps(value).encode()) > limits.METADATA_BYTES:
        raise SlackRefusal("metadata_too_large")
    return {"event_type": value["event_type"], "event_payload": value["event_payload"]}


def read(call: Call, *, longest: int = limits.MESSAGE_TEXT) -> Json:
    """Return the parts of a message that the call gave, and note what Slack lets pass but readers suffer from."""
    given: Json = {}
    if call.text("markdown_text"):
        return _markdown(call)
    text = call.text("text")
    if text is not None:
        if len(text) > longest:
            raise SlackRefusal("msg_too_long")
        given["text"] = text
    if call.arguments.get("blocks") not in (None, ""):
        given["blocks"] = blocks_of(call.json("blocks", "invalid_blocks_format"))
        _refuse_foreign_files(call, given["blocks"])
    attachments = call.json("attachments")
    if attachments is not None:
        given["attachments"] = _attachments(attachments)
    _note(call, given)
    return given


def _refuse_foreign_files(call: Call, blocks: list[Json]) -> None:
    """A picture in a block is a picture that was uploaded, in full."""
    problems = []
    for number, block in enumerate(blocks):
        places = {"": block, "/accessory": block.get("accessory") or {}}
        places |= {f"/elements/{at}": one for at, one in enumerate(block.get("elements") or [])}
        for place, item in places.items():
            wanted = item.get("slack_file") if isinstance(item, dict) and item.get("type") == "image" else None
            if wanted and not _is_ours(call, wanted):
                problems.append(f"[ERROR] invalid slack file [json-pointer:/blocks/{number}{place}/slack_file]")
    if problems:
        raise SlackRefusal("invalid_blocks", messages=problems, errors=problems)


def _is_ours(call: Call, wanted: Json) -> bool:
    identifier = wanted.get("id") or str(wanted.get("url", "")).rpartition("/")[2]
    file = call.slack.store.get("file", str(identifier))
    return file is not None and file.get("is_complete", True) and is_picture(file)


def _attachments(value: Any) -> list[Json]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise SlackRefusal("invalid_attachments")
    if len(value) > limits.MESSAGE_ATTACHMENTS:
        raise SlackRefusal("too_many_attachments")
    for attachment in value:
        if "blocks" in attachment:
            blocks_of(attachment["blocks"])
    return value


def _markdown(call: Call) -> Json:
    if call.text("text") or call.arguments.get("blocks"):
        raise SlackRefusal("markdown_text_conflict")
    markdown = call.required("markdown_text")
    if len(markdown) > limits.MARKDOWN_TEXT:
        raise SlackRefusal("msg_too_long")
    return {"text": markdown, "blocks": [{"type": "markdown", "text": markdown}]}


def _note(call: Call, given: Json) -> None:
    text = given.get("text", "")
    if given.get("blocks") and not text.strip():
        call.violations.append(
            "There is no text beside the blocks: notifications and screen readers have nothing to say."
        )
    if len(text) > limits.MESSAGE_TEXT_ADVISED:
        call.violations.append(f"The text is longer than {limits.MESSAGE_TEXT_ADVISED} characters; Slack may cut it.")


def is_empty(given: Json) -> bool:
    return not (given.get("text", "").strip() or given.get("blocks") or given.get("attachments"))
