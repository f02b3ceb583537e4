"""Texts of the configuration that hold names of what is filled in: `databases/{team}/{name}.tf`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from string import Formatter

_PATH = re.compile(r"spec(\.[A-Za-z][A-Za-z0-9_-]*)+")


def holes(text: str) -> list[str]:
    """Return the names in braces. Raise `ValueError` for a brace that is not closed, or for a format."""
    try:
        parsed = list(Formatter().parse(text))
    except ValueError:
        raise ValueError("has a brace that is not closed") from None
    for _, name, spec, conversion in parsed:
        if name is not None and (spec or conversion not in (None, "s")):
            raise ValueError(f"`{{{name}}}` may have no format; only `{{{name}!s}}` is known, which makes it a text")
    return [name for _, name, _, _ in parsed if name is not None]


def checked_pattern(*, needs: Collection[str] = (), knows: Collection[str]) -> Callable[[str], str]:
    """Return a check that a text holds only what is known, and what it must."""

    def check(text: str) -> str:
        found = holes(text)
        known = ", ".join(f"{{{name}}}" for name in knows)
        for name in found:
            if name not in knows:
                raise ValueError(f"`{{{name}}}` is not known; there are {known}")
        for name in needs:
            if name not in found:
                raise ValueError(f"must hold `{{{name}}}`, so that no two become one")
        return text

    return check


def checked_path(*, needs: Collection[str], knows: Collection[str]) -> Callable[[str], str]:
    """Return a check of a file's path in a repository."""
    pattern = checked_pattern(needs=needs, knows=knows)

    def check(text: str) -> str:
        parts = pattern(text).split("/")
        if "" in parts or {".", ".."} & set(parts) or parts[0] == ".git" or "\\" in text or not text.isprintable():
            raise ValueError("is not the path of a file in the repository; write it as `databases/{name}.tf`")
        return text

    return check


def checked_fields(knows: Collection[str]) -> Callable[[dict[str, str]], dict[str, str]]:
    """Return a check of a mapping from dotted paths below `spec` to patterns."""
    pattern = checked_pattern(knows=knows)

    def check(fields: dict[str, str]) -> dict[str, str]:
        for path, text in fields.items():
            if _PATH.fullmatch(path) is None:
                raise ValueError(f"`{path[:60]}` is not a path; write it as `spec.parameters.size`")
            if path.startswith("spec.writeConnectionSecretToRef"):
                raise ValueError(f"`{path}` is set by Causeway")
            _no_path_above(path, fields)
            try:
                pattern(text)
            except ValueError as error:
                raise ValueError(f"`{path}`: {error}") from None
        return fields

    return check


def _no_path_above(path: str, fields: Mapping[str, str]) -> None:
    parts = path.split(".")
    for length in range(2, len(parts)):
        above = ".".join(parts[:length])
        if above in fields:
            raise ValueError(f"`{above}` cannot be a value and hold `{path}` as well")
