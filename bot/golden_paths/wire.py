"""Messages between the bot and its rendering child: JSON and the contents of files, framed by their lengths.

A frame is 4 bytes (length of the JSON), 8 bytes (length of the contents), the JSON, the contents. Files stand in the
JSON as `[path, mode, index]`, where `index` counts the contents in the order of `sizes`; equal contents travel once.

Imported by the child process: the standard library only.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

from bot.golden_paths.tree import Entry

HEAD = struct.Struct(">IQ")

Message = dict[str, Any]


class Contents:
    """Collects the contents of files for one frame, each different one once."""

    def __init__(self) -> None:
        self._index: dict[bytes, int] = {}

    def files(self, entries: Mapping[str, Entry]) -> list[list[Any]]:
        """Return `[path, mode, index]` for every file."""
        return [
            [path, entry.mode, self._index.setdefault(entry.content, len(self._index))]
            for path, entry in entries.items()
        ]

    def frame(self, message: Message) -> bytes:
        contents = list(self._index)
        text = json.dumps({**message, "sizes": [len(content) for content in contents]}).encode()
        return HEAD.pack(len(text), sum(map(len, contents))) + text + b"".join(contents)


def unpacked(text: bytes, contents: bytes) -> tuple[Message, list[bytes]]:
    """Return the message and its contents. Raise `ValueError` when its sizes are not true."""
    message: Message = json.loads(text)
    parts, at = [], 0
    for size in message.pop("sizes", []):
        parts.append(contents[at : at + size])
        at += size
    if at != len(contents):
        raise ValueError("a frame's sizes do not add up")
    return message, parts


def entries(files: list[list[Any]], contents: list[bytes]) -> dict[str, Entry]:
    """Return path → file of what `Contents.files` described."""
    return {str(path): Entry(str(mode), contents[index]) for path, mode, index in files}
