"""Texts of other systems: what may be stored and sent, and what may stand in a sentence of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LONGEST_SAID = 240
"""Characters of another system's own words."""


def clean(text: str) -> str:
    """Replace what neither UTF-8 nor PostgreSQL can hold: half characters, which JSON can smuggle in, and NUL."""
    if text.isascii():
        return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\0", "\N{REPLACEMENT CHARACTER}")


def texts(found: Any) -> dict[str, str]:
    """Return a map of texts, such as labels. Raise `ValueError` for anything else."""
    if not isinstance(found, Mapping):
        raise ValueError("not a map")  # noqa: TRY004  # what came is a wrong value, not a wrong call
    if not all(isinstance(value, str) for value in found.values()):
        raise ValueError("not all of it is text")
    return {clean(key): clean(value) for key, value in found.items()}


def said(text: Any) -> str:
    """Return another system's words on one line, printable and of readable length."""
    if not isinstance(text, str):
        return "it gave no reason"
    start = text[: LONGEST_SAID * 4]
    line = " ".join("".join(c if c.isprintable() else " " for c in clean(start)).split()).strip(" .")
    return (line if len(line) <= LONGEST_SAID else line[:LONGEST_SAID] + "…") or "it gave no reason"
