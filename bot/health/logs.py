"""The last words of a container, and what they advise."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.health.redaction import quoted

_NOISE = re.compile(
    r"^\s|^at |^Node\.js v\d|^\^+$|^npm (?:ERR!|error) A complete log|^goroutine \d|^exit status \d|^Traceback"
    r"|^\.\.\. \d"
)
_TELLING = re.compile(
    r"\b(?:\w*Error|\w*Exception|panic|fatal|critical|failed|cannot|could not|unable to)\b", re.IGNORECASE
)
_MESSAGE_KEYS = ("message", "msg", "event", "error", "err")


@dataclass(frozen=True, slots=True)
class LastWords:
    line: str
    """Redacted and cut."""
    is_last: bool

    def __str__(self) -> str:
        return f"its last line is `{self.line}`" if self.is_last else f"it says `{self.line}`"


def last_words(lines: Sequence[str]) -> LastWords | None:
    """Return the line that tells most about the end: the last telling one that is no part of a stack trace."""
    written = [line for line in lines if line.strip()]
    if not written:
        return None
    plain = [line for line in written if not _NOISE.search(line)] or written
    telling = [line for line in plain if _TELLING.search(line)] or plain
    chosen = telling[-1]
    message = _json_message(chosen)
    return LastWords(quoted(message or chosen), chosen is written[-1] and message is None)


def _json_message(line: str) -> str | None:
    """Return the message of a line of JSON."""
    if not line.lstrip().startswith("{"):
        return None
    try:
        told = json.loads(line)
    except ValueError:
        return None
    if not isinstance(told, dict):
        return None
    parts = [text for key in _MESSAGE_KEYS if isinstance(text := told.get(key), str) and text]
    return ": ".join(parts[:2]) or None


_NAME = r"[\"'`]?([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[A-Z][A-Z0-9]{3,})[\"'`]?"
_KIND = r"(?:environment variable|env(?:ironment)? var|variable|setting|config(?:uration)?(?: key| value)?)"
_UNSET = r"(?:not set|unset|required|missing|undefined|not defined|not found|set|empty)\b"
_SETTING = "|".join(
    (
        rf"KeyError: {_NAME}$",
        rf"{_KIND} {_NAME}",
        rf"{_NAME} (?:is |was |must be |has to be )?{_UNSET}",
        rf"(?:missing|requires?|undefined|unset)(?: required)?:? {_NAME}",
    )
)
_CREDENTIALS = (
    "password authentication failed|Access denied for user|authentication failed|invalid credentials|NOAUTH|WRONGPASS"
)
_NETWORK = (
    "ECONNREFUSED|ENOTFOUND|ETIMEDOUT|[Cc]onnection refused|[Cc]onnection timed out|no such host|getaddrinfo|"
    "Name or service not known|could not translate host|could not connect|Temporary failure in name resolution"
)
_ADVICE: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (
        _SETTING,
        lambda found: f"Set {next(filter(None, found.groups()))} in platform.yaml and deploy again, or roll back.",
    ),
    (
        r"No module named '(?P<name>[\w.]+)'|Cannot find module '(?P<other>[^']+)'",
        lambda found: (
            f"Add {found['name'] or found['other']} to what the image installs and deploy that version, or roll back."
        ),
    ),
    (
        r"exec format error",
        lambda _: "Build the image for the processor of the nodes (usually linux/amd64) and deploy it, or roll back.",
    ),
    (
        _CREDENTIALS,
        lambda _: "Check the credentials that it is given, mend them and deploy again, or roll back.",
    ),
    (
        _NETWORK,
        lambda _: "Check that what it connects to is up and that platform.yaml lets it out there, or roll back.",
    ),
    (
        r"Read-only file system|EROFS",
        lambda _: "Let it write below a volume of platform.yaml: its own file system is read-only. Or roll back.",
    ),
    (
        r"[Pp]ermission denied|EACCES|Operation not permitted|EPERM",
        lambda _: "Make the image run as a user other than root, with files that this user may use, or roll back.",
    ),
    (
        r"[Aa]ddress already in use|EADDRINUSE",
        lambda _: "Let only one process listen on that port, and deploy again, or roll back.",
    ),
)
_COMPILED = tuple((re.compile(pattern), told) for pattern, told in _ADVICE)


def advice(line: str) -> str | None:
    """Return the next step that a line suggests, or None."""
    for pattern, told in _COMPILED:
        found = pattern.search(line)
        if found is not None:
            return told(found)
    return None
