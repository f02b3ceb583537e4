from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slackblocks import _limits as documented

from bot.slack import blocks, limits
from bot.slack.mrkdwn import code, cut, escape, link, local_time, mention, plain, said
from tests.slack.checker import message_violations


def test_our_limits_are_the_documented_ones() -> None:
    assert limits.HEADER == documented.HEADER_TEXT_MAX_LENGTH
    assert limits.TEXT == documented.TEXT_MAX_LENGTH
    assert limits.BUTTON_TEXT == documented.BUTTON_TEXT_MAX_LENGTH
    assert limits.BUTTON_VALUE == documented.BUTTON_VALUE_MAX_LENGTH
    assert limits.OPTION_TEXT == documented.OPTION_TEXT_MAX_LENGTH
    assert limits.OPTION_VALUE == documented.OPTION_VALUE_MAX_LENGTH
    assert limits.SELECT_OPTIONS == documented.SELECT_OPTIONS_MAX_ITEMS
    assert limits.CHECKBOX_OPTIONS == documented.CHECKBOXES_OPTIONS_MAX_ITEMS
    assert limits.OVERFLOW_OPTIONS == documented.OVERFLOW_OPTIONS_MAX_ITEMS
    assert limits.ACTIONS_ELEMENTS == documented.ACTIONS_ELEMENTS_MAX_ITEMS
    assert limits.CONTEXT_ELEMENTS == documented.CONTEXT_ELEMENTS_MAX_ITEMS
    assert limits.PLACEHOLDER == documented.SELECT_PLACEHOLDER_MAX_LENGTH
    assert limits.INPUT_TEXT == documented.PLAIN_TEXT_INPUT_MAX_LENGTH_MAX
    assert limits.CONFIRM_TEXT == documented.CONFIRMATION_TEXT_MAX_LENGTH


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a < b && c > d", "a &lt; b &amp;&amp; c &gt; d"),
        ("<!channel>", "&lt;!channel&gt;"),
        ("<https://evil.example|here>", "&lt;https://evil.example|here&gt;"),
        ("my_service_name", "my_service_name"),
        ("*bold*", "\u2060*\u2060bold\u2060*\u2060"),
        ("evil\u202egnp.exe", "evilgnp.exe"),
        ("a\x00b", "ab"),
    ],
)
def test_outside_text_is_shown_as_it_is(text: str, shown: str) -> None:
    assert escape(text) == shown


@given(text=st.text())
def test_nothing_escaped_can_begin_a_mention_or_link(text: str) -> None:
    assert "<" not in escape(text)
    assert "<" not in code(text)
    assert "<" not in said(text)


def test_our_own_sentences_keep_their_code() -> None:
    assert said("Quote `a<b` now.") == "Quote `a&lt;b` now."
    assert said("an odd ` mark") == "an odd \u2060`\u2060 mark"


def test_a_text_is_cut_by_characters_as_people_see_them() -> None:
    assert cut("🦉" * 10, 4) == "🦉🦉🦉…"
    assert cut("abcd", 4) == "abcd"


def test_a_link_leads_to_the_web_or_is_no_link() -> None:
    assert link("https://a.example/x?y=1&z=2", "A & B") == "<https://a.example/x?y=1&z=2|A &amp; B>"
    assert link("https://a.example/|x>y", "l|m") == "<https://a.example/%7Cx%3Ey|l¦m>"
    assert link("javascript:alert(1)", "A") == "A"


def test_times_are_shown_in_the_readers_zone_with_utc_beside() -> None:
    at = datetime(2026, 11, 23, 10, 0, tzinfo=timezone(timedelta(hours=1)))
    assert local_time(at).endswith("|2026-11-23 09:00 UTC>")
    assert local_time(at) == local_time(at.astimezone(UTC))


def test_only_a_real_id_is_mentioned() -> None:
    assert mention("U123", "Sample") == "<@U123>"
    assert mention("U1> <!channel", "Sample") == "Sample"
    assert mention(None, "<Sample>") == "&lt;Sample&gt;"


def test_lines_become_as_few_sections_as_the_limit_allows() -> None:
    found: list[Any] = blocks.lines(["x" * 1_000] * 7)
    assert [len(block["text"]["text"]) for block in found] == [2_001, 2_001, 2_001, 1_000]


def test_too_many_blocks_are_counted_and_the_last_stay() -> None:
    many = [blocks.section(str(number)) for number in range(80)]
    found: list[Any] = blocks.guarded(many, keep_last=2)
    assert len(found) == 50
    assert found[-3]["elements"][0]["text"] == "and 31 more"
    assert found[-2:] == many[-2:]


def test_a_table_is_aligned_and_cannot_be_broken_out_of() -> None:
    block: Any = blocks.table(["name", "state"], [["orders", "Healthy"], ["```<!here>", "x"]])
    assert block["text"]["text"] == ("```name        state\norders      Healthy\nˋˋˋ&lt;!here&gt;  x```")


def test_a_long_table_says_how_much_is_missing() -> None:
    block: Any = blocks.table(["name"], [["x" * 100]] * 50)
    assert "and 21 more" in block["text"]["text"]


@given(
    title=st.text(max_size=400),
    texts=st.lists(st.text(max_size=5_000), max_size=80),
    pairs=st.dictionaries(st.text(max_size=50), st.text(max_size=3_000), min_size=1, max_size=15),
    rows=st.lists(st.tuples(st.text(max_size=300), st.text(max_size=300)), max_size=60),
)
def test_whatever_is_put_in_slack_takes_it(
    title: str, texts: list[str], pairs: dict[str, str], rows: list[tuple[str, str]]
) -> None:
    body = [
        blocks.header(title),
        *blocks.lines([escape(text) for text in texts]),
        blocks.fields({escape(name): escape(value) for name, value in pairs.items()}),
        blocks.context(*(escape(text) for text in [title, *texts])),
        blocks.table(["a", "b"], rows),
        blocks.actions([blocks.button(title, f"a{n}", "v") for n in range(30)], block_id="x"),
        blocks.divider(),
        *blocks.problem(escape(title), "do this"),
    ]
    assert message_violations("text", blocks.guarded(body)) == []


def test_plain_text_holds_no_controls() -> None:
    assert plain("a\x07b\u2066c\nd") == "abc\nd"
