"""A small stand-in for the Slack simulator and its bot: only what the page asks, in the simulator's own shapes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from playground.sample import BOT_ID, BOT_USER, CHANNELS, PEOPLE

Json = dict[str, Any]
HANDLES = {person.handle: person.slack_id for person in PEOPLE}
PLACES = {channel.name: channel.slack_id for channel in CHANNELS}


class FakeSlack:
    """Holds messages, views and events in memory; `received` is every call that a person made, as (path, body)."""

    def __init__(self) -> None:
        self.received: list[tuple[str, Json]] = []
        self.messages: dict[str, list[Json]] = {channel.slack_id: [] for channel in CHANNELS}
        self.modals: dict[str, list[Json]] = {}
        self.homes: dict[str, Json] = {}
        self.events: list[Json] = []
        self.answers: dict[str, Callable[[Json], Json | None]] = {}
        """What the bot does on a path: gets the body, returns the answer (None: 200 with nothing)."""
        self.options: list[Json] = []
        self.files: dict[str, str] = {}
        self._moved = asyncio.Event()
        self._last_ts = 0.0

    # What tests do to the world

    def post(self, channel: str, text: str = "", *, user: str = BOT_USER, **more: Any) -> str:
        self._last_ts = max(self._last_ts + 0.001, datetime.now(UTC).timestamp())
        ts = f"{self._last_ts:.6f}"
        message = {
            "type": "message",
            "ts": ts,
            "channel": PLACES.get(channel, channel),
            "user": user,
            "text": text,
            "blocks": [],
            "bot_id": BOT_ID if user == BOT_USER else None,
            "username": None,
            "attachments": [],
            "metadata": None,
            "files": [],
            "thread_ts": None,
            "edited": None,
            "reactions": [],
            "ephemeral_to": None,
            "reply_count": 0,
            "latest_reply": None,
            "subtype": None,
            "deleted": False,
        } | more
        self.messages[message["channel"]].append(message)
        root = self._message(message["channel"], message["thread_ts"])
        if root is not None and root is not message:
            root |= {"reply_count": root["reply_count"] + 1, "latest_reply": ts}
        self.emit("message_posted", channel=message["channel"], ts=ts, message=message)
        return ts

    def edit(self, channel: str, ts: str, **changes: Any) -> None:
        message = self._message(PLACES.get(channel, channel), ts)
        assert message is not None
        message |= changes
        self.emit("message_changed", channel=message["channel"], ts=ts, message=message)

    def open_modal(self, user: str, **view: Any) -> str:
        stack = self.modals.setdefault(user, [])
        view_id = f"V{len(self.events) + 1:04}"
        full = view_of(view_id, view) | {"previous_view_id": stack[-1]["id"] if stack else None}
        full["root_view_id"] = stack[0]["id"] if stack else view_id
        stack.append(full)
        self.emit("view_pushed" if len(stack) > 1 else "view_opened", user=user, view_id=view_id, view=full)
        return view_id

    def update_modal(self, user: str, **changes: Any) -> None:
        view = self.modals[user][-1]
        view |= changes
        self.emit("view_updated", user=user, view_id=view["id"], view=view)

    def close_modals(self, user: str) -> None:
        for view in self.modals.pop(user, []):
            self.emit("view_closed", user=user, view_id=view["id"])

    def publish_home(self, user: str, blocks: list[Json]) -> None:
        self.homes[user] = view_of("VHOME", {"type": "home", "blocks": blocks})
        self.emit("home_published", user=user, view_id="VHOME", view=self.homes[user])

    def emit(self, kind: str, **fields: Any) -> None:
        self.events.append({"n": len(self.events) + 1, "at": datetime.now(UTC).isoformat(), "type": kind, **fields})
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    def bodies(self, path: str) -> list[Json]:
        return [body for called, body in self.received if called == path]

    def _message(self, channel: str, ts: str | None) -> Json | None:
        return next((message for message in self.messages[channel] if message["ts"] == ts), None)

    # What the page asks

    def application(self) -> web.Application:
        application = web.Application(middlewares=[cors])
        reads: dict[str, Callable[[Json], Json]] = {
            "/sim/users": lambda _: {"users": users()},
            "/sim/channels": lambda _: {"channels": self._channels()},
            "/sim/commands": lambda _: {"commands": []},
            "/sim/app": lambda _: {"name": "Causeway", "team": "Acme", "bot_user": BOT_USER},
            "/sim/messages": self._read_messages,
            "/sim/views": self._views,
            "/sim/options": self._options,
            "/sim/log": self._log,
        }
        for path, read in reads.items():
            application.router.add_get(path, answering(read))
        application.router.add_get("/sim/events", self._follow)
        application.router.add_get("/sim/files/{id}", self._file)
        for path in ("commands", "messages", "views/submit", "views/close", "actions", "home", "reactions"):
            application.router.add_post(f"/sim/{path}", self._take)
        return application

    def _channels(self) -> list[Json]:
        return [
            {
                "id": c.slack_id,
                "name": c.name,
                "topic": "",
                "purpose": c.purpose,
                "members": [HANDLES[m] for m in c.members] + [BOT_USER],
                "is_private": False,
                "is_im": False,
                "user": None,
                "is_archived": False,
                "is_ext_shared": c.is_shared,
                "bot_is_member": True,
            }
            for c in CHANNELS
        ]

    def _read_messages(self, query: Json) -> Json:
        thread, user = query.get("thread_ts"), query.get("user")
        everything = self.messages[query["channel"]]
        seen = [m for m in everything if m["ephemeral_to"] in (None, user)]
        if thread:
            return {"messages": [m for m in seen if thread in (m["ts"], m["thread_ts"])]}
        return {"messages": [m for m in seen if m["thread_ts"] in (None, m["ts"])]}

    def _views(self, query: Json) -> Json:
        return {"modals": self.modals.get(query["user"], []), "home": self.homes.get(query["user"])}

    def _options(self, query: Json) -> Json:
        self.received.append(("/sim/options", dict(query)))
        fitting = [o for o in self.options if query["query"].lower() in o["text"]["text"].lower()]
        return {"status": 200, "ack_ms": 1.0, "error": None, "options": fitting[:100], "option_groups": None}

    def _log(self, _: Json) -> Json:
        entries: list[Json] = [
            {
                "n": n,
                "at": datetime.now(UTC).isoformat(),
                "kind": "delivery",
                "name": path,
                "arguments": body,
                "result": {},
                "status": 200,
                "ms": 3,
                "violations": [],
                "fault": None,
            }
            for n, (path, body) in enumerate(self.received, start=1)
        ]
        return {"entries": entries, "last": len(entries)}

    async def _follow(self, request: web.Request) -> web.Response:
        after, timeout_s = int(request.query["after"]), float(request.query.get("timeout_s", 25))
        if len(self.events) <= after and timeout_s:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._moved.wait()
            except TimeoutError:
                pass
        return web.json_response({"events": self.events[after:], "last": len(self.events)})

    async def _file(self, request: web.Request) -> web.Response:
        return web.Response(text=self.files[request.match_info["id"]])

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.received.append((request.path, body))
        acts = self.answers.get(request.path)
        answer = acts(body) if acts else None
        if request.path == "/sim/messages":
            answer = {
                "ts": self.post(body["channel"], body["text"], user=body["user"], thread_ts=body.get("thread_ts"))
            }
        if request.path == "/sim/views/close":
            self._close(body["user"], body["view_id"])
        answer = answer or {"status": 200, "ack_ms": 1.0, "body": "", "error": None}
        return web.json_response(answer, status=409 if answer.get("error") == "invalid_values" else 200)

    def _close(self, user: str, view_id: str) -> None:
        stack = self.modals.get(user, [])
        at = next((i for i, view in enumerate(stack) if view["id"] == view_id), len(stack))
        del stack[at:]
        self.emit("view_closed", user=user, view_id=view_id)


def users() -> list[Json]:
    bot = {"id": BOT_USER, "name": "causeway", "real_name": "Causeway", "email": None, "is_bot": True}
    return [
        {
            "id": p.slack_id,
            "name": p.handle,
            "real_name": p.name,
            "email": p.email,
            "is_bot": False,
            "is_restricted": p.is_guest,
            "is_stranger": p.is_outsider,
            "deleted": False,
        }
        for p in PEOPLE
    ] + [bot]


def view_of(view_id: str, view: Json) -> Json:
    return {
        "id": view_id,
        "hash": "1",
        "type": "modal",
        "callback_id": "service.create",
        "blocks": [],
        "private_metadata": "",
        "state": {"values": {}},
        "errors": {},
        "notice": None,
        "title": text("Create a service"),
        "submit": text("Create"),
        "close": text("Cancel"),
    } | view


def text(words: str) -> Json:
    return {"type": "plain_text", "text": words}


def mrkdwn(words: str) -> Json:
    return {"type": "mrkdwn", "text": words}


def answering(read: Callable[[Json], Json]) -> Callable[[web.Request], Any]:
    async def handler(request: web.Request) -> web.Response:
        return web.json_response(read(dict(request.query)))

    return handler


@web.middleware
async def cors(request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
    """Let any loopback page call, as the simulator does."""
    response: web.StreamResponse = web.Response() if request.method == "OPTIONS" else await handler(request)
    response.headers["Access-Control-Allow-Origin"] = request.headers.get("Origin", "*")
    response.headers["Access-Control-Allow-Headers"] = "content-type"
    return response
