"""What an uploaded file is, judged by its first bytes as Slack does, whatever it is called."""

from __future__ import annotations

import struct

from playground.slack.store import Json

_PNG = b"\x89PNG\r\n\x1a\n"


def kind(name: str, content: bytes) -> Json:
    """Return the fields of Slack's file object that say what a file is; of a PNG its size in pixels too."""
    if content.startswith(_PNG) and len(content) >= 24:
        width, height = struct.unpack_from(">II", content, 16)
        return {"mimetype": "image/png", "filetype": "png", "original_w": width, "original_h": height}
    for start, found in ((b"\xff\xd8\xff", "jpeg"), (b"GIF8", "gif")):
        if content.startswith(start):
            return {"mimetype": f"image/{found}", "filetype": "jpg" if found == "jpeg" else found}
    return {"mimetype": "text/plain", "filetype": name.rpartition(".")[2].lower() if "." in name else "text"}


def is_picture(file: Json) -> bool:
    return str(file.get("mimetype", "")).startswith("image/")
