"""As much of GitHub's Markdown as comments of bots use, as safe HTML. What it does not know stays text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

_HIDDEN = re.compile(r"<!--.*?-->", re.DOTALL)
_INLINE = re.compile(
    r"\\(?P<plain>[!-/:-@\[-`{-~])"
    r"|(?P<fence>`+)(?P<code>(?:(?!(?P=fence)).|(?P=fence)`+)+?)(?P=fence)(?!`)"
    r"|<(?P<link>https?://[^\s<>]+)>"
    r"|\*\*(?P<bold>(?:(?!\*\*).)+)\*\*"
    r"|<(?P<tag>/?sub)>"
)


def html_of(text: str) -> str:
    """Return HTML in which nothing of the text is markup but what is made here."""
    visible = _HIDDEN.sub("", text)
    return "".join(map(_block, re.split(r"\n\s*\n", visible.replace("\r", "").strip())))


def _block(block: str) -> str:
    lines = [line for line in block.strip("\n").split("\n") if line.strip()]
    if not lines:
        return ""
    if heading := re.fullmatch(r"(#{1,6}) (.*)", lines[0]):
        rest = _block("\n".join(lines[1:]))
        return f"<h4>{_inline(heading[2])}</h4>{rest}"
    if len(lines) > 1 and lines[0].startswith("|") and re.fullmatch(r"[|\s:-]+", lines[1]):
        head, *rows = [list(_cells(line)) for line in (lines[0], *lines[2:])]
        body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
        return f"<table><tr>{''.join(f'<th>{cell}</th>' for cell in head)}</tr>{body}</table>"
    if all(line.startswith("> ") for line in lines):
        return f"<blockquote>{_inline(' '.join(line[2:] for line in lines))}</blockquote>"
    if all(line.startswith("- ") for line in lines):
        return f"<ul>{''.join(f'<li>{_inline(line[2:])}</li>' for line in lines)}</ul>"
    return f"<p>{'<br>'.join(map(_inline, lines))}</p>"


def _cells(row: str) -> Iterator[str]:
    for cell in re.split(r"(?<!\\)\|", row.strip().removeprefix("|").removesuffix("|")):
        yield _inline(cell.strip(), in_table=True)


def _inline(text: str, *, in_table: bool = False) -> str:
    parts, place = [], 0
    for found in _INLINE.finditer(text):
        parts.append(escape(text[place : found.start()]))
        parts.append(_shown(found, in_table=in_table))
        place = found.end()
    return "".join((*parts, escape(text[place:])))


def _shown(found: re.Match[str], *, in_table: bool) -> str:
    if found["plain"] is not None:
        return escape(found["plain"])
    if found["code"] is not None:
        code = found["code"]
        if len(code) > 2 and code[0] == code[-1] == " ":
            code = code[1:-1]
        return f"<code>{escape(code.replace(chr(92) + '|', '|') if in_table else code)}</code>"
    if found["link"] is not None:
        return f'<a href="{escape(found["link"])}">{escape(found["link"])}</a>'
    if found["bold"] is not None:
        return f"<b>{_inline(found['bold'], in_table=in_table)}</b>"
    return f"<{found['tag']}>"
