"""What people type, as words: Slack's escapes undone, quotes honoured, phones' typography forgiven."""

from __future__ import annotations

import re
import shlex
from contextlib import suppress

from bot.errors import UsageError
from bot.slack.mrkdwn import plain

MAX_TEXT = 3000
"""Longest text of a command that is read, in characters; Slack's own limit is a little higher."""

_TOKEN = re.compile(r"<([^<>]{1,3000})>")
_TYPOGRAPHY = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "\u00a0": " "})
_QUOTES = frozenset("\"'\\")
_LEADING_MENTION = re.compile(r"^\s*<@[A-Z0-9]+(\|[^<>]*)?>[\s:,]*")


def words(text: str) -> list[str]:
    """Return the words of a command's text. Raise `UsageError` for a text nobody types.

    Mentions become `<@U…>` and `<#C…>`, links their address. An unpaired quote is taken as it stands.
    """
    if len(text) > MAX_TEXT:
        raise UsageError(
            f"That command is {len(text)} characters long, which is more than I read.",
            hint=f"Keep it under {MAX_TEXT} characters.",
        )
    marks: list[str] = []

    def hold(token: re.Match[str]) -> str:
        marks.append(_read(token.group(1)))
        return f"\ue000{len(marks) - 1}\ue001"

    held = _TOKEN.sub(hold, plain(text).replace("\ue000", "").replace("\ue001", "").translate(_TYPOGRAPHY))
    found = [_unescape(word) for word in _split(held)]
    return [_release(word, marks) for word in found] if marks else found


def without_mention(text: str) -> str:
    """Return the text of an `app_mention` event without the mention it begins with."""
    return _LEADING_MENTION.sub("", text, count=1)


def _split(text: str) -> list[str]:
    found = text.split()
    if not _QUOTES.isdisjoint(text):  # shlex reads character by character: most commands need none of it
        with suppress(ValueError):  # a quote without its partner, as in `it's`
            found = shlex.split(text)
    return [f"--{word[1:]}" if word.startswith("—") and len(word) > 1 else word for word in found]


def _read(token: str) -> str:
    target = token.partition("|")[0]
    if target.startswith(("@", "#", "!")):
        return f"<{target}>"
    return _unescape(target.removeprefix("mailto:"))


def _release(word: str, marks: list[str]) -> str:
    return re.sub(r"\ue000(\d+)\ue001", lambda held: marks[int(held.group(1))], word)


def _unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
