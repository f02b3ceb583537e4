"""The variables by which a pod reaches a database. No value of a Secret is ever known here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.model.databases import CONNECTION, Engine
from bot.rendering.stores.store import Store

PORTS: Mapping[Engine, int] = {"postgresql": 5432, "mysql": 3306, "valkey": 6379}
"""Where each engine listens, if nobody says otherwise."""
NAME = "app"
"""Of the database inside the server, and of the user that it belongs to."""
_SCHEMES: Mapping[Engine, str] = {"postgresql": "postgresql", "mysql": "mysql", "valkey": "redis"}
_PARTS: Mapping[Engine, Mapping[str, str]] = {
    "postgresql": {"port": "5432", "name": NAME, "user": NAME},
    "mysql": {"port": "3306", "name": NAME, "user": NAME},
    "valkey": {"port": "6379", "name": "0", "user": "default"},
}


def binding(engine: Engine, keys: Mapping[str, str]) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return `keys` and `fixed` of a store whose Secret somebody else's program writes.

    It holds each part under its own name, unless `keys` says otherwise; where that is empty, a part that is always the
    same stands in for it. Of Valkey, name and user are such parts from the start.
    """
    usual = {part: part for part in CONNECTION}
    if engine == "valkey":
        usual |= {"name": "", "user": ""}
    held = usual | dict(keys)
    fixed = {part: value for part, value in _PARTS[engine].items() if not held[part]}
    return {part: key for part, key in held.items() if key}, fixed


def variables(store: Store) -> list[dict[str, Any]]:
    """Return the six variables `DATABASE_HOST`, `DATABASE_PORT` and so on, as a container's `env` has them."""
    return [{"name": f"DATABASE_{part.upper()}", **_source(store, part)} for part in CONNECTION]


def _source(store: Store, part: str) -> dict[str, Any]:
    if part in store.fixed:
        return {"value": store.fixed[part]}
    if part in store.keys:
        return {"valueFrom": {"secretKeyRef": {"name": store.secret, "key": store.keys[part]}}}
    return {"value": _url(store)}


def _url(store: Store) -> str:
    """Return the address put together from the variables before it, which Kubernetes does as it starts the pod."""
    where = "$(DATABASE_USER):$(DATABASE_PASSWORD)@$(DATABASE_HOST):$(DATABASE_PORT)/$(DATABASE_NAME)"
    encrypted = "?sslmode=require" if store.external_name and store.engine == "postgresql" else ""
    return f"{_SCHEMES[store.engine]}://{where}{encrypted}"
