"""The Block Kit checker: what Slack refuses in a message or a view, with its pointers into the JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from playground.slack import limits
from playground.slack.elements import (
    AS_ACCESSORY,
    IMAGE,
    IN_ACTIONS,
    IN_CONTEXT_ACTIONS,
    IN_INPUT,
    URL,
    element,
    one_picture,
)
from playground.slack.rules import (
    Fields,
    Report,
    Rule,
    anything,
    array,
    boolean,
    number,
    one_of,
    plain,
    record,
    string,
    tagged,
    text,
)

Json = dict[str, Any]

_STRING: Final = string(limits.TEXT)
_RICH: Final = record({"type": one_of("rich_text"), "elements": array(anything, least=0)}, {"block_id": _STRING})
_BUTTON: Final = element(frozenset({"button"}))
_PICTURE: Final = element(frozenset({"image"}))
_CELL: Final = record(
    {"type": one_of("raw_text", "raw_number", "rich_text")},
    {"text": string(limits.DATA_TABLE_CHARACTERS), "value": number(whole=False), "elements": array(anything, least=0)},
)
_TASK: Final[tuple[Fields, Fields]] = (
    {
        "task_id": string(limits.ID),
        "title": _STRING,
        "status": one_of("pending", "in_progress", "complete", "error"),
    },
    {"details": _RICH, "output": _RICH, "sources": array(anything)},
)
_CARD: Final[tuple[Fields, Fields]] = (
    {},
    {
        "hero_image": _PICTURE,
        "icon": _PICTURE,
        "title": text(limits.CARD_TITLE),
        "subtitle": text(limits.CARD_TITLE),
        "body": text(limits.CARD_BODY),
        "subtext": text(limits.CARD_BODY),
        "actions": array(_BUTTON, limits.CARD_ACTIONS),
    },
)
_SERIES: Final = record({"name": string(limits.CHART_LABEL), "data": array(anything, limits.CHART_POINTS)})
_SEGMENT: Final = record({"label": string(limits.CHART_LABEL), "value": number(0, whole=False)})
_AXES: Final = record(
    {"categories": array(string(limits.CHART_LABEL), limits.CHART_POINTS)},
    {"x_label": string(limits.CHART_TITLE), "y_label": string(limits.CHART_TITLE)},
)
_CHART: Final = record(
    {"type": one_of("pie", "line", "bar", "area")},
    {
        "segments": array(_SEGMENT, limits.CHART_SERIES),
        "series": array(_SERIES, limits.CHART_SERIES),
        "axis_config": _AXES,
    },
)
_COLUMN: Final = record({}, {"align": one_of("left", "center", "right"), "is_wrapped": boolean})


def _context_item(value: Any, at: str, report: Report) -> None:
    is_picture = isinstance(value, dict) and value.get("type") == "image"
    (_PICTURE if is_picture else text())(value, at, report)


def _child(value: Any, at: str, report: Report) -> None:
    _block(value, at, report)


BLOCKS: Final[dict[str, tuple[Fields, Fields]]] = {
    "actions": ({"elements": array(element(IN_ACTIONS), limits.ACTIONS)}, {}),
    "alert": (
        {"text": text(limits.ALERT)},
        {"level": one_of("default", "info", "warning", "error", "success")},
    ),
    "card": _CARD,
    "carousel": ({"elements": array(tagged({"card": _CARD}, "unsupported element type"), limits.CAROUSEL)}, {}),
    "container": (
        {"child_blocks": array(_child, limits.CONTAINER)},
        {
            "title": plain(limits.CARD_TITLE),
            "rich_text_title": _RICH,
            "subtitle": text(limits.CARD_TITLE),
            "width": one_of("narrow", "standard", "wide", "full"),
            "icon": _PICTURE,
            "is_collapsible": boolean,
            "default_collapsed": boolean,
            "has_header_divider": boolean,
        },
    ),
    "context": ({"elements": array(_context_item, limits.CONTEXT)}, {}),
    "context_actions": ({"elements": array(element(IN_CONTEXT_ACTIONS), limits.CONTEXT_ACTIONS)}, {}),
    "data_table": (
        {"rows": array(array(_CELL, limits.TABLE_COLUMNS), limits.DATA_TABLE_ROWS, 2), "caption": _STRING},
        {"page_size": number(1, limits.PAGE_SIZE), "row_header_column_index": number(0)},
    ),
    "data_visualization": ({"title": string(limits.CHART_TITLE), "chart": _CHART}, {}),
    "divider": ({}, {}),
    "file": ({"source": one_of("remote"), "external_id": _STRING}, {}),
    "header": ({"text": plain(limits.HEADER)}, {"level": number(1, 6)}),
    "image": (IMAGE[0], {**IMAGE[1], "title": plain(limits.IMAGE_TITLE)}),
    "input": (
        {"label": plain(limits.LABEL), "element": element(IN_INPUT)},
        {"hint": plain(limits.LABEL), "optional": boolean, "dispatch_action": boolean},
    ),
    "markdown": ({"text": string(limits.MARKDOWN_TEXT)}, {}),
    "plan": ({"title": _STRING}, {"tasks": array(tagged({"task_card": _TASK}, "unsupported type"), limits.PLAN_TASKS)}),
    "rich_text": ({"elements": array(anything, least=0)}, {}),
    "section": (
        {},
        {
            "text": text(),
            "fields": array(text(limits.FIELD), limits.FIELDS),
            "accessory": element(AS_ACCESSORY),
            "expand": boolean,
        },
    ),
    "table": (
        {"rows": array(array(_CELL, limits.TABLE_COLUMNS), limits.TABLE_ROWS)},
        {"column_settings": array(_COLUMN, limits.TABLE_COLUMNS)},
    ),
    "task_card": _TASK,
    "video": (
        {
            "video_url": URL,
            "thumbnail_url": URL,
            "alt_text": string(limits.ALT_TEXT),
            "title": plain(limits.VIDEO_TITLE),
        },
        {
            "title_url": URL,
            "author_name": string(limits.VIDEO_AUTHOR),
            "provider_name": string(limits.VIDEO_AUTHOR),
            "provider_icon_url": URL,
            "description": plain(limits.VIDEO_TITLE),
        },
    ),
}
_ID: Final[Fields] = {"block_id": string(limits.ID)}
_BY_TYPE: Final = tagged(
    {name: (required, {**optional, **_ID}) for name, (required, optional) in BLOCKS.items()}, "unsupported block type"
)

_EVERYWHERE: Final = {
    "actions",
    "card",
    "context",
    "divider",
    "header",
    "image",
    "input",
    "rich_text",
    "section",
    "video",
}
_BIG: Final = {"carousel", "container", "data_table", "data_visualization", "table"}
SURFACES: Final[dict[str, frozenset[str]]] = {
    "modal": frozenset(_EVERYWHERE | {"alert"}),
    "home": frozenset(_EVERYWHERE | _BIG),
    "message": frozenset(_EVERYWHERE | _BIG | {"context_actions", "file", "markdown", "plan", "task_card"}),
}


def _block(value: Any, at: str, report: Report) -> None:
    before = len(report.messages)
    _BY_TYPE(value, at, report)
    if len(report.messages) > before:
        return
    kind = value["type"]
    if kind == "section" and not ({"text", "fields"} & value.keys()):
        report.add(at, "must provide text or fields")
    if kind == "image":
        one_picture(value, at, report)
    if kind == "card" and not (value.keys() - {"type", "block_id"}):
        report.add(at, "must not be empty")
    if kind == "data_table" and _characters(value["rows"]) > limits.DATA_TABLE_CHARACTERS:
        report.add(f"{at}/rows", f"no more than {limits.DATA_TABLE_CHARACTERS} characters allowed")
    if kind == "table" and len({len(row) for row in value["rows"]}) > 1:
        report.add(f"{at}/rows", "all rows must have the same number of columns")


def _characters(rows: list[list[Json]]) -> int:
    return sum(len(str(cell.get("text", cell.get("value", "")))) for row in rows for cell in row)


def _blocks(blocks: Any, at: str, surface: str, most: int, report: Report) -> None:
    array(_block, most, least=0)(blocks, at, report)
    if not isinstance(blocks, list):
        return
    known = [block for block in blocks if isinstance(block, dict)]
    for index, block in enumerate(blocks):
        kind = str(block.get("type")) if isinstance(block, dict) else ""
        if kind in BLOCKS and kind not in SURFACES[surface]:
            report.add(f"{at}/{index}/type", f"unsupported block type for a {surface}: {kind}")
        if kind == "task_card" and block.get("status") == "pending":
            report.add(f"{at}/{index}/status", "a task_card outside of a plan may not be pending")
    _unique_ids(known, at, report)
    _focus_once(known, at, report)


def _unique_ids(blocks: list[Json], at: str, report: Report) -> None:
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        block_id = block.get("block_id")
        if isinstance(block_id, str) and block_id in seen:
            report.add(f"{at}/{index}/block_id", f"block_id already exists: {block_id}")
        if isinstance(block_id, str):
            seen.add(block_id)
        actions: set[str] = set()
        for inner in elements_of(block):
            action_id = inner.get("action_id")
            if isinstance(action_id, str) and action_id in actions:
                report.add(f"{at}/{index}", f"action_id already exists: {action_id}")
            if isinstance(action_id, str):
                actions.add(action_id)


def _focus_once(blocks: list[Json], at: str, report: Report) -> None:
    if sum(1 for block in blocks for inner in elements_of(block) if inner.get("focus_on_load")) > 1:
        report.add(at, "only one element may set focus_on_load")


def elements_of(block: Json) -> Iterator[Json]:
    """Yield the interactive elements that stand in a block: its elements, accessory, input element or card buttons."""
    listed = [block.get("element"), block.get("accessory")]
    for name in ("elements", "actions"):
        listed += _objects(block.get(name))
    nested = {"container": "child_blocks", "carousel": "elements"}.get(str(block.get("type")))
    if nested:
        for child in _objects(block.get(nested)):
            yield from elements_of(child)
        return
    for inner in listed:
        if isinstance(inner, dict) and ("action_id" in inner or str(inner.get("type")) in ACTIONABLE):
            yield inner


def _objects(value: Any) -> list[Json]:
    return [inner for inner in value if isinstance(inner, dict)] if isinstance(value, list) else []


ACTIONABLE: Final = IN_ACTIONS | IN_INPUT | IN_CONTEXT_ACTIONS


def check_message(blocks: Any) -> list[str]:
    """Return what Slack would refuse in a message's blocks; empty when it takes them."""
    report = Report()
    _blocks(blocks, "/blocks", "message", limits.MESSAGE_BLOCKS, report)
    known = [block for block in blocks if isinstance(block, dict)] if isinstance(blocks, list) else []
    markdown = sum(len(block["text"]) for block in known if block.get("type") == "markdown" and _has_text(block))
    if markdown > limits.MARKDOWN_TEXT:
        report.add("/blocks", f"no more than {limits.MARKDOWN_TEXT} characters of markdown allowed in a message")
    for kind, most in (("table", 1), ("data_visualization", limits.CHARTS)):
        if sum(1 for block in known if block.get("type") == kind) > most:
            report.add("/blocks", f"no more than {most} {kind} allowed in a message")
    return report.messages


