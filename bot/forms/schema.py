"""Backstage's `parameters` (scaffolder.backstage.io/v1beta3) → a form, once, when the template is loaded.

What a Slack modal cannot hold is refused here with every mistake, by path and name, so that nobody meets it half-way
through a form.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.errors import Invalid, Mistake
from bot.forms import rules
from bot.forms.conditions import Branch, branches
from bot.forms.model import Form, FormField, Page, When
from bot.forms.properties import FIELD_NAME, Schema, hints, parts
from bot.model.canonical import JSON

FIELDS = 90
"""Most fields of one page: a modal holds 100 blocks, and some are ours."""

PAGE_BYTES = 200_000
"""Most JSON that a page's words and choices may make: a modal holds 250 KB, and answers need room too."""

RESERVED = frozenset({"_navigation"})
"""Names that the modal itself uses."""

_OBJECT_KEYWORDS = frozenset(
    {
        "type", "title", "description", "properties", "required", "dependencies", "dependentRequired",
        "dependentSchemas", "allOf", "if", "then", "else", "additionalProperties", "$schema", "$id", "$comment",
        "default", "examples",
    }
)  # fmt: skip


def form_of(parameters: JSON) -> Form:
    """Return the form for one page object or a list of them. Raise `Invalid` with every mistake."""
    reader = _Reader()
    listed = parameters if isinstance(parameters, list) else [parameters]
    pages = [
        reader.page(page, f"parameters[{number}]" if isinstance(parameters, list) else "parameters")
        for number, page in enumerate(listed)
        if page is not None
    ]
    form = Form(pages=tuple(pages) or (Page(title="", fields=()),))
    _check_names(form, reader.mistakes)
    if reader.mistakes:
        count = len(reader.mistakes)
        raise Invalid(f"The form cannot be shown: {count} mistake{'s' if count > 1 else ''}.", reader.mistakes)
    return form


def form_of_pages(pages: Sequence[Mapping[str, JSON]]) -> Form:
    """The same for pages that were read already."""
    listed: list[JSON] = [dict(page) for page in pages]
    return form_of(listed)


@dataclass(slots=True)
class _Scope:
    """Where in the schema we are reading."""

    path: str
    inside: tuple[str, ...] = ()
    """Names of the objects around."""
    when: tuple[When, ...] = ()

    def name(self, property_name: str) -> str:
        return ".".join((*self.inside, property_name))


@dataclass(frozen=True, slots=True)
class _At:
    """Where one property stands."""

    scope: _Scope
    path: str
    required: bool


@dataclass(slots=True)
class _Found:
    """Fields of one object in reading order, and what later parts of the schema say about earlier fields."""

    fields: list[FormField] = field(default_factory=list)
    required: dict[str, list[When]] = field(default_factory=dict)
    """Field → the conditions any of which makes it required."""


