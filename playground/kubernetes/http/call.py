"""One request as the handlers see it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from playground.kubernetes.http.parameters import Query, field_manager
from playground.kubernetes.http.target import Target
from playground.kubernetes.objects import Object
from playground.kubernetes.rbac import User
from playground.kubernetes.registry import Resource
from playground.kubernetes.status import ApiError, not_found
from playground.kubernetes.store import Store


@dataclass(slots=True)
class Call:
    store: Store
    request: web.Request
    user: User
    target: Target
    resource: Resource
    body: bytes
    warnings: list[str] = field(default_factory=list)

    @property
    def query(self) -> Query:
        return self.request.query

    @property
    def content_type(self) -> str:
        return self.request.headers.get("Content-Type", "").partition(";")[0].strip()

    def manager(self, kind: str, *, applies: bool = False) -> str:
        agent = self.request.headers.get("User-Agent", "")
        return field_manager(self.query, agent, kind, applies=applies)

    def existing(self) -> Object:
        """Return the stored object, which is shared: copy it before changing it. Raise a 404 where there is none."""
        found = self.store.objects.get(self.resource.key, self.target.namespace, self.target.name)
        if found is None:
            raise not_found(self.resource, self.target.name)
        return found

    def shown(self, obj: Object) -> Object:
        """Return an object under the version that was asked for."""
        wanted = self.target.api_version
        return obj if obj.get("apiVersion") == wanted else {**obj, "apiVersion": wanted}

    def warn(self, complaints: Sequence[str]) -> None:
        self.warnings += complaints


def respond(body: Any, status: int = 200, warnings: Sequence[str] = ()) -> web.Response:
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    headers = {"Content-Type": "application/json", "Cache-Control": "no-cache, private"}
    response = web.Response(status=status, body=text.encode(), headers=headers)
    for warning in warnings:
        quoted = warning.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{quoted}"')
    return response


def refused(error: ApiError) -> web.Response:
    response = respond(error.body(), error.code)
    response.headers.update(error.headers)
    return response
