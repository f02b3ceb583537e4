"""Words that several preview commands share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.errors import UsageError


def only_name(words: Sequence[str], line: str) -> str:
    """Return the one word that may follow a command; empty where none does. Raise `UsageError` for more."""
    if len(words) > 1:
        raise UsageError(f"I could not read `{' '.join(words)[:200]}`.", hint=f"Try `{line} {words[0][:63]}`.")
    return words[0] if words else ""


def day(at: datetime) -> str:
    """Return a time for plain text: `2 March at 09:00 UTC`."""
    return f"{at.day} {at:%B at %H:%M} UTC"


def person(reference: str) -> str:
    """`user:default/author` → `author`."""
    return reference.rpartition("/")[2]


def listed(words: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else "nothing"
