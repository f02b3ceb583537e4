"""A simulator on a loopback port, a bot that answers as told, and people at their keyboards."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import aiohttp
from aiohttp import web

from playground.clock import PlaygroundClock
from playground.slack.peer import SlackPeer, SlackTokens

TOKENS = SlackTokens(bot="xoxb-sample-bot", app="xapp-sample-app", signing_secret="sample-signing-secret")
SCOPES = frozenset(
    {
        "app_mentions:read", "channels:history", "channels:join", "channels:read", "chat:write", "commands",
        "files:write", "groups:history", "groups:read", "im:history", "im:read", "im:write", "reactions:read",
        "reactions:write", "team:read", "usergroups:read", "users:read", "users:read.email",
    }
)  # fmt: skip
ORDERS = "C0TEAMORDER"
AUTHOR = "U0AUTHOR01"
DEADLINE_S = 20.0
Json = dict[str, Any]


@dataclass(frozen=True)
class Heard:
    """One delivery as the bot received it."""

    headers: dict[str, str]
    body: bytes
    payload: Json


@dataclass
class Bot:
    """An app that answers every delivery with `answer`, or as `answers` says for a payload's kind or command."""

    heard: list[Heard] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    behave: Callable[[Json], Awaitable[web.StreamResponse | None]] | None = None
    url: str = ""
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        payload = _payload(request.content_type, body)
        self.heard.append(Heard(dict(request.headers), body, payload))
        self._more.set()
        if self.behave:
            response = await self.behave(payload)
            if response is not None:
                return response
        answer = self.answers.get(payload.get("type") or payload.get("command", ""), "")
        if isinstance(answer, web.StreamResponse):
            return answer
        return web.Response(text=answer) if isinstance(answer, str) else web.json_response(answer)

    async def wait_for(self, count: int) -> list[Heard]:
        """Return what was heard once there are `count` deliveries."""
        async with asyncio.timeout(DEADLINE_S):
            while len(self.heard) < count:
                self._more.clear()
                await self._more.wait()
        return self.heard


def _payload(content_type: str, body: bytes) -> Json:
    if content_type == "application/json":
        return dict(json.loads(body))
    form = {name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
    return dict(json.loads(form["payload"])) if "payload" in form else form


@dataclass
class Rig:
    """The running simulator, with calls as the bot makes them and as people make them."""

    peer: SlackPeer
    url: str
    clock: PlaygroundClock
    bot: Bot
    http: aiohttp.ClientSession

    async def api(self, method: str, *, token: str = TOKENS.bot, **arguments: Any) -> Json:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self.http.post(f"{self.url}/api/{method}", json=arguments, headers=headers) as response:
            return dict(await response.json())

    async def ok(self, method: str, **arguments: Any) -> Json:
        """Call a method that must succeed."""
        answer = await self.api(method, **arguments)
        assert answer["ok"], answer
        return answer

    async def sim(self, path: str, **body: Any) -> Json:
        """Act as a person: POST to `/sim/…`, which must succeed."""
        status, answer = await self.try_sim(path, **body)
        assert status == 200, answer
        return answer

    async def try_sim(self, path: str, **body: Any) -> tuple[int, Json]:
        async with self.http.post(f"{self.url}/sim/{path}", json=body) as response:
            return response.status, dict(await response.json())

    async def see(self, path: str, **query: Any) -> Json:
        async with self.http.get(f"{self.url}/sim/{path}", params=query) as response:
            assert response.status == 200, await response.text()
            return dict(await response.json())

    async def messages(self, channel: str = "team-orders", **query: Any) -> list[Json]:
        return list((await self.see("messages", channel=channel, **query))["messages"])

    async def modals(self, user: str = "author") -> list[Json]:
        return list((await self.see("views", user=user))["modals"])

    async def until(self, kind: str, after: int = 0) -> Json:
        """Return the first event of a kind after `after`."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                answer = await self.see("events", after=after, timeout_s=DEADLINE_S)
                for event in answer["events"]:
                    after = event["n"]
                    if event["type"] == kind:
                        return dict(event)

    async def log(self, kind: str | None = None) -> list[Json]:
        entries = (await self.see("log"))["entries"]
        return [entry for entry in entries if kind in (None, entry["kind"])]

    async def until_logged(self, deliveries: int) -> None:
        """Return once that many deliveries have been written down."""
        after = 0
        for _ in range(deliveries):
            after = int((await self.until("delivered", after))["n"])

    async def trigger(self, user: str = "author", channel: str = "team-orders", command: str = "/service") -> str:
        """Run a command and return the trigger that the bot got for it."""
        before = len(self.bot.heard)
        await self.sim("commands", user=user, channel=channel, command=command, text="")
        heard = await self.bot.wait_for(before + 1)
        return str(heard[before].payload["trigger_id"])

    async def open_modal(self, view: Json, user: str = "author") -> Json:
        answer = await self.ok("views.open", trigger_id=await self.trigger(user), view=view)
        return dict(answer["view"])


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    """Serve on a free loopback port."""
    with listening() as listener:
        async with served_on(listener, app) as url:
            yield url


def listening() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    return listener


def url_of(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@asynccontextmanager
async def served_on(listener: socket.socket, app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    try:
        yield url_of(listener)
    finally:
        await runner.cleanup()


@asynccontextmanager
async def running_bot() -> AsyncIterator[Bot]:
    bot = Bot()
    app = web.Application()
    app.router.add_post("/slack/events", bot.receive)
    async with serving(app) as url:
        bot.url = f"{url}/slack/events"
        yield bot


@asynccontextmanager
async def running(data_dir: Path, bot: Bot | None = None, **options: Any) -> AsyncIterator[Rig]:
    """Run a simulator over a data folder until the block ends."""
    bot = bot or Bot()
    clock = options.pop("clock", None) or PlaygroundClock()
    with listening() as listener:
        settings: dict[str, Any] = {
            "bot_urls": [bot.url] if bot.url else [],
            "tokens": TOKENS,
            "scopes": SCOPES,
            **options,
        }
        peer = SlackPeer(data_dir=data_dir, base_url=url_of(listener), clock=clock, **settings)
        async with served_on(listener, peer.application()) as url, aiohttp.ClientSession() as http:
            await peer.start()
            yield Rig(peer, url, clock, bot, http)
        await peer.close()
