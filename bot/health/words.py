"""Small pieces of the sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.health.redaction import quoted

LONGEST_CAUSE = 280
"""Characters of another system's message that a sentence may hold."""
_COMMIT = re.compile(r"[0-9a-f]{40}")


def short(version: str) -> str:
    """Return a commit as people write it; anything else as it is."""
    return version[:7] if _COMMIT.fullmatch(version) else version


def listed(words: Sequence[str], joint: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {joint} {words[-1]}" if words else ""


def counted(number: int, singular: str, plural: str = "") -> str:
    return f"{number} {singular if number == 1 else plural or f'{singular}s'}"


def said(message: str) -> str:
    """Return another system's message as the end of a sentence: redacted, on one line, cut, without a full stop."""
    return quoted(message, LONGEST_CAUSE).rstrip(" .")


def kind_word(kind: str) -> str:
    """`deployments.apps` and `Deployment.apps` → `Deployment`."""
    return kind.partition(".")[0]
