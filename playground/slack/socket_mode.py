"""Socket Mode: up to ten connections; each envelope goes to one of them and waits for its acknowledgement."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any, Final

from aiohttp import WSMsgType, web

from playground.slack.store import Json
from playground.slack.workspace import Workspace

MOST_CONNECTIONS: Final = 10
PING_S: Final = 10.0
"""Clients close a connection that has been silent for half a minute."""


class Sockets:
    def __init__(self, slack: Workspace) -> None:
        self._slack = slack
        self._open: list[web.WebSocketResponse] = []
        self._waiting: dict[str, tuple[web.WebSocketResponse, asyncio.Future[Any]]] = {}
        self._next = 0

    @property
    def count(self) -> int:
        return len(self._open)

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection; its ticket came from apps.connections.open and is good for one."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._slack.tickets or self.count >= MOST_CONNECTIONS:
            return web.json_response({"ok": False, "error": "invalid_ticket"}, status=403)
        self._slack.tickets.discard(ticket)
        socket = web.WebSocketResponse(heartbeat=PING_S)
        await socket.prepare(request)
        self._open.append(socket)
        await socket.send_json(self._hello())
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._acknowledged(message.data)
        finally:
            self._forget(socket)
        return socket

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": self.count,
            "debug_info": {"host": "simulator", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": self._slack.directory.app_id},
        }

    def _acknowledged(self, data: str) -> None:
        try:
            answer = json.loads(data)
        except ValueError:
            return
        waiting = self._waiting.get(str(answer.get("envelope_id"))) if isinstance(answer, dict) else None
        if waiting and not waiting[1].done():
            waiting[1].set_result(answer.get("payload", ""))

    def _forget(self, socket: web.WebSocketResponse) -> None:
        if socket in self._open:
            self._open.remove(socket)
        for owner, future in self._waiting.values():
            if owner is socket and not future.done():
                future.set_exception(ConnectionResetError("the socket closed before the acknowledgement"))

    async def send(self, kind: str, payload: Json, retry: int, reason: str) -> Any:
        """Send an envelope and return the payload of its acknowledgement. Raise `ConnectionError` without a socket."""
        if not self._open:
            raise ConnectionError("the app has no socket open")
        socket = self._open[self._next % len(self._open)]
        self._next += 1
        envelope_id = str(uuid.uuid4())
        envelope = {
            "envelope_id": envelope_id,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        if kind == "events_api":
            envelope.update(retry_attempt=retry, retry_reason=reason if retry else "")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[envelope_id] = (socket, future)
        try:
            await socket.send_json(envelope)
            return await future
        finally:
            del self._waiting[envelope_id]

    async def disconnect(self, reason: str) -> int:
        """Tell every client to reconnect, as Slack does every few hours; `warning` only announces it."""
        told = list(self._open)
        for socket in told:
            await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "simulator"}})
        if reason != "warning":
            self._open = [socket for socket in self._open if socket not in told]
        return len(told)

    async def close(self) -> None:
        for socket in list(self._open):
            await socket.close()
