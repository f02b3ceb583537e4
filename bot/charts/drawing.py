"""The picture: pure, and the same for the same chart."""

from __future__ import annotations

from collections.abc import Iterator

from bot.charts import axes, looks, svg
from bot.charts.courses import pieces, shown_marks, thinned
from bot.charts.frame import Frame, Line, frame
from bot.charts.lettering import fitted, width
from bot.charts.model import Chart, Point
from bot.charts.moments import between
from bot.charts.placing import apart, in_rows
from bot.charts.units import said


def chart(drawn: Chart) -> str:
    """Return the chart as SVG, lettered in Lato."""
    laid = frame(drawn)
    return svg.document(
        [
            *_ground(drawn),
            *_grid(laid),
            *_broken(drawn, laid),
            *_marks(drawn, laid),
            *_lines(laid),
            *_objective(drawn, laid),
            *_names(laid),
        ],
        looks.WIDTH,
        looks.HEIGHT,
    )


def _ground(drawn: Chart) -> Iterator[str]:
    yield svg.element(
        "rect", x=0.5, y=0.5, width=looks.WIDTH - 1, height=looks.HEIGHT - 1, rx=8, fill=looks.GROUND, stroke=looks.EDGE
    )
    room = looks.WIDTH - 2 * looks.EDGE_ROOM
    title = fitted(drawn.title, looks.TITLE, room, bold=True)
    yield svg.text(title, looks.EDGE_ROOM, 28, font_size=looks.TITLE, font_weight="700", fill=looks.INK)
    about = [between(drawn.begin, drawn.end)]
    unnamed = len(drawn.series) - looks.MOST_NAMED
    if unnamed > 0:
        about.append(f"{unnamed} more in grey")
    told = fitted(" · ".join(about), looks.SMALL, room)
    yield svg.text(told, looks.EDGE_ROOM, 47, font_size=looks.SMALL, fill=looks.QUIET)


def _grid(laid: Frame) -> Iterator[str]:
    for tick in laid.axis.ticks:
        y = laid.y(tick.at)
        yield svg.line(laid.left, y, laid.right, y, stroke=looks.GRID)
        yield svg.text(tick.label, laid.left - 8, y + 4, font_size=looks.SMALL, fill=looks.QUIET, text_anchor="end")
    yield svg.line(laid.left, laid.bottom, laid.right, laid.bottom, stroke=looks.AXIS)
    room = width("00:00:00", looks.SMALL) + 24
    for tick in axes.times(laid.begin, laid.end, most=int((laid.right - laid.left) / room)):
        x = laid.x(tick.at)
        yield svg.line(x, laid.bottom, x, laid.bottom + 5, stroke=looks.AXIS)
        yield svg.text(tick.label, x, laid.bottom + 20, font_size=looks.SMALL, fill=looks.QUIET, text_anchor="middle")


# --- Objective ----------------------------------------------------------------------------------------------------


def _broken(drawn: Chart, laid: Frame) -> Iterator[str]:
    """Fill what lies between a line and the objective that it breaks; of several lines, that would be a muddle."""
    if laid.objective is None or laid.far or len(laid.lines) != 1:
        return
    border = laid.y(laid.objective)
    above = drawn.worse == "above"
    top, bottom = (laid.top, border) if above else (border, laid.bottom)
    if bottom - top < 0.5:
        return
    clip = svg.element("rect", x=laid.left, y=top, width=laid.right - laid.left, height=bottom - top)
    yield svg.element("clipPath", clip, id="broken")
    for run in _runs(laid.lines[0], laid):
        if len(run) > 1:
            dots = [(laid.x(at), laid.y(value)) for at, value in run]
            edge = [(dots[-1][0], border), (dots[0][0], border)]
            yield svg.path(
                [*dots, *edge], closed=True, fill=looks.BROKEN, fill_opacity="0.22", clip_path="url(#broken)"
            )