class _Reader:
    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []

    def wrong(self, path: str, message: str) -> None:
        self.mistakes.append(Mistake(path, message))

    def page(self, schema: JSON, path: str) -> Page:
        if not isinstance(schema, dict):
            self.wrong(path, "must be an object with `properties`")
            return Page(title="", fields=())
        found = _Found()
        self.object(schema, _Scope(path), found)
        self.apply_required(found, path)
        if len(found.fields) > FIELDS:
            self.wrong(path, f"asks for {len(found.fields)} things; one page can ask for {FIELDS}, make more pages")
        if _size(found.fields) > PAGE_BYTES:
            self.wrong(path, "has more choices and words than a modal can hold; make more pages or use an EntityPicker")
        title, description = schema.get("title") or "", schema.get("description") or ""
        return Page(title=str(title), description=str(description), fields=tuple(found.fields))

    def object(self, schema: Schema, scope: _Scope, found: _Found) -> None:
        """Read an object's properties, then what depends on them."""
        for keyword in schema:
            if keyword not in _OBJECT_KEYWORDS and not keyword.startswith("ui:"):
                self.wrong(f"{scope.path}.{keyword}", f"`{keyword}` is not supported in a form")
        if schema.get("type", "object") != "object":
            self.wrong(f"{scope.path}.type", "must be `object`")
        required = self.names(schema.get("required"), f"{scope.path}.required")
        inner = _Found(required=found.required)
        self.properties(schema, scope, required, inner)
        for branch in branches(schema, scope.path, self.mistakes):
            self.branch(branch, scope, inner)
        found.fields.extend(_ordered(inner.fields, scope, hints(schema).get("order"), self.mistakes))

    def properties(self, schema: Schema, scope: _Scope, required: Sequence[str], found: _Found) -> None:
        properties = schema.get("properties", {})
        if not isinstance(properties, dict):
            self.wrong(f"{scope.path}.properties", "must be an object")
            return
        for name, inner in properties.items():
            path = f"{scope.path}.properties.{name}"
            if not isinstance(inner, dict):
                self.wrong(path, "must be an object")
            elif "backstage:featureFlag" in inner:
                continue  # shown only to those who try out something in Backstage; here nobody does
            elif inner.get("type") == "object" or ("type" not in inner and "properties" in inner):
                self.nested(name, inner, scope, path, found)
            else:
                self.field(name, inner, _At(scope, path, name in required), found)
        for name in required:
            if name not in properties:
                self.require(name, scope, found)

    def nested(self, name: str, schema: Schema, scope: _Scope, path: str, found: _Found) -> None:
        if isinstance(hints(schema).get("field"), str):
            self.wrong(f"{path}.ui:field", f"the field extension `{hints(schema)['field']}` cannot fill an object")
        elif not schema.get("properties"):
            self.wrong(path, "an object without `properties` cannot be shown")
        else:
            self.object(schema, _Scope(path, (*scope.inside, name), scope.when), found)

    def field(self, name: str, schema: Schema, at: _At, found: _Found) -> None:
        scope, path = at.scope, at.path
        made = parts(name, schema, path, self.mistakes)
        if made is None:
            return
        full = scope.name(name)
        if not name or len(full) > FIELD_NAME:
            self.wrong(path, f"a name must have 1 to {FIELD_NAME} characters, those of the objects around it included")
        if full in RESERVED:
            self.wrong(path, f"the name `{full}` is used by the modal itself")
        where: dict[str, Any] = {"name": full, "when": scope.when, "required": at.required}
        where["path"] = (*scope.inside, name) if scope.inside else ()
        new = FormField(**made, **where)
        self.check_default(new, path)
        self.add(new, path, found)

    def add(self, new: FormField, path: str, found: _Found) -> None:
        """Add a field; one that other alternatives of the same choice have too becomes one field for all of them."""
        for number, old in enumerate(found.fields):
            if old.name != new.name:
                continue
            if not _exclusive(old.when, new.when):
                self.wrong(path, f"`{new.name}` is defined twice for the same answers")
                return
            joined = _joined(old.when, new.when)
            if joined and old.model_copy(update={"when": new.when}) == new:
                found.fields[number] = old.model_copy(update={"when": joined})
                return
        found.fields.append(new)

    def check_default(self, new: FormField, path: str) -> None:
        if new.default is None:
            return
        problem = rules.problem(new, rules.coerced(new, new.default), needed=False)
        if problem:
            self.wrong(f"{path}.default", f"the default does not fit its own field: {problem}")

    def branch(self, branch: Branch, scope: _Scope, found: _Found) -> None:
        """Read what shows, or becomes required, while the branch's conditions hold."""
        conditions = tuple(c.model_copy(update={"field": scope.name(c.field)}) for c in branch.when)
        inner = _Scope(branch.path, scope.inside, (*scope.when, *conditions))
        schema = {key: value for key, value in branch.schema.items() if key != "required"}
        names = self.names(branch.schema.get("required"), f"{branch.path}.required")
        own = branch.schema.get("properties", {})
        known = {scope.name(name) for name in own} if isinstance(own, dict) else set()
        for name in names:
            if scope.name(name) not in known:
                self.require(name, inner, found)
        properties = schema.get("properties", {})
        if isinstance(properties, dict):
            self.properties({"properties": properties}, inner, [n for n in names if scope.name(n) in known], found)
        for nested in branches(schema, branch.path, self.mistakes):
            self.branch(nested, inner, found)

    def require(self, name: str, scope: _Scope, found: _Found) -> None:
        if len(scope.when) > 1:
            self.wrong(f"{scope.path}.required", f"`{name}` cannot be required by conditions inside conditions")
        found.required.setdefault(scope.name(name), []).extend(scope.when)

    def apply_required(self, found: _Found, path: str) -> None:
        names = {one.name for one in found.fields}
        for name in found.required:
            if name not in names and not self.mistakes:
                self.wrong(f"{path}.required", f"`{name}` is required, but no property has this name")
        found.fields[:] = [
            one.model_copy(
                update={
                    "required": one.required or found.required.get(one.name) == [],
                    "required_when": tuple(found.required.get(one.name, ())),
                }
            )
            for one in found.fields
        ]

    def names(self, value: JSON, path: str) -> list[str]:
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            self.wrong(path, "must be a list of names")
            return []
        return [str(name) for name in value]


