"""Words after a day-two command: a service first, then the rest in the order in which people say it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.errors import UsageError

REASON = "because"
"""Everything after this word is the reason."""


@dataclass(frozen=True, slots=True)
class Words:
    """`orders-api v1.2 to production for 3d because it burns` → plain words, and what follows a little word."""

    plain: tuple[str, ...] = ()
    after: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""

    def at(self, place: int) -> str:
        return self.plain[place] if place < len(self.plain) else ""


def read(words: Sequence[str], *, most: int, known: Sequence[str], usage: str) -> Words:
    """Split the words. `known` are little words that one word follows, such as `to`; at most `most` stand plain.

    Raise `UsageError` with a line to paste.
    """
    lowered = [word.lower() for word in words]
    end = lowered.index(REASON) if REASON in lowered else len(words)
    plain: list[str] = []
    after: dict[str, str] = {}
    place = 0
    while place < end:
        if lowered[place] in known:
            if place + 1 >= end:
                raise UsageError(f"Something is missing after `{words[place]}`.", hint=f"Try `{usage}`.")
            after[lowered[place]] = words[place + 1]
            place += 2
        else:
            plain.append(words[place])
            place += 1
    if len(plain) > most:
        raise UsageError(f"I could not read `{' '.join(words)[:200]}`.", hint=f"Try `{usage}`.")
    return Words(tuple(plain), after, _reason(words[end:]))


def _reason(words: Sequence[str]) -> str:
    """Return what follows `because`; before `of` the word stays, so that the reason can stand alone."""
    begin = 0 if len(words) > 1 and words[1].lower() == "of" else 1
    return " ".join(words[begin:]).strip()
