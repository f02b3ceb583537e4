"""Where names stand, so that none covers another."""

from __future__ import annotations

from collections.abc import Sequence


def apart(wanted: Sequence[float], low: float, high: float, height: float) -> list[float]:
    """Return a place for each wanted place, in the same order of size, at least `height` apart where there is room."""
    if not wanted:
        return []
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    height = min(height, (high - low) / max(len(wanted) - 1, 1))
    places = [min(max(wanted[index], low), high) for index in order]
    for index in range(1, len(places)):
        places[index] = max(places[index], places[index - 1] + height)
    over = places[-1] - high
    if over > 0:
        places[-1] = high
        for index in range(len(places) - 2, -1, -1):
            places[index] = min(places[index], places[index + 1] - height)
    found = [0.0] * len(wanted)
    for place, index in zip(places, order, strict=True):
        found[index] = place
    return found


def in_rows(marks: Sequence[tuple[float, float]], end: float, rows: int) -> list[int | None]:
    """Return the row, 0 the lowest, for the label at each mark `(x, width)`, given from the left; None: no room for it.

    A label stands to the right of its mark. Given out from the right, so that the line below a higher one crosses none.
    """
    begins = [end] * rows
    found: list[int | None] = []
    for x, width in reversed(marks):
        row = next((row for row in range(rows) if x + width <= begins[row]), None)
        if row is not None:
            begins[: row + 1] = [x] * (row + 1)
        else:
            begins[0] = min(begins[0], x)
        found.append(row)
    return found[::-1]
