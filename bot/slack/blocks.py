"""Block Kit as plain dicts, made by pure functions that keep Slack's limits.

Texts arrive ready: whoever passes outside text to a mrkdwn parameter has escaped it (`bot.slack.mrkdwn`). Too long is
cut by code points, too many is folded into "and n more"; nothing here makes Slack refuse a message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from bot.model.canonical import JSON
from bot.slack import limits
from bot.slack.message import Block
from bot.slack.mrkdwn import cut, plain

Style = Literal["primary", "danger"] | None


def plain_text(text: str, limit: int = limits.TEXT) -> Block:
    return {"type": "plain_text", "text": cut(plain(text), limit) or " ", "emoji": True}


def mrkdwn(text: str, limit: int = limits.TEXT) -> Block:
    """A mrkdwn object. `verbatim`: only what is written as a link or mention becomes one."""
    return {"type": "mrkdwn", "text": cut(text, limit) or " ", "verbatim": True}


def header(text: str) -> Block:
    return {"type": "header", "text": plain_text(text, limits.HEADER)}


def section(text: str, *, accessory: Block | None = None) -> Block:
    block: Block = {"type": "section", "text": mrkdwn(text)}
    return block | {"accessory": accessory} if accessory else block


def lines(texts: Sequence[str], *, most: int = limits.TEXT) -> list[Block]:
    """Return sections that hold one text a line, as few as the limit allows; no line is torn apart."""
    blocks: list[Block] = []
    current = ""
    for text in (cut(text, most) for text in texts):
        if current and len(current) + 1 + len(text) > most:
            blocks.append(section(current))
            current = text
        else:
            current = f"{current}\n{text}" if current else text
    return [*blocks, section(current)] if current else blocks


def fields(pairs: Mapping[str, str]) -> Block:
    """Name and value side by side; at most ten, the rest folded into the last."""
    texts = [f"*{name}*\n{value}" for name, value in pairs.items()]
    shown = fold(texts, limits.SECTION_FIELDS)
    return {"type": "section", "fields": [mrkdwn(text, limits.SECTION_FIELD) for text in shown]}


def context(*texts: str) -> Block:
    shown = fold(texts, limits.CONTEXT_ELEMENTS)
    return {"type": "context", "elements": [mrkdwn(text) for text in shown]}


def divider() -> Block:
    return {"type": "divider"}


def button(
    label: str,
    action_id: str,
    value: str,
    *,
    style: Style = None,
    confirm: Block | None = None,
    spoken: str = "",
) -> Block:
    """`spoken` is what a screen reader says in the place of the label, where the label alone is not clear."""
    made: Block = {
        "type": "button",
        "text": plain_text(label, limits.BUTTON_TEXT),
        "action_id": action_id,
        "value": value,
    }
    if style:
        made["style"] = style
    if confirm:
        made["confirm"] = confirm
    if spoken:
        made["accessibility_label"] = cut(spoken, limits.ACCESSIBILITY_LABEL)
    return made


def confirm(title: str, text: str, *, yes: str, no: str = "Cancel", style: Literal["primary", "danger"]) -> Block:
    return {
        "title": plain_text(title, limits.CONFIRM_TITLE),
        "text": plain_text(text, limits.CONFIRM_TEXT),
        "confirm": plain_text(yes, limits.CONFIRM_BUTTON),
        "deny": plain_text(no, limits.CONFIRM_BUTTON),
        "style": style,
    }


def actions(elements: Sequence[Block], *, block_id: str) -> Block:
    shown: list[JSON] = list(elements[: limits.ACTIONS_ELEMENTS])
    return {"type": "actions", "block_id": block_id, "elements": shown}


def option(label: str, value: str, description: str = "") -> Block:
    made: Block = {"text": plain_text(label, limits.OPTION_TEXT), "value": value}
    return made | {"description": plain_text(description, limits.OPTION_DESCRIPTION)} if description else made


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Block:
    """A table as aligned text: every client shows it, it can be copied, and cells stay what they are."""
    cells = [[" ".join(plain(cell).split()).replace("`", "ˋ") for cell in row] for row in (columns, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    escaped = [text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for text in texts]
    return section(f"```{_fitting(escaped, limits.TEXT - 40)}```")


def preformatted(text: str) -> Block | None:
    """Return `text` as a code block, or None when it does not fit or would break out of it (send a file then)."""
    safe = plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if "```" in safe or len(safe) > limits.TEXT - 8 or not safe.strip():
        return None
    return section(f"```{safe}```")


def problem(text: str, hint: str = "") -> list[Block]:
    """What happened and what to do, both escaped already."""
    return [section(f"*{text}*"), *([section(hint)] if hint else [])]


def guarded(blocks: Iterable[Block], most: int = limits.MESSAGE_BLOCKS, *, keep_last: int = 0) -> list[Block]:
    """Return at most `most` blocks; what is left out is counted in a context line before the last `keep_last`."""
    every = list(blocks)
    if len(every) <= most:
        return every
    room = most - keep_last - 1
    left_out = len(every) - room - keep_last
    return [*every[:room], context(f"and {left_out} more"), *every[len(every) - keep_last :]]


def noted(blocks: Iterable[Block], note: str) -> list[Block]:
    """Return the blocks with one line of small text (mrkdwn) below them."""
    return guarded([*blocks, context(note)], keep_last=1)


def fold(texts: Sequence[str], most: int, more: str = "and {} more") -> list[str]:
    """Return at most `most` texts; the last says how many were left out (`more` holds `{}` for the number)."""
    if len(texts) <= most:
        return list(texts)
    return [*texts[: most - 1], more.format(len(texts) - most + 1)]


def _fitting(texts: Sequence[str], most: int) -> str:
    kept: list[str] = []
    size = 0
    for text in texts:
        size += len(text) + 1
        if size > most:
            return "\n".join([*kept, f"and {len(texts) - len(kept)} more"])
        kept.append(text)
    return "\n".join(kept)
