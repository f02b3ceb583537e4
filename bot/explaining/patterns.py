"""Log lines without what differs from one to the next, so that the same complaint can be counted. Pure."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.health.redaction import quoted

LONGEST = 200
"""Characters of a pattern."""
LONGEST_LINE = 4_000
"""Characters of a line that are looked at."""
TIMES = 5
"""A pattern that was there before is new when it is written so many times as often."""
MESSAGES = ("message", "msg", "error", "event", "exception")
"""Fields of a JSON line that hold what it says, the first that is there."""

_PIECES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"), "‹time›"),
    (re.compile(r"\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b"), "‹time›"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE), "‹id›"),
    (re.compile(r"\b0x[0-9a-f]+\b", re.IGNORECASE), "‹id›"),
    (re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,}\b", re.IGNORECASE), "‹id›"),
    (re.compile(r"\"[^\"]*\"|(?<!\w)'[^']*'(?!\w)|`[^`]*`"), "‹text›"),
    (re.compile(r"\b(?=\w*\d)(?=\w*[A-Za-z])\w{16,}\b"), "‹id›"),
    (re.compile(r"\d+(?:[.,:]\d+)*"), "‹n›"),
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """One complaint, how often it was read, and one line of it as people may see it."""

    text: str
    count: int
    before: int
    example: str


def message_of(line: str) -> str:
    """Return what a line says: the message of a JSON line, any other line as it stands."""
    line = line[:LONGEST_LINE]
    if line.lstrip().startswith("{"):
        try:
            parsed = json.loads(line)
        except (ValueError, RecursionError):
            return line
        if isinstance(parsed, dict):
            found = next((parsed[name] for name in MESSAGES if isinstance(parsed.get(name), str) and parsed[name]), "")
            return str(found) or line
    return line


def normalised(message: str) -> str:
    """Return the message without numbers, ids, hashes, quoted values and times; redacted, on one line, bounded."""
    text = quoted(message, LONGEST_LINE)
    for piece, mark in _PIECES:
        text = piece.sub(mark, text)
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def counted(lines: Iterable[str]) -> tuple[Mapping[str, int], Mapping[str, str]]:
    """Return how often each pattern was written, and the first message of each."""
    counts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for line in lines:
        message = message_of(line)
        pattern = normalised(message)
        if pattern:
            counts[pattern] += 1
            examples.setdefault(pattern, message)
    return counts, examples


def new_patterns(
    before: Sequence[str], after: Sequence[str], *, ratio: float = 1.0, most: int = 5
) -> tuple[Pattern, ...]:
    """Return what is written since a moment and was not before, or far less, the most frequent first.

    `ratio`: as how long a time `after` was read, in times of `before`. What was written before in small numbers counts
    as new when it is written `TIMES` as often now.
    """
    earlier, _ = counted(before)
    now, examples = counted(after)
    found = [
        Pattern(text, count, round(earlier.get(text, 0) * ratio), quoted(examples[text]))
        for text, count in now.items()
        if count > TIMES * earlier.get(text, 0) * ratio
    ]
    return tuple(sorted(found, key=lambda one: (-one.count, one.text))[:most])
