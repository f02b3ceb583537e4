"""Building stones of the Block Kit checker: a rule looks at one value and reports what Slack would refuse."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from playground.slack import limits


class Report:
    """Mistakes found so far, in the words of Slack's `response_metadata.messages`."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def add(self, at: str, problem: str) -> None:
        self.messages.append(f"[ERROR] {problem} [json-pointer:{at}]")


Rule = Callable[[Any, str, Report], None]
Fields = Mapping[str, Rule]


def string(most: int, least: int = 1, pattern: str | None = None) -> Rule:
    def check(value: Any, at: str, report: Report) -> None:
        if not isinstance(value, str):
            report.add(at, "must be a string")
        elif len(value) > most:
            report.add(at, f"must be less than {most + 1} characters")
        elif len(value) < least:
            report.add(at, f"must be more than {least - 1} characters")
        elif pattern and not re.fullmatch(pattern, value):
            report.add(at, "does not match the expected pattern")

    return check


def number(least: float | None = None, most: float | None = None, *, whole: bool = True) -> Rule:
    def check(value: Any, at: str, report: Report) -> None:
        kind = int if whole else int | float
        if not isinstance(value, kind) or isinstance(value, bool):
            report.add(at, "must be an integer" if whole else "must be a number")
        elif (least is not None and value < least) or (most is not None and value > most):
            report.add(at, f"must be between {least} and {most}")

    return check


def boolean(value: Any, at: str, report: Report) -> None:
    if not isinstance(value, bool):
        report.add(at, "must be a boolean")


def one_of(*allowed: str) -> Rule:
    def check(value: Any, at: str, report: Report) -> None:
        if value not in allowed:
            report.add(at, f"must be one of {', '.join(allowed)}")

    return check


def anything(_value: Any, _at: str, _report: Report) -> None:
    """Accept what is checked elsewhere, or not at all."""


def shape(value: Any, at: str, report: Report, required: Fields, optional: Fields) -> bool:
    """Check an object's keys and their values. Return whether it was an object at all."""
    if not isinstance(value, dict):
        report.add(at, "must be an object")
        return False
    for name in required:
        if name not in value:
            report.add(at, f"missing required field: {name}")
    for name, inner in value.items():
        rule = required.get(name) or optional.get(name)
        if rule is None:
            report.add(at, f"invalid additional property: {name}")
        else:
            rule(inner, f"{at}/{name}", report)
    return True


def record(required: Fields, optional: Fields | None = None) -> Rule:
    def check(value: Any, at: str, report: Report) -> None:
        shape(value, at, report, required, optional or {})

    return check


def array(item: Rule, most: int | None = None, least: int = 1) -> Rule:
    def check(value: Any, at: str, report: Report) -> None:
        if not isinstance(value, list):
            report.add(at, "must be an array")
            return
        if most is not None and len(value) > most:
            report.add(at, f"no more than {most} items allowed")
        if len(value) < least:
            report.add(at, f"must have at least {least} item{'s' if least > 1 else ''}")
        for index, inner in enumerate(value):
            item(inner, f"{at}/{index}", report)

    return check


def text(most: int = limits.TEXT, kinds: Collection[str] = ("plain_text", "mrkdwn")) -> Rule:
    """A text object. `emoji` belongs to plain_text only, `verbatim` to mrkdwn only."""

    def check(value: Any, at: str, report: Report) -> None:
        extras: Fields = {"emoji": boolean}
        if isinstance(value, dict) and value.get("type") == "mrkdwn":
            extras = {"verbatim": boolean}
        shape(value, at, report, {"type": one_of(*kinds), "text": string(most)}, extras)

    return check


def plain(most: int) -> Rule:
    return text(most, ("plain_text",))


def tagged(variants: Mapping[str, tuple[Fields, Fields]], unknown: str) -> Rule:
    """An object whose `type` picks its fields: `variants` maps a type to (required, optional)."""

    def check(value: Any, at: str, report: Report) -> None:
        if not isinstance(value, dict):
            report.add(at, "must be an object")
            return
        kind = value.get("type")
        if not isinstance(kind, str) or kind not in variants:
            report.add(f"{at}/type", f"{unknown}: {kind}")
            return
        required, optional = variants[kind]
        shape(value, at, report, {"type": anything, **required}, optional)

    return check
