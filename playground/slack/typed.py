"""What a Slack client makes of what a person types: escaped text with ids for the names in it."""

from __future__ import annotations

import re
from typing import Final

from playground.slack.directory import Directory
from playground.slack.refusals import ClientRefusal

_NAMES: Final = re.compile(r"(?<![\w<])([@#])([\w.-]*\w)")
_URLS: Final = re.compile(r"(?<!<)\b(https?://[^\s<>|]+)")
_KEPT: Final = re.compile(r"<(?:[@#!][\w^]+|https?://[^\s<>|]+)(?:\|[^<>]*)?>")


def encode(text: str, directory: Directory, *, names: bool = False) -> str:
    """Return text as Slack sends it: `& < >` escaped, `@handle` and `#channel` as ids, URLs in angle brackets.

    With `names` the readable name stands behind the id, as in the text of commands with `should_escape`.
    What is in Slack's form already (`<@U…>`) stays as it is.
    """
    parts, end = [], 0
    for kept in _KEPT.finditer(text):
        parts += [_encode(text[end : kept.start()], directory, names=names), kept.group()]
        end = kept.end()
    return "".join([*parts, _encode(text[end:], directory, names=names)])


def _encode(text: str, directory: Directory, *, names: bool) -> str:
    def by_id(found: re.Match[str]) -> str:
        sign, name = found.groups()
        try:
            entity = directory.user(name) if sign == "@" else directory.channel(name)
        except ClientRefusal:
            return found.group()
        return f"<{sign}{entity['id']}|{entity['name']}>" if names else f"<{sign}{entity['id']}>"

    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _NAMES.sub(by_id, _URLS.sub(r"<\1>", escaped))
