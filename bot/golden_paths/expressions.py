"""Backstage's step expressions and skeleton files, evaluated by Jinja2 as nunjucks would.

The environment is sandboxed and keeps no Python within reach: members come from `members`, filters from `filters`,
operators are JavaScript's. Imported by the child process: the standard library and Jinja2 only.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from secrets import token_hex
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError, UndefinedError, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension
from jinja2.lexer import Lexer, Token, TokenStream
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from bot.golden_paths.faults import Fault
from bot.golden_paths.filters import TEXT_MAX, bounded, filters
from bot.golden_paths.members import lookup
from bot.golden_paths.values import JsDict, JsList, LateValue, Missing, concatenated, number, printed, wrap

_COMMENT = re.compile(r"\{#(?![-+])(.*?)(?<![-+])#\}", re.DOTALL)
_VERBATIM = re.compile(r"(\{%-?\s*)(end)?verbatim(\s*-?%\})")

ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}

JS_VALUE = "javascript value"
JS_PRINT = "javascript print"
JS_ITEMS = "javascript items"
JS_PAIRS = "javascript pairs"


class Operators(Extension):
    """`===` and `!==` are read as `==` and `!=`; `elseif` as `elif`."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        before = ""
        for token in stream:
            if token.type == "assign" and before in ("eq", "ne"):
                before = ""
                continue
            opens_tag = before == "block_begin" and token.value == "elseif"
            before = token.type
            yield Token(token.lineno, "name", "elif") if opens_tag else token


class NunjucksLexer(Lexer):
    """Reads escapes in quoted text as nunjucks does: `\\n`, `\\r`, `\\t`; any other character stands for itself."""

    def wrap(
        self, stream: Iterable[tuple[int, str, str]], name: str | None = None, filename: str | None = None
    ) -> Iterator[Token]:
        return super().wrap(self._unescaped(stream), name, filename)

    def _unescaped(self, stream: Iterable[tuple[int, str, str]]) -> Iterator[tuple[int, str, str]]:
        for line, kind, value in stream:
            if kind == "string" and "\\" in value:
                text = re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), value[1:-1], flags=re.DOTALL)
                yield line, kind, value[0] + text.encode("unicode_escape").decode() + value[-1]
            else:
                yield line, kind, value


