"""Canonical JSON (RFC 8785) and the digests made from it."""

from __future__ import annotations

import hashlib

import rfc8785
from typing_extensions import TypeAliasType

JSON = TypeAliasType("JSON", "bool | int | float | str | list[JSON] | dict[str, JSON] | None")
"""A value that JSON can hold. A named alias, because pydantic follows recursion only through names."""


def canonical(value: JSON) -> bytes:
    """Return the one byte string that RFC 8785 gives for `value`. Raise `ValueError` where JSON has no form for it."""
    return rfc8785.dumps(value)


def sha256(value: JSON) -> str:
    """Return the SHA-256 of the canonical form, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value)).hexdigest()
