"""The inputs of a step: every `${{ … }}` in a JSON value evaluated as Backstage does.

A text that is one expression keeps the expression's type; a text that renders empty is as good as not given.
Imported by the child process: the standard library and Jinja2 only.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from jinja2 import nodes

from bot.golden_paths.expressions import TemplateEnvironment, faults
from bot.golden_paths.faults import Fault
from bot.golden_paths.tree import utf8
from bot.golden_paths.values import LateValue, Missing

ABSENT = object()
"""JavaScript's `undefined` in a JSON value: the key is left out."""


class LateText:
    """A text with late values in it."""

    __slots__ = ("parts",)

    def __init__(self, parts: list[str | LateValue]) -> None:
        self.parts = parts


class Evaluator:
    """Evaluates the values of one template run; `owner` is the organisation of repository URLs that name none."""

    def __init__(self, owner: str) -> None:
        self.environment = TemplateEnvironment(owner=owner)

    def value(self, value: Any, scope: Mapping[str, Any], where: str) -> Any:
        """Return the evaluated JSON value, with `LateValue` and `LateText` where outputs are not known yet."""
        match value:
            case str():
                try:
                    return self.text(value, scope)
                except Fault as fault:
                    raise fault.at(where) from fault
            case dict():
                pairs = ((key, self.value(item, scope, f"{where}.{key}")) for key, item in value.items())
                return {key: item for key, item in pairs if item is not ABSENT}
            case list():
                found = (self.value(item, scope, f"{where}[{index}]") for index, item in enumerate(value))
                return [None if item is ABSENT else item for item in found]
            case _:
                return value

    def text(self, source: str, scope: Mapping[str, Any]) -> Any:
        if not has_tags(source):
            return source or ABSENT
        single = single_node(self.environment, source)
        if isinstance(single, nodes.Expr):
            found = self.environment.evaluate(single, scope)
            return ABSENT if isinstance(found, Missing) or callable(found) else found
        self.environment.marks.clear()
        rendered = self.environment.render_text(source, scope)
        if self.environment.marks:
            return self._with_late(rendered)
        return _read_again(rendered) if single is not None else rendered or ABSENT

    def _with_late(self, rendered: str) -> LateText:
        pattern = re.escape(self.environment.mark).replace(r"\{\}", r"(\d+)")
        pieces = re.split(pattern, rendered)
        parts: list[str | LateValue] = []
        for index, piece in enumerate(pieces):
            if index % 2:
                parts.append(self.environment.marks[int(piece)])
            elif piece:
                parts.append(piece)
        return LateText(parts)


def has_tags(source: str) -> bool:
    return "${{" in source or "{%" in source or "{#" in source


def _read_again(rendered: str) -> Any:
    """Return what Backstage makes of a text that is one `{% … %}` block: JSON where it is JSON."""
    try:
        return json.loads(rendered) if rendered else ABSENT
    except ValueError:
        return rendered


def single_node(environment: TemplateEnvironment, source: str) -> nodes.Node | None:
    """Return the expression, or the block, when the text is exactly one. Raise `Fault` when it cannot be read."""
    with faults():
        body = environment.parse(source).body
    match body:
        case [nodes.Output(nodes=[only])] if not isinstance(only, nodes.TemplateData):
            return only
        case [nodes.If() | nodes.For() as block]:
            return block
        case _:
            return None


def plain(value: Any, where: str) -> Any:
    """Return JSON: late values as `{"$late": […]}` (`bot.model.late`). Raise `Fault` for a value that imitates one."""
    match value:
        case LateValue():
            return {"$late": [{"effect": value.step, "output": value.output}]}
        case str():
            utf8(value)
            return value
        case LateText():
            parts = [p if isinstance(p, str) else {"effect": p.step, "output": p.output} for p in value.parts]
            return {"$late": parts}
        case dict():
            if "$late" in value:
                raise Fault("A value holds the reserved key `$late`.", where=where)
            return {key: plain(item, f"{where}.{key}") for key, item in value.items() if not isinstance(item, Missing)}
        case list() | tuple():
            return [plain(item, where) for item in value]
        case Missing():
            return None
        case float() if not math.isfinite(value):
            return None
        case _:
            return value


def holds_late(value: Any) -> LateValue | None:
    """Return the first late value anywhere in an evaluated value."""
    match value:
        case LateValue():
            return value
        case LateText():
            return next(part for part in value.parts if isinstance(part, LateValue))
        case dict():
            return next((late for item in value.values() if (late := holds_late(item))), None)
        case list():
            return next((late for item in value if (late := holds_late(item))), None)
        case _:
            return None
