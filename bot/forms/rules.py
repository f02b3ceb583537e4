"""One answer to one field: turned into its type, and judged in a sentence that says what to do."""

from __future__ import annotations

import re
from datetime import date
from urllib.parse import urlsplit

from bot.forms.model import FormField, Kind
from bot.forms.patterns import matches
from bot.forms.repository import allowed, parts, repo_url
from bot.model.canonical import JSON

MESSAGE = 149
"""Longest message beside a field, in code points: Slack shows little more."""

LONGEST = 3_000
"""No text answer may be longer, whatever the schema allows: a modal cannot hold it."""

_TRUE = frozenset({"true", "yes", "on"})
_FALSE = frozenset({"false", "no", "off"})
_EMAIL = re.compile(r"[^@\s<>]+@[^@\s<>.]+(\.[^@\s<>.]+)+")
_REFERENCE = re.compile(r"([a-z][a-z0-9-]*:)?([a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*", re.IGNORECASE)
_REPOSITORY = re.compile(r"[A-Za-z0-9._-]{1,100}")
_REPOSITORY_LISTS = (
    ("repo", "allowedRepos", "names"),
    ("host", "allowedHosts", "hosts"),
    ("owner", "allowedOwners", "owners"),
)
_LISTS = frozenset({Kind.CHOICES, Kind.LINES})


def is_list(field: FormField) -> bool:
    return field.kind in _LISTS or field.multiple


def short(sentence: str) -> str:
    """Return the sentence within the room beside a field."""
    return sentence if len(sentence) <= MESSAGE else sentence[: MESSAGE - 1].rstrip() + "…"


def coerced(field: FormField, value: JSON) -> JSON:
    """Return `value` as the field's type where that is plain (`"3"` → 3), or as it is; empty becomes None."""
    if value is None or value in ("", []):
        return None
    if is_list(field):
        return _as_list(field, value)
    if not isinstance(value, str):
        return value
    match field.kind:
        case Kind.INTEGER | Kind.NUMBER:
            return _as_number(value)
        case Kind.BOOLEAN:
            lowered = value.strip().lower()
            return True if lowered in _TRUE else False if lowered in _FALSE else value
        case Kind.CHOICE:
            return _as_option(field, value)
        case Kind.MULTILINE:
            return value.replace("\r\n", "\n")
        case Kind.REPOSITORY if "?" not in value and value.strip():
            return repo_url(field, value)
        case _:
            return value.strip() or None


def problem(field: FormField, value: JSON, needed: bool) -> str:
    """Return what is wrong with a coerced value and what to do, or an empty text."""
    if value is None:
        return _missing(field) if needed else ""
    if is_list(field):
        return short(_list_problem(field, value))
    return short(_single_problem(field, value))


def option_text(value: JSON) -> str:
    """Return how an option's value is written where only text can stand: `3`, `true`, `python`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def number_text(number: float) -> str:
    """Return a number as people write it: `3`, `0.5`, `1000000`."""
    return str(int(number)) if number == int(number) else repr(number)


def _as_list(field: FormField, value: JSON) -> JSON:
    if isinstance(value, str):
        separator = "\n" if field.kind is Kind.LINES and "\n" in value else ","
        value = [part.strip() for part in value.split(separator) if part.strip()]
    if not isinstance(value, list):
        return value
    return [_as_option(field, item) for item in value] or None


def _as_option(field: FormField, value: JSON) -> JSON:
    if not field.options or any(_same(option.value, value) for option in field.options):
        return value
    return next((o.value for o in field.options if isinstance(value, str) and option_text(o.value) == value), value)


def _as_number(value: str) -> JSON:
    text = value.strip()
    try:
        return int(text) if re.fullmatch(r"[+-]?[0-9]{1,18}", text) else _finite(float(text), value)
    except ValueError:
        return value


def _finite(number: float, otherwise: str) -> JSON:
    if number != number or number in (float("inf"), float("-inf")):  # noqa: PLR0124 - only NaN differs from itself
        return otherwise
    return number


def _same(one: JSON, other: JSON) -> bool:
    """Equality in which `true` is not 1."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _missing(field: FormField) -> str:
    chosen = {Kind.CHOICE, Kind.CHOICES, Kind.OWNER, Kind.ENTITY, Kind.BOOLEAN, Kind.DATE}
    return "Please choose one." if field.kind in chosen else "Please fill this in."


