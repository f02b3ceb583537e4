"""Connections that calls can cut."""

from __future__ import annotations

import ssl
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from integrations.prometheus.calls import Call, take


class _Held(HTTPConnection):
    """Belongs to the call for which it works."""

    call: Call | None = None

    def connect(self) -> None:
        take(self)
        super().connect()
        take(self)  # it may have been given up meanwhile

    def request(self, *args: Any, **kwargs: Any) -> None:
        take(self)
        super().request(*args, **kwargs)


class _SecureHeld(HTTPSConnection, _Held):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Held


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureHeld


class Connections(HTTPAdapter):
    """Keeps connections between calls; safe for threads. Repeats nothing: an answer that fails is told at once."""

    def __init__(self, most: int, *, secure: bool) -> None:
        """`secure` where the server is reached over TLS. Then what this machine trusts is trusted, as everywhere here:
        requests by itself trusts a list of its own only."""
        self._trust: dict[str, Any] = {"ssl_context": ssl.create_default_context()} if secure else {}
        super().__init__(pool_connections=1, pool_maxsize=most, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **(kwargs | self._trust))
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
