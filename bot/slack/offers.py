"""A button beside an answer that asks a request in the name of whoever presses it. All that it asks stands in its
value: it can do no more than the person could by typing it, and policy judges it when it is pressed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Literal

from bot.model.canonical import JSON
from bot.model.plan import Offer
from bot.slack import blocks
from bot.slack.limits import BUTTON_VALUE
from bot.slack.message import Block

PREFIX = "of:"
"""Begins the value of such a button; cards' values begin otherwise."""


def offer_button(offer: Offer, *, style: Literal["primary", "danger"] | None = None, spoken: str = "") -> Block | None:
    """Return the button; None where the request does not fit into one."""
    value = PREFIX + json.dumps([offer.command, offer.request], ensure_ascii=False, separators=(",", ":"))
    if len(value) > BUTTON_VALUE:
        return None
    asked = None
    if offer.confirm:
        asked = blocks.confirm(offer.label, offer.confirm, yes=offer.label, style=style or "primary")
    return blocks.button(offer.label, offer.action, value, style=style, confirm=asked, spoken=spoken)


def offered(value: str) -> tuple[str, Mapping[str, JSON]] | None:
    """Return command and request of a button; None for a value that is none of ours."""
    if not value.startswith(PREFIX):
        return None
    try:
        found = json.loads(value.removeprefix(PREFIX))
    except ValueError:
        return None
    match found:
        case [str(command), dict(request)]:
            return command, request
    return None
