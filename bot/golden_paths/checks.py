"""The expressions of a template, checked when it is loaded: syntax, filters, names, outputs that cannot be foretold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jinja2 import nodes

from bot.errors import Mistake
from bot.golden_paths.actions import ACTIONS, Runs
from bot.golden_paths.evaluation import has_tags
from bot.golden_paths.expressions import JS_ITEMS, JS_PAIRS, JS_PRINT, JS_VALUE, TemplateEnvironment, faults
from bot.golden_paths.faults import Fault

ROOTS = frozenset({"parameters", "steps", "user", "each", "context", "range", "null", "undefined", "loop", "carried"})
_OWN = frozenset({JS_VALUE, JS_PRINT, JS_ITEMS, JS_PAIRS})
EXPRESSION_MAX = 20_000
"""The longest text with expressions, in characters."""


def check_expressions(
    steps: Sequence[Mapping[str, Any]], output: Mapping[str, Any]
) -> tuple[list[Mistake], list[Mistake]]:
    """Return mistakes and warnings of all steps (as the template writes them) and of the output."""
    checker = _Checker()
    for index, step in enumerate(steps):
        path = f"spec.steps[{index}]"
        for place in ("if", "each"):
            checker.check(step.get(place), f"{path}.{place}", late="a condition or loop")
        reading = ACTIONS[step["action"]].runs is Runs.READING
        for name, value in step["input"].items():
            needed_now = "the files" if reading else "the repository's name" if name == "repoUrl" else ""
            checker.check(value, f"{path}.input.{name}", late=needed_now)
        checker.actions[step["id"]] = step["action"]
    checker.check(dict(output), "spec.output", late="")
    return checker.mistakes, checker.warnings


class _Checker:
    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []
        self.warnings: list[Mistake] = []
        self.actions: dict[str, str] = {}
        """The steps before the one that is looked at: id → action."""
        self._environment = TemplateEnvironment()

    def check(self, value: Any, path: str, *, late: str) -> None:
        """Look at every text in `value`. `late` says what would hang on a late output; empty: it may hold one."""
        for where, text in _texts(value, path):
            if len(text) > EXPRESSION_MAX:
                self.mistakes.append(
                    Mistake(where, f"A text with expressions has at most {EXPRESSION_MAX} characters.")
                )
                continue
            try:
                with faults():
                    tree = self._environment.parse(text)
                    self._names(tree, where)
                    self._outputs(tree, where, late)
            except Fault as fault:
                self.mistakes.append(Mistake(where, f"{fault.message} {fault.hint}".strip()))

    def _names(self, tree: nodes.Template, where: str) -> None:
        for found in tree.find_all(nodes.Filter):
            if found.name not in self._environment.filters or (" " in found.name and found.name not in _OWN):
                self.mistakes.append(Mistake(where, f"The filter `{found.name[:80]}` is not known here."))
        for test in tree.find_all(nodes.Test):
            if test.name not in self._environment.tests:
                self.mistakes.append(Mistake(where, f"The test `{test.name[:80]}` is not known here."))
        if next(tree.find_all((nodes.Include, nodes.Extends, nodes.Import, nodes.FromImport)), None):
            self.mistakes.append(Mistake(where, "`include`, `import` and `extends` are not available in golden paths."))
        own = {name.name for name in tree.find_all(nodes.Name) if name.ctx in ("store", "param")}
        own |= {macro.name for macro in tree.find_all(nodes.Macro)}
        for name in {name.name for name in tree.find_all(nodes.Name) if name.ctx == "load"} - own - ROOTS:
            if name == "secrets":
                self.mistakes.append(Mistake(where, "`secrets` never pass through a template here; leave it out."))
            else:
                self.warnings.append(Mistake(where, f"Nothing sets `{name[:80]}`, so it is empty."))

    def _outputs(self, tree: nodes.Template, where: str, late: str) -> None:
        direct = {id(part) for output in tree.find_all(nodes.Output) for part in output.nodes}
        for node, chain in _chains(tree):
            step, name = chain
            action = self.actions.get(step)
            if action is None:
                self.warnings.append(Mistake(where, f"No earlier step is called `{step[:80]}`, so this is empty."))
                continue
            known = ACTIONS[action]
            spoken = f"steps.{step}.output.{name or '…'}"
            late_names = known.late if name is None else known.late & {name}
            if name is not None and name not in known.outputs:
                self.warnings.append(Mistake(where, f"`{action}` yields no `{name[:80]}`, so this is empty."))
            elif late_names and late:
                self.mistakes.append(
                    Mistake(where, f"`{spoken}` is known only after the step has run, and {late} hang on it.")
                )
            elif late_names and (id(node) in direct) is (name is None):
                text = f"`{spoken}` is known only after the step has run, so nothing can be computed from it."
                self.mistakes.append(Mistake(where, text))


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    match value:
        case str() if has_tags(value):
            yield path, value
        case dict():
            for key, item in value.items():
                yield from _texts(item, f"{path}.{key}")
        case list():
            for index, item in enumerate(value):
                yield from _texts(item, f"{path}[{index}]")


def _chains(tree: nodes.Node) -> Iterator[tuple[nodes.Node, tuple[str, str | None]]]:
    """Yield every `steps.<id>.output.<name>` with its outermost node; the name is None where it cannot be told."""
    inner: set[int] = set()
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        if id(node) in inner:
            continue
        path = _path(node, inner)
        if path and path[0] == "steps" and len(path) > 1:
            step = path[1] if path[1] is not None else "…"
            yield node, (step, path[3] if len(path) == 4 else None if len(path) < 4 else path[3])


def _path(node: nodes.Node, inner: set[int]) -> list[str | None]:
    parts: list[str | None] = []
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        if isinstance(node, nodes.Getattr):
            parts.append(node.attr)
        else:
            constant = isinstance(node.arg, nodes.Const)
            parts.append(str(node.arg.value) if constant else None)  # type: ignore[attr-defined]  # a Const has one
        node = node.node
        inner.add(id(node))
    if not isinstance(node, nodes.Name):
        return []
    return [node.name, *reversed(parts)]
