"""Jinja2 templates of Kubernetes objects, in which no value can ever become YAML.

`{{ … }}` stands for one whole value (or key). While a template is rendered, only a sign takes its place; the text with
the signs is parsed as YAML, and then each sign is replaced with the JSON value itself. So a value is never text that a
YAML parser sees. A value of none leaves its key out.

Templates know expressions, `if`, `for` and `set`; the rest of Jinja2 could build text from values, and is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

import bot
from bot.errors import Invalid, Mistake
from bot.model.canonical import JSON
from bot.rendering.text import Unreadable, child, parse

SHIPPED = tuple(
    Path(bot.__file__).resolve().parent.parent / "manifests" / name
    for name in ("web_service", "database", "environment")
)
_SIGN = re.compile("\ue000([0-9]+)\ue001")
_SINK = "_values_of_this_rendering"
_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Expr,
    nodes.If,
    nodes.For,
    nodes.Assign,
    nodes.Helper,
)


def render_template(name: str, values: Mapping[str, Any], folders: Sequence[Path] = ()) -> JSON:
    """Return what a template makes of the values; None when it makes nothing.

    The first of `folders` that has a file of that name wins over the shipped one. Raise `Invalid`, which names the
    file, for a template that cannot be used.
    """
    path = template_path(name, folders)
    sink: list[JSON] = []
    with template_errors(path):
        template = _compiled(path, path.stat().st_mtime_ns if folders else 0)
        text = template.render(values, **{_SINK: sink})
    document = _parsed(path, text)
    return None if document is None else _filled(path, document, sink, "")


@contextmanager
def template_errors(path: Path) -> Iterator[None]:
    """Raise `Invalid`, which names the file, for whatever is wrong with a template."""
    try:
        yield
    except jinja2.TemplateSyntaxError as error:
        raise _unusable(path, f"line {error.lineno}", f"is no Jinja2: {error.message}") from error
    except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        raise _unusable(path, "", f"cannot be rendered: {error}") from error
    except OSError as error:
        raise _unusable(path, "", f"cannot be read: {error.strerror}") from error


def template_path(name: str, folders: Sequence[Path]) -> Path:
    """Return the file of that name: the first of `folders` that has one wins over the shipped one."""
    for folder in (*folders, *SHIPPED):
        if (folder / name).is_file():
            return folder / name
    raise _unusable(Path(name), "", "does not exist")


@lru_cache(maxsize=256)
def _compiled(path: Path, _changed: int) -> jinja2.Template:
    source = path.read_text(encoding="utf-8")
    if "\ue000" in source or "\ue001" in source:
        raise _unusable(path, "", "holds a character that is used inside; remove U+E000 and U+E001")
    refuse_strange_nodes(path, _ENGINE.parse(source, str(path)))
    return _ENGINE.from_string(source)


def refuse_strange_nodes(path: Path, tree: nodes.Template) -> None:
    """Raise `Invalid` for what of Jinja2 templates may not use."""
    for node in _walk(tree):
        if not isinstance(node, _ALLOWED) or (isinstance(node, nodes.For) and node.recursive):
            told = f"uses `{type(node).__name__.lower()}`; templates may use expressions, `if`, `for` and `set`"
            raise _unusable(path, f"line {node.lineno}", told)


def _walk(node: nodes.Node) -> list[nodes.Node]:
    return [node, *(inner for part in node.iter_child_nodes() for inner in _walk(part))]


@jinja2.pass_context
def _signed(context: Context, value: Any) -> str:
    sink: list[JSON] = context[_SINK]
    sink.append(_json(value))
    return f"\ue000{len(sink) - 1}\ue001"


def _json(value: Any) -> JSON:
    """Return a copy of a JSON value, without keys whose value is none. Raise for anything else."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, (dict, Mapping)):
        return {str(key): _json(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, (list, tuple)):
        return [_json(inner) for inner in value]
    if isinstance(value, jinja2.Undefined):
        str(value)  # says itself what is undefined
    raise TypeError(f"a value of type {type(value).__name__} cannot stand in a manifest")


_ENGINE = ImmutableSandboxedEnvironment(
    undefined=jinja2.StrictUndefined, finalize=_signed, trim_blocks=True, lstrip_blocks=True, autoescape=False
)
_ENGINE.globals.clear()


def _parsed(path: Path, text: str) -> Any:
    try:
        return _skeleton(text)
    except Unreadable as error:
        raise _unusable(path, error.mistake.path, error.mistake.message) from None


@lru_cache(maxsize=2048)
def _skeleton(text: str) -> Any:
    """Return what a text with signs is as YAML. Documents of one form give the same text, so it is parsed once."""
    parsed = parse(text)
    if parsed.mistakes:
        raise Unreadable(parsed.mistakes[0])
    if len(parsed.documents) > 1:
        raise Unreadable(Mistake("", "makes several documents; one template makes one object"))
    return parsed.documents[0] if parsed.documents else None


def _filled(path: Path, value: Any, sink: list[JSON], where: str) -> JSON:
    """Return a fresh copy of the skeleton with values in the place of signs."""
    if isinstance(value, str):
        return _value(path, value, sink, where)
    if isinstance(value, dict):
        filled: dict[str, JSON] = {}
        for key, inner in value.items():
            name = _value(path, key, sink, where) if "\ue000" in key else key
            found = _filled(path, inner, sink, child(where, str(name)))
            if found is not None:
                filled[str(name)] = found
        return filled
    if isinstance(value, list):
        items = [_filled(path, inner, sink, child(where, number)) for number, inner in enumerate(value)]
        return [item for item in items if item is not None]
    return value  # type: ignore[no-any-return]  # a number, true, false or null


def _value(path: Path, text: str, sink: list[JSON], where: str) -> JSON:
    if "\ue000" not in text:
        return text
    sign = _SIGN.fullmatch(text)
    if sign is None:
        told = "an expression must be the whole value; put texts together inside it: `{{ name ~ '-db' }}`"
        raise _unusable(path, where, told)
    return sink[int(sign[1])]


def _unusable(path: Path, where: str, told: str) -> Invalid:
    mistake = Mistake(f"{path.name}: {where}" if where else path.name, told)
    return Invalid(f"The template {path} cannot be used.", [mistake], hint="Tell the platform team.")