def _list_problem(field: FormField, value: JSON) -> str:
    if not isinstance(value, list):
        return "Give a list here."
    least, most = field.min_items or 0, field.max_items
    if len(value) < least:
        return f"Give at least {least}; there {_are(len(value))} now."
    if most is not None and len(value) > most:
        return f"Give at most {most}; there {_are(len(value))} now."
    texts = [option_text(item) for item in value]
    if len(set(texts)) != len(texts):
        return "Each may be given only once; remove the repeated ones."
    return next((found for item in value if (found := _single_problem(field, item))), "")


def _are(count: int) -> str:
    return "is 1" if count == 1 else f"are {count}"


def _single_problem(field: FormField, value: JSON) -> str:
    match field.kind:
        case Kind.CHOICE | Kind.CHOICES:
            return _option_problem(field, value)
        case Kind.BOOLEAN:
            return "" if isinstance(value, bool) else "Answer with yes or no."
        case Kind.INTEGER | Kind.NUMBER:
            return _number_problem(field, value)
        case _ if not isinstance(value, str):
            return "Give a text here."
        case Kind.DATE:
            return _date_problem(value)
        case Kind.EMAIL if not _EMAIL.fullmatch(value):
            return "Give an e-mail address such as name@example.com."
        case Kind.URL if not _is_url(value):
            return "Give a whole address that begins with https:// or http://."
        case Kind.REPOSITORY:
            return _repository_problem(field, value)
        case Kind.OWNER | Kind.ENTITY:
            return "" if _REFERENCE.fullmatch(value) else "Choose one from the list."
        case _:
            return _text_problem(field, value)


def _option_problem(field: FormField, value: JSON) -> str:
    if any(_same(option.value, value) for option in field.options):
        return ""
    names = ", ".join(option_text(option.value) for option in field.options)
    return f"Choose one of: {names}."


def _number_problem(field: FormField, value: JSON) -> str:
    whole = field.kind is Kind.INTEGER
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "Give a whole number, such as 3." if whole else "Give a number, such as 3 or 0.5."
    if whole and value != int(value):
        return "Give a whole number, such as 3."
    if field.minimum is not None and value < field.minimum:
        return f"Give {number_text(field.minimum)} or more."
    if field.maximum is not None and value > field.maximum:
        return f"Give {number_text(field.maximum)} or less."
    step = field.multiple_of
    if step and abs(value / step - round(value / step)) > 1e-9:
        return f"Give a multiple of {number_text(step)}."
    return ""


def _date_problem(value: str) -> str:
    wrong = "Give a date as year-month-day, such as 2026-11-23."
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return wrong
    try:
        date.fromisoformat(value)
    except ValueError:
        return wrong
    return ""


def _is_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"[\s<>\"]", value)
    except ValueError:
        return False


def _repository_problem(field: FormField, value: str) -> str:
    """`value` is `host?owner=…&repo=…`, Backstage's form; people see and type the repository's name only."""
    given = parts(value)
    name = given["repo"]
    if not name:
        return "Give the repository's name."
    if not _REPOSITORY.fullmatch(name) or name in (".", "..") or name.lower().endswith(".git"):
        return "Use letters, digits, `-`, `_` and `.` only, at most 100, and no .git at the end."
    for part, listed, words in _REPOSITORY_LISTS:
        choices = allowed(field, listed)
        if choices and given[part] and given[part] not in choices:
            return f"Choose one of the allowed {words}: {', '.join(choices)}."
    return ""


def _text_problem(field: FormField, value: str) -> str:
    least, most = field.min_length or 0, min(field.max_length or LONGEST, LONGEST)
    if len(value) < least:
        return f"Write at least {least} characters; there {_are(len(value))} now."
    if len(value) > most:
        return f"Write at most {most} characters; there {_are(len(value))} now."
    if field.kind is not Kind.MULTILINE and re.search(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\ufffe\uffff]", value):
        return "Remove the line breaks and control characters."
    if field.pattern and not matches(field.pattern, value):
        return field.pattern_help or _unlike(field)
    return ""


def _unlike(field: FormField) -> str:
    """The field's own words where it has some: nobody should have to read a regular expression."""
    if field.help and len(field.help) <= 120:
        return f"This does not fit. {field.help}"
    return f"This must match the pattern {field.pattern}"
