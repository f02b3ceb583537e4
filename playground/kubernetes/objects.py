"""Where the simulated cluster's objects lie: in memory, written through to one SQLite file, with a short history."""

from __future__ import annotations

import json
import sqlite3
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

Object = dict[str, Any]
"""One Kubernetes object. What lies in here is never changed in place: readers may hold it for as long as they like."""
Key = tuple[str, str]
"""Group and plural of a resource."""
T = TypeVar("T")
_NESTED = frozenset({dict, list})


def copied(value: T) -> T:
    """Return a deep copy of JSON; several times as fast as `copy.deepcopy`.

    It runs for every object that anybody reads: most of what it meets is text, for which a call would cost the most.
    """
    # What is returned is of the type that came in; the checker cannot follow that through a comprehension.
    if type(value) is dict:
        return {key: copied(item) if type(item) in _NESTED else item for key, item in value.items()}  # type: ignore[return-value, attr-defined]
    if type(value) is list:
        return [copied(item) if type(item) in _NESTED else item for item in value]  # type: ignore[return-value, attr-defined]
    return value


@dataclass(frozen=True, slots=True)
class Change:
    """One step of the history. `previous` is the object before it, so that a selector can tell who came and left."""

    revision: int
    what: str
    """`ADDED`, `MODIFIED` or `DELETED`, as a watch says it."""
    key: Key
    object: Object
    previous: Object | None


class Objects:
    """Objects by resource, namespace and name under one growing revision. One event loop; no locks.

    Every change is one SQLite transaction in WAL mode: a killed process loses nothing that was answered. The history
    is not kept over a restart; who watched before it is told that it expired and lists again, as after a compaction.
    """

    def __init__(self, file: Path | None, *, history: int) -> None:
        """`history` is how many changes a late watch can still be told."""
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(file or ":memory:", isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS objects (grp TEXT, plural TEXT, namespace TEXT, name TEXT, body TEXT, "
            "PRIMARY KEY (grp, plural, namespace, name))"
        )
        self._database.execute("CREATE TABLE IF NOT EXISTS revision (only INTEGER PRIMARY KEY, number INTEGER)")
        self._objects: dict[Key, dict[tuple[str, str], Object]] = {}
        self._listeners: list[Callable[[Change], None]] = []
        self._load()
        self.history: deque[Change] = deque(maxlen=history)
        self.oldest = self.revision
        """A watch may start at this revision or later."""

    def _load(self) -> None:
        found = self._database.execute("SELECT number FROM revision").fetchone()
        self.revision = int(found[0]) if found else 0
        rows = self._database.execute("SELECT grp, plural, namespace, name, body FROM objects ORDER BY rowid")
        for group, plural, namespace, name, body in rows:
            self._objects.setdefault((group, plural), {})[(namespace, name)] = json.loads(body)

    def get(self, key: Key, namespace: str, name: str) -> Object | None:
        return self._objects.get(key, {}).get((namespace, name))

    def all(self, key: Key, namespace: str = "") -> list[Object]:
        """Return what lies in a namespace, or in all of them, by namespace and name as etcd does."""
        found = self._objects.get(key, {})
        return [found[place] for place in sorted(found) if not namespace or place[0] == namespace]

    def at(self, key: Key, namespace: str, revision: int) -> list[Object]:
        """Return what lay there at an earlier revision, not older than `oldest`."""
        found = dict(self._objects.get(key, {}))
        for change in reversed(self.history):
            if change.revision <= revision:
                break
            if change.key == key:
                metadata = change.object["metadata"]
                place = (metadata.get("namespace", ""), metadata["name"])
                if change.previous is None:
                    found.pop(place, None)
                else:
                    found[place] = change.previous
        return [found[place] for place in sorted(found) if not namespace or place[0] == namespace]

    def put(self, key: Key, obj: Object) -> Object:
        """Store an object under the next revision, which becomes its `resourceVersion`."""
        metadata = obj["metadata"]
        place = (metadata.get("namespace", ""), metadata["name"])
        previous = self._objects.get(key, {}).get(place)
        revision = self.revision + 1
        stored = {**obj, "metadata": {**metadata, "resourceVersion": str(revision)}}
        with self._transaction(revision):
            self._database.execute(
                "INSERT INTO objects VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
                (*key, *place, json.dumps(stored)),
            )
        self._objects.setdefault(key, {})[place] = stored
        self._tell(Change(revision, "ADDED" if previous is None else "MODIFIED", key, stored, previous))
        return stored

    def remove(self, key: Key, obj: Object) -> Object:
        """Take an object away; what the watches are told carries the revision of its end."""
        metadata = obj["metadata"]
        place = (metadata.get("namespace", ""), metadata["name"])
        revision = self.revision + 1
        with self._transaction(revision):
            self._database.execute(
                "DELETE FROM objects WHERE grp = ? AND plural = ? AND namespace = ? AND name = ?", (*key, *place)
            )
        previous = self._objects[key].pop(place)
        last = {**obj, "metadata": {**metadata, "resourceVersion": str(revision)}}
        self._tell(Change(revision, "DELETED", key, last, previous))
        return last

    def _transaction(self, revision: int) -> _Transaction:
        return _Transaction(self._database, revision)

    def _tell(self, change: Change) -> None:
        self.revision = change.revision
        if len(self.history) == self.history.maxlen:
            self.oldest = self.history[0].revision if self.history else change.revision
        self.history.append(change)
        for listener in tuple(self._listeners):
            listener(change)

    def since(self, revision: int) -> list[Change]:
        """Return every change after `revision`, oldest first."""
        return [change for change in self.history if change.revision > revision]

    def compact(self) -> None:
        """Forget the history: a watch that wants to start before now is told that it expired."""
        self.history.clear()
        self.oldest = self.revision

    def listen(self, listener: Callable[[Change], None]) -> None:
        self._listeners.append(listener)

    def unlisten(self, listener: Callable[[Change], None]) -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)

    def close(self) -> None:
        self._database.close()


class _Transaction:
    """One change together with the revision that it makes."""

    def __init__(self, database: sqlite3.Connection, revision: int) -> None:
        self._database = database
        self._revision = revision

    def __enter__(self) -> None:
        self._database.execute("BEGIN")
        self._database.execute(
            "INSERT INTO revision VALUES (1, ?) ON CONFLICT DO UPDATE SET number = excluded.number", (self._revision,)
        )

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._database.execute("ROLLBACK" if kind else "COMMIT")
