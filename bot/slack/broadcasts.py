"""Nobody is called by us who is not meant: what would call a whole channel is taken out of everything we send. Pure.

People and teams choose what they hear of; `@here`, `@channel` and `@everyone` would pass over all of it. Text from
outside is escaped where it enters a message; this holds also for what somebody forgets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_CALLS = re.compile(r"<!\s*(here|channel|everyone|group)\b[^>]*>", re.IGNORECASE)
_SPOKEN = re.compile(r"(?<![\w/])@(here|channel|everyone|group)\b", re.IGNORECASE)
"""What Slack makes a call of where a text is parsed or names are linked. Not in an address."""
_SENDS = ("chat.", "files.completeUploadExternal", "response_url")


def sends(method: str) -> bool:
    """Whether the method puts something into a conversation."""
    return method.startswith(_SENDS)


def without_broadcasts(value: Any) -> Any:
    """Return the same, in which nothing calls everybody; what is no text stays what it is."""
    match value:
        case str():
            return _SPOKEN.sub(_harmless, _CALLS.sub(_harmless, value))
        case Mapping() if value.get("type") == "broadcast":
            return {"type": "text", "text": f"@\u2060{value.get('range', 'here')}"}
        case Mapping():
            return {key: without_broadcasts(part) for key, part in value.items()}
        case list() | tuple():
            return [without_broadcasts(part) for part in value]
        case _:
            return value


def _harmless(found: re.Match[str]) -> str:
    """The same word, with an invisible word joiner in it."""
    return f"@\u2060{found.group(1).lower()}"
