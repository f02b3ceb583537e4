"""The first lines of a platform document: of which kind it says that it is, and of which it can only be meant to be."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from bot.errors import Mistake
from bot.rendering.mistakes import unknown


def head(document: Mapping[str, Any], api_version: str, kind: str) -> list[Mistake]:
    """Return what is missing or wrong in a document that is judged as one of this kind."""
    mistakes = []
    if "apiVersion" not in document:
        mistakes.append(Mistake("apiVersion", f"is missing; write `apiVersion: {api_version}`"))
    if "kind" not in document:
        mistakes.append(Mistake("kind", f"is missing; write `kind: {kind}`"))
    elif document["kind"] != kind:
        misspelt = is_meant(document, api_version, kind)
        told = unknown(str(document["kind"]), [kind], "kind") if misspelt else f"must be `{kind}`"
        mistakes.append(Mistake("kind", told))
    return mistakes


def is_meant(document: Mapping[str, Any], api_version: str, kind: str) -> bool:
    """Say whether a document of another kind, or of none, can only be one of this."""
    said = document.get("kind")
    if said is None:
        return bool(document.get("apiVersion") == api_version)
    return isinstance(said, str) and (said.lower() == kind.lower() or bool(get_close_matches(said, [kind], 1, 0.7)))
