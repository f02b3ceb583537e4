"""Options for pickers, answered from memory while somebody types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.catalog.index import Found, Index
from bot.forms.model import FormField, Kind, Option
from bot.model.entities import Entity
from bot.model.principal import Principal


class CatalogOptions:
    """Answers `block_suggestion`: at most 100 options, own groups first."""

    def __init__(self, index: Callable[[], Index]) -> None:
        self._index = index

    def options(self, field: FormField | None, action_id: str, query: str, principal: Principal) -> list[Option]:
        index = self._index()
        if field is None:  # outside a form: the only lists of that kind are of services
            return [_option(found) for found in index.search(query, kinds=["component"])]
        kinds, fits = _filter(field)
        found = index.search(query, kinds=kinds, fits=fits)
        mine = [f for f in found if f.ref in principal.groups]
        return [_option(f) for f in [*mine, *(f for f in found if f.ref not in principal.groups)]]


def offered(field: FormField, entity: Entity) -> bool:
    """Return whether the picker's own list could show `entity`: no other door may give more than the form does."""
    kinds, fits = _filter(field)
    return (not kinds or entity.kind.lower() in kinds) and (fits is None or fits(entity))


def _option(found: Found) -> Option:
    told = found.entity.metadata.description.split("\n")[0]
    return Option(value=found.ref, label=found.label, description=told[:75])


def _filter(field: FormField) -> tuple[list[str], Callable[[Entity], bool] | None]:
    """Read Backstage's `catalogFilter`: one mapping or several, any of which may fit."""
    given = field.catalog_filter
    clauses: list[Mapping[str, Any]] = [
        c for c in (given if isinstance(given, list) else [given]) if isinstance(c, dict)
    ]
    if not clauses:
        return (["group"] if field.kind is Kind.OWNER else []), None
    kinds: list[str] = []
    for clause in clauses:
        kinds += _texts(clause.get("kind"))
    return kinds, lambda entity: any(_fits(entity, clause) for clause in clauses)


def _texts(value: Any) -> list[str]:
    return [str(item).lower() for item in (value if isinstance(value, list) else [value]) if item is not None]


def _fits(entity: Entity, clause: Mapping[str, Any]) -> bool:
    for path, wanted in clause.items():
        value = _value(entity, path)
        if isinstance(wanted, dict):  # {"exists": true}: Backstage's CATALOG_FILTER_EXISTS
            if wanted.get("exists") is not None and bool(wanted["exists"]) != (value is not None):
                return False
        elif str(value).lower() not in _texts(wanted):
            return False
    return True


def _value(entity: Entity, path: str) -> Any:
    """Follow a dotted path; the rest of the path may itself be a key with dots (an annotation's name)."""
    value: Any = entity
    parts = path.split(".")
    for number, part in enumerate(parts):
        if isinstance(value, Mapping):
            rest = ".".join(parts[number:])
            if rest in value:
                return value[rest]
            value = value.get(part)
        else:
            value = getattr(value, part, None)
    return value
