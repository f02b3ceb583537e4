"""Lines that say the same are one pattern; what is new is told, and nothing that a secret or a mark could ride on."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.explaining.patterns import LONGEST, message_of, new_patterns, normalised


@pytest.mark.parametrize(
    ("line", "pattern"),
    [
        ("order 4711 failed after 12.5ms", "order ‹n› failed after ‹n›ms"),
        ("2026-11-28T07:05:01.123Z request 9 timed out", "‹time› request ‹n› timed out"),
        ("at 07:05:01 it broke", "at ‹time› it broke"),
        ("user 6f1c2d3e-aaaa-bbbb-cccc-0123456789ab unknown", "user ‹id› unknown"),
        ("object 0xDEADBEEF at 1a2b3c4d5e", "object ‹id› at ‹id›"),
        ("no column 'price' in \"orders\"", "no column ‹text› in ‹text›"),
        ("can't reach 10.1.2.3:5432", "can't reach ‹n›"),
        ("upstream orders-api answered 503", "upstream orders-api answered ‹n›"),
        ("deadbeef café", "deadbeef café"),  # a word, not a number: no digit in it
        ("  many   blanks\there ", "many blanks here"),
    ],
)
def test_what_differs_from_line_to_line_goes(line: str, pattern: str) -> None:
    assert normalised(line) == pattern


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"level":"error","message":"pool is empty"}', "pool is empty"),
        ('{"level":"error","msg":"pool is empty"}', "pool is empty"),
        ('{"level":"error","message":17,"error":"boom"}', "boom"),
        ('{"level":"error"}', '{"level":"error"}'),
        ('{"level":', '{"level":'),
        ("[" * 10_000, "[" * 4_000),
        ("plain", "plain"),
    ],
)
def test_the_message_of_a_json_line_is_what_it_says(line: str, message: str) -> None:
    assert message_of(line) == message


def lines(*messages: str) -> list[str]:
    return [json.dumps({"level": "error", "message": message}) for message in messages]


def test_what_was_not_written_before_is_new_and_the_most_frequent_comes_first() -> None:
    found = new_patterns(
        lines("user 1 unknown", "user 2 unknown"),
        lines("user 3 unknown", "timeout after 5s", "timeout after 6s", "pool empty"),
    )
    assert [(one.text, one.count, one.before) for one in found] == [("timeout after ‹n›s", 2, 0), ("pool empty", 1, 0)]
    assert found[0].example == "timeout after 5s"


def test_far_more_often_than_before_is_new_as_well_and_time_is_reckoned_with() -> None:
    before, after = lines("pool empty"), lines(*["pool empty"] * 8)
    assert [one.before for one in new_patterns(before, after)] == [1]
    assert new_patterns(before, after, ratio=3.0) == ()  # in three times as long a time eight are not many


def test_a_secret_is_in_neither_pattern_nor_example() -> None:
    [found] = new_patterns([], lines("login failed: password=hunter2hunter2 for postgres://u:s3cr3tpass@db/x"))
    assert "hunter2" not in f"{found.text}{found.example}"
    assert "s3cr3tpass" not in f"{found.text}{found.example}"


@given(st.text(max_size=400))
def test_any_text_becomes_one_bounded_printable_line(text: str) -> None:
    pattern = normalised(text)
    assert len(pattern) <= LONGEST
    assert "`" not in pattern
    assert "\n" not in pattern
    assert pattern.isprintable()


@given(st.lists(st.text(max_size=40), max_size=8), st.lists(st.text(max_size=40), max_size=8))
def test_what_was_as_frequent_before_is_never_new(before: list[str], after: list[str]) -> None:
    both = [*before, *after]
    assert new_patterns(both, both) == ()
    texts = [one.text for one in new_patterns(before, after)]
    assert len(set(texts)) == len(texts)
