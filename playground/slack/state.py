"""What form elements show: Slack's `state.values`, from initial values and from what a person enters.

Plain values (text, an option's value, lists of them, dates) become Slack's shapes by the element's type, and what a
real client would not let a person enter is refused in the words of a form error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from playground.slack import blocks as block_kit
from playground.slack import limits
from playground.slack.elements import offered

Json = dict[str, Any]

_TYPED: Final = ("plain_text_input", "email_text_input", "url_text_input", "number_input")
_ONE_OPTION: Final = ("static_select", "external_select", "radio_buttons")
_MANY_OPTIONS: Final = ("multi_static_select", "multi_external_select", "checkboxes")
_FIELDS: Final[dict[str, tuple[str, str]]] = {
    **dict.fromkeys(_TYPED, ("value", "initial_value")),
    **dict.fromkeys(_ONE_OPTION, ("selected_option", "initial_option")),
    **dict.fromkeys(_MANY_OPTIONS, ("selected_options", "initial_options")),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "file_input": ("files", "initial_files"),
}
"""Element type → (field in the state, field of the initial value)."""


class Unacceptable(Exception):
    """A value that a real client would not let a person enter; the text is what the form says."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """What entering a value needs to know of the workspace."""

    user: Callable[[str], str | None]
    channel: Callable[[str], str | None]
    offered: Callable[[Json, Json], list[Json]]
    """Options that the bot offered for an external select, by (block, element)."""
    upload: Callable[[Json], Json]
    """Keep a file given as `{"name", "content"}`, return Slack's file object."""


def is_many(kind: str) -> bool:
    return _FIELDS[kind][0].endswith("s") and kind != "file_input"


def state_field(kind: str) -> str | None:
    """Return the field that holds the state of an element of this type, or None when it has none (a button)."""
    return _FIELDS[kind][0] if kind in _FIELDS else None


def shown(element: Json, channel: str | None = None) -> Json:
    """Return what an element that nobody has touched shows."""
    kind = element["type"]
    field, initial = _FIELDS[kind]
    value = element.get(initial)
    if value is None and element.get("default_to_current_conversation"):
        value = [channel] if is_many(kind) and channel else channel
    if value is None and (is_many(kind) or kind == "file_input"):
        value = []
    return {"type": kind, field: value}


def state_values(blocks: list[Json], entered: Json, channel: str | None = None) -> Json:
    """Return Slack's `state.values` of all elements that hold a value."""
    values: Json = {}
    for block, element in block_kit.interactive(blocks):
        if element["type"] not in _FIELDS:
            continue
        known = entered.get(block["block_id"], {}).get(element["action_id"])
        if known is None or known["type"] != element["type"] or not _still_there(element, known):
            known = shown(element, channel)
        values.setdefault(block["block_id"], {})[element["action_id"]] = known
    return values


def _still_there(element: Json, known: Json) -> bool:
    """Tell whether the chosen options are still among those that a redrawn element offers."""
    choices = [option["value"] for option in offered(element)]
    if not choices:
        return True
    chosen = [*known.get("selected_options", []), known.get("selected_option")]
    return all(option["value"] in choices for option in chosen if option)


def is_empty(state: Json) -> bool:
    field = _FIELDS[state["type"]][0]
    return state[field] in (None, "", [])


def enter(block: Json, element: Json, value: Any, lookup: Lookup) -> Json:
    """Return an element's state with `value` entered. Raise `Unacceptable` when a client would not take it."""
    kind = element["type"]
    field = _FIELDS[kind][0]
    if value is None or value in ("", []):
        return {"type": kind, field: [] if is_many(kind) or kind == "file_input" else None}
    return {"type": kind, field: _ENTER[kind](block, element, value, lookup)}


def _text(_block: Json, element: Json, value: Any, _lookup: Lookup) -> str:
    if not isinstance(value, str):
        raise Unacceptable("Enter text.")
    if len(value) < element.get("min_length", 0):
        raise Unacceptable(f"Enter at least {element['min_length']} characters.")
    most = element.get("max_length", limits.INPUT_LENGTH)
    if len(value) > most:
        raise Unacceptable(f"Enter no more than {most} characters.")
    return value if element.get("multiline") else re.sub(r"[\r\n]+", " ", value)


def _email(_block: Json, _element: Json, value: Any, _lookup: Lookup) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value):
        raise Unacceptable("Enter an e-mail address.")
    return value


