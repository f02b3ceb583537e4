"""What Slack would refuse in a message or view, said by three witnesses.

Limits come from slackblocks' generated registry, not from our own constants; cross rules (ids used twice, initial
values that are no option, submit) are checked here; `slack_sdk.models` is asked last.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View
from slackblocks import _limits as documented

_BLOCKS = {"message": 50, "modal": 100, "home": 100}
_ON = {"input": {"modal", "home"}}
_TEXT_OF = {"header": documented.HEADER_TEXT_MAX_LENGTH}
_KNOWN = {"header", "section", "context", "divider", "actions", "input"}


def message_violations(text: str, blocks: Sequence[Mapping[str, Any]], metadata: Any = None) -> list[str]:
    found = list(_blocks(blocks, "message"))
    if not text.strip():
        found.append("no fallback text")
    if len(text) > 4000:
        found.append("fallback text over 4,000")
    if metadata is not None and len(json.dumps(metadata)) > 8000:
        found.append("metadata over 8 KB")
    for block in blocks:
        parsed = Block.parse(dict(block))
        if parsed is None:
            found.append(f"slack_sdk does not know {block['type']}")
        else:
            parsed.validate_json()
    return found


def view_violations(view: Mapping[str, Any]) -> list[str]:
    found = list(_blocks(view["blocks"], view["type"]))
    if view["type"] == "modal":
        found += [
            f"{key} over 24" for key in ("title", "submit", "close") if len(view.get(key, {}).get("text", "")) > 24
        ]
        if any(block["type"] == "input" for block in view["blocks"]) and "submit" not in view:
            found.append("input without submit")
    if len(view.get("private_metadata", "")) > 3000 or len(view.get("callback_id", "")) > 255:
        found.append("private_metadata or callback_id too long")
    if len(json.dumps(view)) > 250_000:
        found.append("view over 250 KB")
    View(**json.loads(json.dumps(view))).validate_json()
    return found


def _blocks(blocks: Sequence[Mapping[str, Any]], surface: str) -> Iterator[str]:
    if not 1 <= len(blocks) <= _BLOCKS[surface]:
        yield f"{len(blocks)} blocks on a {surface}"
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(set(ids)) != len(ids):
        yield "block_id used twice"
    for number, block in enumerate(blocks):
        for problem in _block(block, surface):
            yield f"block {number} ({block['type']}): {problem}"


def _block(block: Mapping[str, Any], surface: str) -> Iterator[str]:
    kind = block["type"]
    if kind not in _KNOWN or surface not in _ON.get(kind, {surface}):
        yield f"not allowed on a {surface}"
    if not 1 <= len(block.get("block_id", "x")) <= documented.BLOCK_ID_MAX_LENGTH:
        yield "block_id length"
    yield from _texts(block, _TEXT_OF.get(kind, documented.TEXT_MAX_LENGTH))
    if kind == "section":
        if not block.get("text") and not block.get("fields"):
            yield "empty section"
        if len(block.get("fields", ())) > 10 or any(len(f["text"]) > 2000 for f in block.get("fields", ())):
            yield "fields"
    if kind == "context" and not 1 <= len(block["elements"]) <= documented.CONTEXT_ELEMENTS_MAX_ITEMS:
        yield "context elements"
    if kind == "actions":
        yield from _actions(block["elements"])
    if kind == "input":
        yield from _input(block)


def _actions(elements: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not 1 <= len(elements) <= documented.ACTIONS_ELEMENTS_MAX_ITEMS:
        yield "actions elements"
    actions = [element["action_id"] for element in elements]
    if len(set(actions)) != len(actions):
        yield "action_id used twice"
    for element in elements:
        yield from _element(element)


def _input(block: Mapping[str, Any]) -> Iterator[str]:
    if block["label"]["type"] != "plain_text" or len(block["label"]["text"]) > 2000:
        yield "label"
    if len(block.get("hint", {}).get("text", "")) > 2000:
        yield "hint"
    yield from _element(block["element"])


def _texts(value: Any, most: int) -> Iterator[str]:
    """Every text object below must have 1 to `most` characters."""
    if isinstance(value, Mapping):
        if value.get("type") in ("plain_text", "mrkdwn") and not 1 <= len(value["text"]) <= most:
            yield f"text of {len(value['text'])} characters"
        for inner in value.values():
            yield from _texts(inner, most)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner, most)


def _element(element: Mapping[str, Any]) -> Iterator[str]:
    kind = element["type"]
    if not 1 <= len(element["action_id"]) <= documented.ACTION_ID_MAX_LENGTH:
        yield "action_id length"
    if len(element.get("placeholder", {}).get("text", "")) > documented.SELECT_PLACEHOLDER_MAX_LENGTH:
        yield "placeholder"
    if kind == "button":
        yield from _button(element)
    if "options" in element or kind.endswith("static_select"):
        yield from _options(element)
    if kind == "plain_text_input":
        most, least = element.get("max_length", 3000), element.get("min_length", 0)
        if not 1 <= most <= 3000 or not 0 <= least <= 3000 or least > most:
            yield "min_length or max_length"
        if len(element.get("initial_value", "")) > most:
            yield "initial_value longer than max_length"
    if kind == "number_input" and "is_decimal_allowed" not in element:
        yield "number_input without is_decimal_allowed"


def _button(button: Mapping[str, Any]) -> Iterator[str]:
    if len(button["text"]["text"]) > documented.BUTTON_TEXT_MAX_LENGTH:
        yield "button text"
    if len(button.get("value", "")) > documented.BUTTON_VALUE_MAX_LENGTH:
        yield "button value"
    if len(button.get("accessibility_label", "")) > documented.BUTTON_ACCESSIBILITY_LABEL_MAX_LENGTH:
        yield "accessibility_label"
    confirm = button.get("confirm")
    if confirm and (
        len(confirm["title"]["text"]) > documented.CONFIRMATION_TITLE_MAX_LENGTH
        or len(confirm["text"]["text"]) > documented.CONFIRMATION_TEXT_MAX_LENGTH
        or max(len(confirm[key]["text"]) for key in ("confirm", "deny")) > documented.CONFIRMATION_CONFIRM_MAX_LENGTH
    ):
        yield "confirm dialog"


def _options(element: Mapping[str, Any]) -> Iterator[str]:
    most = 10 if element["type"] in ("checkboxes", "radio_buttons") else documented.SELECT_OPTIONS_MAX_ITEMS
    options = element.get("options", [])
    if not 1 <= len(options) <= most:
        yield f"{len(options)} options"
    values = [option["value"] for option in options]
    if len(set(values)) != len(values):
        yield "two options of one value"
    for option in options:
        if not 1 <= len(option["text"]["text"]) <= documented.OPTION_TEXT_MAX_LENGTH:
            yield "option text"
        if not 1 <= len(option["value"]) <= documented.OPTION_VALUE_MAX_LENGTH:
            yield "option value"
    initial = [*element.get("initial_options", ()), *filter(None, [element.get("initial_option")])]
    if any(option not in options for option in initial):
        yield "initial option that is no option"
