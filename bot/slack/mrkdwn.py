"""Slack's text format: what comes from outside is escaped here before it stands in a message."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import quote

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and the marks that turn the reading direction: they can make a text say something else."""
_MARKS = re.compile(r"(?<!\w)[*_~`]|[*_~`](?!\w)")
"""Formatting marks where Slack would act on them: not inside a word such as `my_service`."""


def cut(text: str, limit: int) -> str:
    """Return `text` within `limit` code points, the last of them `…` where something was left out."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def plain(text: str) -> str:
    """Return `text` for a `plain_text` object: no control characters, no marks that turn the reading direction."""
    return _CONTROL.sub("", text)


def escape(text: str) -> str:
    """Return `text` so that mrkdwn shows it as it is: no mention, link, or formatting comes out of it.

    `&`, `<` and `>` become entities. Formatting marks at the edge of a word get word joiners (invisible) around
    them, so they stay what they are: characters.
    """
    safe = plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKS.sub(lambda mark: f"\u2060{mark.group()}\u2060", safe)


def code(text: str) -> str:
    """Return `text` as inline code, on one line. A backtick inside becomes the typographic one it looks like."""
    safe = " ".join(plain(text).split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"`{safe.replace('`', 'ˋ')}`" if safe else ""


def said(text: str) -> str:
    """Return one of our own sentences for mrkdwn: what stands between backticks becomes code, all else is escaped."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        return escape(text)
    return "".join(code(piece) if number % 2 else escape(piece) for number, piece in enumerate(pieces))


def link(url: str, label: str) -> str:
    """Return a link, or the escaped label alone where `url` is not http(s)."""
    if not url.startswith(("https://", "http://")):
        return escape(label)
    return f"<{quote(url, safe=_URL_SAFE)}|{escape(label).replace('|', '¦')}>"


_URL_SAFE = ":/?#[]@!$'()*+,;=%~-._&"
"""Everything that may stand in a URL; `|`, `<`, `>`, quotes and blanks would end the link early."""


def local_time(at: datetime) -> str:
    """Return a time that Slack shows in the reader's own zone, with UTC for clients that cannot."""
    utc = at.astimezone(UTC)
    return f"<!date^{int(utc.timestamp())}^{{date_short_pretty}} at {{time}}|{utc:%Y-%m-%d %H:%M} UTC>"


def mention(slack_user: str | None, name: str) -> str:
    """Return a mention where the Slack id is known, otherwise the escaped name."""
    if slack_user and re.fullmatch(r"[UW][A-Z0-9]+", slack_user):
        return f"<@{slack_user}>"
    return escape(name)
