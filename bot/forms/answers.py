"""What is shown for given answers, what is wrong with them, and the complete values they become.

Answers are flat: field name → value. A name that is absent has not been asked yet, so its default counts; a name with
`None` was asked and left empty, so nothing counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bot.forms import rules
from bot.forms.model import FieldError, Form, FormField, Kind
from bot.model.canonical import JSON


def visible(fields: Iterable[FormField], values: Mapping[str, JSON]) -> tuple[FormField, ...]:
    """Return the fields that show for these answers. What a hidden field holds counts for nothing."""
    return tuple(field for field in _live(fields, values) if not field.hidden)


def check(fields: Iterable[FormField], values: Mapping[str, JSON]) -> list[FieldError]:
    """Return what is wrong with the answers to the fields that show, at most one sentence for each field."""
    live = _live(fields, values)
    answers = _answers(live, values)
    problems = ((field, rules.problem(field, answers[field.name], field.needed(answers))) for field in live)
    return [FieldError(field=field.name, message=message) for field, message in problems if message]


def complete(form: Form, values: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the form's parameters: defaults filled in, types coerced, hidden fields dropped, objects nested.

    The values must have passed `check`; what cannot be coerced is passed on as it is.
    """
    live = _live(form.fields(), values)
    answers = _answers(live, values)
    parameters: dict[str, JSON] = {}
    for field in live:
        if answers[field.name] is not None:
            _put(parameters, field.path or (field.name,), answers[field.name])
    return parameters


def flatten(form: Form, parameters: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the flat answers that `parameters` (nested, from a door without forms) hold for this form.

    What the form does not know keeps its name, so that `unknown` can say so.
    """
    flat: dict[str, JSON] = dict(parameters)
    for field in form.fields():
        found = _get(parameters, field.path) if field.path else None
        if found is not None:
            flat[field.name] = found
    for field in form.fields():
        if field.path and field.path[0] in flat and field.path[0] != field.name:
            del flat[field.path[0]]
    return flat


def unknown(form: Form, values: Mapping[str, JSON]) -> list[FieldError]:
    """Return an error for each answer that no field of the form asks for."""
    names = [field.name for field in form.fields()]
    known = f"It asks for {', '.join(names)}." if names else "It asks for nothing."
    return [
        FieldError(field=name, message=rules.short(f"The form has no field of this name. {known}"))
        for name in values
        if name not in names
    ]


def following(form: Form, page: int, values: Mapping[str, JSON]) -> int | None:
    """Return the next page (0 is the first) that shows a field for these answers, or None after the last."""
    names = {(field.name, field.when) for field in visible(form.fields(), values)}
    for number in range(page + 1, len(form.pages)):
        if any((field.name, field.when) in names for field in form.pages[number].fields):
            return number
    return None


def _live(fields: Iterable[FormField], values: Mapping[str, JSON]) -> Sequence[FormField]:
    """Fields whose conditions hold. Taking one away can only take away more, so this ends."""
    live = list(fields)
    while True:
        answers = _answers(live, values)
        kept = [field for field in live if field.shown(answers)]
        if len(kept) == len(live):
            return kept
        live = kept


def _answers(fields: Iterable[FormField], values: Mapping[str, JSON]) -> dict[str, JSON]:
    return {field.name: _answer(field, values) for field in fields}


def _answer(field: FormField, values: Mapping[str, JSON]) -> JSON:
    asked = field.name in values and not field.fixed and not field.hidden
    value = rules.coerced(field, values[field.name] if asked else field.default)
    if value is None and field.kind is Kind.BOOLEAN and not field.required:
        return False
    return value


def _put(into: dict[str, JSON], path: Sequence[str], value: JSON) -> None:
    for name in path[:-1]:
        inner = into.setdefault(name, {})
        if not isinstance(inner, dict):  # `form_of` makes no such form
            raise TypeError(f"the field {'.'.join(path)} stands inside another field")
        into = inner
    into[path[-1]] = value


def _get(value: JSON | Mapping[str, JSON], path: Sequence[str]) -> JSON:
    for name in path:
        if not isinstance(value, Mapping) or name not in value:
            return None
        value = value[name]
    return value if not isinstance(value, Mapping) else dict(value)
