"""Arithmetic as floating-point numbers do it: nothing raises, everything is a number, NaN or infinite."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal

TOO_LARGE, TOO_SMALL = 1e21, 1e-6
"""Beyond these Prometheus writes an exponent in its JSON."""


def divide(a: float, b: float) -> float:
    if b == 0:
        return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1, b)
    return a / b


def modulo(a: float, b: float) -> float:
    try:
        return math.fmod(a, b)
    except ValueError:
        return math.nan


def power(a: float, b: float) -> float:
    try:
        return math.pow(a, b)
    except OverflowError:
        return -math.inf if a < 0 and b % 2 == 1 else math.inf
    except ValueError:  # zero to a negative power, or a negative number to one that is not whole
        if a != 0:
            return math.nan
        return math.copysign(math.inf, a) if b % 2 == 1 else math.inf


def guarded(function: Callable[[float], float], *, beyond: float = math.nan) -> Callable[[float], float]:
    """Return the function with `beyond` where it has no value, and infinity where that is too large."""

    def compute(value: float) -> float:
        try:
            return function(value)
        except OverflowError:
            return math.inf
        except ValueError:
            return beyond

    return compute


def logarithm(function: Callable[[float], float]) -> Callable[[float], float]:
    return lambda value: -math.inf if value == 0 else guarded(function)(value)


def whole(function: Callable[[float], int]) -> Callable[[float], float]:
    return lambda value: value if math.isinf(value) or math.isnan(value) else float(function(value))


def sign(value: float) -> float:
    return value if math.isnan(value) or value == 0 else math.copysign(1.0, value)


def rounded(value: float, to: float) -> float:
    """Round to a multiple of `to`; halves up."""
    if math.isnan(value) or math.isinf(value) or to == 0:
        return value if to else math.nan
    inverse = 1.0 / to
    return math.floor(value * inverse + 0.5) / inverse


def quantile(share: float, values: Sequence[float]) -> float:
    """Return the quantile, linear between two values."""
    if not values or math.isnan(share):
        return math.nan
    if share < 0 or share > 1:
        return math.copysign(math.inf, share)
    ordered = sorted(values, key=lambda value: (not math.isnan(value), value))  # NaN is the least
    rank = share * (len(ordered) - 1)
    below = math.floor(rank)
    above = min(below + 1, len(ordered) - 1)
    weight = rank - below
    return ordered[below] * (1 - weight) + ordered[above] * weight


def variance(values: Sequence[float]) -> float:
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values) / len(values)


def plain(value: float) -> str:
    """Write a number without an exponent, as short as it can be read back."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def told(value: float) -> str:
    """Write a number as it stands in the API's answers."""
    size = abs(value)
    if size and not math.isinf(size) and (size < TOO_SMALL or size >= TOO_LARGE):
        return repr(value)
    return plain(value)