def _has_text(block: Json) -> bool:
    return isinstance(block.get("text"), str)


_ANY_VIEW: Final[Fields] = {
    "private_metadata": string(limits.PRIVATE_METADATA, 0),
    "callback_id": string(limits.CALLBACK_ID, 0),
    "external_id": string(limits.EXTERNAL_ID, 0),
}
_BUTTON_TEXT: Final = plain(limits.VIEW_TITLE)
_MODAL: Final[tuple[Fields, Fields]] = (
    {"title": plain(limits.VIEW_TITLE), "blocks": anything},
    {
        **_ANY_VIEW,
        "submit": _BUTTON_TEXT,
        "close": _BUTTON_TEXT,
        "clear_on_close": boolean,
        "notify_on_close": boolean,
        "submit_disabled": boolean,
    },
)
_VIEW: Final[Rule] = tagged({"modal": _MODAL, "home": ({"blocks": anything}, _ANY_VIEW)}, "unsupported view type")


def check_view(view: Any) -> list[str]:
    """Return what Slack would refuse in a modal or home view, its size apart."""
    report = Report()
    if not isinstance(view, dict):
        report.add("/view", "must be an object")
        return report.messages
    _VIEW({name: value for name, value in view.items() if value is not None}, "/view", report)
    surface = "home" if view.get("type") == "home" else "modal"
    _blocks(view.get("blocks", []), "/view/blocks", surface, limits.VIEW_BLOCKS, report)
    blocks = view.get("blocks")
    inputs = isinstance(blocks, list) and any(isinstance(b, dict) and b.get("type") == "input" for b in blocks)
    if surface == "modal" and inputs and not view.get("submit"):
        report.add("/view", "submit is required when a modal has an input block")
    if surface == "modal" and not inputs and _has_element(blocks, "file_input"):
        report.add("/view/blocks", "file_input must stand in an input block")
    return report.messages


def _has_element(blocks: Any, kind: str) -> bool:
    known = [block for block in blocks if isinstance(block, dict)] if isinstance(blocks, list) else []
    return any(inner.get("type") == kind for block in known for inner in elements_of(block))


def view_bytes(view: Json) -> int:
    """Return the size of a view as Slack counts it, in bytes of compact JSON."""
    return len(json.dumps(view, ensure_ascii=False, separators=(",", ":")).encode())
