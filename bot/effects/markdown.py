"""Text from outside on its way into Markdown that the forge renders: nothing in it is markup, a link or a mention.

GitHub looks for mentions, references and addresses after it has read the Markdown, so escaping alone does not stop
them: an invisible space behind their first character does. Inside of code it looks for nothing.
"""

from __future__ import annotations

import re

LONGEST = 300
"""Characters of one piece of text that are shown."""
_HARMLESS = r"[,']|(?<=[A-Za-z0-9])-(?=[A-Za-z0-9])|(?<=[A-Za-z])\.(?=\s|$)"
"""What is markup nowhere: mails and pages that show the Markdown as it is written stay readable."""
_MARKUP = re.compile(rf"((?!{_HARMLESS})[!-/:-@\[-`{{-~])")
"""All other punctuation of ASCII's, which is what Markdown lets a backslash stand before."""
_REFERENCE = re.compile(r"(\\[@#])|\b(GH)(?=-\d)", re.IGNORECASE)
_SAFE_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?(/[A-Za-z0-9._~/-]*)?")
NO_SPACE = "\N{ZERO WIDTH SPACE}"


def line(text: str, most: int = LONGEST) -> str:
    """Return the text on one line, without what cannot be seen, cut to a readable length."""
    seen = " ".join("".join(c if c.isprintable() or c.isspace() else "" for c in text).split())
    return seen if len(seen) <= most else f"{seen[: most - 1].rstrip()}…"


def plain(text: str, most: int = LONGEST) -> str:
    """Return text that reads as it stands, also in the cell of a table."""
    escaped = _MARKUP.sub(r"\\\1", line(text, most))
    return _REFERENCE.sub(lambda found: f"{found[0]}{NO_SPACE}", escaped)


def code(text: str, most: int = LONGEST, *, in_table: bool = False) -> str:
    """Return text as code. `in_table` for the cell of a table, which ends at any bar, even in code."""
    shown = line(text, most)
    if not shown:
        return "—"
    runs = re.findall(r"`+", shown)
    fence = "`" * (max(map(len, runs), default=0) + 1)
    space = " " if shown[0] == "`" or shown[-1] == "`" else ""
    shown = shown.replace("|", "\\|") if in_table else shown
    return f"{fence}{space}{shown}{space}{fence}"


def address(url: str, *, in_table: bool = False) -> str:
    """Return a link; as code what is no plain address."""
    return f"<{url}>" if _SAFE_ADDRESS.fullmatch(url) else code(url, in_table=in_table)