class Nunjucks(NodeTransformer):
    """Rewrites the tree where Jinja2 compiles to Python operations that no hook of the environment reaches."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - the visitor's naming
        self.generic_visit(node)
        node.nodes = [_filtered(part, JS_PRINT) for part in node.nodes]
        return node

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(node, JS_VALUE)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(node, JS_VALUE)

    def visit_Pair(self, node: nodes.Pair) -> nodes.Node:  # noqa: N802
        if isinstance(node.key, nodes.Name):
            node.key = nodes.Const(node.key.name)
        self.generic_visit(node)
        return node

    def visit_CondExpr(self, node: nodes.CondExpr) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.expr2 = node.expr2 or nodes.Const("")
        return node

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.iter = _filtered(node.iter, JS_PAIRS if isinstance(node.target, nodes.Tuple) else JS_ITEMS)
        return node


class LoopVariables(NodeTransformer):
    """Carries a variable that is set in a loop out of it, as nunjucks does, when the template sets it outside too."""

    HOLDER = "carried"

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names

    def visit_Name(self, node: nodes.Name) -> nodes.Node:  # noqa: N802
        if node.name not in self.names:
            return node
        if node.ctx == "store":
            return nodes.NSRef(self.HOLDER, node.name, lineno=node.lineno)
        return nodes.Getattr(nodes.Name(self.HOLDER, "load"), node.name, "load", lineno=node.lineno)


def _filtered(node: nodes.Node, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


def _carried_names(tree: nodes.Template) -> frozenset[str]:
    def assigned(within: nodes.Node) -> set[str]:
        return {a.target.name for a in within.find_all(nodes.Assign) if isinstance(a.target, nodes.Name)}

    if next(tree.find_all(nodes.For), None) is None:
        return frozenset()
    inside = {name for loop in tree.find_all(nodes.For) for name in assigned(loop)}
    if not inside:
        return frozenset()
    outside = {a.target.name for a in tree.body if isinstance(a, nodes.Assign) and isinstance(a.target, nodes.Name)}
    bound = {name.name for loop in tree.find_all(nodes.For) for name in loop.target.find_all(nodes.Name)}
    bound |= {loop.target.name for loop in tree.find_all(nodes.For) if isinstance(loop.target, nodes.Name)}
    bound |= {argument.name for macro in tree.find_all(nodes.Macro) for argument in macro.args}
    return frozenset((inside & outside) - bound)


class TemplateEnvironment(ImmutableSandboxedEnvironment):
    """Jinja2 with the syntax, the values and the filters of nunjucks as Backstage configures it."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})
    intercepted_unops = frozenset({"+", "-"})

    def __init__(
        self, *, owner: str = "", cookiecutter: bool = False, trim_blocks: bool = False,
        lstrip_blocks: bool = False, newline: str = "\n",
    ) -> None:  # fmt: skip
        super().__init__(
            variable_start_string="{{" if cookiecutter else "${{",
            variable_end_string="}}",
            trim_blocks=trim_blocks,
            lstrip_blocks=lstrip_blocks,
            newline_sequence=newline,
            keep_trailing_newline=True,
            undefined=Missing,
            finalize=self._finalize,
            autoescape=False,
            extensions=[Operators],
            cache_size=0,
        )
        self._lexer = NunjucksLexer(self)
        self.marks: list[LateValue] = []
        self.mark = f"\0{token_hex(8)}:{{}}\0"
        """Stands in rendered text where a late value will be; unguessable, so no value from outside can forge one."""
        self.globals = {"range": _range, "null": None, "undefined": Missing(name="undefined")}
        self.filters = {**filters(owner), "select": _select, "reject": _reject}
        self.filters |= {JS_VALUE: wrap, JS_PRINT: concatenated, JS_ITEMS: _items, JS_PAIRS: _pairs}
        self.tests |= {"equalto": lambda a, b: a == b, "falsy": lambda a: not a, "truthy": lambda a: bool(a)}  # noqa: PLW0108 - a type is no function to mypy
        self.tests |= {"null": lambda a: a is None, "greaterthan": self.tests["gt"], "lessthan": self.tests["lt"]}

    @property
    def lexer(self) -> Lexer:
        return self._lexer

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        source = _VERBATIM.sub(r"\1\2raw\3", source)
        if (self.trim_blocks or self.lstrip_blocks) and "{#" in source and "raw" not in source:
            source = _COMMENT.sub(r"{#+\1+#}", source)  # nunjucks trims around blocks only, Jinja2 around comments too
        tree = super()._parse(source, name, filename)
        carried = _carried_names(tree)
        if carried:
            LoopVariables(carried).visit(tree)
        Nunjucks().visit(tree)
        tree.set_environment(self)
        return tree

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Namespace):
            return getattr(obj, attribute, Missing(name=attribute))
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        found, value = lookup(obj, argument)
        return value if found else self.undefined(name=str(argument))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "+":
            return _add(left, right)
        try:
            return number(_arithmetic(operator, _to_number(left), _to_number(right)))
        except OverflowError:
            return math.inf

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:
        value = _to_number(arg)
        return number(-value if operator == "-" else value)

    def _finalize(self, value: Any) -> str:
        if isinstance(value, LateValue):
            self.marks.append(value)
            return self.mark.format(len(self.marks) - 1)
        return printed(value)

    def render_text(self, source: str, variables: Mapping[str, Any], *, limit: int = TEXT_MAX) -> str:
        """Render `source`. Raise `Fault` for a mistake in it and for a result of more than `limit` characters."""
        with faults():
            template = self.from_string(source)
            context = template.new_context({**variables, LoopVariables.HOLDER: Namespace()})
            parts, size = [], 0
            for part in template.root_render_func(context):
                size += len(part)
                if size > limit:
                    raise Fault(f"It grows beyond {limit:,} characters.")
                parts.append(part)
            return "".join(parts)

    def evaluate(self, expression: nodes.Expr, variables: Mapping[str, Any]) -> Any:
        """Return the value of one parsed expression."""
        with faults():
            store = nodes.Assign(nodes.Name("result", "store"), expression, lineno=1)
            template = self.from_string(nodes.Template([store], lineno=1))
            context = template.new_context(dict(variables))
            for _ in template.root_render_func(context):
                pass  # an assignment prints nothing; the loop runs it
            return context.vars.get("result")


