"""The picture: pure, and the same for the same chart."""

from __future__ import annotations

import math
from html import escape

from bot.charts.model import Chart

WIDTH, HEIGHT = 800, 300
_LEFT, _TOP, _RIGHT, _BOTTOM = 70.0, 50.0, 700.0, 260.0


def chart(drawn: Chart) -> str:
    """Return the chart as SVG."""
    begin, end = drawn.begin.timestamp(), max(drawn.end.timestamp(), drawn.begin.timestamp() + 1)
    known = [value for one in drawn.series for _, value in one.points if math.isfinite(value)]
    top = max([*known, drawn.objective or 0.0], default=1.0) or 1.0
    parts = [f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>', f"<text>{escape(drawn.title)}</text>"]
    for one in drawn.series:
        dots = " ".join(
            f"{_LEFT + (at - begin) / (end - begin) * (_RIGHT - _LEFT):.1f},"
            f"{_BOTTOM - value / top * (_BOTTOM - _TOP):.1f}"
            for at, value in one.points
            if math.isfinite(value)
        )
        parts.append(f'<polyline fill="none" stroke="#0072b2" points="{dots}"/>')
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}">{"".join(parts)}</svg>'
