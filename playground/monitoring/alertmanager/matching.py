"""Matchers: by which silences and filters choose alerts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playground.monitoring.alertmanager.alerts import MISSING, Unfit

_FILTER = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*"|[^"{},]*)\s*')


@dataclass(frozen=True, slots=True)
class Matcher:
    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True

    def fits(self, labels: Mapping[str, str]) -> bool:
        """Say whether labels fit; a label that is not there is empty."""
        found = labels.get(self.name, "")
        same = bool(re.fullmatch(f"(?:{self.value})", found, re.DOTALL)) if self.is_regex else found == self.value
        return same == self.is_equal

    def told(self) -> dict[str, Any]:
        return {"name": self.name, "value": self.value, "isRegex": self.is_regex, "isEqual": self.is_equal}


def matcher(told: Any) -> Matcher:
    """Read one of a posted silence's. Raise `Unfit`."""
    if not isinstance(told, dict) or not isinstance(told.get("name"), str) or not isinstance(told.get("value"), str):
        raise Unfit("matchers.name in body is required", MISSING)
    if not isinstance(told.get("isRegex"), bool):
        raise Unfit("matchers.isRegex in body is required", MISSING)
    found = Matcher(told["name"], told["value"], told["isRegex"], told.get("isEqual", True) is not False)
    if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", found.name):
        raise Unfit(f'silence invalid: invalid label matcher: invalid label name "{found.name}"')
    _checked(found)
    return found


def from_filter(text: str) -> Matcher:
    """Read `name="value"` of a query. Raise `Unfit`."""
    found = _FILTER.fullmatch(text)
    if found is None:
        raise Unfit(f"bad matcher format: {text}")
    name, operator, value = found.groups()
    try:
        plain = json.loads(value) if value.startswith('"') else value.strip()
    except ValueError as error:
        raise Unfit(f"bad matcher format: {text}") from error
    return _checked(Matcher(name, plain, "~" in operator, not operator.startswith("!")))


def _checked(found: Matcher) -> Matcher:
    if found.is_regex:
        try:
            re.compile(f"(?:{found.value})")
        except re.error as error:
            raise Unfit(
                f'silence invalid: invalid label matcher: invalid regular expression "{found.value}": {error}'
            ) from error
    return found