def _url(_block: Json, _element: Json, value: Any, _lookup: Lookup) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"https?://\S+", value):
        raise Unacceptable("Enter a URL that begins with http:// or https://.")
    return value


def _number(_block: Json, element: Json, value: Any, _lookup: Lookup) -> str:
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise Unacceptable("Enter a number.") from error
    if not number.is_finite() or isinstance(value, bool):
        raise Unacceptable("Enter a number.")
    if not element["is_decimal_allowed"] and number != number.to_integral_value():
        raise Unacceptable("Enter a whole number.")
    if "min_value" in element and number < Decimal(element["min_value"]):
        raise Unacceptable(f"Enter a number no smaller than {element['min_value']}.")
    if "max_value" in element and number > Decimal(element["max_value"]):
        raise Unacceptable(f"Enter a number no greater than {element['max_value']}.")
    return str(value)


def _date(_block: Json, _element: Json, value: Any, _lookup: Lookup) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError) as error:
        raise Unacceptable("Enter a date as 2026-11-23.") from error


def _time(_block: Json, _element: Json, value: Any, _lookup: Lookup) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise Unacceptable("Enter a time as 09:30.")
    return value


def _moment(_block: Json, _element: Json, value: Any, _lookup: Lookup) -> int:
    if not str(value).isdecimal() or len(str(value)) != 10:
        raise Unacceptable("Enter a moment in seconds since 1970.")
    return int(value)


def _option(block: Json, element: Json, value: Any, lookup: Lookup) -> Json:
    choices = offered(element) or lookup.offered(block, element)
    for option in choices:
        if option["value"] == value:
            return option
    raise Unacceptable(f"`{value}` is not among the options.")


def _user(_block: Json, _element: Json, value: Any, lookup: Lookup) -> str:
    found = lookup.user(value) if isinstance(value, str) else None
    if found is None:
        raise Unacceptable(f"There is no user `{value}`.")
    return found


def _channel(_block: Json, _element: Json, value: Any, lookup: Lookup) -> str:
    found = lookup.channel(value) if isinstance(value, str) else None
    if found is None:
        raise Unacceptable(f"There is no channel `{value}`.")
    return found


def _rich(_block: Json, _element: Json, value: Any, _lookup: Lookup) -> Json:
    if isinstance(value, dict):
        return value
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": str(value)}]}
    return {"type": "rich_text", "elements": [section]}


def _files(_block: Json, element: Json, value: Any, lookup: Lookup) -> list[Json]:
    given = value if isinstance(value, list) else [value]
    if not all(isinstance(file, dict) and {"name", "content"} <= file.keys() for file in given):
        raise Unacceptable("Give files as a list of name and content.")
    if len(given) > element.get("max_files", limits.FILES):
        raise Unacceptable(f"Choose no more than {element.get('max_files', limits.FILES)} files.")
    allowed = element.get("filetypes")
    for file in given:
        if allowed and str(file["name"]).rpartition(".")[2] not in allowed:
            raise Unacceptable(f"Choose files of type {', '.join(allowed)}.")
    return [lookup.upload(file) for file in given]


def _many(one: Callable[[Json, Json, Any, Lookup], Any]) -> Callable[[Json, Json, Any, Lookup], list[Any]]:
    def enter_all(block: Json, element: Json, value: Any, lookup: Lookup) -> list[Any]:
        given = value if isinstance(value, list) else [value]
        most = element.get("max_selected_items")
        if most and len(given) > most:
            raise Unacceptable(f"Choose no more than {most}.")
        return [one(block, element, inner, lookup) for inner in given]

    return enter_all


_ENTER: Final[dict[str, Callable[[Json, Json, Any, Lookup], Any]]] = {
    "plain_text_input": _text,
    "email_text_input": _email,
    "url_text_input": _url,
    "number_input": _number,
    "datepicker": _date,
    "timepicker": _time,
    "datetimepicker": _moment,
    "rich_text_input": _rich,
    "file_input": _files,
    **dict.fromkeys(_ONE_OPTION, _option),
    **dict.fromkeys(_MANY_OPTIONS, _many(_option)),
    "users_select": _user,
    "multi_users_select": _many(_user),
    "channels_select": _channel,
    "multi_channels_select": _many(_channel),
    "conversations_select": _channel,
    "multi_conversations_select": _many(_channel),
}
