"""What the playground remembers between runs: ports, tokens and secrets of its peers."""

from __future__ import annotations

import json
import random
import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"


class Memory:
    """A small JSON file; what is asked for the first time is made up and kept."""

    def __init__(self, file: Path, *, seed: int | None = None) -> None:
        self._file = file
        self._values: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
        self._bytes: Callable[[int], bytes] = random.Random(seed).randbytes if seed is not None else secrets.token_bytes

    def token(self, name: str, prefix: str = "") -> str:
        return str(self._kept(f"token:{name}", lambda: prefix + self._bytes(18).hex()))

    def port(self, name: str, wanted: int = 0) -> socket.socket:
        """Return a bound socket: the remembered port, else the wanted one, else any that is free."""
        remembered = self._values.get(f"port:{name}", 0)
        for port in dict.fromkeys([remembered, wanted, 0]):
            if port == 0 and remembered == 0 and wanted:
                continue
            if (bound := _bind(port)) is not None:
                self._values[f"port:{name}"] = bound.getsockname()[1]
                self._save()
                return bound
        raise OSError(f"port {remembered or wanted} is in use; stop what listens there or choose another with --port")

    def _kept(self, key: str, make: Callable[[], Any]) -> Any:
        if key not in self._values:
            self._values[key] = make()
            self._save()
        return self._values[key]

    def _save(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.touch(mode=0o600)
        self._file.write_text(json.dumps(self._values, indent=2, sort_keys=True))


def _bind(port: int) -> socket.socket | None:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((LOOPBACK, port))
    except OSError:
        bound.close()
        return None
    return bound
