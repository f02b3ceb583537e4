"""A form as a Slack modal, and the modal's state as answers.

Pure. In a modal `block_id` = `action_id` = the field's name, so a value that a person typed survives a redraw. What
else is asked for one field (the owner beside a repository's name) has the field's name with `#owner` behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.command import FormStart
from bot.forms import repository, rules
from bot.forms.answers import following, visible
from bot.forms.model import FieldError, FormField, Kind, Option, Page
from bot.model.canonical import JSON
from bot.slack import blocks, limits
from bot.slack.message import Block
from bot.slack.mrkdwn import cut, escape, plain, said

NAVIGATION = "_navigation"
"""The block with the Back button."""

BACK = "back"

_PARTS = (("owner", "allowedOwners", "Owner"), ("host", "allowedHosts", "Host"))
"""What a repository field asks for beside the name, where several are allowed."""

_YES, _NO = "true", "false"


def modal(
    start: FormStart,
    *,
    page: int,
    values: Mapping[str, JSON],
    callback_id: str,
    private_metadata: str,
    errors: Sequence[FieldError] = (),
) -> dict[str, JSON]:
    """Return the modal for one page (0 is the first) of the form, as it is for these answers.

    `errors` are for fields of other pages or of none: Slack shows those of this page itself, in the answer to a submit.
    """
    form = start.form
    shown = {(field.name, field.when) for field in visible(form.fields(), values)}
    current = form.pages[page]
    fields = [field for field in current.fields if (field.name, field.when) in shown]
    controllers = {when.field for field in form.fields() for when in (*field.when, *field.required_when)}
    more = following(form, page, values) is not None
    body = [
        *_introduction(current, page, len(form.pages), errors),
        *(block for field in fields for block in _input(field, values, dispatches=field.name in controllers)),
        *([] if fields else [blocks.section("There is nothing to fill in on this page.")]),
        *([_back()] if page > 0 else []),
    ]
    return {
        "type": "modal",
        "callback_id": callback_id[: limits.CALLBACK_ID],
        "private_metadata": private_metadata,
        "title": blocks.plain_text(start.title, limits.VIEW_TITLE),
        "submit": blocks.plain_text("Next" if more else start.submit, limits.VIEW_BUTTON),
        "close": blocks.plain_text("Cancel", limits.VIEW_BUTTON),
        "blocks": list(blocks.guarded(body, limits.VIEW_BLOCKS)),
    }


def answers(fields: Iterable[FormField], state: Mapping[str, Any]) -> dict[str, JSON]:
    """Return the answers in a view's `state.values`, each as its field's type where it can be read so.

    A field that the modal did not show is absent; one that was left empty is None.
    """
    found: dict[str, JSON] = {}
    for field in fields:
        block = state.get(field.name)
        if isinstance(block, Mapping) and field.name in block:
            found[field.name] = rules.coerced(field, _answer(field, block[field.name], state))
    return found


def loading(title: str) -> dict[str, JSON]:
    """A modal that can be opened at once, before what it shall show is known."""
    return _notice(title, [blocks.section("One moment, please.")])


def problem(title: str, sentence: str) -> dict[str, JSON]:
    """A modal that says what went wrong and what to do."""
    return _notice(title, [blocks.section(said(sentence))])


def _notice(title: str, body: list[Block]) -> dict[str, JSON]:
    return {
        "type": "modal",
        "title": blocks.plain_text(title, limits.VIEW_TITLE),
        "close": blocks.plain_text("Close", limits.VIEW_BUTTON),
        "blocks": list(body),
    }


def _introduction(page: Page, number: int, count: int, errors: Sequence[FieldError]) -> list[Block]:
    found = [blocks.section(f":warning: {said(error.message)}") for error in errors[:5]]
    if count > 1:
        title = f" · {escape(page.title)}" if page.title else ""
        found.append(blocks.context(f"Page {number + 1} of {count}{title}"))
    elif page.title:
        found.append(blocks.context(escape(page.title)))
    return [*found, *([blocks.section(escape(page.description))] if page.description else [])]


def _back() -> Block:
    return blocks.actions([blocks.button("Back", BACK, BACK)], block_id=NAVIGATION)


# --- One field -------------------------------------------------------------------------------------------------------


def _input(field: FormField, values: Mapping[str, JSON], *, dispatches: bool) -> list[Block]:
    value = rules.coerced(field, values.get(field.name, field.default))
    if field.fixed:
        shown = ", ".join(map(rules.option_text, value)) if isinstance(value, list) else rules.option_text(value or "")
        return [blocks.section(f"*{escape(field.title)}*\n{escape(shown) or '(empty)'}")]
    name = repository.parts(value)["repo"] if field.kind is Kind.REPOSITORY and isinstance(value, str) else value
    element = _element(field, name) | {"action_id": field.name}
    if field.autofocus:
        element["focus_on_load"] = True
    optional = not field.needed(values) and not (field.kind is Kind.BOOLEAN and field.required)
    main = _block(field.name, field.title, element, optional=optional, hint=field.help)
    if dispatches:
        main["dispatch_action"] = True
    return [main, *_repository_parts(field, value)]


def _block(name: str, label: str, element: Block, *, optional: bool, hint: str = "") -> Block:
    block: Block = {
        "type": "input",
        "block_id": name,
        "label": blocks.plain_text(label, limits.LABEL),
        "element": element,
        "optional": optional,
    }
    return block | {"hint": blocks.plain_text(hint, limits.HINT)} if hint else block


def _element(field: FormField, value: JSON) -> Block:
    match field.kind:
        case Kind.INTEGER | Kind.NUMBER:
            return _number(field, value)
        case Kind.BOOLEAN:
            return _yes_no(field, value)
        case Kind.CHOICE | Kind.CHOICES:
            return _choice(field, value)
        case Kind.DATE:
            return {"type": "datepicker", **_placeholder(field)} | _initial("initial_date", value)
        case Kind.OWNER | Kind.ENTITY:
            return _picker(field, value)
        case Kind.EMAIL:
            return {"type": "email_text_input", **_placeholder(field)} | _initial("initial_value", value)
        case Kind.URL:
            return {"type": "url_text_input", **_placeholder(field)} | _initial("initial_value", value)
        case _:
            return _text(field, value)


def _initial(key: str, value: JSON) -> Block:
    return {key: plain(str(value))} if value is not None else {}


def _placeholder(field: FormField) -> Block:
    return {"placeholder": blocks.plain_text(field.placeholder, limits.PLACEHOLDER)} if field.placeholder else {}


def _text(field: FormField, value: JSON) -> Block:
    several = field.kind in (Kind.MULTILINE, Kind.LINES)
    text = "\n".join(map(str, value)) if isinstance(value, list) else value
    element: Block = {"type": "plain_text_input", "multiline": several, **_placeholder(field)}
    element["max_length"] = limits.INPUT_TEXT
    if field.kind in (Kind.TEXT, Kind.MULTILINE):
        element["max_length"] = max(1, min(field.max_length or limits.INPUT_TEXT, limits.INPUT_TEXT))
        if field.min_length:
            element["min_length"] = field.min_length
    return element | (_initial("initial_value", cut(str(text), limits.INPUT_TEXT)) if text is not None else {})


def _number(field: FormField, value: JSON) -> Block:
    element: Block = {"type": "number_input", "is_decimal_allowed": field.kind is Kind.NUMBER, **_placeholder(field)}
    if field.minimum is not None:
        element["min_value"] = rules.number_text(field.minimum)
    if field.maximum is not None:
        element["max_value"] = rules.number_text(field.maximum)
    return element | _initial("initial_value", value)


def _yes_no(field: FormField, value: JSON) -> Block:
    """A tick box, or two radio buttons where a person has to say one or the other."""
    yes, no = blocks.option("Yes", _YES), blocks.option("No", _NO)
    if field.widget == "radio" or field.required:
        chosen = {True: yes, False: no}.get(value) if isinstance(value, bool) else None
        radio: Block = {"type": "radio_buttons", "options": [yes, no]}
        return radio | ({"initial_option": chosen} if chosen else {})
    element: Block = {"type": "checkboxes", "options": [yes]}
    return element | ({"initial_options": [yes]} if value is True else {})


def _choice(field: FormField, value: JSON) -> Block:
    options: list[Block] = [_option(option) for option in field.options]
    few = len(options) <= limits.CHECKBOX_OPTIONS
    chosen = value if isinstance(value, list) else [value]
    initial = [made for made, option in zip(options, field.options, strict=True) if option.value in chosen]
    listed: list[JSON] = list(options)
    initials: list[JSON] = list(initial)
    if field.kind is Kind.CHOICES:
        return _several(field, listed, initials, few=few)
    radio = field.widget == "radio" and few
    element: Block = {"type": "radio_buttons" if radio else "static_select", "options": listed}
    if not radio:
        element |= _placeholder(field)
    if initials:
        element["initial_option"] = initials[0]
    return element


def _several(field: FormField, options: list[JSON], initials: list[JSON], *, few: bool) -> Block:
    boxes = field.widget == "checkboxes" and few
    element: Block = {"type": "checkboxes" if boxes else "multi_static_select", "options": options}
    if not boxes:
        element |= _placeholder(field)
        if field.max_items:
            element["max_selected_items"] = field.max_items
    if initials:
        element["initial_options"] = initials
    return element


def _option(option: Option) -> Block:
    return blocks.option(option.label, rules.option_text(option.value), option.description)


def _picker(field: FormField, value: JSON) -> Block:
    kind = "multi_external_select" if field.multiple else "external_select"
    element: Block = {"type": kind, "min_query_length": 0, **_placeholder(field)}
    chosen: list[JSON] = [_reference(str(one)) for one in (value if isinstance(value, list) else [value]) if one]
    if not chosen:
        return element
    return element | ({"initial_options": chosen} if field.multiple else {"initial_option": chosen[0]})


def _reference(reference: str) -> Block:
    return blocks.option(reference.rpartition("/")[2], cut(reference, limits.OPTION_VALUE))


def _repository_parts(field: FormField, value: JSON) -> list[Block]:
    if field.kind is not Kind.REPOSITORY:
        return []
    given = repository.parts(value) if isinstance(value, str) else {}
    found = []
    for part, listed, label in _PARTS:
        allowed = repository.allowed(field, listed)[: limits.SELECT_OPTIONS]
        if len(allowed) > 1:
            options: list[JSON] = [blocks.option(name, name) for name in allowed]
            chosen = allowed.index(given[part]) if given.get(part) in allowed else 0
            element: Block = {"type": "static_select", "options": options, "initial_option": options[chosen]}
            name = f"{field.name}#{part}"
            title = f"{label} of {field.title[:1].lower()}{field.title[1:]}"
            found.append(_block(name, title, element | {"action_id": name}, optional=False))
    return found


# --- The state of one element ----------------------------------------------------------------------------------------


def _answer(field: FormField, element: Any, state: Mapping[str, Any]) -> JSON:
    value = _plain(element) if isinstance(element, Mapping) else None
    if field.kind is Kind.BOOLEAN and isinstance(value, list):
        return _YES in value
    if field.kind is Kind.REPOSITORY and isinstance(value, str) and value.strip() and "?" not in value:
        return repository.repo_url(field, value, owner=_part(field, "owner", state), host=_part(field, "host", state))
    if isinstance(value, str) and field.kind is Kind.LINES and "\n" not in value:
        return [value]
    return value


def _part(field: FormField, part: str, state: Mapping[str, Any]) -> str:
    name = f"{field.name}#{part}"
    element = (state.get(name) or {}).get(name)
    value = _plain(element) if isinstance(element, Mapping) else None
    return value if isinstance(value, str) else ""


def _plain(element: Mapping[str, Any]) -> JSON:
    """Return what an element of any type holds: text, option value, list of option values, date."""
    if "selected_options" in element:
        return [str(option["value"]) for option in element["selected_options"] or ()]
    if "selected_option" in element:
        option = element["selected_option"]
        return str(option["value"]) if option else None
    value = element.get("value", element.get("selected_date"))
    return str(value) if value is not None else None
