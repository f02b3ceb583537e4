"""Views that the tests open."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def option(value: str) -> Json:
    return {"text": plain(value.title()), "value": value}


def field(name: str, element: Json, **more: Any) -> Json:
    """Return an input block whose block_id and action_id are the field's name."""
    return {
        "type": "input",
        "block_id": name,
        "label": plain(name),
        "element": {"action_id": name, **element},
        **more,
    }


def modal(*blocks: Json, **more: Any) -> Json:
    return {
        "type": "modal",
        "callback_id": "service.create",
        "title": plain("New service"),
        "submit": plain("Create"),
        "blocks": list(blocks) or [field("name", {"type": "plain_text_input"})],
        **more,
    }


def home(*blocks: Json) -> Json:
    return {"type": "home", "blocks": list(blocks) or [{"type": "divider"}]}
