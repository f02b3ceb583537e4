"""What the simulated GitHub remembers beside Git objects: documents in memory, written through to one SQLite file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Document = dict[str, Any]
"""One JSON object: a repository, a pull request, a webhook."""


class Store:
    """Documents by collection, scope (a repository's id, an organisation's login) and key, in order of creation.

    Every change is one SQLite transaction in WAL mode: a killed process loses nothing that was answered.
    """

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(file, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS documents (collection TEXT, scope TEXT, key TEXT, body TEXT, "
            "PRIMARY KEY (collection, scope, key))"
        )
        self._documents: dict[tuple[str, str], dict[str, Document]] = {}
        rows = self._database.execute("SELECT collection, scope, key, body FROM documents ORDER BY rowid")
        for collection, scope, key, body in rows:
            self._documents.setdefault((collection, scope), {})[key] = json.loads(body)

    def get(self, collection: str, scope: object, key: object) -> Document | None:
        """Return the living document: change it, then `put` it back."""
        return self._documents.get((collection, str(scope)), {}).get(str(key))

    def all(self, collection: str, scope: object = "") -> Sequence[Document]:
        return list(self._documents.get((collection, str(scope)), {}).values())

    def put(self, collection: str, scope: object, key: object, document: Document) -> Document:
        self._documents.setdefault((collection, str(scope)), {})[str(key)] = document
        self._database.execute(
            "INSERT INTO documents VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
            (collection, str(scope), str(key), json.dumps(document)),
        )
        return document

    def delete(self, collection: str, scope: object, key: object) -> bool:
        """Return whether it was there."""
        found = self._documents.get((collection, str(scope)), {}).pop(str(key), None) is not None
        if found:
            self._database.execute(
                "DELETE FROM documents WHERE collection = ? AND scope = ? AND key = ?",
                (collection, str(scope), str(key)),
            )
        return found

    def drop(self, scope: object) -> None:
        """Forget everything of one scope, as the deletion of a repository does."""
        for name in [name for name in self._documents if name[1] == str(scope)]:
            del self._documents[name]
        self._database.execute("DELETE FROM documents WHERE scope = ?", (str(scope),))

    def next_id(self, name: str, first: int = 1) -> int:
        """Return a number that no earlier call with this name got, restarts included."""
        counter = self.get("counters", "", name) or {"next": first}
        taken = int(counter["next"])
        self.put("counters", "", name, {"next": taken + 1})
        return taken

    def close(self) -> None:
        self._database.close()
