"""A message as the outbox sends it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.command import Picture, TextFile
from bot.model.canonical import JSON

__all__ = ["CARD_EVENT", "MESSAGE_EVENT", "Block", "Message", "Picture", "TextFile"]

Block = dict[str, JSON]
"""One Block Kit block, as plain data."""

CARD_EVENT = "causeway_operation"
MESSAGE_EVENT = "causeway_message"
"""Event types of message metadata: by them a message is found again after an unknown outcome."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    text: str
    """What a notification shows and a screen reader reads; says everything that matters."""
    blocks: tuple[Block, ...] = ()
    metadata: Mapping[str, JSON] | None = None
    """`{"event_type": …, "event_payload": {…}}`."""
    file: TextFile | None = None
    """Sent in the place of the text, which it says itself."""
    picture: Picture | None = None
    """Shown below the text."""
