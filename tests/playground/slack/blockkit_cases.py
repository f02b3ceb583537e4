"""Messages and views at and beyond Slack's limits, by name. Beyond: with the pointer to the mistake."""

from __future__ import annotations

from typing import Any

from tests.playground.slack.forms import field, home, modal, option, plain

Json = dict[str, Any]


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def section(**parts: Any) -> Json:
    return {"type": "section", **(parts or {"text": mrkdwn("x")})}


def accessory(**element: Any) -> Json:
    return section(text=mrkdwn("x"), accessory=element)


def button(**parts: Any) -> Json:
    return {"type": "button", "text": plain("x"), **parts}


def actions(*elements: Json, **more: Any) -> Json:
    return {"type": "actions", "elements": list(elements), **more}


def options(count: int) -> list[Json]:
    return [option(f"o{number}") for number in range(count)]


def select(**parts: Any) -> Json:
    return {"type": "static_select", **parts}


def header(length: int) -> Json:
    return {"type": "header", "text": plain("x" * length)}


def rich(text: str) -> Json:
    elements = [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}]
    return {"type": "rich_text", "elements": elements}


def task(**parts: Any) -> Json:
    return {"type": "task_card", "task_id": "t", "title": "x", "status": "complete", **parts}


def cell(text: str = "x") -> Json:
    return {"type": "raw_text", "text": text}


PICTURE = {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "x"}
CONFIRM = {"title": plain("x"), "text": plain("x"), "confirm": plain("x"), "deny": plain("x")}
PIE = {"type": "pie", "segments": [{"label": "a", "value": 1}]}

VALID_MESSAGES: dict[str, list[Json]] = {
    "nothing": [],
    "50 blocks": [section()] * 50,
    "header of 150": [header(150)],
    "section of 3000": [section(text=mrkdwn("x" * 3000))],
    "10 fields of 2000": [section(fields=[mrkdwn("x" * 2000)] * 10)],
    "25 elements": [actions(*[button(action_id=f"a{n}") for n in range(25)])],
    "context of text and picture": [{"type": "context", "elements": [mrkdwn("x"), PICTURE]}],
    "button at its limits": [actions(button(text=plain("x" * 75), value="x" * 2000, style="danger", confirm=CONFIRM))],
    "100 options": [actions(select(options=options(100)))],
    "option groups": [actions(select(option_groups=[{"label": plain("g"), "options": options(2)}]))],
    "an initial option": [actions(select(options=options(2), initial_option=option("o1")))],
    "5 in an overflow": [accessory(type="overflow", options=options(5))],
    "option at its limits": [actions(select(options=[{"text": plain("x" * 75), "value": "x" * 150}]))],
    "picture": [{**PICTURE, "title": plain("x")}],
    "markdown of 12000": [{"type": "markdown", "text": "x" * 12_000}],
    "plan with a waiting task": [{"type": "plan", "title": "x", "tasks": [task(status="pending")]}],
    "task with details": [task(details=rich("x"), output=rich("y"))],
    "table": [{"type": "table", "rows": [[cell(), rich("x")]], "column_settings": [{"align": "right"}]}],
    "data table": [{"type": "data_table", "caption": "x", "rows": [[cell()], [{"type": "raw_number", "value": 1.5}]]}],
    "two charts": [{"type": "data_visualization", "title": "x", "chart": PIE}] * 2,
    "card": [{"type": "card", "title": mrkdwn("x"), "actions": [button(action_id="a"), button(action_id="b")]}],
    "rich text": [rich("x")],
    "the same action_id in two blocks": [actions(button(action_id="a")), actions(button(action_id="a"))],
}  # fmt: skip

