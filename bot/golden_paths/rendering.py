"""`fetch:template`: a skeleton becomes files, as Backstage renders it.

Imported by the child process: the standard library and Jinja2 only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from bot.golden_paths.expressions import TemplateEnvironment
from bot.golden_paths.faults import Fault
from bot.golden_paths.globs import matcher
from bot.golden_paths.tree import LINK, Entry, Workspace, joined, utf8

MARKS = ("{{", "{%", "{#")
"""A text without any of these renders to itself."""

WORKFLOWS = ".github/workflows/"
FOREIGN = frozenset(
    {
        "secrets", "github", "matrix", "env", "needs", "inputs", "steps", "runner", "vars", "job", "jobs", "strategy",
        "always", "cancelled", "contains", "endsWith", "failure", "format", "fromJSON", "hashFiles", "startsWith",
        "success", "toJSON",
    }
)  # fmt: skip
"""Names that mean something to GitHub Actions: an expression with one of them is GitHub's, not the template's."""

_STRINGS = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_BOUND = re.compile(r"\{%-?\s*(?:set|for|macro)\s+(.*?)(?:\bin\b|=|%\})", re.DOTALL)
_NAMES = re.compile(r"(?<![\w.])[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Options:
    """The inputs of one `fetch:template` step."""

    values: Mapping[str, Any]
    target: str = ""
    replace: bool = False
    copy_only: Sequence[str] = ()
    """Globs of files whose content is copied as it stands."""
    render_copied_paths: bool = True
    """`copyWithoutTemplating` renders the paths of copied files, `copyWithoutRender` does not."""
    extension: str = ""
    """Only files with this extension (`.njk`) are rendered, and lose it."""
    cookiecutter: bool = False
    trim_blocks: bool = False
    lstrip_blocks: bool = False
    owner: str = ""


def render_skeleton(skeleton: Mapping[str, Entry], options: Options, workspace: Workspace, *, limit: int) -> None:
    """Render every file of `skeleton` (paths relative to its root) into `workspace`.

    Raise `Fault`, naming the file, for a mistake in a template; no file grows beyond `limit` characters.
    """
    renderer = SkeletonRenderer(options, limit)
    copied = matcher(options.copy_only)
    for path in sorted(skeleton):
        entry = skeleton[path]
        try:
            target, rendered = renderer.place(path, is_copied=copied(path))
            if target is None:
                continue
            target = joined(options.target, target)
            if target in workspace and not options.replace:
                continue
            content = renderer.content(path, target, entry) if rendered else entry.content
            workspace.put(target, Entry(entry.mode, content), replace=options.replace)
        except Fault as fault:
            raise fault.at(path) from fault


class SkeletonRenderer:
    """Renders the paths and the contents of one skeleton's files."""

    def __init__(self, options: Options, limit: int) -> None:
        self._options = options
        self._limit = limit
        self._variables = {"cookiecutter" if options.cookiecutter else "values": options.values}
        self._environments: dict[str, TemplateEnvironment] = {}

    def environment(self, newline: str = "\n") -> TemplateEnvironment:
        if newline not in self._environments:
            self._environments[newline] = TemplateEnvironment(
                owner=self._options.owner, cookiecutter=self._options.cookiecutter, newline=newline,
                trim_blocks=self._options.trim_blocks, lstrip_blocks=self._options.lstrip_blocks,
            )  # fmt: skip
        return self._environments[newline]

    def place(self, path: str, *, is_copied: bool) -> tuple[str | None, bool]:
        """Return where the file goes (None: nowhere, a part of its path rendered empty) and whether it is rendered."""
        options, rendered = self._options, not is_copied
        if options.extension:
            rendered = path.endswith(options.extension) and path.rpartition("/")[2] != options.extension
            path = path.removesuffix(options.extension) if rendered else path
        elif is_copied and not options.render_copied_paths:
            return path, False
        target = self._text(path, limit=10_000)
        dropped = any(part == "" for part in target.split("/"))
        return (None if dropped else target), rendered

    def content(self, path: str, target: str, entry: Entry) -> bytes:
        """Return the rendered content; links and binary files as they stand."""
        text = None if entry.mode == LINK else text_content(entry.content)
        if text is None or not any(mark in text for mark in MARKS):
            return entry.content
        in_workflow = WORKFLOWS in target or WORKFLOWS in path
        if not in_workflow or self._options.cookiecutter:
            return utf8(self._text(text))
        kept = Foreign(text)
        return utf8(kept.restored(self._text(kept.text)))

    def _text(self, text: str, *, limit: int | None = None) -> str:
        """Render with the file's own newlines. Jinja2 makes all newlines one, so mixed ones travel as marks."""
        limit = limit or self._limit
        if not any(mark in text for mark in MARKS):
            return text
        crlf, plain = text.count("\r\n"), text.count("\n")
        lone = text.count("\r") - crlf
        if lone == 0 and crlf in (0, plain):
            return self.environment("\r\n" if crlf else "\n").render_text(text, self._variables, limit=limit)
        marked = text.replace("\r", "\ue00d")
        return self.environment().render_text(marked, self._variables, limit=limit).replace("\ue00d", "\r")


def text_content(content: bytes) -> str | None:
    """Return a text file's text; None for a binary file, which is copied as it stands."""
    if b"\0" in content[:8192]:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


class Foreign:
    """A workflow file in which GitHub's own expressions are replaced by marks until the rest is rendered."""

    def __init__(self, text: str) -> None:
        self.kept: list[str] = []
        self._mark = f"\0{token_hex(8)}:{{}}\0"
        bound = _BOUND.findall(text)
        self._own = {"values", *(name for words in bound for name in _NAMES.findall(words))}
        self.text = self._marked(text)

    def restored(self, rendered: str) -> str:
        for index, expression in enumerate(self.kept):
            rendered = rendered.replace(self._mark.format(index), expression)
        return rendered

    def _marked(self, text: str) -> str:
        out, at = [], 0
        while (start := text.find("${{", at)) >= 0:
            end = _expression_end(text, start)
            expression = text[start:end]
            out.append(text[at:start])
            if self._is_foreign(expression):
                out.append(self._mark.format(len(self.kept)))
                self.kept.append(expression)
            else:
                out.append(expression)
            at = end
        return "".join(out) + text[at:]

    def _is_foreign(self, expression: str) -> bool:
        """Return whether `${{ … }}` holds a name that GitHub Actions knows, outside of quoted text."""
        names = set(_NAMES.findall(_STRINGS.sub("''", expression)))
        foreign = (names & FOREIGN) - self._own
        if foreign and names & self._own:
            raise Fault(
                f"`{expression[:80]}` mixes template values with GitHub's `{min(foreign)}`.",
                hint="Give the value to the workflow's `env` and use that.",
            )
        return bool(foreign)


def _expression_end(text: str, start: int) -> int:
    """Return the position after the `}}` that ends the expression at `start`; quoted text may hold `}}`."""
    at, quote = start + 3, ""
    while at < len(text):
        char = text[at]
        if quote:
            at += char == "\\"
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif text.startswith("}}", at):
            return at + 2
        at += 1
    return start + 3
