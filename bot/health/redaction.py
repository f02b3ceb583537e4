"""Takes secrets out of text that other programs wrote, such as log lines, before people see it.

It errs on the side of hiding: a word that looks like a credential goes, and what stands around it stays, so that the
line can still be understood. It knows shapes, not values: what looks like ordinary prose passes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from bot.model.credentials import HIDDEN, WHOLE

LONGEST_LINE = 240
"""Characters of one line that a sentence may quote."""

_TELLTALE = (
    r"[\w.-]*(?:passwo?r?d|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|"
    r"client[_-]?secret|credentials?|authorization|cookie|session[_-]?id|connection[_-]?string|dsn)[\w.-]*"
)
_PEM = re.compile(rf"-----BEGIN ([A-Z0-9 ]+)-----(?! {HIDDEN}).*?(?:-----END \1-----|\Z)", re.DOTALL)
_PEM_END = re.compile(r"-----END [A-Z0-9 ]+-----")
_PEM_BODY = re.compile(r"[A-Za-z0-9+/=]{20,}")

_AROUND: tuple[tuple[re.Pattern[str], str], ...] = (
    # scheme://user:password@host, the password perhaps with an @ of its own
    (re.compile(r"(?P<keep>\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s/]+(?=@)", re.IGNORECASE), r"\g<keep>" + HIDDEN),
    (re.compile(r"(?P<keep>\b[a-z][a-z0-9+.-]*://)[^\s:/@]{16,}(?=@)", re.IGNORECASE), r"\g<keep>" + HIDDEN),
    # Authorization: Bearer …, Basic …
    (re.compile(r"(?P<keep>\b(?:bearer|basic|token)\s+)[\w.~+/=-]{8,}", re.IGNORECASE), r"\g<keep>" + HIDDEN),
    # --name value
    (re.compile(rf"(?P<keep>--?{_TELLTALE}\s+)(?!-)\S+", re.IGNORECASE), r"\g<keep>" + HIDDEN),
    # name=value, "name": "value", name: value
    (
        re.compile(
            rf"(?P<keep>\b{_TELLTALE}[\"']?\s*[:=]\s*)(?P<quote>[\"'])(?:\\.|(?!(?P=quote)).)*(?P=quote)?",
            re.IGNORECASE,
        ),
        r"\g<keep>\g<quote>" + HIDDEN + r"\g<quote>",
    ),
    (
        re.compile(
            rf"(?P<keep>\b{_TELLTALE}[\"']?\s*[:=]\s*)(?![\"'\s{{\[‹])(?!(?:bearer|basic|token)\s)[^\s,;&)\]}}\"']+",
            re.IGNORECASE,
        ),
        r"\g<keep>" + HIDDEN,
    ),
)


def redact(text: str) -> str:
    """Return `text` with everything that looks like a credential hidden."""
    text = _PEM.sub(lambda found: f"-----BEGIN {found[1]}----- {HIDDEN}", text)
    for pattern in WHOLE:
        text = pattern.sub(HIDDEN, text)
    for pattern, replacement in _AROUND:
        text = pattern.sub(replacement, text)
    return text


def redact_lines(lines: Iterable[str]) -> tuple[str, ...]:
    """Return the lines redacted one by one; the lines of a key that spans several are hidden together."""
    kept: list[str] = []
    inside_key = False
    for line in lines:
        if inside_key:
            inside_key = _PEM_END.search(line) is None
            if not inside_key:
                kept.append(HIDDEN)
            continue
        inside_key = "-----BEGIN " in line and _PEM_END.search(line) is None
        kept.append(redact(line))
    return _without_orphaned_key(kept)


def _without_orphaned_key(lines: Sequence[str]) -> tuple[str, ...]:
    """Hide the rest of a key whose beginning was cut off with the lines before."""
    for index, line in enumerate(lines):
        if _PEM_END.search(line) and all(_PEM_BODY.fullmatch(above.strip()) for above in lines[:index]):
            return (HIDDEN, *lines[index + 1 :])
    return tuple(lines)


def quoted(line: str, longest: int = LONGEST_LINE) -> str:
    """Return one line as it may stand between backticks in a sentence: redacted, printable, cut, without backticks."""
    plain = _ESCAPES.sub("", line)
    plain = "".join(c if c.isprintable() else " " for c in plain)
    plain = re.sub(r"\s+", " ", redact(plain)).strip().replace("`", "'")
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"


_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[@-_]")
"""Colours and cursor movements of terminals."""
