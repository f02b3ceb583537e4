"""The ledger: what was asked, decided, done and taken back, never changed afterwards.

Entries are written in the transaction of the change they tell of. `seal.py` chains them later, so that no two
transactions wait for each other here; `verify.py` finds what was tampered with.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import UsageError
from bot.model.canonical import JSON, canonical
from bot.storage.operations import ledger_entries

HIDDEN = "(hidden)"
_SECRET_NAME = re.compile(r"secret|passw|token|credential|private_?key|api_?key|authorization", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"gh[pousr]_\w{16,}|github_pat_\w{16,}|xox[a-z]-[\w-]{10,}|xapp-[\w-]{10,}|AKIA[0-9A-Z]{16}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*|://[^/\s:@]+:[^/\s@]+@"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened."""

    at: datetime
    actor: str
    """Full reference of the person, or `system` for what nobody asked for (expiry, scheduled tries)."""
    door: str
    operation: str
    kind: str
    """`operation.asked`, `effect.done`, `approval.given`, …"""
    body: dict[str, JSON] = field(default_factory=dict)


async def append(connection: AsyncConnection, entries: Sequence[Entry]) -> None:
    """Write `entries` inside the caller's transaction. Raise `UsageError` for values that JSON cannot hold."""
    if not entries:
        return
    rows = [
        {
            "at": entry.at.timestamp(),
            "actor": entry.actor,
            "door": entry.door,
            "operation": entry.operation,
            "kind": entry.kind,
            "body": canonical_text(without_secrets(entry.body)),
        }
        for entry in entries
    ]
    await connection.execute(insert(ledger_entries), rows)


def canonical_text(value: JSON) -> str:
    try:
        return canonical(value).decode()
    except ValueError as error:  # too large an integer, not a number, half a surrogate pair
        raise UsageError(
            "The request holds a value that JSON cannot carry.", hint="Use plain text and numbers below 2^53."
        ) from error


def without_secrets(value: JSON, name: str = "") -> JSON:
    """Return `value` with everything that is named or looks like a secret replaced.

    Requests and outcomes should hold none; this is the second fence.
    """
    match value:
        case dict():
            return {key: without_secrets(item, key) for key, item in value.items()}
        case list():
            return [without_secrets(item, name) for item in value]
        case str() if _SECRET_NAME.search(name) and value:
            return HIDDEN
        case str():
            return _SECRET_VALUE.sub(HIDDEN, value)
        case _:
            return value


def read_body(text: str) -> JSON:
    body: JSON = json.loads(text)
    return body
