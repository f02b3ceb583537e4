"""Jinja2 templates of plain text, for what is no YAML: a file that Terraform picks up.

Here values do become text. So they are few, and each is a name or a number that cannot mean anything but itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.rendering.templates import refuse_strange_nodes, template_errors, template_path

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*|")


def render_text(name: str, values: Mapping[str, str | int | bool], folders: Sequence[Path]) -> str:
    """Return the text that a template makes of the values. Raise `Invalid`, which names the file, for a template that
    cannot be used."""
    path = template_path(name, folders)
    with template_errors(path):
        source = path.read_text(encoding="utf-8")
        refuse_strange_nodes(path, _ENGINE.parse(source, str(path)))
        return _ENGINE.from_string(source).render(values)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, jinja2.Undefined):
        return str(value)  # says itself what is undefined
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        return value
    raise TypeError("a value is neither a name nor a number, and could mean something else here")


_ENGINE = ImmutableSandboxedEnvironment(
    undefined=jinja2.StrictUndefined,
    finalize=_plain,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,
)
_ENGINE.globals.clear()
