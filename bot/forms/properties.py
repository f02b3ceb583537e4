"""One property of a JSON Schema → the parts of a form field, or the mistakes that keep it from being one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.errors import Mistake
from bot.forms import patterns, rules
from bot.forms.model import Kind, Option
from bot.forms.pickers import SECRETS, picker
from bot.model.canonical import JSON

Schema = Mapping[str, JSON]

OPTIONS = 100
OPTION_LABEL = 75
OPTION_VALUE = 150
LABEL = 2_000
FIELD_NAME = 200
MAX_HINT = 120
"""What the narrowest door, a Slack modal, can hold."""

_KNOWN = frozenset(
    {
        "type", "title", "description", "default", "enum", "enumNames", "const", "oneOf", "anyOf", "items", "pattern",
        "format", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
        "minItems", "maxItems", "uniqueItems", "examples", "$comment", "$schema", "$id", "errorMessage", "readOnly",
        "deprecated",
    }
)  # fmt: skip
_FORMATS = {"date": Kind.DATE, "email": Kind.EMAIL, "idn-email": Kind.EMAIL, "uri": Kind.URL, "url": Kind.URL}
_UNSHOWABLE_FORMATS = frozenset({"date-time", "time", "color", "data-url", "alt-date", "alt-datetime", "password"})
_WIDGETS = frozenset(
    {"", "text", "textarea", "select", "radio", "checkbox", "checkboxes", "email", "uri", "url", "URLWidget", "date",
     "updown", "range", "hidden", "EmailWidget", "DateWidget", "TextWidget", "TextareaWidget", "SelectWidget",
     "RadioWidget", "CheckboxWidget", "CheckboxesWidget"}
)  # fmt: skip
_NUMERIC = (Kind.INTEGER, Kind.NUMBER)


def hints(schema: Schema) -> dict[str, JSON]:
    """Return the `ui:` hints without their prefix; those in `ui:options` count the same."""
    grouped = schema.get("ui:options")
    found = {name.removeprefix("ui:"): value for name, value in schema.items() if name.startswith("ui:")}
    found.pop("options", None)
    return {**(grouped if isinstance(grouped, dict) else {}), **found}


def parts(name: str, schema: Schema, path: str, mistakes: list[Mistake]) -> dict[str, Any] | None:
    """Return the keyword arguments of the `FormField` that shows this property, or None when it cannot be shown."""
    before = len(mistakes)
    ui = hints(schema)
    _check_keywords(schema, ui, path, mistakes)
    kind = _kind(schema, ui, path, mistakes)
    if kind is None:
        return None
    made = _words(name, schema, ui) | kind | _bounds(schema, kind["kind"], path, mistakes)
    fixed = "const" in schema or ui.get("readonly") is True or ui.get("disabled") is True
    made |= {
        "fixed": fixed or schema.get("readOnly") is True,
        "hidden": ui.get("widget") == "hidden",
        "autofocus": ui.get("autofocus") is True,
        "default": schema.get("const", schema.get("default")),
    }
    return made if len(mistakes) == before else None


def _check_keywords(schema: Schema, ui: Schema, path: str, mistakes: list[Mistake]) -> None:
    unknown = [keyword for keyword in schema if keyword not in _KNOWN and not keyword.startswith("ui:")]
    mistakes.extend(Mistake(f"{path}.{keyword}", f"`{keyword}` is not supported in a form") for keyword in unknown)
    if len(_text(schema, "title")) > LABEL or len(_text(schema, "description")) > LABEL:
        mistakes.append(Mistake(path, f"title and description may have at most {LABEL} characters"))
    widget = ui.get("widget", "")
    if widget == "password":
        mistakes.append(Mistake(f"{path}.ui:widget", SECRETS))
    elif widget not in _WIDGETS:
        mistakes.append(Mistake(f"{path}.ui:widget", f"the widget `{widget}` is not known here"))


def _words(name: str, schema: Schema, ui: Schema) -> dict[str, Any]:
    title = ui.get("title") or schema.get("title") or name
    helps = [_text(schema, "description") or _text(ui, "description"), _text(ui, "help")]
    messages = schema.get("errorMessage")
    pattern_help = messages.get("pattern") if isinstance(messages, dict) else messages
    return {
        "title": str(title),
        "help": " ".join(dict.fromkeys(text.strip() for text in helps if text.strip())),
        "placeholder": _text(ui, "placeholder"),
        "pattern_help": pattern_help if isinstance(pattern_help, str) else _own_words(_text(ui, "help")),
    }


def _own_words(hint: str) -> str:
    """The hint beside a field says what fits better than its regular expression does."""
    return f"This does not fit. {hint}" if 0 < len(hint) <= MAX_HINT else ""


def _text(schema: Schema, key: str) -> str:
    value = schema.get(key)
    return value if isinstance(value, str) else ""


def _type(schema: Schema, ui: Schema) -> JSON:
    kind = schema.get("type")
    if isinstance(kind, list):
        named = [one for one in kind if one != "null"]
        return named[0] if len(named) == 1 else kind
    if kind is None:
        sample = schema["const"] if "const" in schema else _first(schema.get("enum"))
        of = {bool: "boolean", int: "integer", float: "number", str: "string"}
        return of.get(type(sample)) or ("string" if "field" in ui or "oneOf" in schema or "pattern" in schema else None)
    return kind


def _first(value: JSON) -> JSON:
    return value[0] if isinstance(value, list) and value else None


def _kind(schema: Schema, ui: Schema, path: str, mistakes: list[Mistake]) -> dict[str, Any] | None:
    kind, custom = _type(schema, ui), ui.get("field")
    if isinstance(custom, str):
        return picker(custom, ui, path, mistakes)
    if "enum" in schema or "oneOf" in schema or "anyOf" in schema:
        return _choice(Kind.CHOICE, schema, ui, path, mistakes)
    match kind:
        case "string":
            return _string(schema, ui, path, mistakes)
        case "integer" | "number":
            return {"kind": Kind(kind)}
        case "boolean":
            return {"kind": Kind.BOOLEAN, "widget": "radio" if ui.get("widget") in ("radio", "select") else ""}
        case "array":
            return _array(schema, ui, path, mistakes)
    known = "string, integer, number, boolean, array or object"
    mistakes.append(Mistake(f"{path}.type", f"must be {known}" + (f", not `{kind}`" if kind is not None else "")))
    return None


def _string(schema: Schema, ui: Schema, path: str, mistakes: list[Mistake]) -> dict[str, Any] | None:
    form = schema.get("format")
    if isinstance(form, str) and form in _UNSHOWABLE_FORMATS:
        mistakes.append(Mistake(f"{path}.format", f"a modal cannot ask for the format `{form}`"))
        return None
    if ui.get("widget") in ("textarea", "TextareaWidget") or ui.get("multiline") is True:
        return {"kind": Kind.MULTILINE}
    return {"kind": _FORMATS.get(form, Kind.TEXT) if isinstance(form, str) else Kind.TEXT}


def _array(schema: Schema, ui: Schema, path: str, mistakes: list[Mistake]) -> dict[str, Any] | None:
    items = schema.get("items")
    if not isinstance(items, dict):
        mistakes.append(Mistake(f"{path}.items", "say what the list holds: an object with a `type` or an `enum`"))
        return None
    inner = hints(items)
    if isinstance(inner.get("field"), str):
        found = picker(str(inner["field"]), inner, f"{path}.items", mistakes)
        if found and found["kind"] in (Kind.OWNER, Kind.ENTITY):
            return found | {"multiple": True}
    elif "enum" in items or "oneOf" in items or "anyOf" in items:
        names = ui.get("enumNames")
        return _choice(Kind.CHOICES, items, {"widget": ui.get("widget"), "enumNames": names} | inner, path, mistakes)
    elif _type(items, inner) == "string":
        pattern = {"pattern": _pattern(items, f"{path}.items", mistakes), "max_length": _count(items, "maxLength")}
        return {"kind": Kind.LINES, **pattern}
    mistakes.append(
        Mistake(f"{path}.items", "a modal can hold a list of texts or choices only, not of objects or numbers")
    )
    return None


def _choice(kind: Kind, schema: Schema, ui: Schema, path: str, mistakes: list[Mistake]) -> dict[str, Any]:
    options = _options(schema, ui, path, mistakes)
    texts = [rules.option_text(option.value) for option in options]
    if len(options) > OPTIONS:
        mistakes.append(
            Mistake(path, f"has {len(options)} choices; at most {OPTIONS} can be shown, use an EntityPicker")
        )
    if len(set(texts)) != len(texts):
        mistakes.append(Mistake(path, "has the same choice twice"))
    for number, option in enumerate(options):
        at = f"{path}.enum[{number}]"
        if not texts[number] or len(texts[number]) > OPTION_VALUE:
            mistakes.append(Mistake(at, f"a choice must have 1 to {OPTION_VALUE} characters"))
        if len(option.label) > OPTION_LABEL:
            mistakes.append(
                Mistake(at, f"its name has {len(option.label)} characters; at most {OPTION_LABEL} can be shown")
            )
    widget = {"radio": "radio", "RadioWidget": "radio", "checkboxes": "checkboxes", "CheckboxesWidget": "checkboxes"}
    return {"kind": kind, "options": tuple(options), "widget": widget.get(str(ui.get("widget")), "")}


def _options(schema: Schema, ui: Schema, path: str, mistakes: list[Mistake]) -> list[Option]:
    listed = schema.get("oneOf", schema.get("anyOf"))
    if listed is not None:
        return _titled_options(listed, path, mistakes)
    values, names = schema.get("enum"), schema.get("enumNames") or ui.get("enumNames") or schema.get("enum")
    if not isinstance(values, list) or not values or any(isinstance(v, list | dict) for v in values):
        mistakes.append(Mistake(f"{path}.enum", "must be a list of texts, numbers, true or false, and not empty"))
        return []
    if not isinstance(names, list) or len(names) != len(values):
        mistakes.append(Mistake(f"{path}.enumNames", "must be a list with one name for each choice"))
        return []
    return [Option(value=v, label=rules.option_text(n)) for v, n in zip(values, names, strict=True) if v is not None]


def _titled_options(listed: JSON, path: str, mistakes: list[Mistake]) -> list[Option]:
    options = []
    for one in listed if isinstance(listed, list) else []:
        if not isinstance(one, dict) or "const" not in one or isinstance(one["const"], list | dict):
            break
        title = one.get("title") or one["const"]
        options.append(Option(value=one["const"], label=rules.option_text(title)))
    else:
        if options:
            return options
    mistakes.append(Mistake(f"{path}.oneOf", "a property's alternatives must each be `{const: …, title: …}`"))
    return []


def _bounds(schema: Schema, kind: Kind, path: str, mistakes: list[Mistake]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if kind in _NUMERIC:
        found = _number_bounds(schema, kind, path, mistakes)
    elif kind in (Kind.CHOICES, Kind.LINES) or schema.get("type") == "array":
        found = {"min_items": _count(schema, "minItems"), "max_items": _count(schema, "maxItems")}
    elif kind in (Kind.TEXT, Kind.MULTILINE, Kind.EMAIL, Kind.URL):
        found = {"min_length": _count(schema, "minLength"), "max_length": _count(schema, "maxLength")}
        pattern = _pattern(schema, path, mistakes)
        found |= {"pattern": pattern} if pattern else {}
    counts = ("minLength", "maxLength", "minItems", "maxItems")
    broken = [keyword for keyword in counts if keyword in schema and _count(schema, keyword) is None]
    mistakes.extend(Mistake(f"{path}.{keyword}", "must be a whole number, 0 or more") for keyword in broken)
    if (found.get("min_length") or 0) > rules.LONGEST:
        mistakes.append(Mistake(f"{path}.minLength", f"a modal holds at most {rules.LONGEST} characters"))
    return found


def _number_bounds(schema: Schema, kind: Kind, path: str, mistakes: list[Mistake]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for keyword, bound, step in (("minimum", "minimum", 1), ("maximum", "maximum", -1)):
        exclusive = f"exclusive{keyword.title()}"
        value = schema.get(exclusive, schema.get(keyword))
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            mistakes.append(Mistake(f"{path}.{keyword}", "must be a number"))
        elif exclusive in schema and kind is Kind.NUMBER:
            mistakes.append(Mistake(f"{path}.{exclusive}", f"a modal cannot leave out a bound; use `{keyword}`"))
        else:
            found[bound] = value + step if exclusive in schema else value
    step_by = schema.get("multipleOf")
    if isinstance(step_by, int | float) and step_by > 0:
        found["multiple_of"] = step_by
    elif step_by is not None:
        mistakes.append(Mistake(f"{path}.multipleOf", "must be a number above 0"))
    return found


def _count(schema: Schema, keyword: str) -> int | None:
    value = schema.get(keyword)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _pattern(schema: Schema, path: str, mistakes: list[Mistake]) -> str | None:
    pattern = schema.get("pattern")
    if pattern is None:
        return None
    if not isinstance(pattern, str):
        mistakes.append(Mistake(f"{path}.pattern", "must be a text"))
        return None
    try:
        patterns.check(pattern)
    except patterns.PatternError as error:
        mistakes.append(Mistake(f"{path}.pattern", f"the pattern `{pattern}` cannot be used: {error}"))
        return None
    return pattern
