"""Colours that can be told apart, by everybody, on the ground that the picture brings along."""

from __future__ import annotations

import math
from itertools import combinations

import pytest

from bot.charts import looks

Rgb = tuple[float, float, float]

# How a colour looks without the long, the middle, the short cones (linear light), after Machado, Oliveira and
# Fernandes (2009), at full strength.
SIGHT = {
    "full": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def linear(colour: str) -> Rgb:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return red, green, blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2."""
    light = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (linear(one), linear(other))]
    return (max(light) + 0.05) / (min(light) + 0.05)


def lab(colour: str, sight: str) -> Rgb:
    r, g, b = linear(colour)
    r, g, b = (min(max(row[0] * r + row[1] * g + row[2] * b, 0.0), 1.0) for row in SIGHT[sight])
    x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883
    fx, fy, fz = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


@pytest.mark.parametrize("colour", [*looks.COLOURS, looks.INK, looks.QUIET])
def test_letters_and_lines_stand_out_from_the_ground(colour: str) -> None:
    assert contrast(colour, looks.GROUND) >= 4.5


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize(("count", "distance"), [(3, 35), (6, 15)])
def test_lines_are_told_apart_by_every_eye(sight: str, count: int, distance: float) -> None:
    """The distance is that of CIE 1976; a bit more than 2 is just seen."""
    seen = [lab(colour, sight) for colour in looks.COLOURS[:count]]
    assert min(math.dist(one, other) for one, other in combinations(seen, 2)) > distance


def test_the_ground_is_seen_on_a_light_and_on_a_dark_page() -> None:
    assert contrast(looks.GROUND, "#1a1d21") > 10
    assert contrast(looks.EDGE, "#ffffff") > 1.3
