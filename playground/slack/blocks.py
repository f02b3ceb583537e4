"""Blocks as Slack keeps them: with the ids and defaults that it fills in, and how to find an element in them."""

from __future__ import annotations

import copy
import secrets
from typing import Any

from playground.slack.blockkit import ACTIONABLE, elements_of

Json = dict[str, Any]


def stored(blocks: list[Json]) -> list[Json]:
    """Return a copy with a block_id on every block, an action_id on every element and the defaults of text objects."""
    kept = [copy.deepcopy(block) for block in blocks]
    for block in kept:
        block.setdefault("block_id", secrets.token_urlsafe(4))
        for child in block.get("child_blocks") or []:
            child.setdefault("block_id", secrets.token_urlsafe(4))
        for element in elements_of(block):
            if element.get("type") in ACTIONABLE:
                element.setdefault("action_id", secrets.token_urlsafe(4))
        _default_texts(block)
    return kept


def _default_texts(value: Any) -> None:
    if isinstance(value, list):
        for inner in value:
            _default_texts(inner)
    elif isinstance(value, dict):
        if value.get("type") == "plain_text" and isinstance(value.get("text"), str):
            value.setdefault("emoji", True)
        elif value.get("type") == "mrkdwn" and isinstance(value.get("text"), str):
            value.setdefault("verbatim", False)
        else:
            for inner in value.values():
                _default_texts(inner)


def interactive(blocks: list[Json]) -> list[tuple[Json, Json]]:
    """Return every (block, element) that a person can touch, in reading order; children of containers included."""
    found: list[tuple[Json, Json]] = []
    for block in blocks:
        if block.get("type") == "container":
            found.extend(interactive(block.get("child_blocks") or []))
        else:
            found.extend((block, element) for element in elements_of(block) if element.get("type") in ACTIONABLE)
    return found


def find(blocks: list[Json], action_id: str, block_id: str | None, value: Any = None) -> tuple[Json, Json] | None:
    """Return the (block, element) with that action_id; among several buttons the one with that value."""
    named = [
        (block, element)
        for block, element in interactive(blocks)
        if element.get("action_id") == action_id and block_id in (None, block.get("block_id"))
    ]
    buttons = [(block, element) for block, element in named if element["type"] == "button"]
    if buttons and value is not None:
        named = [(block, element) for block, element in buttons if element.get("value") == value]
    return named[0] if named else None
