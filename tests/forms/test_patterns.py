from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.forms.patterns import PatternError, check, matches


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        (r"^[a-z][a-z0-9-]{0,2}$", ["a", "a-1"], ["", "A", "abcd", "abc\n"]),
        (r"^([a-z0-9]+-?)*[a-z0-9]+$", ["a-b-c"], ["a--b", "-"]),
        (r"^(?<year>\d{4})-(?:0[1-9]|1[0-2])$", ["2026-11"], ["2026-13", "٢٠٢٦-11"]),
        (r"^(?!-)(?!.*--)[a-z-]+(?<!-)$", ["a-b"], ["-a", "a-", "a--b"]),
        (r"(?<=a)b", ["ab"], ["b", "cb"]),
        (r"^[^@\s]+@[^@\s]+\.[^@\s]+$", ["a@b.c"], ["a@b", "a @b.c", "a\u00a0@b.c"]),
        (r"^\p{Lu}\p{L}*$", ["Äbc"], ["äbc"]),
        (r"\bcat\b", ["a cat", "cat"], ["cats"]),
        (r"^\u0041\x42\u{43}$", ["ABC"], ["abc"]),
        (r"^[\w.-]+$", ["a.b-c_d"], ["a b", "ä"]),
        (r"^a{2}$", ["aa"], ["a", "aaa"]),
        (r"^a{,2}$", ["a{,2}"], ["aa"]),
        (r"^[\d-x]+$", ["1-x"], ["y"]),
        (r"^a.c$", ["abc"], ["a\nc"]),
        (r"^(a|b|)$", ["", "a"], ["ab"]),
        (r"^a+?b??$", ["aa", "aab"], ["b"]),
        (r"^[]$", [], ["", "a"]),
        (r"^[^]$", ["\n"], [""]),
        (r"^https:\/\/", ["https://x"], ["http://x"]),
        (r"", ["", "anything"], []),
    ],
)
def test_a_pattern_means_what_javascript_means(pattern: str, yes: list[str], no: list[str]) -> None:
    assert [text for text in yes if not matches(pattern, text)] == []
    assert [text for text in no if matches(pattern, text)] == []


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (r"(a)\1", "back references"),
        (r"(?<n>a)\k<n>", "back references"),
        ("(a", "without its `)`"),
        ("a)", "without its `(`"),
        ("[a", "in the middle of a `[…]`"),
        ("*a", "nothing before `*`"),
        ("a{3,1}", "upside down"),
        ("[z-a]", "upside down"),
        (r"\y", r"`\y` is not JavaScript"),
        ("(?P<n>a)", "not JavaScript"),
        ("(?i)a", "not JavaScript"),
        (r"\p{Greek}", "not supported"),
        ("a{1,99999}", "too large"),
        ("(a{1,1000}){1,1000}", "too large"),
        ("(" * 60 + ")" * 60, "nested too deeply"),
        ("(((){1000}){1000}){1000}", "too large"),
        ("\\", "in the middle of an escape"),
        (r"\u{110000}", "not the number of a character"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused_with_the_reason(pattern: str, reason: str) -> None:
    with pytest.raises(PatternError, match=re.escape(reason)):
        check(pattern)


def test_a_pattern_made_to_run_for_ever_ends() -> None:
    assert not matches(r"^(a+)+$", "a" * 3000 + "!")
    assert not matches(r"^(a|a)*$", "a" * 3000 + "!")


_ATOMS = st.sampled_from(["a", "b", "[ab]", "[^a]", ".", r"\d", "x", r"\.", "[a-c1]"])
_SIMPLE = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        inner.map(lambda part: f"(?:{part})*"),
        inner.map(lambda part: f"(?:{part})?"),
        inner.map(lambda part: f"(?:{part}){{1,2}}"),
        inner.map(lambda part: f"(?={part})"),
    ),
    max_leaves=6,
)


@given(pattern=_SIMPLE, text=st.text(alphabet="abx1.", max_size=8))
def test_where_both_languages_agree_python_finds_the_same(pattern: str, text: str) -> None:
    assert matches(pattern, text) == bool(re.search(pattern, text))
    assert matches(f"^(?:{pattern})$", text) == bool(re.fullmatch(pattern, text))


@given(pattern=st.text(alphabet=r"ab(|)*+?[]{},^$\-.:=!<1kpud", max_size=30), text=st.text(max_size=20))
def test_no_pattern_does_anything_but_match_or_be_refused(pattern: str, text: str) -> None:
    try:
        matches(pattern, text)
    except PatternError as error:
        assert str(error)  # noqa: PT017 - either way of ending is right, and a refusal must say why
