"""The Block Kit checker against two others that know Slack's limits: slack_sdk's models and slackblocks."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View
from slackblocks import _limits as theirs
from slackblocks import _surfaces

from playground.slack import limits as ours
from playground.slack.blockkit import SURFACES
from tests.playground.slack.blockkit_cases import INVALID_MESSAGES, INVALID_VIEWS, VALID_MESSAGES, VALID_VIEWS

SAME = {
    "ACCESSIBILITY_LABEL": "BUTTON_ACCESSIBILITY_LABEL_MAX_LENGTH",
    "ACTIONS": "ACTIONS_ELEMENTS_MAX_ITEMS",
    "ALERT": "ALERT_TEXT_MAX_LENGTH",
    "ALT_TEXT": "IMAGE_ALT_TEXT_MAX_LENGTH",
    "BUTTON_TEXT": "BUTTON_TEXT_MAX_LENGTH",
    "BUTTON_VALUE": "BUTTON_VALUE_MAX_LENGTH",
    "CALLBACK_ID": "VIEW_CALLBACK_ID_MAX_LENGTH",
    "CARD_ACTIONS": "CARD_ACTIONS_MAX_ITEMS",
    "CARD_BODY": "CARD_BODY_MAX_LENGTH",
    "CARD_TITLE": "CARD_TITLE_MAX_LENGTH",
    "CAROUSEL": "CAROUSEL_ELEMENTS_MAX_ITEMS",
    "CHARTS": "MESSAGE_DATA_VISUALIZATIONS_MAX_ITEMS",
    "CHART_LABEL": "DATA_VISUALIZATION_POINT_LABEL_MAX_LENGTH",
    "CHART_POINTS": "DATA_VISUALIZATION_DATA_MAX_ITEMS",
    "CHART_SERIES": "DATA_VISUALIZATION_SERIES_MAX_ITEMS",
    "CHART_TITLE": "DATA_VISUALIZATION_TITLE_MAX_LENGTH",
    "CHOICES": "CHECKBOXES_OPTIONS_MAX_ITEMS",
    "CONFIRM_BUTTON": "CONFIRMATION_CONFIRM_MAX_LENGTH",
    "CONFIRM_TEXT": "CONFIRMATION_TEXT_MAX_LENGTH",
    "CONFIRM_TITLE": "CONFIRMATION_TITLE_MAX_LENGTH",
    "CONTAINER": "CONTAINER_CHILD_BLOCKS_MAX_ITEMS",
    "CONTEXT": "CONTEXT_ELEMENTS_MAX_ITEMS",
    "CONTEXT_ACTIONS": "CONTEXT_ACTIONS_ELEMENTS_MAX_ITEMS",
    "DATA_TABLE_CHARACTERS": "DATA_TABLE_CONTENT_MAX_LENGTH",
    "DATA_TABLE_ROWS": "DATA_TABLE_ROWS_MAX_ITEMS",
    "EXTERNAL_ID": "VIEW_EXTERNAL_ID_MAX_LENGTH",
    "FIELD": "SECTION_FIELDS_ITEM_MAX_LENGTH",
    "FIELDS": "SECTION_FIELDS_MAX_ITEMS",
    "FILES": "FILE_INPUT_MAX_FILES_MAX",
    "HEADER": "HEADER_TEXT_MAX_LENGTH",
    "ID": "ACTION_ID_MAX_LENGTH",
    "IMAGE_TITLE": "IMAGE_TITLE_MAX_LENGTH",
    "INPUT_LENGTH": "PLAIN_TEXT_INPUT_MAX_LENGTH_MAX",
    "LABEL": "INPUT_LABEL_MAX_LENGTH",
    "MARKDOWN_TEXT": "MARKDOWN_TOTAL_TEXT_MAX_LENGTH",
    "MESSAGE_ATTACHMENTS": "MESSAGE_ATTACHMENTS_MAX_ITEMS",
    "MESSAGE_BLOCKS": "MESSAGE_BLOCKS_MAX_ITEMS",
    "OPTIONS": "SELECT_OPTIONS_MAX_ITEMS",
    "OPTION_GROUPS": "SELECT_OPTION_GROUPS_MAX_ITEMS",
    "OPTION_TEXT": "OPTION_TEXT_MAX_LENGTH",
    "OPTION_VALUE": "OPTION_VALUE_MAX_LENGTH",
    "OVERFLOW_OPTIONS": "OVERFLOW_OPTIONS_MAX_ITEMS",
    "PAGE_SIZE": "DATA_TABLE_PAGE_SIZE_MAX",
    "PLACEHOLDER": "SELECT_PLACEHOLDER_MAX_LENGTH",
    "PLAN_TASKS": "PLAN_TASKS_MAX_ITEMS",
    "PRIVATE_METADATA": "VIEW_PRIVATE_METADATA_MAX_LENGTH",
    "TABLE_COLUMNS": "TABLE_COLUMNS_MAX_ITEMS",
    "TABLE_ROWS": "TABLE_ROWS_MAX_ITEMS",
    "TEXT": "SECTION_TEXT_MAX_LENGTH",
    "URL": "BUTTON_URL_MAX_LENGTH",
    "VIDEO_AUTHOR": "VIDEO_AUTHOR_NAME_MAX_LENGTH",
    "VIDEO_TITLE": "VIDEO_TITLE_MAX_LENGTH",
    "VIEW_BLOCKS": "VIEW_BLOCKS_MAX_ITEMS",
    "VIEW_TITLE": "VIEW_TITLE_MAX_LENGTH",
}
ELSEWHERE = {
    "ACK_S", "EVENT_RETRIES_S", "FILE_ALT_TEXT", "MESSAGE_TEXT", "MESSAGE_TEXT_ADVISED", "METADATA_BYTES",
    "RESPONSE_URL_S", "RESPONSE_URL_USES", "TRIGGER_S", "VIEW_BYTES", "VIEW_STACK",
}  # fmt: skip
"""Limits that are not about blocks, of which slackblocks knows nothing."""


@pytest.mark.parametrize(("name", "theirs_name"), SAME.items())
def test_a_limit_is_the_one_of_slackblocks(name: str, theirs_name: str) -> None:
    assert getattr(ours, name) == getattr(theirs, theirs_name)


def test_no_limit_is_left_without_a_witness() -> None:
    assert {name for name in vars(ours) if name.isupper()} == SAME.keys() | ELSEWHERE


def test_blocks_stand_where_slackblocks_lets_them_stand() -> None:
    assert {surface: set(kinds) for surface, kinds in SURFACES.items()} == {
        surface: set(kinds) for surface, kinds in _surfaces._BLOCK_TYPES_BY_SURFACE.items()
    }


UNKNOWN_TO_SLACK_SDK = {"data table", "two charts"}
"""Its models turn block types that they do not know into nothing."""
KNOWN = {name: blocks for name, blocks in VALID_MESSAGES.items() if name not in UNKNOWN_TO_SLACK_SDK}


@pytest.mark.parametrize("blocks", KNOWN.values(), ids=KNOWN.keys())
def test_slack_sdk_takes_the_valid_messages_too(blocks: list[dict[str, Any]]) -> None:
    for block in blocks:
        parsed = Block.parse(block)
        assert parsed is not None
        parsed.to_dict()


@pytest.mark.parametrize("view", VALID_VIEWS.values(), ids=VALID_VIEWS.keys())
def test_slack_sdk_takes_the_valid_views_too(view: dict[str, Any]) -> None:
    View(**view).to_dict()


def _refused_views() -> set[str]:
    refused = set()
    for name, (view, _) in INVALID_VIEWS.items():
        try:
            View(**view).to_dict()
        except SlackObjectFormationError:
            refused.add(name)
    return refused


def _refused_messages() -> set[str]:
    refused = set()
    for name, (blocks, _) in INVALID_MESSAGES.items():
        try:
            for block in blocks:
                parsed = Block.parse(block)
                if parsed is not None:
                    parsed.to_dict()
        except (SlackObjectFormationError, TypeError):
            refused.add(name)
    return refused


def test_slack_sdk_refuses_what_it_knows_of_the_invalid_ones() -> None:
    """Every case here is refused by our checker; the witness sees a good part of them, and the lengths above all."""
    assert {"title of 25", "submit of 25", "close of 25", "101 blocks", "private metadata of 3001"} <= _refused_views()
    assert {
        "header of 151", "section of 3001", "button text of 76", "button value of 2001", "101 options",
        "6 in an overflow", "26 elements", "11 in a context", "placeholder of 151", "action_id of 256",
    } <= _refused_messages()  # fmt: skip
