"""The frame of a chart: what lies in it, its axes, and how values become places."""

from __future__ import annotations

from dataclasses import dataclass

from bot.charts import axes, looks
from bot.charts.axes import Axis
from bot.charts.courses import bounded, known, shown_marks
from bot.charts.lettering import shortened, width
from bot.charts.model import Chart, Point, Series
from bot.charts.units import said

_FAR = 8.0
"""An objective above so many times the highest value is named at the edge: its line would flatten everything."""


@dataclass(frozen=True, slots=True)
class Line:
    """One series with what is said about it."""

    series: Series
    points: tuple[Point, ...]
    """Those that are numbers and lie in the time shown."""
    colour: str
    label: str
    """Empty: it is not named."""


@dataclass(frozen=True, slots=True)
class Frame:
    begin: float
    end: float
    """Seconds since 1970."""
    left: float
    right: float
    top: float
    bottom: float
    axis: Axis
    lines: tuple[Line, ...]
    objective: float | None
    far: bool
    """The objective lies above the frame."""
    rows: int
    """Of labels of marks, above the frame."""

    def x(self, at: float) -> float:
        return self.left + (at - self.begin) / (self.end - self.begin) * (self.right - self.left)

    def y(self, value: float) -> float:
        share = (value / 2 - self.axis.low / 2) / (self.axis.high / 2 - self.axis.low / 2)
        return self.bottom - share * (self.bottom - self.top)

    @property
    def columns(self) -> int:
        """Pixels from left to right, as the picture is drawn."""
        return int(2 * (self.right - self.left))


def frame(drawn: Chart) -> Frame:
    """Lay a chart out."""
    begin = drawn.begin.timestamp()
    end = max(drawn.end.timestamp(), begin + 1)
    lines = _lines(drawn, begin, end)
    objective = bounded(drawn.objective)
    axis, far = _axis(drawn, objective, [value for line in lines for _, value in line.points])
    labels = max((width(line.label, looks.TEXT) for line in lines), default=0.0)
    ticks = max(width(tick.label, looks.SMALL) for tick in axis.ticks)
    rows = min(len(shown_marks(drawn)), looks.MARK_ROWS)
    return Frame(
        begin=begin,
        end=end,
        left=looks.EDGE_ROOM + ticks + 8,
        right=looks.WIDTH - looks.EDGE_ROOM - 12 - labels,
        top=66 + rows * looks.ROW,
        bottom=looks.HEIGHT - 40,
        axis=axis,
        lines=lines,
        objective=objective,
        far=far,
        rows=rows,
    )


def _lines(drawn: Chart, begin: float, end: float) -> tuple[Line, ...]:
    found = []
    for number, series in enumerate(drawn.series):
        points = tuple(known(series.points, begin, end))
        if number < looks.MOST_NAMED:
            colour, label = looks.COLOURS[number], _label(series.name, points, drawn.unit)
        else:
            colour, label = looks.OTHERS, ""
        found.append(Line(series, points, colour, label))
    return tuple(found)


def _label(name: str, points: tuple[Point, ...], unit: str) -> str:
    value = said(points[-1][1], unit) if points else "no values"
    room = looks.LABEL_ROOM - width(f" {value}", looks.TEXT)
    return f"{shortened(name, looks.TEXT, room)} {value}".strip()


def _axis(drawn: Chart, objective: float | None, values: list[float]) -> tuple[Axis, bool]:
    """Return the axis of values. It begins at 0, unless being high is good: then the difference to the top matters."""
    high, low = max(values, default=0.0), min(values, default=0.0)
    far = objective is not None and bool(values) and objective > _FAR * max(high, 0.0) and high != 0
    if objective is not None and not far:
        high, low = max(high, objective), min(low, objective) if values else 0.0
    if drawn.worse == "above" or not values:
        high, low = max(high, 0.0), min(low, 0.0)
    if high == low == 0.0:
        high = 0.01 if drawn.unit == "ratio" else 1.0
    return axes.values(low, high, drawn.unit), far
