"""Sizes and colours. The picture has a ground of its own, so it looks the same on a light and on a dark Slack."""

from __future__ import annotations

WIDTH, HEIGHT = 720.0, 320.0
"""What Slack shows a picture at, more or less: letters of 13 can still be read there."""

GROUND = "#ffffff"
EDGE = "#c9d1d9"
"""Around the ground, which would otherwise have no end on a white page."""
INK = "#1f2328"
QUIET = "#57606a"
GRID = "#e6e9ed"
AXIS = "#8c959f"
BROKEN = "#d55e00"
"""Fills what lies beyond the objective."""

COLOURS = ("#0072b2", "#b84a00", "#2b2f36", "#8e3b7c", "#123c8c", "#5c3a1e")
"""Of lines, in this order: dark enough for thin lines on the ground, and apart for every kind of colour blindness."""
OTHERS = "#b1b8c0"
"""Of the lines beyond those."""
MOST_NAMED = len(COLOURS)

TITLE, TEXT, SMALL = 17.0, 14.0, 13.0
"""Sizes of letters."""
EDGE_ROOM = 16.0
LABEL_ROOM = 200.0
"""Most room that the names at the lines' ends may take."""
ROW = 17.0
"""Height of a row of small letters."""
MARK_ROWS = 3
MOST_MARKS = 40
