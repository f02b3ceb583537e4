"""Pieces that several pages share, as HTML already escaped."""

from __future__ import annotations

from html import escape

from playground.github.merging import FileChange
from playground.github.store import Document


def differences(changes: list[FileChange]) -> str:
    parts = []
    for change in changes:
        kinds = {"+": "plus", "-": "minus", "@": "at"}
        rows = "".join(
            f'<span class="{kinds.get(text[:1], "same")}">{escape(text)}\n</span>'
            for text in (change.patch or "Binary file").split("\n")
        )
        counts = f"+{change.additions} -{change.deletions}"
        parts.append(f"<h3>{escape(change.path)} <small>{counts}</small></h3><pre class='diff'>{rows}</pre>")
    return "".join(parts)


def state_of(record: Document) -> str:
    return "merged" if record.get("merged_at") else str(record["state"])


def badge(state: str) -> str:
    return f'<span class="badge {escape(state)}">{escape(state)}</span>'
