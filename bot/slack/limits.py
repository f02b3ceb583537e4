"""Slack's documented limits, by name. Lengths are in Unicode code points, sizes in UTF-8 bytes."""

from __future__ import annotations

# Messages and views
MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
VIEW_BYTES = 250_000
MESSAGE_TEXT = 4_000
"""Slack keeps up to 40,000, but advises 4,000 and people read less."""
VIEW_TITLE = 24
VIEW_BUTTON = 24
"""Submit and close."""
PRIVATE_METADATA = 3_000
CALLBACK_ID = 255

# Blocks
ACTION_ID = 255
"""The same holds for a `block_id`."""
TEXT = 3_000
"""A text object, and so a section."""
SECTION_FIELDS = 10
SECTION_FIELD = 2_000
HEADER = 150
ACTIONS_ELEMENTS = 25
CONTEXT_ELEMENTS = 10
LABEL = 2_000
HINT = 2_000

# Elements
BUTTON_TEXT = 75
BUTTON_VALUE = 2_000
URL = 3_000
ACCESSIBILITY_LABEL = 75
OPTION_TEXT = 75
OPTION_DESCRIPTION = 75
OPTION_VALUE = 150
SELECT_OPTIONS = 100
CHECKBOX_OPTIONS = 10
"""Radio buttons have the same limit."""
OVERFLOW_OPTIONS = 5
PLACEHOLDER = 150
INPUT_TEXT = 3_000
CONFIRM_TITLE = 100
CONFIRM_TEXT = 300
CONFIRM_BUTTON = 30

# Files
ALT_TEXT = 1_000
"""The description of a picture."""
PICTURE_BYTES = 300_000
"""Ours: pictures wait in the outbox, in the database."""

# What we promise about pace: calls a minute for the whole app, below what Slack's tiers allow.
TIER_2 = 20
TIER_3 = 50
TIER_4 = 100
CARD_UPDATES_PER_MINUTE = 45
"""`chat.update` is Tier 3; the rest is left to answers that people wait for."""
CARD_UPDATE_EVERY_S = 2.0
"""A card is redrawn at most this often, in seconds: faster is not read."""
RESPONSE_URL_S = 30 * 60
"""How long a `response_url` can be posted to, in seconds."""
