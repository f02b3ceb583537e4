"""SVG as text: the few elements that charts are made of. None of them names a file or an address."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from bot.charts.lettering import FAMILY, showable

Value = str | float


def number(value: float) -> str:
    """Return a coordinate: two digits behind the point at most."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def element(name: str, *inside: str, **attributes: Value) -> str:
    """Return an element. `stroke_width` is `stroke-width`; texts of attributes are escaped, `inside` is SVG already."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{number(value) if isinstance(value, float | int) else escape(value)}"'
        for key, value in attributes.items()
    )
    return f"<{name}{written}>{''.join(inside)}</{name}>" if inside else f"<{name}{written}/>"


def text(said: str, x: float, y: float, **attributes: Value) -> str:
    """Return plain text at a place; only what the font can show."""
    return element("text", escape(showable(said), quote=False), x=x, y=y, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, **attributes: Value) -> str:
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, **attributes)


def path(dots: Iterable[tuple[float, float]], *, closed: bool = False, **attributes: Value) -> str:
    """Return straight lines from dot to dot."""
    course = "L".join(f"{number(x)} {number(y)}" for x, y in dots)
    return element("path", d=f"M{course}{'Z' if closed else ''}", **attributes)


def document(parts: Iterable[str], width: float, height: float) -> str:
    """Return a whole drawing, one element a line."""
    inside = "\n".join(parts)
    size = f'width="{number(width)}" height="{number(height)}" viewBox="0 0 {number(width)} {number(height)}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FAMILY}">\n{inside}\n</svg>\n'
