"""Backstage's field extensions (`ui:field`): those we have, with their options checked; the rest refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.errors import Mistake
from bot.forms.model import Kind
from bot.model.canonical import JSON

_ENTITY_OPTIONS = frozenset(
    {"allowArbitraryValues", "autoSelect", "allowedKinds", "catalogFilter", "defaultKind", "defaultNamespace"}
)
_REPOSITORY_LISTS = ("allowedHosts", "allowedOwners", "allowedOrganizations", "allowedProjects", "allowedRepos")
_LISTS = frozenset({"allowedKinds", *_REPOSITORY_LISTS})
_TEXTS = frozenset({"defaultKind", "defaultNamespace"})
_FLAGS = frozenset({"allowArbitraryValues", "autoSelect"})

_DISPLAY = frozenset(
    {"title", "description", "help", "placeholder", "autofocus", "readonly", "disabled", "widget", "label", "field"}
)
"""`ui:` hints that every field may have."""

_KINDS: Mapping[str, tuple[Kind, frozenset[str]]] = {
    "OwnerPicker": (Kind.OWNER, _ENTITY_OPTIONS),
    "MyGroupsPicker": (Kind.OWNER, _ENTITY_OPTIONS),
    "EntityPicker": (Kind.ENTITY, _ENTITY_OPTIONS),
    "OwnedEntityPicker": (Kind.ENTITY, _ENTITY_OPTIONS),
    "MultiEntityPicker": (Kind.ENTITY, _ENTITY_OPTIONS),
    "RepoUrlPicker": (Kind.REPOSITORY, frozenset({*_REPOSITORY_LISTS, "requestUserCredentials"})),
    "EntityNamePicker": (Kind.TEXT, frozenset()),
    "EntityTagsPicker": (Kind.LINES, frozenset({"kinds", "showCounts", "helperText"})),
}

SECRETS = "secrets are not asked for in a form: name a stored secret instead"

_ENTITY_NAME = r"^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$"
"""Backstage's rule for `metadata.name`."""

_ENTITY_NAME_HELP = "Use letters, digits, `-`, `_` and `.`, at most 63, beginning and ending with a letter or digit."


def picker(custom: str, options: Mapping[str, JSON], path: str, mistakes: list[Mistake]) -> dict[str, Any] | None:
    """Return what the field extension `custom` means for a field, or None (and a mistake) when we do not have it."""
    if custom == "Secret":
        mistakes.append(Mistake(f"{path}.ui:field", SECRETS))
        return None
    if custom not in _KINDS:
        known = ", ".join(_KINDS)
        mistakes.append(
            Mistake(f"{path}.ui:field", f"the field extension `{custom}` is not known here; we have {known}")
        )
        return None
    kind, known_options = _KINDS[custom]
    given = {name: value for name, value in options.items() if name not in _DISPLAY}
    for name, value in given.items():
        problem = _problem(name, value) if name in known_options else f"`{custom}` has no such option"
        if problem:
            mistakes.append(Mistake(f"{path}.ui:options.{name}", problem))
    return {"kind": kind, **_meaning(custom, kind, given)}


def _meaning(custom: str, kind: Kind, given: Mapping[str, JSON]) -> dict[str, Any]:
    kept = {name: value for name, value in given.items() if name != "catalogFilter"}
    match custom:
        case "EntityNamePicker":
            return {"pattern": _ENTITY_NAME, "pattern_help": _ENTITY_NAME_HELP}
        case "EntityTagsPicker":
            return {}
        case "RepoUrlPicker":
            return {"picker": kept}
    if custom in ("MyGroupsPicker", "OwnedEntityPicker"):
        kept["owned"] = True
    return {
        "picker": kept,
        "multiple": custom == "MultiEntityPicker",
        "catalog_filter": given.get("catalogFilter") or _kinds_filter(custom, kind, given),
    }


def _kinds_filter(custom: str, kind: Kind, given: Mapping[str, JSON]) -> JSON:
    if given.get("allowedKinds"):
        return {"kind": given["allowedKinds"]}
    if custom == "MyGroupsPicker":
        return {"kind": ["Group"]}
    return {"kind": ["Group", "User"]} if kind is Kind.OWNER else None


def _problem(name: str, value: JSON) -> str:
    if name == "catalogFilter":
        return _filter_problem(value)
    if name in _LISTS and not _is_texts(value):
        return "must be a list of texts"
    if name in _TEXTS and not isinstance(value, str):
        return "must be a text"
    if name in _FLAGS and not isinstance(value, bool):
        return "must be true or false"
    return ""


def _filter_problem(value: JSON) -> str:
    """Backstage's query: one object or a list of them; each value a text, a list of texts, or `{exists: …}`."""
    wrong = "must be an object, or a list of objects, whose values are a text, a list of texts or `{exists: true}`"
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, dict) or not one:
            return wrong
        for wanted in one.values():
            exists = isinstance(wanted, dict) and set(wanted) == {"exists"} and isinstance(wanted["exists"], bool)
            if not (isinstance(wanted, str) or _is_texts(wanted) or exists):
                return wrong
    return ""


def _is_texts(value: JSON) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) and item for item in value)