INVALID_MESSAGES: dict[str, tuple[list[Json], str]] = {
    "51 blocks": ([section()] * 51, "/blocks"),
    "unknown block": ([{"type": "banner"}], "/blocks/0/type"),
    "unknown key": ([{"type": "divider", "color": "red"}], "/blocks/0"),
    "empty section": ([{"type": "section"}], "/blocks/0"),
    "empty text": ([section(text=mrkdwn(""))], "/blocks/0/text/text"),
    "section of 3001": ([section(text=mrkdwn("x" * 3001))], "/blocks/0/text/text"),
    "11 fields": ([section(fields=[mrkdwn("x")] * 11)], "/blocks/0/fields"),
    "field of 2001": ([section(fields=[mrkdwn("x" * 2001)])], "/blocks/0/fields/0/text"),
    "header of 151": ([header(151)], "/blocks/0/text/text"),
    "header in mrkdwn": ([{"type": "header", "text": mrkdwn("x")}], "/blocks/0/text/type"),
    "emoji flag on mrkdwn": ([section(text={**mrkdwn("x"), "emoji": True})], "/blocks/0/text"),
    "26 elements": ([actions(*[button(action_id=f"a{n}") for n in range(26)])], "/blocks/0/elements"),
    "no elements": ([actions()], "/blocks/0/elements"),
    "11 in a context": ([{"type": "context", "elements": [mrkdwn("x")] * 11}], "/blocks/0/elements"),
    "button text of 76": ([actions(button(text=plain("x" * 76)))], "/blocks/0/elements/0/text/text"),
    "button text in mrkdwn": ([actions(button(text=mrkdwn("x")))], "/blocks/0/elements/0/text/type"),
    "button value of 2001": ([actions(button(value="x" * 2001))], "/blocks/0/elements/0/value"),
    "button url of 3001": ([actions(button(url="https://" + "x" * 3000))], "/blocks/0/elements/0/url"),
    "button style": ([actions(button(style="green"))], "/blocks/0/elements/0/style"),
    "action_id of 256": ([actions(button(action_id="x" * 256))], "/blocks/0/elements/0/action_id"),
    "block_id of 256": ([{"type": "divider", "block_id": "x" * 256}], "/blocks/0/block_id"),
    "block_id twice": ([{"type": "divider", "block_id": "a"}] * 2, "/blocks/1/block_id"),
    "action_id twice in a block": ([actions(button(action_id="a"), button(action_id="a"))], "/blocks/0"),
    "text input in actions": ([actions({"type": "plain_text_input"})], "/blocks/0/elements/0/type"),
    "101 options": ([actions(select(options=options(101)))], "/blocks/0/elements/0/options"),
    "no options": ([actions(select(options=[]))], "/blocks/0/elements/0/options"),
    "options and groups": (
        [actions(select(options=options(1), option_groups=[{"label": plain("g"), "options": options(1)}]))],
        "/blocks/0/elements/0",
    ),
    "neither options nor groups": ([actions(select())], "/blocks/0/elements/0"),
    "option text of 76": (
        [actions(select(options=[{"text": plain("x" * 76), "value": "x"}]))],
        "/blocks/0/elements/0/options/0/text/text",
    ),
    "option value of 151": (
        [actions(select(options=[{"text": plain("x"), "value": "x" * 151}]))],
        "/blocks/0/elements/0/options/0/value",
    ),
    "option value twice": ([actions(select(options=[option("a"), option("a")]))], "/blocks/0/elements/0/options"),
    "initial option from elsewhere": (
        [actions(select(options=options(2), initial_option=option("z")))],
        "/blocks/0/elements/0/initial_option",
    ),
    "initial options beyond the most": (
        [accessory(type="multi_static_select", options=options(3), initial_options=options(2), max_selected_items=1)],
        "/blocks/0/accessory/initial_options",
    ),
    "external select without action_id": ([actions({"type": "external_select"})], "/blocks/0/elements/0"),
    "placeholder of 151": (
        [actions(select(options=options(1), placeholder=plain("x" * 151)))],
        "/blocks/0/elements/0/placeholder/text",
    ),
    "6 in an overflow": ([accessory(type="overflow", options=options(6))], "/blocks/0/accessory/options"),
    "11 checkboxes": ([accessory(type="checkboxes", options=options(11))], "/blocks/0/accessory/options"),
    "11 radio buttons": ([accessory(type="radio_buttons", options=options(11))], "/blocks/0/accessory/options"),
    "confirm text of 301": (
        [actions(button(confirm={**CONFIRM, "text": plain("x" * 301)}))],
        "/blocks/0/elements/0/confirm/text/text",
    ),
    "confirm button of 31": (
        [actions(button(confirm={**CONFIRM, "confirm": plain("x" * 31)}))],
        "/blocks/0/elements/0/confirm/confirm/text",
    ),
    "picture without words": ([{"type": "image", "image_url": "https://example.com/a.png"}], "/blocks/0"),
    "picture without a source": ([{"type": "image", "alt_text": "x"}], "/blocks/0"),
    "alert in a message": ([{"type": "alert", "text": plain("x")}], "/blocks/0/type"),
    "12001 characters of markdown": ([{"type": "markdown", "text": "x" * 6001}] * 2, "/blocks"),
    "two tables": ([{"type": "table", "rows": [[cell()]]}] * 2, "/blocks"),
    "101 rows": ([{"type": "table", "rows": [[cell()]] * 101}], "/blocks/0/rows"),
    "21 columns": ([{"type": "table", "rows": [[cell()] * 21]}], "/blocks/0/rows/0"),
    "uneven rows": ([{"type": "table", "rows": [[cell()], [cell(), cell()]]}], "/blocks/0/rows"),
    "data table of 20001 characters": (
        [{"type": "data_table", "caption": "x", "rows": [[cell("x" * 10_001)]] * 2}],
        "/blocks/0/rows",
    ),
    "three charts": ([{"type": "data_visualization", "title": "x", "chart": PIE}] * 3, "/blocks"),
    "51 tasks": ([{"type": "plan", "title": "x", "tasks": [task()] * 51}], "/blocks/0/tasks"),
    "a waiting task alone": ([task(status="pending")], "/blocks/0/status"),
    "card of nothing": ([{"type": "card"}], "/blocks/0"),
    "4 buttons on a card": (
        [{"type": "card", "title": mrkdwn("x"), "actions": [button(action_id=f"a{n}") for n in range(4)]}],
        "/blocks/0/actions",
    ),
}

