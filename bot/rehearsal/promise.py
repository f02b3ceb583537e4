"""What the rehearsal holds the bot to: a promise is kept, or the day ends here."""

from __future__ import annotations

from bot.errors import PlatformError


class Broken(PlatformError):
    """A promise was not kept; the text says which, and what was seen instead."""


def promise(kept: object, sentence: str, *, seen: object = "") -> None:
    """Raise `Broken` with the sentence, and what was `seen` instead, unless it was kept."""
    if not kept:
        raise Broken(sentence, hint=f"Seen: {str(seen)[:1500]}" if seen != "" else "")