def _size(fields: Iterable[FormField]) -> int:
    """Return about how many bytes of JSON the fields become in a modal."""
    words = [[one.title, one.help, one.placeholder, *(o.label for o in one.options)] for one in fields]
    values = [[rules.option_text(o.value) for o in one.options] for one in fields]
    return sum(len(json.dumps(texts)) + 90 * len(texts) for texts in (*words, *values))


def _ordered(fields: list[FormField], scope: _Scope, order: JSON, mistakes: list[Mistake]) -> Iterable[FormField]:
    """Return the fields as `ui:order` wants them; `*` stands for all that it does not name."""
    if order is None:
        return fields
    if not isinstance(order, list) or not all(isinstance(name, str) for name in order):
        mistakes.append(Mistake(f"{scope.path}.ui:order", "must be a list of names"))
        return fields
    depth = len(scope.inside)
    groups: dict[str, list[FormField]] = {}
    for one in fields:
        groups.setdefault((one.path or (one.name,))[depth], []).append(one)
    left_out = [name for name in groups if name not in order]
    if left_out and "*" not in order:
        mistakes.append(Mistake(f"{scope.path}.ui:order", f"must also name {', '.join(left_out)}, or hold `*`"))
    names = [inner for name in order for inner in (left_out if name == "*" else [str(name)])]
    return [one for name in dict.fromkeys(names) for one in groups.get(name, [])]


def _check_names(form: Form, mistakes: list[Mistake]) -> None:
    pages: dict[str, int] = {}
    names = {one.name for one in form.fields()}
    for number, page in enumerate(form.pages):
        for one in page.fields:
            path = f"parameters[{number}].properties.{one.name}"
            if pages.setdefault(one.name, number) != number:
                mistakes.append(Mistake(path, "is asked for on another page too"))
            if one.required and one.hidden and one.default is None:
                mistakes.append(Mistake(path, "is required, hidden and empty"))
            missing = {when.field for when in (*one.when, *one.required_when)} - names
            mistakes.extend(Mistake(path, f"depends on `{name}`, which is missing") for name in sorted(missing))


def _exclusive(one: tuple[When, ...], other: tuple[When, ...]) -> bool:
    """Return whether the two conditions can never hold together: some field would need two values."""
    return any(
        a.field == b.field
        and not a.present
        and not b.present
        and not set(map(repr, a.one_of)) & set(map(repr, b.one_of))
        for a in one
        for b in other
    )


def _joined(one: tuple[When, ...], other: tuple[When, ...]) -> tuple[When, ...] | None:
    """Return both conditions as one where they differ in the values of one field only, otherwise None."""
    differing = [number for number, (a, b) in enumerate(zip(one, other, strict=False)) if a != b]
    if len(one) != len(other) or len(differing) != 1:
        return None
    at = differing[0]
    a, b = one[at], other[at]
    if a.field != b.field or a.present or b.present:
        return None
    values = (*a.one_of, *(value for value in b.one_of if value not in a.one_of))
    return (*one[:at], a.model_copy(update={"one_of": values}), *one[at + 1 :])
