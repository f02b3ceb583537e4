"""What is known of the font is true of the font."""

from __future__ import annotations

import struct
from pathlib import Path

import font_lato
import pytest

from bot.charts import lettering
from bot.charts.placing import apart, in_rows


class Font:
    """As much of a TrueType file as tells how wide its characters are."""

    def __init__(self, path: Path) -> None:
        self._bytes = path.read_bytes()
        (count,) = struct.unpack_from(">H", self._bytes, 4)
        entries = (struct.unpack_from(">4s4xII", self._bytes, 12 + 16 * number) for number in range(count))
        self._tables = {tag.decode(): offset for tag, offset, _ in entries}
        (self._size,) = struct.unpack_from(">H", self._bytes, self._tables["head"] + 18)
        (self._widths,) = struct.unpack_from(">H", self._bytes, self._tables["hhea"] + 34)

    def width(self, character: str) -> float:
        """Return the width of a character as a share of the font's size."""
        glyph = min(self._glyph(ord(character)), self._widths - 1)
        (width,) = struct.unpack_from(">H", self._bytes, self._tables["hmtx"] + 4 * glyph)
        return float(width / self._size)

    def _glyph(self, code: int) -> int:
        table = next(at for at in self._maps() if struct.unpack_from(">H", self._bytes, at)[0] == 4)
        (double,) = struct.unpack_from(">H", self._bytes, table + 6)
        for at in range(0, double, 2):
            (end,) = struct.unpack_from(">H", self._bytes, table + 14 + at)
            (start,) = struct.unpack_from(">H", self._bytes, table + 16 + double + at)
            if not start <= code <= end:
                continue
            (delta,) = struct.unpack_from(">h", self._bytes, table + 16 + 2 * double + at)
            place = table + 16 + 3 * double + at
            (offset,) = struct.unpack_from(">H", self._bytes, place)
            if not offset:
                return int(code + delta) & 0xFFFF
            (glyph,) = struct.unpack_from(">H", self._bytes, place + offset + 2 * (code - start))
            return int(glyph + delta) & 0xFFFF if glyph else 0
        return 0

    def _maps(self) -> list[int]:
        cmap = self._tables["cmap"]
        (count,) = struct.unpack_from(">H", self._bytes, cmap + 2)
        return [cmap + struct.unpack_from(">I", self._bytes, cmap + 8 + 8 * number)[0] for number in range(count)]

    def has(self, character: str) -> bool:
        return self._glyph(ord(character)) != 0


def test_the_widths_are_those_of_the_font() -> None:
    plain, bold = (Font(Path(font_lato.font_files[name])) for name in ("Lato", "LatoBold"))
    for width, characters in lettering._WIDTHS.items():
        for character in characters:
            assert plain.has(character)
            assert bold.has(character)
            assert plain.width(character) == pytest.approx(width / 100, abs=0.0051), character
            assert bold.width(character) <= plain.width(character) * lettering._BOLD, character


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("orders-api", "orders-api"),
        ("a\x00b\n\tc  d", "ab c d"),
        ("Zürich", "Zürich"),
        ("Zu\u0308rich", "Zürich"),
        ("Ǻ", "A"),
        ("日本", "??"),
        ("\u202eabc\u200b", "abc"),
        ("\ud800x", "x"),
        ("ｗｉｄｅ", "wide"),
        ("", ""),
    ],
)
def test_a_text_is_shown_in_characters_that_the_font_has(text: str, shown: str) -> None:
    assert lettering.showable(text) == shown


def test_a_text_that_is_too_long_is_cut_at_its_end() -> None:
    assert lettering.fitted("orders-api", 10, 1000) == "orders-api"
    cut = lettering.fitted("orders-api " * 30, 10, 100)
    assert cut.endswith("…")
    assert 80 < lettering.width(cut, 10) <= 100
    assert lettering.fitted("orders", 10, 1) == ""


def test_a_name_that_is_too_long_loses_its_middle() -> None:
    cut = lettering.shortened("orders-api-production-7d9f4-x2c4v", 10, 100)
    assert cut.startswith("orders")
    assert cut.endswith("x2c4v")
    assert lettering.width(cut, 10) <= 100
    assert lettering.shortened("orders", 10, 100) == "orders"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ([], []),
        ([50.0], [50.0]),
        ([50.0, 50.0, 50.0], [50.0, 60.0, 70.0]),
        ([99.0, 98.0], [100.0, 90.0]),
        ([-5.0, 200.0], [0.0, 100.0]),
        ([0.0] * 21, [5.0 * n for n in range(21)]),
    ],
)
def test_names_stand_apart(wanted: list[float], found: list[float]) -> None:
    assert apart(wanted, 0.0, 100.0, 10.0) == pytest.approx(found)


def test_labels_of_marks_cover_none() -> None:
    assert in_rows([(0.0, 50.0), (60.0, 30.0)], 100.0, 2) == [0, 0]
    assert in_rows([(0.0, 50.0), (10.0, 30.0), (20.0, 30.0)], 100.0, 2) == [None, 1, 0]
    assert in_rows([(80.0, 30.0)], 100.0, 2) == [None]
    assert in_rows([], 100.0, 2) == []
