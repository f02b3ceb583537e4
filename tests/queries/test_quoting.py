"""No value ends its own text, and none means more than itself."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.queries import Regex, quoting

_TEXTS = st.text(alphabet=st.characters(codec="utf-8"))


@given(_TEXTS)
def test_a_text_is_read_back_as_it_was(value: str) -> None:
    written = quoting.text(value)
    assert json.loads(written) == value
    assert not any(sign in written for sign in "\n\r\t\0\ufeff\ufffd")


def test_half_a_character_becomes_the_sign_for_what_cannot_be_read() -> None:
    assert quoting.text("a\ud800b\ufffd") == '"a\\ufffdb\\ufffd"'


@given(_TEXTS)
def test_traces_know_two_escapes(value: str) -> None:
    written = quoting.text(value, traces=True)
    assert not any(sign in written for sign in "\n\r\t\0\ufeff")
    unescaped = written[1:-1].replace("\\\\", "").replace('\\"', "")
    assert "\\" not in unescaped
    assert '"' not in unescaped


@given(st.lists(_TEXTS, max_size=4), _TEXTS)
def test_a_regular_expression_fits_exactly_its_texts(texts: list[str], other: str) -> None:
    pattern = re.compile(json.loads(quoting.regex(Regex(of=texts))).removesuffix("$") + r"\Z")
    assert all(pattern.match(text) for text in texts)
    assert bool(pattern.match(other)) == (other in texts)


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.3, "0.3"), (1, "1"), (Decimal("1.50"), "1.5"), (1e-7, "0.0000001"), (10.0, "10"), (100, "100")],
)
def test_numbers_are_plain_digits(value: float, written: str) -> None:
    assert quoting.number(value) == written


@pytest.mark.parametrize("value", [float("nan"), float("inf"), True])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        quoting.number(value)


@pytest.mark.parametrize(
    ("value", "written", "in_traces"),
    [
        (timedelta(minutes=5), "5m", "5m"),
        (timedelta(days=3), "3d", "72h"),
        (timedelta(minutes=90), "90m", "90m"),
        (timedelta(milliseconds=300), "300ms", "300ms"),
        (timedelta(microseconds=1500), "2ms", "1500us"),
    ],
)
def test_a_length_of_time_has_one_unit(value: timedelta, written: str, in_traces: str) -> None:
    assert (quoting.span(value), quoting.span(value, traces=True)) == (written, in_traces)
    with pytest.raises(ValueError, match="is not a length of time"):
        quoting.span(-value)


@pytest.mark.parametrize("seconds", [0.005, 0.3, 1, 2.5, 10, 1e-05])
def test_a_bound_is_found_however_clients_write_it(seconds: float) -> None:
    pattern = re.compile(json.loads(quoting.bound(seconds)))
    for way in {str(seconds), str(float(seconds)), f"{seconds:g}", quoting.number(seconds)}:
        assert pattern.fullmatch(way)
    for other in ("+Inf", str(seconds * 10), str(seconds + 0.001), "1x0"):
        assert pattern.fullmatch(other) is None
