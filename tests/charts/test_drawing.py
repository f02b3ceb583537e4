"""The picture as SVG."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.charts import Mark, Series, chart, looks
from bot.charts.courses import pieces, thinned
from tests.charts.examples import BEGIN, CHARTS, END, LATENCY, after, course, one, slow
from tests.golden import assert_golden

SVG = "{http://www.w3.org/2000/svg}"
DRAWN = {"svg", "rect", "text", "line", "path", "circle", "clipPath"}


def drawn(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own text


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in drawn(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_looks_as_agreed(name: str) -> None:
    svg = chart(CHARTS[name])
    assert svg == chart(CHARTS[name])
    assert_golden(f"charts/{name}.svg", svg)


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_made_of_harmless_parts_within_its_bounds(name: str) -> None:
    root = drawn(chart(CHARTS[name]))
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in DRAWN
        assert not [key for key in element.attrib if "href" in key or key.startswith("on")]
        for key in ("x", "x1", "x2", "cx"):
            assert 0 <= float(element.get(key, "0")) <= looks.WIDTH, element.attrib
        for key in ("y", "y1", "y2", "cy"):
            assert 0 <= float(element.get(key, "0")) <= looks.HEIGHT, element.attrib
        for number in re.findall(r"[-\d.]+", element.get("d", "")):
            assert -1 <= float(number) <= looks.WIDTH
    assert "url(" not in chart(CHARTS[name]).replace("url(#broken)", "")


def test_a_hostile_title_is_text_and_nothing_else() -> None:
    shown = texts(chart(CHARTS["hostile"]))
    assert shown[0].startswith('<script>alert(1)</script> &amp; "quoted" ?? ?????? xxx')
    assert shown[0].endswith("…")


def test_names_stand_at_the_ends_of_the_lines_with_the_value_of_now() -> None:
    assert [text for text in texts(chart(CHARTS["three-lines"])) if text.startswith("p")] == [
        "p99 1.26 s",
        "p90 838 ms",
        "p50 115 ms",
    ]


def test_an_objective_is_a_line_with_its_value() -> None:
    svg = chart(LATENCY)
    assert "objective 300 ms" in texts(svg)
    assert svg.count('stroke-dasharray="7 4"') == 1
    assert 'clip-path="url(#broken)"' in svg


def test_an_objective_far_above_is_named_but_does_not_flatten_the_line() -> None:
    svg = chart(CHARTS["far-objective"])
    assert "objective 2 s, far above" in texts(svg)
    assert "30 ms" in texts(svg)
    assert 'stroke-dasharray="7 4"' not in svg


def test_an_objective_that_is_no_number_is_none() -> None:
    for value in (math.nan, math.inf, -math.inf, 1e305):
        assert not [text for text in texts(chart(replace(LATENCY, objective=value))) if text.startswith("objective")]


def test_deploys_are_marked_with_their_version_where_they_lie_in_the_time_shown() -> None:
    marks = (Mark(after(-1), "early"), Mark(after(0), "first"), Mark(after(60), "last"), Mark(after(61), "late"))
    shown = texts(chart(replace(LATENCY, marks=marks)))
    assert {"first", "last"} <= set(shown)
    assert not {"early", "late"} & set(shown)


def test_a_gap_is_no_line() -> None:
    assert len(re.findall(r'<path [^>]*stroke="#0072b2"', chart(CHARTS["gap"]))) == 2


def test_a_pause_is_a_gap_too() -> None:
    points = [point for point in course(slow) if not after(20).timestamp() < point[0] < after(25).timestamp()]
    assert len(pieces(points, BEGIN.timestamp(), END.timestamp())) == 2


def test_times_are_told_in_utc() -> None:
    svg = chart(LATENCY)
    assert "27 Nov 2026, 06:00 to 07:00 UTC" in texts(svg)
    assert {"06:00", "06:30", "07:00"} <= set(texts(svg))


def test_a_time_without_length_can_be_drawn() -> None:
    assert "No values in this time" in texts(chart(replace(LATENCY, begin=after(90), end=BEGIN)))


@pytest.mark.parametrize("value", [1e-12, 1e-4, 1.0, 1e6, 1e15, 1e299, -1e299, 1e308, -1e308])
@pytest.mark.parametrize("unit", ["s", "ms", "ratio", "%", "req/s", "bytes", "cores", "", "widgets"])
def test_values_of_any_size_can_be_drawn(value: float, unit: str) -> None:
    svg = chart(one("any", unit, course(lambda share: value * (1 + share)), objective=value))
    assert len(texts(svg)) < 40
    assert "nan" not in svg
    assert "inf" not in svg


def test_fifty_thousand_points_are_drawn_as_few_with_their_peak() -> None:
    end = BEGIN + timedelta(days=3)
    points = [(at, 0.2 + 0.01 * (number % 7)) for number, (at, _) in enumerate(course(slow, 50_000, end))]
    points[31_234] = (points[31_234][0], 9.0)
    few = thinned(points, 1000, BEGIN.timestamp(), end.timestamp())
    assert len(few) <= 4_100
    assert points[31_234] in few
    assert few == sorted(few)
    assert (few[0], few[-1]) == (points[0], points[-1])
    svg = chart(replace(one("long", "s", tuple(points)), end=end))
    assert len(svg) < 150_000
    assert "10 s" in texts(svg)


def test_more_lines_than_colours_are_grey_and_counted() -> None:
    svg = chart(CHARTS["many"])
    assert any(text.endswith("· 8 more in grey") for text in texts(svg))
    assert svg.count(f'stroke="{looks.OTHERS}"') == 8


def test_the_order_of_points_does_not_matter() -> None:
    backwards = replace(LATENCY, series=(Series("p99", LATENCY.series[0].points[::-1]),))
    assert chart(backwards) == chart(LATENCY)
