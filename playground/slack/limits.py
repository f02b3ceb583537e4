"""Slack's documented limits. Lengths are in characters, sizes of lists in items, unless the name says otherwise."""

from __future__ import annotations

from typing import Final

ACK_S: Final = 3.0
TRIGGER_S: Final = 3.0
RESPONSE_URL_USES: Final = 5
RESPONSE_URL_S: Final = 30 * 60.0
EVENT_RETRIES_S: Final = (0.0, 60.0, 300.0)
"""Waits before the three retries of an event: nearly at once, after a minute, after five."""

FILE_ALT_TEXT: Final = 1000
"""Of an uploaded picture."""

VIEW_STACK: Final = 3
VIEW_BYTES: Final = 250_000
VIEW_BLOCKS: Final = 100
VIEW_TITLE: Final = 24
PRIVATE_METADATA: Final = 3000
CALLBACK_ID: Final = 255
EXTERNAL_ID: Final = 255

MESSAGE_BLOCKS: Final = 50
MESSAGE_ATTACHMENTS: Final = 100
MESSAGE_TEXT: Final = 40_000
MESSAGE_TEXT_ADVISED: Final = 4000
MARKDOWN_TEXT: Final = 12_000
METADATA_BYTES: Final = 8000

ID: Final = 255
TEXT: Final = 3000
FIELD: Final = 2000
FIELDS: Final = 10
HEADER: Final = 150
URL: Final = 3000
ALT_TEXT: Final = 2000
IMAGE_TITLE: Final = 2000
LABEL: Final = 2000
PLACEHOLDER: Final = 150
BUTTON_TEXT: Final = 75
BUTTON_VALUE: Final = 2000
ACCESSIBILITY_LABEL: Final = 75
OPTION_TEXT: Final = 75
OPTION_VALUE: Final = 150
OPTIONS: Final = 100
OPTION_GROUPS: Final = 100
OVERFLOW_OPTIONS: Final = 5
CHOICES: Final = 10
"""Checkboxes and radio buttons."""
ACTIONS: Final = 25
CONTEXT: Final = 10
CONTEXT_ACTIONS: Final = 5
INPUT_LENGTH: Final = 3000
FILES: Final = 10
CONFIRM_TITLE: Final = 100
CONFIRM_TEXT: Final = 300
CONFIRM_BUTTON: Final = 30

ALERT: Final = 200
CARD_TITLE: Final = 150
CARD_BODY: Final = 200
CARD_ACTIONS: Final = 3
CAROUSEL: Final = 10
CONTAINER: Final = 10
PLAN_TASKS: Final = 50
TABLE_ROWS: Final = 100
TABLE_COLUMNS: Final = 20
DATA_TABLE_ROWS: Final = 201
"""The header row and two hundred more."""
DATA_TABLE_CHARACTERS: Final = 20_000
PAGE_SIZE: Final = 100
CHARTS: Final = 2
CHART_TITLE: Final = 50
CHART_SERIES: Final = 12
CHART_POINTS: Final = 20
CHART_LABEL: Final = 20
VIDEO_TITLE: Final = 200
VIDEO_AUTHOR: Final = 50
