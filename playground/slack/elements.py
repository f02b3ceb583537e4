"""What each interactive Block Kit element may hold, and where it may stand."""

from __future__ import annotations

from typing import Any, Final

from playground.slack import limits
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

STYLE: Final = one_of("primary", "danger")
URL: Final = string(limits.URL, pattern=r"(https?|slack|mailto|tel):\S+")
CONFIRM: Final = record(
    {"text": text(limits.CONFIRM_TEXT)},
    {
        "title": plain(limits.CONFIRM_TITLE),
        "confirm": plain(limits.CONFIRM_BUTTON),
        "deny": plain(limits.CONFIRM_BUTTON),
        "style": STYLE,
    },
)
_ACTION: Final[Fields] = {"action_id": string(limits.ID)}
_COMMON: Final[Fields] = {**_ACTION, "confirm": CONFIRM, "focus_on_load": boolean}
_PLACEHOLDER: Final[Fields] = {"placeholder": plain(limits.PLACEHOLDER)}
_DISPATCH: Final[Fields] = {
    "dispatch_action_config": record(
        {}, {"trigger_actions_on": array(one_of("on_enter_pressed", "on_character_entered"), 2)}
    )
}
_TYPED: Final[Fields] = {**_ACTION, **_PLACEHOLDER, **_DISPATCH, "focus_on_load": boolean}


def option(kinds: tuple[str, ...] = ("plain_text",), *, url: bool = False) -> Rule:
    extras: Fields = {"description": text(limits.OPTION_TEXT, kinds)}
    return record(
        {"text": text(limits.OPTION_TEXT, kinds), "value": string(limits.OPTION_VALUE)},
        {**extras, "url": URL} if url else extras,
    )


_OPTION: Final = option()
_CHOICE: Final = option(("plain_text", "mrkdwn"))
_OPTIONS: Final = array(_OPTION, limits.OPTIONS)
_GROUPS: Final = array(record({"label": plain(limits.OPTION_TEXT), "options": _OPTIONS}), limits.OPTION_GROUPS)
_ID: Final = string(limits.ID)
_SOME: Final = number(1)
_FILTER: Final = record(
    {},
    {
        "include": array(one_of("im", "mpim", "private", "public"), 4),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    },
)
_CONVERSATION: Final[Fields] = {"default_to_current_conversation": boolean, "filter": _FILTER}
_DATE: Final = string(10, pattern=r"\d{4}-\d{2}-\d{2}")
_LINES: Final = number(1, 100)


def _select(single: Fields, multi: Fields, both: Fields, name: str) -> dict[str, tuple[Fields, Fields]]:
    shared = {**_COMMON, **_PLACEHOLDER, **both}
    return {
        name: ({}, {**shared, **single}),
        f"multi_{name}": ({}, {**shared, **multi, "max_selected_items": _SOME}),
    }


_RESPOND: Final[Fields] = {"response_url_enabled": boolean}
_FEEDBACK: Final = record(
    {"text": plain(limits.BUTTON_TEXT), "value": string(limits.BUTTON_VALUE)},
    {"accessibility_label": string(limits.ACCESSIBILITY_LABEL)},
)
_BUTTON: Final[Fields] = {
    **_COMMON,
    "url": URL,
    "value": string(limits.BUTTON_VALUE),
    "style": STYLE,
    "accessibility_label": string(limits.ACCESSIBILITY_LABEL),
}
IMAGE: Final[tuple[Fields, Fields]] = (
    {"alt_text": string(limits.ALT_TEXT)},
    {"image_url": URL, "slack_file": record({}, {"id": _ID, "url": URL})},
)

