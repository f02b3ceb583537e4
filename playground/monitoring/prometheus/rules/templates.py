"""Templates in labels and annotations of alerts: the part of Go's language that rules usually speak.

`{{ $value | humanizePercentage }}`, `{{ $labels.service }}`, `{{ printf "%.2f" $value }}`. What is not understood is
told in the place of the text, as Prometheus does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

from playground.monitoring.prometheus.promql.numbers import plain

ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)
PRINTF = re.compile(r'printf\s+"(%[^"]*)"\s*(\S+)?')
LABEL = re.compile(r"\$labels\.([A-Za-z_][A-Za-z0-9_]*)")
FORMAT = re.compile(r"%(\.\d+)?[fgdsv]%?%?")
THOUSANDS = ("", "k", "M", "G", "T", "P", "E", "Z", "Y")
PARTS = ("", "m", "u", "n", "p", "f", "a", "z", "y")
Value = float | str


class Unexpandable(ValueError):
    """A template that we cannot read."""


def expanded(name: str, template: str, labels: Mapping[str, str], value: float) -> str:
    """Fill the template in. One that cannot be read becomes a text that says so."""
    if "{{" not in template:
        return template
    try:
        return ACTION.sub(lambda match: _text(_evaluated(match[1], labels, value)), template)
    except (Unexpandable, ValueError) as error:
        return f"<error expanding template: error parsing template {name}: {error}>"


def _evaluated(action: str, labels: Mapping[str, str], value: float) -> Value:
    first, *filters = re.split(r"\s*\|\s*", action)
    found: Value | None = _source(first, labels, value)
    if found is None:
        raise Unexpandable(f"{action!r} is not supported here")
    for word in filters:
        found = _filtered(word, found)
    return found


def _source(text: str, labels: Mapping[str, str], value: float) -> Value | None:
    if text == "$value":
        return value
    if match := LABEL.fullmatch(text):
        return labels.get(match[1], "")
    if (match := PRINTF.fullmatch(text)) and match[2]:
        inner = _source(match[2], labels, value)
        return None if inner is None else _printed(match[1], inner)
    word, _, rest = text.partition(" ")
    if word in FILTERS and rest:
        inner = _source(rest.strip(), labels, value)
        return None if inner is None else FILTERS[word](float(inner))
    return None


def _filtered(word: str, value: Value) -> Value:
    if match := PRINTF.fullmatch(word):
        return _printed(match[1], value)
    if word in FILTERS:
        return FILTERS[word](float(value))
    raise Unexpandable(f"function {word!r} not defined")


def _printed(form: str, value: Value) -> str:
    if not FORMAT.fullmatch(form):
        raise Unexpandable(f"the format {form!r} is not supported here")
    if form[-1] in "sv" or isinstance(value, str):
        return _text(value)
    number = int(value) if "d" in form else value
    return form % number


def _text(value: Value) -> str:
    return value if isinstance(value, str) else plain(value)


def humanize(value: float) -> str:
    """4200 → `4.2k`: four digits and a prefix."""
    return _prefixed(value, 1000.0, THOUSANDS, PARTS)


def humanize1024(value: float) -> str:
    return _prefixed(value, 1024.0, ("", "ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"), ("",))


def _prefixed(value: float, base: float, above: tuple[str, ...], below: tuple[str, ...]) -> str:
    if value == 0 or math.isnan(value) or math.isinf(value):
        return f"{value:.4g}"
    index = 0
    prefixes = above if abs(value) >= 1 else below
    while index < len(prefixes) - 1 and (abs(value) >= base if prefixes is above else abs(value) < 1):
        value = value / base if prefixes is above else value * base
        index += 1
    return f"{value:.4g}{prefixes[index]}"


def humanize_percentage(share: float) -> str:
    return f"{share * 100:.4g}%"


def humanize_duration(seconds: float) -> str:
    if math.isnan(seconds) or math.isinf(seconds):
        return f"{seconds:.4g}"
    sign, rest = ("-" if seconds < 0 else ""), abs(seconds)
    if rest < 1:
        return sign + _prefixed(rest, 1000.0, THOUSANDS, PARTS) + "s"
    days, hours = int(rest) // 86_400, int(rest) // 3600 % 24
    minutes, left = int(rest) // 60 % 60, int(rest) % 60
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {left}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {left}s"
    return f"{sign}{minutes}m {left}s" if minutes else f"{sign}{rest:.4g}s"


FILTERS: dict[str, Callable[[float], str]] = {
    "humanize": humanize,
    "humanize1024": humanize1024,
    "humanizePercentage": humanize_percentage,
    "humanizeDuration": humanize_duration,
}
