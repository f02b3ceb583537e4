"""Texts, times and bodies of other systems."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bot.errors import TooMuch
from integrations.reading.bodies import Body
from integrations.reading.texts import LONGEST_SAID, clean, said, texts
from integrations.reading.times import moment, nanoseconds, of_nanoseconds, written

NOON = datetime(2030, 1, 1, 12, 0, 0, 123_456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "kept"),
    [("plain", "plain"), ("a\0b", "a�b"), ("ü\0", "ü�"), ("\ud800x", "�x"), ("x\udfff", "x�"), ("😀", "😀")],
)
def test_what_no_database_holds_is_replaced(text: str, kept: str) -> None:
    assert clean(text) == kept
    assert clean(text).encode()


def test_what_a_system_says_is_one_line_of_readable_length() -> None:
    assert said(" parse error:\n\tat\x1b[31m line 1. ") == "parse error: at [31m line 1"
    assert len(said("x" * 10_000_000)) == LONGEST_SAID + 1
    assert said(None) == said("\n") == "it gave no reason"


@pytest.mark.parametrize("found", [None, [], {"a": 1}, {"a": None}])
def test_labels_are_texts(found: object) -> None:
    with pytest.raises(ValueError, match="not"):
        texts(found)


def test_nanoseconds_are_exact() -> None:
    assert nanoseconds(NOON) == 1893499200123456000
    assert of_nanoseconds("1893499200123456789") == NOON
    assert of_nanoseconds(1893499200123456789) == NOON


@pytest.mark.parametrize("wrong", [None, "", "-1", "1e9", "٣", True, 1.5, "9" * 40, 10**40, "9" * 5000])
def test_what_is_no_time_is_a_wrong_value(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        of_nanoseconds(wrong)


def test_times_are_written_and_read_as_rfc_3339() -> None:
    assert written(NOON.astimezone(timezone(timedelta(hours=5)))) == "2030-01-01T12:00:00.123456Z"
    assert moment("2030-01-01T12:00:00.123456789Z") == NOON
    assert moment("2030-01-01T17:00:00.123456+05:00") == NOON
    assert moment("0001-01-01T00:00:00Z").year == 1
    assert moment("0001-01-01T00:00:00+05:00").year == 1
    for wrong in (None, 7, "", "noon", "2030-01-01T12:00:00"):
        with pytest.raises(ValueError, match=r"\w"):
            moment(wrong)


def test_a_mark_is_counted_across_parts() -> None:
    body = Body("X", most_bytes=100, mark=b"<s>", most_marks=2)
    assert body.whole([b"<s", b">", b"<", b"s>"]) == b"<s><s>"
    with pytest.raises(TooMuch):
        body.add(b"<s>")


def test_a_body_ends_at_its_limit() -> None:
    with pytest.raises(TooMuch, match="X has more"):
        Body("X", most_bytes=3).whole([b"ab", b"cd"])
