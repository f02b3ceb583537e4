"""From pydantic's errors to sentences with a path and a mend."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.errors import Mistake
from bot.model.web_service.document import CONTRADICTION, mistakes_in
from bot.rendering.text import child

_KINDS = {
    "string": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "dict": "a map",
    "model": "a map",
    "mapping": "a map",
}
_LIMITS = {
    "greater_than_equal": ("ge", "must be at least"),
    "less_than_equal": ("le", "may be at most"),
    "greater_than": ("gt", "must be more than"),
    "less_than": ("lt", "must be less than"),
}


def mistakes_of(error: ValidationError, model: type[BaseModel], document: Any) -> list[Mistake]:
    """Return every mistake that pydantic found in `document`, in the order of the document's fields."""
    found: list[Mistake] = []
    problems = error.errors(include_url=False, include_input=False)
    for problem in problems:
        if problem["type"] == "too_short" and any(_lies_below(other, problem) for other in problems):
            continue  # pydantic counts only the entries that are right
        if problem["type"] == CONTRADICTION:
            found += mistakes_in(problem["ctx"])
            continue
        found.append(Mistake(path_of(problem["loc"], document), _sentence(problem, model, document)))
    return found


def _lies_below(one: ErrorDetails, other: ErrorDetails) -> bool:
    length = len(other["loc"])
    return len(one["loc"]) > length and one["loc"][:length] == other["loc"]


def path_of(loc: Sequence[str | int], document: Any) -> str:
    """Return `spec.ports[0].name` for a location, without the parts that are pydantic's own."""
    path, here = "", document
    for number, part in enumerate(loc):
        last = number == len(loc) - 1
        if isinstance(part, str) and part.startswith("[") and part.endswith("]"):
            continue
        if isinstance(here, list) and isinstance(part, int):
            path, here = child(path, part), here[part] if part < len(here) else None
        elif isinstance(here, Mapping) and (part in here or last):
            path, here = child(path, str(part)), here.get(part)
        elif last and not isinstance(here, (list, Mapping)):
            continue
    return path


def _sentence(problem: ErrorDetails, model: type[BaseModel], document: Any) -> str:
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "extra_forbidden":
        return unknown(str(problem["loc"][-1]), names_at(model, problem["loc"][:-1]), "field")
    if kind == "missing":
        return "is missing; add it"
    if kind == "literal_error":
        return "must be " + str(context["expected"]).replace("'", "`")
    if kind in _LIMITS:
        name, words = _LIMITS[kind]
        return f"{words} {context[name]}"
    if kind in ("too_long", "too_short"):
        side, number = (
            ("most", context.get("max_length")) if kind == "too_long" else ("least", context.get("min_length"))
        )
        there = context.get("actual_length")  # pydantic stops counting a map that is too long
        return f"has {f'more than {number}' if there is None else there} entries; {number} are the {side}"
    if kind == "string_too_long":
        return f"is longer than {context['max_length']} characters"
    wanted = _KINDS.get(kind.rpartition("_")[0], "") if kind.endswith(("_type", "_parsing")) else ""
    if wanted:
        return _wrong_type(wanted, _value_at(document, problem["loc"]))
    return problem["msg"].removeprefix("Value error, ")


def _wrong_type(wanted: str, value: Any) -> str:
    if value is None:
        return f"is empty; it must be {wanted}, or be left out"
    found = _described(value)
    if wanted == "a text" and isinstance(value, (bool, int, float)):
        return f"is {found} and must be a text; write it in quotes"
    if wanted in ("a whole number", "true or false") and isinstance(value, str):
        return f"is a text and must be {wanted}; write it without quotes"
    if wanted == "a list" and not isinstance(value, (list, dict)):
        return f"is {found} and must be a list; write `[…]`, or each entry on a line of its own after a dash"
    return f"is {found} and must be {wanted}"


def _described(value: Any) -> str:
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "a map"


def _value_at(document: Any, loc: Sequence[str | int]) -> Any:
    here = document
    for part in loc:
        if isinstance(here, list) and isinstance(part, int):
            here = here[part] if part < len(here) else None
        elif isinstance(here, Mapping) and part in here:
            here = here[part]
    return here


def unknown(name: str, known: Sequence[str], what: str) -> str:
    """Return the sentence about a name that does not exist, with the nearest that does."""
    near = difflib.get_close_matches(name, known, 1, 0.6) or [one for one in known if one.lower() == name.lower()]
    if near:
        return f"is not a {what}; did you mean `{near[0]}`?"
    there = ", ".join(known)
    return f"is not a {what}; there are: {there}" if there and len(there) < 300 else f"is not a {what}; remove it"


def names_at(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """Return the names of the fields of the model that `loc` leads to, as the document writes them."""
    here: list[type[BaseModel]] = [model]
    for part in loc:
        fields = [field for one in here for name, field in one.model_fields.items() if part in (name, field.alias)]
        if fields:
            here = [found for field in fields for found in _models_in(field.annotation)]
    return [field.alias or name for one in here for name, field in one.model_fields.items()]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _models_in(part)]
