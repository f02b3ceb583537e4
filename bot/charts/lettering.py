"""How wide a text is, so that nothing is drawn over anything else.

Charts are lettered in Lato, whose files come with the package `font-lato`. Its widths stand here as data: the drawing
stays pure, and a test holds them to the font.
"""

from __future__ import annotations

import unicodedata
from functools import cache

FAMILY = "Lato"
UNKNOWN = "?"
"""Stands for what the font cannot show."""

_WIDTHS = {
    19: " ", 21: ",.‘’", 23: "'", 25: ":;j", 26: "ilìíîï", 27: "·", 30: "()[]{|}¦", 31: "I`ÌÍÎÏ", 32: "ł‹›",
    33: "²³¹", 34: "!f¡ª", 35: "-", 36: "“”", 37: "/t", 38: "\\º", 39: "_", 40: "\"*?r°¿", 43: "sśš", 44: "J",
    46: "z«»źżž", 47: "cçć", 50: "x§", 51: "Lagvyàáâãäåýÿą", 52: "ekèéêëę", 53: "SŠ", 54: "Ł", 55: "pðþŚ",
    56: "bdhnoquµñòóôõöøùúûüń–", 57: "F", 58: "#$+0123456789<=>E^~¢£¤¥¬±ÈÉÊË×÷•€−≈≠≤≥", 59: "TĘ", 61: "PÞß",
    62: "ZŹŻŽ", 63: "YÝŸ", 64: "RX", 65: "B", 67: "¶", 68: "ACKVÀÁÂÃÄÅÇĄĆ", 70: "&", 71: "¼½¾", 72: "™", 73: "GUÙÚÛÜ…",
    75: "D", 76: "HNÑŃ", 77: "w", 79: "%Ð", 80: "OQ©®ÒÓÔÕÖØ", 82: "@mæ—", 87: "œ", 92: "M", 93: "Æ", 102: "W", 110: "Œ",
    115: "‰",
}  # fmt: skip
"""Hundredths of the font's size → characters so wide."""

_BOLD = 1.08
"""No bold character is wider than its plain one by more than this."""


@cache
def _widths() -> dict[str, float]:
    return {character: width / 100 for width, characters in _WIDTHS.items() for character in characters}


def showable(text: str) -> str:
    """Return the text on one line, in characters that the font has. What cannot be shown in any way becomes a `?`."""
    plain = unicodedata.normalize("NFC", " ".join(text.split()))
    return "".join(_shown(one) for one in plain if unicodedata.category(one) not in ("Cc", "Cf", "Cs"))


def _shown(character: str) -> str:
    known = _widths()
    if character in known:
        return character
    bare = unicodedata.normalize("NFKD", character)
    kept = "".join(one for one in bare if one in known)
    return kept or ("" if unicodedata.combining(character) else UNKNOWN)


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Return how wide a showable text is at most, in the units of `size`."""
    known = _widths()
    return sum(known.get(one, known["W"]) for one in text) * size * (_BOLD if bold else 1.0)


def shortened(text: str, size: float, room: float) -> str:
    """Return a name as it can be shown in that much room. Names of one kind differ at both ends: the middle goes."""
    shown = showable(text[:400])
    if width(shown, size) <= room:
        return shown
    kept = len(shown)
    while kept > 1 and width(shown[: (kept + 1) // 2] + "…" + shown[len(shown) - kept // 2 :], size) > room:
        kept -= 1
    return shown[: (kept + 1) // 2] + "…" + shown[len(shown) - kept // 2 :]


def fitted(text: str, size: float, room: float, *, bold: bool = False) -> str:
    """Return the text as it can be shown in that much room, its end cut off where it is too long."""
    shown = showable(text[:400])
    if width(shown, size, bold=bold) <= room:
        return shown
    while shown and width(shown + "…", size, bold=bold) > room:
        shown = shown[:-1]
    return shown.rstrip() + "…" if shown else ""
