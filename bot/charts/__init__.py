"""Drawings of signals, as SVG, and the same in words; pure."""

from bot.charts.drawing import chart
from bot.charts.model import Chart, Mark, Point, Series
from bot.charts.sparkline import sparkline
from bot.charts.units import said
from bot.charts.words import alt_text, beyond, in_words

__all__ = ["Chart", "Mark", "Point", "Series", "alt_text", "beyond", "chart", "in_words", "said", "sparkline"]