def _objective(drawn: Chart, laid: Frame) -> Iterator[str]:
    if laid.objective is None:
        return
    label = f"objective {said(laid.objective, drawn.unit)}"
    if laid.far:
        label, y = f"{label}, far above", laid.top
        yield svg.path(_arrow(laid.left + 10, laid.top + 4), closed=True, fill=looks.INK)
    else:
        y = laid.y(laid.objective)
        yield svg.line(laid.left, y, laid.right, y, stroke=looks.INK, stroke_width=1.5, stroke_dasharray="7 4")
    x = laid.left + (20 if laid.far else 6)
    below = y - laid.top < looks.SMALL + 6
    place = y + looks.SMALL + 4 if below else y - 6
    yield _haloed(label, x, place)


def _arrow(x: float, y: float) -> list[tuple[float, float]]:
    return [(x, y), (x + 5, y + 9), (x - 5, y + 9)]


def _haloed(label: str, x: float, y: float) -> str:
    """Letters that stay readable over lines."""
    return svg.text(
        label,
        x,
        y,
        font_size=looks.SMALL,
        fill=looks.INK,
        stroke=looks.GROUND,
        stroke_width=3.0,
        paint_order="stroke",
        stroke_linejoin="round",
    )


# --- Marks --------------------------------------------------------------------------------------------------------


def _marks(drawn: Chart, laid: Frame) -> Iterator[str]:
    shown = shown_marks(drawn)[-looks.MOST_MARKS :]
    places = [laid.x(mark.at.timestamp()) for mark in shown]
    labels = [fitted(mark.label, looks.SMALL, 140.0) for mark in shown]
    # One that would leave the picture on the right is moved to the left, where its line goes through its beginning.
    end = looks.WIDTH - looks.EDGE_ROOM / 2
    begins = [min(x + 8, end - width(label, looks.SMALL)) for x, label in zip(places, labels, strict=True)]
    rooms = [(begin - 12, width(label, looks.SMALL) + 18) for begin, label in zip(begins, labels, strict=True)]
    for x, begin, label, row in zip(places, begins, labels, in_rows(rooms, looks.WIDTH, laid.rows), strict=True):
        y = laid.top - 8 - (row or 0) * looks.ROW
        yield svg.line(
            x, laid.top if row is None else y - 4, x, laid.bottom, stroke=looks.QUIET, stroke_dasharray="2 3"
        )
        if row is not None:
            yield svg.path([(x - 4, y - 4), (x + 4, y - 4), (x, y + 3)], closed=True, fill=looks.QUIET)
            yield _haloed(label, begin, y + 1)


# --- Lines --------------------------------------------------------------------------------------------------------


def _runs(line: Line, laid: Frame) -> list[list[Point]]:
    runs = pieces(line.series.points, laid.begin, laid.end)
    return [thinned(run, laid.columns, laid.begin, laid.end) for run in runs]


def _lines(laid: Frame) -> Iterator[str]:
    """The first line lies on top: it is what the chart is about."""
    for line in reversed(laid.lines):
        for run in _runs(line, laid):
            dots = [(laid.x(at), laid.y(value)) for at, value in run]
            if len(dots) == 1:
                yield svg.element("circle", cx=dots[0][0], cy=dots[0][1], r=3, fill=line.colour)
            else:
                yield svg.path(dots, fill="none", stroke=line.colour, stroke_width=2.0, stroke_linejoin="round")
        if line.points and line.label:
            at, value = line.points[-1]
            yield svg.element("circle", cx=laid.x(at), cy=laid.y(value), r=3.5, fill=line.colour)
    if not any(line.points for line in laid.lines):
        middle = ((laid.left + laid.right) / 2, (laid.top + laid.bottom) / 2)
        yield svg.text("No values in this time", *middle, font_size=looks.TEXT, fill=looks.QUIET, text_anchor="middle")


def _names(laid: Frame) -> Iterator[str]:
    named = [line for line in laid.lines if line.label]
    wanted = [laid.y(line.points[-1][1]) if line.points else laid.bottom for line in named]
    for line, y in zip(named, apart(wanted, laid.top, laid.bottom, looks.ROW), strict=True):
        colour = line.colour if line.points else looks.QUIET
        yield svg.text(line.label, laid.right + 10, y + 4.5, font_size=looks.TEXT, fill=colour)
