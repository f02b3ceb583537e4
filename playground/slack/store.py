"""What the simulator keeps on disk: one SQLite file, written through at every change.

Without `fsync` (a killed process loses nothing, a lost machine may): a playground has to be quick, not a bank.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_TABLES = """
CREATE TABLE IF NOT EXISTS record (kind TEXT, key TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS message (
    channel TEXT, ts TEXT, root TEXT NOT NULL, is_reply INTEGER NOT NULL, ephemeral_to TEXT, body TEXT NOT NULL,
    PRIMARY KEY (channel, ts)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS message_thread ON message (channel, root, ts);
CREATE TABLE IF NOT EXISTS entry (
    stream TEXT, n INTEGER, kind TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (stream, n)
) WITHOUT ROWID;
"""


class Store:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(folder / "slack.sqlite", isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.executescript(_TABLES)
        self._depth = 0

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Write everything inside, or nothing when it raises. May be nested."""
        if self._depth:
            yield
            return
        self._db.execute("BEGIN")
        self._depth = 1
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        else:
            self._db.execute("COMMIT")
        finally:
            self._depth = 0

    def put(self, kind: str, key: str, body: Json) -> None:
        self._db.execute("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", (kind, key, json.dumps(body)))

    def get(self, kind: str, key: str) -> Json | None:
        return self._one("SELECT body FROM record WHERE kind = ? AND key = ?", kind, key)

    def all(self, kind: str) -> list[Json]:
        return self._many("SELECT body FROM record WHERE kind = ? ORDER BY key", kind)

    def delete(self, kind: str, key: str) -> None:
        self._db.execute("DELETE FROM record WHERE kind = ? AND key = ?", (kind, key))

    def append(self, stream: str, n: int, kind: str, body: Json) -> None:
        self._db.execute("INSERT INTO entry VALUES (?, ?, ?, ?)", (stream, n, kind, json.dumps(body)))

    def since(self, stream: str, after: int, limit: int) -> list[Json]:
        """Return the entries with a number above `after`, oldest first."""
        return self._many("SELECT body FROM entry WHERE stream = ? AND n > ? ORDER BY n LIMIT ?", stream, after, limit)

    def newest(self, stream: str, kind: str, count: int) -> list[Json]:
        """Return the last `count` entries of a kind, oldest first."""
        found = self._many(
            "SELECT body FROM entry WHERE stream = ? AND kind = ? ORDER BY n DESC LIMIT ?", stream, kind, count
        )
        return found[::-1]

    def last(self, stream: str) -> int:
        row = self._db.execute("SELECT max(n) FROM entry WHERE stream = ?", (stream,)).fetchone()
        return int(row[0] or 0)

    def put_message(self, message: Json) -> None:
        root = message["thread_ts"] or message["ts"]
        self._db.execute(
            "INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?, ?, ?)",
            (
                message["channel"],
                message["ts"],
                root,
                root != message["ts"] and message["subtype"] != "thread_broadcast",
                message["ephemeral_to"],
                json.dumps(message),
            ),
        )

    def message(self, channel: str, ts: str) -> Json | None:
        return self._one("SELECT body FROM message WHERE channel = ? AND ts = ?", channel, ts)

    def delete_message(self, channel: str, ts: str) -> None:
        self._db.execute("DELETE FROM message WHERE channel = ? AND ts = ?", (channel, ts))

    def history(
        self, channel: str, *, user: str | None, before: str, after: str, limit: int, inclusive: bool = False
    ) -> list[Json]:
        """Return a channel's own messages (no replies), newest first; ephemeral ones only those for `user`."""
        return self._many(
            "SELECT body FROM message WHERE channel = ? AND is_reply = 0 AND (ephemeral_to IS NULL OR ephemeral_to = ?)"
            " AND (ts < ? OR (? AND ts = ?)) AND (ts > ? OR (? AND ts = ?)) ORDER BY ts DESC LIMIT ?",
            *(channel, user, before, inclusive, before, after, inclusive, after, limit),
        )

    def thread(self, channel: str, root: str, *, user: str | None) -> list[Json]:
        """Return a root and its replies, oldest first; ephemeral ones only those for `user`."""
        return self._many(
            "SELECT body FROM message WHERE channel = ? AND root = ? AND (ephemeral_to IS NULL OR ephemeral_to = ?)"
            " ORDER BY ts",
            channel,
            root,
            user,
        )

    def newest_ts(self, channel: str | None = None) -> str | None:
        """Return the newest public timestamp of a channel, or the newest of all."""
        query, arguments = "SELECT max(ts) FROM message", ()
        if channel is None:
            row = self._db.execute(query, arguments).fetchone()
        else:
            query += " WHERE channel = ? AND ephemeral_to IS NULL"
            row = self._db.execute(query, (channel,)).fetchone()
        return None if row[0] is None else str(row[0])

    def _one(self, query: str, *arguments: Any) -> Json | None:
        row = self._db.execute(query, arguments).fetchone()
        return None if row is None else dict(json.loads(row[0]))

    def _many(self, query: str, *arguments: Any) -> list[Json]:
        return [json.loads(body) for (body,) in self._db.execute(query, arguments)]