class faults:  # noqa: N801 - reads as a statement
    """Turns what Jinja2 and Python raise on a wrong template into a `Fault`."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: Any, error: BaseException | None, _trace: Any) -> None:
        match error:
            case None | Fault() | MemoryError():
                return
            case TemplateSyntaxError():
                raise Fault(_sentence(error.message or "It cannot be read."), where=f"line {error.lineno}") from error
            case SecurityError():
                raise Fault("It reaches for something that templates may not touch.") from error
            case UndefinedError():
                raise Fault(_sentence(f"It calls or compares something that is not there: {error.message}")) from error
            case TemplateError():
                raise Fault(_sentence(str(error.message))) from error
            case RecursionError():
                raise Fault("It is nested or calls itself too deeply.") from error
            case TypeError() if "no loader" in str(error):
                raise Fault("`include`, `import` and `extends` are not available in golden paths.") from error
            case TypeError() | ValueError() | AttributeError() | ArithmeticError() | LookupError() | SyntaxError():
                raise Fault(_sentence(f"It cannot be evaluated: {str(error)[:200]}")) from error


def _sentence(text: str) -> str:
    text = text.strip()[:300]
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _add(left: Any, right: Any) -> Any:
    """Return JavaScript's `+`: numbers are added, everything else is joined as text."""
    for side in (left, right):
        if isinstance(side, LateValue):
            raise side.refuse()
    plain = (int, float)
    if isinstance(left, plain) and isinstance(right, plain):
        return number(left + right)
    texts = concatenated(left), concatenated(right)
    bounded(len(texts[0]) + len(texts[1]))
    return texts[0] + texts[1]


def _to_number(value: Any) -> float | int:
    match value:
        case LateValue():
            raise value.refuse()
        case bool() | int() | float():
            return value
        case None:
            return 0
        case str() if not value.strip():
            return 0
        case str() if re.fullmatch(r"\s*[+-]?(\d{1,400}\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", value):
            return float(value)
        case _:
            return math.nan


def _arithmetic(operator: str, left: float, right: float) -> float:
    left, right = float(left), float(right)
    match operator:
        case "-":
            return left - right
        case "*":
            return left * right
        case "**":
            return math.pow(left, right)
        case "%":
            return math.fmod(left, right) if right else math.nan
        case _ if right == 0:
            return math.nan if left == 0 or math.isnan(left) else math.copysign(math.inf, left)
        case "//":
            return math.floor(left / right)
        case _:
            return left / right


def _range(start: int, stop: int | None = None, step: int = 1) -> JsList:
    first, end = (0, start) if stop is None else (start, stop)
    numbers = range(int(first), int(end), int(step))
    if len(numbers) > 100_000:
        raise Fault("`range` gives more than 100,000 numbers.")
    return JsList(numbers)


def _items(value: Any) -> Any:
    """Return what a loop with one variable walks over: lists and texts; objects have no items in nunjucks."""
    if isinstance(value, LateValue):
        raise value.refuse()
    return value if isinstance(value, list | tuple | str) else ()


def _pairs(value: Any) -> Any:
    """Return what a loop with several variables walks over: the entries of an object, or the lists in a list."""
    return list(value.items()) if isinstance(value, JsDict | dict) else _items(value)


@pass_context
def _select(context: Context, value: Any, test: str = "truthy", *args: Any) -> JsList:
    return JsList(i for i in _items(value) if context.environment.call_test(test, i, list(args), context=context))


@pass_context
def _reject(context: Context, value: Any, test: str = "truthy", *args: Any) -> JsList:
    return JsList(i for i in _items(value) if not context.environment.call_test(test, i, list(args), context=context))
