"""What in a JSON Schema depends on an answer: `dependencies`, `dependentRequired`, `allOf`, `if`/`then`/`else`.

Each becomes branches: a piece of schema, and the answers with which it counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.errors import Mistake
from bot.forms.model import When
from bot.forms.properties import Schema
from bot.model.canonical import JSON

_BRANCH_KEYWORDS = frozenset(
    {
        "properties", "required", "dependencies", "dependentRequired", "dependentSchemas", "allOf", "if", "then",
        "else", "title", "description", "type", "additionalProperties", "$comment",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Branch:
    when: tuple[When, ...]
    """All must hold; fields are named as in the object the branch belongs to."""
    schema: Schema
    path: str


def branches(schema: Schema, path: str, mistakes: list[Mistake]) -> Iterator[Branch]:
    """Yield what depends on answers in one object, in reading order; mistakes are added to the list."""
    for keyword in ("dependencies", "dependentSchemas", "dependentRequired"):
        dependencies = schema.get(keyword, {})
        if not isinstance(dependencies, dict):
            mistakes.append(Mistake(f"{path}.{keyword}", "must be an object"))
            continue
        for name, dependent in dependencies.items():
            yield from _dependency(name, dependent, schema, f"{path}.{keyword}.{name}", mistakes)
    parts = schema.get("allOf", [])
    if not isinstance(parts, list):
        mistakes.append(Mistake(f"{path}.allOf", "must be a list"))
        parts = []
    for number, part in enumerate(parts):
        if (found := _object(part, f"{path}.allOf[{number}]", mistakes)) is None:
            continue
        plain = {key: value for key, value in found.items() if key not in ("if", "then", "else")}
        yield from _checked(Branch((), plain, f"{path}.allOf[{number}]"), mistakes)
        yield from _conditional(found, schema, f"{path}.allOf[{number}]", mistakes)
    yield from _conditional(schema, schema, path, mistakes)


def _dependency(name: str, dependent: JSON, schema: Schema, path: str, mistakes: list[Mistake]) -> Iterator[Branch]:
    present = (When(field=name, present=True),)
    if isinstance(dependent, list):
        yield Branch(present, {"required": dependent}, path)
        return
    found = _object(dependent, path, mistakes)
    if found is None:
        return
    alternatives = found.get("oneOf", found.get("anyOf"))
    if alternatives is None:
        yield from _checked(Branch(present, found, path), mistakes)
        return
    if not isinstance(alternatives, list):
        mistakes.append(Mistake(f"{path}.oneOf", "must be a list of objects"))
        return
    common = {key: value for key, value in found.items() if key not in ("oneOf", "anyOf")}
    if common:
        yield from _checked(Branch(present, common, path), mistakes)
    for number, alternative in enumerate(alternatives):
        yield from _alternative(name, alternative, f"{path}.oneOf[{number}]", mistakes)


def _alternative(name: str, alternative: JSON, path: str, mistakes: list[Mistake]) -> Iterator[Branch]:
    found = _object(alternative, path, mistakes)
    if found is None:
        return
    properties = found.get("properties")
    own = properties.get(name) if isinstance(properties, dict) else None
    values = _values(own)
    if not isinstance(properties, dict) or values is None:
        mistakes.append(
            Mistake(f"{path}.properties.{name}", "must say for which answer this is: an `enum` or a `const`")
        )
        return
    rest = {key: value for key, value in properties.items() if key != name}
    required = found.get("required")
    kept = [n for n in required if n != name] if isinstance(required, list) else required
    schema = dict(found) | {"properties": rest} | ({} if kept is None else {"required": kept})
    yield from _checked(Branch((When(field=name, one_of=values),), schema, path), mistakes)


def _conditional(part: Schema, schema: Schema, path: str, mistakes: list[Mistake]) -> Iterator[Branch]:
    if "if" not in part:
        return
    condition = part["if"]
    tested = condition.get("properties") if isinstance(condition, dict) else None
    if not isinstance(condition, dict) or not isinstance(tested, dict) or set(condition) - {"properties", "required"}:
        mistakes.append(Mistake(f"{path}.if", "can only name answers: `properties` with `const` or `enum`"))
        return
    whens: list[When] = []
    for name, wanted in tested.items():
        values = _values(wanted)
        if values is None:
            mistakes.append(Mistake(f"{path}.if.properties.{name}", "can only be compared with a `const` or an `enum`"))
            return
        whens.append(When(field=name, one_of=values))
    then = _object(part.get("then", {}), f"{path}.then", mistakes)
    if then:
        yield from _checked(Branch(tuple(whens), then, f"{path}.then"), mistakes)
    otherwise = _object(part.get("else", {}), f"{path}.else", mistakes)
    if otherwise:
        yield from _otherwise(otherwise, whens, schema, f"{path}.else", mistakes)


def _otherwise(
    branch: Schema, whens: list[When], schema: Schema, path: str, mistakes: list[Mistake]
) -> Iterator[Branch]:
    """`else` means all other answers, so they must be known: one condition, on a choice or a yes-or-no."""
    properties = schema.get("properties")
    tested = properties.get(whens[0].field) if isinstance(properties, dict) and len(whens) == 1 else None
    every = _every_value(tested)
    if every is None:
        mistakes.append(Mistake(path, "needs one condition, on a property with an `enum` or of type boolean"))
        return
    others = tuple(value for value in every if value not in whens[0].one_of)
    yield from _checked(Branch((When(field=whens[0].field, one_of=others),), branch, path), mistakes)


def _checked(branch: Branch, mistakes: list[Mistake]) -> Iterator[Branch]:
    unknown = [k for k in branch.schema if k not in _BRANCH_KEYWORDS and not k.startswith("ui:")]
    mistakes.extend(Mistake(f"{branch.path}.{keyword}", f"`{keyword}` is not supported here") for keyword in unknown)
    yield branch


def _values(schema: JSON) -> tuple[JSON, ...] | None:
    """Return the answers that a property schema allows, where it lists them."""
    if not isinstance(schema, dict):
        return None
    if "const" in schema:
        return (schema["const"],)
    listed = schema.get("enum")
    return tuple(listed) if isinstance(listed, list) and listed else None


def _every_value(schema: JSON) -> tuple[JSON, ...] | None:
    if isinstance(schema, dict) and schema.get("type") == "boolean":
        return (True, False)
    return _values(schema)


def _object(value: JSON, path: str, mistakes: list[Mistake]) -> Schema | None:
    if isinstance(value, dict):
        return value
    mistakes.append(Mistake(path, "must be an object"))
    return None
