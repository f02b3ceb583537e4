"""Glob patterns of `copyWithoutTemplating`, `copyWithoutRender` and `fs:delete`: `**`, `*`, `?`, `[…]`, `{a,b}`, `!`.

Imported by the child process: the standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from bot.golden_paths.faults import Fault

PATTERN_MAX = 500
"""The longest pattern, in characters."""


def matcher(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Return whether a path matches any pattern and no `!` pattern. A pattern that names a folder means all in it."""
    wanted = [_compiled(pattern) for pattern in patterns if not pattern.startswith("!")]
    unwanted = [_compiled(pattern[1:]) for pattern in patterns if pattern.startswith("!")]

    def matches(path: str) -> bool:
        return any(one.fullmatch(path) for one in wanted) and not any(one.fullmatch(path) for one in unwanted)

    return matches


def _compiled(pattern: str) -> re.Pattern[str]:
    if len(pattern) > PATTERN_MAX:
        raise Fault(f"A glob pattern is longer than {PATTERN_MAX} characters.")
    pattern = pattern.removeprefix("./").rstrip("/")
    below = "" if re.search(r"[*?\[{]", pattern) else "(?:/.*)?"
    try:
        return re.compile(_translated(pattern) + below, re.DOTALL)
    except re.error as error:
        raise Fault(f"The glob pattern `{pattern[:80]}` cannot be read.") from error


def _translated(pattern: str) -> str:
    out, at, open_braces = "", 0, 0
    while at < len(pattern):
        char = pattern[at]
        if pattern.startswith("**/", at):
            out, at = out + ("" if out.endswith("(?:[^/]+/)*") else "(?:[^/]+/)*"), at + 3
            continue
        if pattern.startswith("**", at):
            out, at = out + ".*", at + 2
            continue
        end = pattern.find("]", at + 2) if char == "[" else -1
        if end > 0:
            inner = pattern[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            out, at = out + "[" + ("^" + inner[1:] if inner[0] in "!^" else inner) + "]", end + 1
            continue
        if char == "{" and "}" in pattern[at:]:
            out, open_braces = out + "(?:", open_braces + 1
        elif char == "}" and open_braces:
            out, open_braces = out + ")", open_braces - 1
        elif char == "," and open_braces:
            out += "|"
        else:
            out += {"*": "[^/]*", "?": "[^/]"}.get(char, re.escape(char))
        at += 1
    return out + ")" * open_braces