ELEMENTS: Final[dict[str, tuple[Fields, Fields]]] = {
    "button": ({"text": plain(limits.BUTTON_TEXT)}, _BUTTON),
    "workflow_button": (
        {"text": plain(limits.BUTTON_TEXT), "workflow": anything},
        {**_ACTION, "style": STYLE, "accessibility_label": string(limits.ACCESSIBILITY_LABEL)},
    ),
    "overflow": ({"options": array(option(url=True), limits.OVERFLOW_OPTIONS)}, {**_ACTION, "confirm": CONFIRM}),
    "checkboxes": (
        {"options": array(_CHOICE, limits.CHOICES)},
        {**_COMMON, "initial_options": array(_CHOICE, limits.CHOICES)},
    ),
    "radio_buttons": ({"options": array(_CHOICE, limits.CHOICES)}, {**_COMMON, "initial_option": _CHOICE}),
    "datepicker": ({}, {**_COMMON, **_PLACEHOLDER, "initial_date": _DATE}),
    "timepicker": (
        {},
        {**_COMMON, **_PLACEHOLDER, "initial_time": string(5, pattern=r"\d{2}:\d{2}"), "timezone": _ID},
    ),
    "datetimepicker": ({}, {**_COMMON, "initial_date_time": number(1_000_000_000, 9_999_999_999)}),
    "plain_text_input": (
        {},
        {
            **_TYPED,
            "initial_value": string(limits.INPUT_LENGTH, 0),
            "multiline": boolean,
            "min_length": number(0, limits.INPUT_LENGTH),
            "max_length": number(1, limits.INPUT_LENGTH),
        },
    ),
    "email_text_input": ({}, {**_TYPED, "initial_value": string(limits.INPUT_LENGTH, 0)}),
    "url_text_input": ({}, {**_TYPED, "initial_value": string(limits.INPUT_LENGTH, 0)}),
    "number_input": (
        {"is_decimal_allowed": boolean},
        {**_TYPED, "initial_value": _ID, "min_value": _ID, "max_value": _ID},
    ),
    "rich_text_input": ({}, {**_TYPED, "initial_value": anything, "min_lines": _LINES, "max_lines": _LINES}),
    "file_input": ({}, {**_ACTION, "filetypes": array(_ID), "max_files": number(1, limits.FILES)}),
    "feedback_buttons": ({"positive_button": _FEEDBACK, "negative_button": _FEEDBACK}, _ACTION),
    "icon_button": (
        {"icon": one_of("trash"), "text": plain(limits.BUTTON_TEXT)},
        {
            **_ACTION,
            "confirm": CONFIRM,
            "value": string(limits.BUTTON_VALUE),
            "accessibility_label": string(limits.ACCESSIBILITY_LABEL),
            "visible_to_user_ids": array(_ID, 10),
        },
    ),
    "image": IMAGE,
    **_select(
        {"initial_option": _OPTION}, {"initial_options": _OPTIONS}, {"options": _OPTIONS, "option_groups": _GROUPS},
        "static_select",
    ),
    **_select(
        {"initial_option": _OPTION}, {"initial_options": _OPTIONS}, {"min_query_length": number(0)}, "external_select"
    ),
    **_select({"initial_user": _ID}, {"initial_users": array(_ID)}, {}, "users_select"),
    **_select({"initial_channel": _ID, **_RESPOND}, {"initial_channels": array(_ID)}, {}, "channels_select"),
    **_select(
        {"initial_conversation": _ID, **_RESPOND}, {"initial_conversations": array(_ID)}, _CONVERSATION,
        "conversations_select",
    ),
}  # fmt: skip

SELECTS: Final = frozenset(name for name in ELEMENTS if name.endswith("_select"))
_CLICKED: Final = frozenset({"button", "workflow_button", "overflow"})
_PICKED: Final = frozenset({"checkboxes", "radio_buttons", "datepicker", "timepicker", "datetimepicker"}) | SELECTS
TYPED: Final = frozenset({"plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input"})
IN_ACTIONS: Final = _CLICKED | _PICKED | {"rich_text_input"}
AS_ACCESSORY: Final = _CLICKED | _PICKED | {"image"}
IN_INPUT: Final = _PICKED | TYPED | {"file_input"}
IN_CONTEXT_ACTIONS: Final = frozenset({"feedback_buttons", "icon_button"})


def element(allowed: frozenset[str]) -> Rule:
    """One element of the `allowed` types: its own fields, then what its fields must mean together."""
    by_type = tagged({name: ELEMENTS[name] for name in allowed}, "unsupported element type")

    def check(value: Any, at: str, report: Report) -> None:
        before = len(report.messages)
        by_type(value, at, report)
        if len(report.messages) == before:
            _choices(value, at, report)
            _ranges(value, at, report)
            if value["type"] == "image":
                one_picture(value, at, report)

    return check


def one_picture(value: dict[str, Any], at: str, report: Report) -> None:
    if ("image_url" in value) == ("slack_file" in value):
        report.add(at, "must provide exactly one of image_url and slack_file")


def offered(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every option that the element offers, those of groups included."""
    grouped = [inner for group in value.get("option_groups", []) for inner in group["options"]]
    return [*value.get("options", []), *grouped]


def _choices(value: dict[str, Any], at: str, report: Report) -> None:
    kind = value["type"]
    if kind.endswith("static_select") and ("options" in value) == ("option_groups" in value):
        report.add(at, "must provide exactly one of options and option_groups")
    if kind.endswith("external_select") and "action_id" not in value:
        report.add(at, "missing required field: action_id")
    if kind.endswith("external_select") or not offered(value):
        return
    values = [inner["value"] for inner in offered(value)]
    if len(set(values)) < len(values):
        report.add(f"{at}/options", "option values must be unique")
    initial = value.get("initial_options", [value["initial_option"]] if "initial_option" in value else [])
    known = [(inner["text"]["text"], inner["value"]) for inner in offered(value)]
    for inner in initial:
        if (inner["text"]["text"], inner["value"]) not in known:
            name = "initial_options" if "initial_options" in value else "initial_option"
            report.add(f"{at}/{name}", "must be one of the provided options")


def _ranges(value: dict[str, Any], at: str, report: Report) -> None:
    if value.get("min_length", 0) > value.get("max_length", limits.INPUT_LENGTH):
        report.add(f"{at}/min_length", "must not be greater than max_length")
    if value.get("min_lines", 0) > value.get("max_lines", 100):
        report.add(f"{at}/min_lines", "must not be greater than max_lines")
    for name in ("initial_value", "min_value", "max_value"):
        if value["type"] == "number_input" and name in value and not _is_number(value[name]):
            report.add(f"{at}/{name}", "must be a number")
    many = "max_selected_items" in value
    for name in ("initial_options", "initial_users", "initial_channels", "initial_conversations"):
        if many and len(value.get(name, [])) > value["max_selected_items"]:
            report.add(f"{at}/{name}", "must not have more items than max_selected_items")


def _is_number(written: str) -> bool:
    try:
        float(written)
    except ValueError:
        return False
    return True
