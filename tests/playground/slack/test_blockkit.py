"""The Block Kit checker: each limit and each cross rule, with what stands exactly at the limit taken."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.slack.blockkit import BLOCKS, check_message, check_view
from playground.slack.blocks import stored
from playground.slack.elements import ELEMENTS
from tests.playground.slack.blockkit_cases import INVALID_MESSAGES, INVALID_VIEWS, VALID_MESSAGES, VALID_VIEWS

Json = dict[str, Any]


@pytest.mark.parametrize("blocks", VALID_MESSAGES.values(), ids=VALID_MESSAGES.keys())
def test_a_message_within_the_limits_is_taken(blocks: list[Json]) -> None:
    assert check_message(blocks) == []


@pytest.mark.parametrize(("blocks", "pointer"), INVALID_MESSAGES.values(), ids=INVALID_MESSAGES.keys())
def test_a_message_beyond_them_is_refused_with_a_pointer(blocks: list[Json], pointer: str) -> None:
    problems = check_message(blocks)
    assert any(f"[json-pointer:{pointer}]" in problem for problem in problems), problems


@pytest.mark.parametrize("view", VALID_VIEWS.values(), ids=VALID_VIEWS.keys())
def test_a_view_within_the_limits_is_taken(view: Json) -> None:
    assert check_view(view) == []


@pytest.mark.parametrize(("view", "pointer"), INVALID_VIEWS.values(), ids=INVALID_VIEWS.keys())
def test_a_view_beyond_them_is_refused_with_a_pointer(view: Json, pointer: str) -> None:
    problems = check_view(view)
    assert any(f"[json-pointer:{pointer}]" in problem for problem in problems), problems


@pytest.mark.parametrize("blocks", [None, "text", {"type": "divider"}, [None], [[]], ["divider"], [{"type": 3}], [{}]])
def test_what_is_no_block_at_all_is_refused(blocks: Any) -> None:
    assert check_message(blocks)
    assert check_view({"type": "modal", "title": {"type": "plain_text", "text": "x"}, "blocks": blocks})


@pytest.mark.parametrize("view", [None, "text", [], {}, {"type": "window"}])
def test_what_is_no_view_at_all_is_refused(view: Any) -> None:
    assert check_view(view)


WORDS = st.sampled_from([*BLOCKS, *ELEMENTS, "plain_text", "mrkdwn", "modal", "home", "x", "", "https://example.com"])
KEYS = st.sampled_from(
    [
        "type", "text", "blocks", "elements", "element", "accessory", "options", "option_groups", "label", "value",
        "block_id", "action_id", "initial_option", "initial_options", "child_blocks", "actions", "rows", "tasks",
        "title", "fields", "status", "submit", "min_length", "max_length", "initial_value", "focus_on_load",
    ]
)  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)


@given(ANYTHING)
@settings(max_examples=400, deadline=None)
def test_no_json_at_all_breaks_the_checker(value: Any) -> None:
    check_message(value)
    check_message([value])
    check_view(value)
    check_view({"type": "modal", "blocks": [value]})


@pytest.mark.parametrize("blocks", VALID_MESSAGES.values(), ids=VALID_MESSAGES.keys())
def test_what_slack_fills_in_it_takes_back(blocks: list[Json]) -> None:
    kept = stored(blocks)
    assert all(block["block_id"] for block in kept)
    assert check_message(kept) == []
    assert stored(kept) == kept, "ids and defaults are filled in once"
