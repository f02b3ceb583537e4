"""Numbers as people say them: `320 ms`, `1.5 %`, `12 req/s`."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """How the numbers of one axis are written: all alike."""

    factor: float
    """What a value is multiplied by."""
    suffix: str


_TIME = ((1e-6, 1e6, "µs"), (1e-3, 1e3, "ms"), (1.0, 1.0, "s"), (60.0, 1 / 60, "min"), (3600.0, 1 / 3600, "h"))
_BYTES = tuple((1024.0**power, 1024.0**-power, name) for power, name in enumerate(("B", "KiB", "MiB", "GiB", "TiB")))
_COUNTS = ((1.0, 1.0, ""), (1e6, 1e-6, "M"), (1e9, 1e-9, "G"))


def scale(unit: str, largest: float) -> Scale:
    """Return how values of a unit are written when `largest` is the largest of them."""
    size = abs(largest) if math.isfinite(largest) else 0.0
    match unit:
        case "s":
            return _fitting(_TIME, size or 1.0, "")
        case "ms":
            found = _fitting(_TIME, size / 1000 or 1.0, "")
            return Scale(found.factor / 1000, found.suffix)
        case "ratio":
            return Scale(100.0, "%")
        case "%":
            return Scale(1.0, "%")
        case "bytes":
            return _fitting(_BYTES, size, "")
        case _:
            return _fitting(_COUNTS, size or 1.0, unit)


def _fitting(steps: tuple[tuple[float, float, str], ...], size: float, unit: str) -> Scale:
    fitting = [step for step in steps if size >= step[0]] or [steps[0]]
    _, factor, name = fitting[-1]
    return Scale(factor, f"{name} {unit}".strip())


def said(value: float, unit: str) -> str:
    """Return one value for a sentence, with three digits that count."""
    if math.isnan(value):
        return "no number"
    if math.isinf(value):
        return "beyond all bounds"
    found = scale(unit, value)
    shown = value * found.factor
    # Of a good share it is the little that is missing which counts: 99.95 % is not 99.9 %.
    text = (
        f"{shown:.{_digits(100 - shown, 2)}f}".rstrip("0")
        if found.suffix == "%" and 90 < shown < 100
        else number(shown)
    )
    return f"{text.rstrip('.')} {found.suffix}".strip()


def number(value: float) -> str:
    """Return three digits that count, without zeros that tell nothing: `0.012`, `1.5`, `320`, `12,000`."""
    if value == 0:
        return "0"
    if not 1e-6 <= abs(value) < 1e15:
        return f"{value:.2e}".replace("-", "−")
    digits = _digits(value, 3)
    text = f"{round(value, digits):,.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text.replace("-", "−")


def _digits(value: float, count: int) -> int:
    """Return how many digits behind the point show `count` that tell something."""
    return min(max(0, count - 1 - math.floor(math.log10(abs(value)))), 9)