NAME = {"type": "plain_text_input"}
VALID_VIEWS: dict[str, Json] = {
    "a form": modal(),
    "no input and no submit": modal(section(), submit=None),
    "100 blocks": modal(*[section()] * 100),
    "titles of 24": modal(title=plain("x" * 24), submit=plain("x" * 24), close=plain("x" * 24)),
    "private metadata of 3000": modal(private_metadata="x" * 3000),
    "an alert": modal({"type": "alert", "level": "warning", "text": plain("x" * 200)}),
    "every input": modal(
        field("a", {**NAME, "min_length": 1, "max_length": 3000, "multiline": True}),
        field("b", {"type": "email_text_input"}),
        field("c", {"type": "url_text_input"}),
        field("d", {"type": "number_input", "is_decimal_allowed": False, "min_value": "1"}),
        field("e", {"type": "datepicker", "initial_date": "2026-11-23"}),
        field("f", {"type": "timepicker", "initial_time": "09:30"}),
        field("g", {"type": "datetimepicker", "initial_date_time": 1_800_000_000}),
        field("h", {"type": "checkboxes", "options": options(10)}),
        field("i", {"type": "radio_buttons", "options": options(10)}),
        field("j", {"type": "external_select", "min_query_length": 0}),
        field("k", {"type": "multi_users_select", "max_selected_items": 2}),
        field("l", {"type": "conversations_select", "default_to_current_conversation": True}),
        field("m", {"type": "rich_text_input"}),
        field("n", {"type": "file_input", "max_files": 10}),
    ),
    "home": home(header(10), actions(button())),
}  # fmt: skip

INVALID_VIEWS: dict[str, tuple[Json, str]] = {
    "no title": ({"type": "modal", "blocks": []}, "/view"),
    "no blocks": ({"type": "modal", "title": plain("x")}, "/view"),
    "title of 25": (modal(title=plain("x" * 25)), "/view/title/text"),
    "submit of 25": (modal(submit=plain("x" * 25)), "/view/submit/text"),
    "close of 25": (modal(close=plain("x" * 25)), "/view/close/text"),
    "101 blocks": (modal(*[section()] * 101), "/view/blocks"),
    "private metadata of 3001": (modal(private_metadata="x" * 3001), "/view/private_metadata"),
    "callback_id of 256": (modal(callback_id="x" * 256), "/view/callback_id"),
    "external_id of 256": (modal(external_id="x" * 256), "/view/external_id"),
    "unknown key": (modal(color="red"), "/view"),
    "input without submit": (modal(submit=None), "/view"),
    "label of 2001": (modal(field("a", NAME, label=plain("x" * 2001))), "/view/blocks/0/label/text"),
    "hint of 2001": (modal(field("a", NAME, hint=plain("x" * 2001))), "/view/blocks/0/hint/text"),
    "button in an input": (modal(field("a", button())), "/view/blocks/0/element/type"),
    "max_length of 3001": (modal(field("a", {**NAME, "max_length": 3001})), "/view/blocks/0/element/max_length"),
    "min above max": (
        modal(field("a", {**NAME, "min_length": 9, "max_length": 3})), "/view/blocks/0/element/min_length"
    ),
    "a number that is none": (
        modal(field("a", {"type": "number_input", "is_decimal_allowed": False, "initial_value": "x"})),
        "/view/blocks/0/element/initial_value",
    ),
    "an initial date that is none": (
        modal(field("a", {"type": "datepicker", "initial_date": "today"})), "/view/blocks/0/element/initial_date"
    ),
    "block_id twice": (modal(field("a", NAME), field("a", NAME)), "/view/blocks/1/block_id"),
    "two focused": (
        modal(field("a", {**NAME, "focus_on_load": True}), field("b", {**NAME, "focus_on_load": True})),
        "/view/blocks",
    ),
    "markdown in a modal": (modal({"type": "markdown", "text": "x"}), "/view/blocks/0/type"),
    "table in a modal": (modal({"type": "table", "rows": [[cell()]]}), "/view/blocks/0/type"),
    "plan in Home": (home({"type": "plan", "title": "x"}), "/view/blocks/0/type"),
    "alert in Home": (home({"type": "alert", "text": plain("x")}), "/view/blocks/0/type"),
    "title of Home": ({**home(), "title": plain("x")}, "/view"),
    "alert of 201": (modal({"type": "alert", "text": plain("x" * 201)}), "/view/blocks/0/text/text"),
}  # fmt: skip
