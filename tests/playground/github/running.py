"""A GitHub peer behind a real port, with what tests ask of it most."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from playground.github.peer import GitHubPeer

TOKEN = "sample-token"
SECRET = "sample-webhook-secret"
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass
class Clock:
    now: datetime = MONDAY

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Webhook:
    event: str
    payload: dict[str, Any]
    headers: Mapping[str, str]
    signed: bool


@dataclass
class GitHub:
    """A running peer. `call` speaks REST with the token; `hooks` are the webhooks that arrived."""

    peer: GitHubPeer
    url: str
    clock: Clock
    hook_url: str
    session: aiohttp.ClientSession
    hooks: list[Webhook] = field(default_factory=list)

    async def call(
        self, method: str, path: str, body: Any = None, *, token: str | None = TOKEN, **headers: str
    ) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        async with self.session.request(method, self.url + path, json=body, headers=sent) as response:
            raw = await response.read()
            is_json = response.content_type == "application/json"
            return Answer(response.status, json.loads(raw) if is_json else raw.decode(), response.headers)

    async def made(self, method: str, path: str, body: Any = None) -> Any:
        """Call and return the body of what has to succeed."""
        answer = await self.call(method, path, body)
        assert answer.status < 300, answer
        return answer.body

    async def repository(self, name: str, **more: Any) -> Any:
        return await self.made("POST", "/orgs/acme/repos", {"name": name, "auto_init": True, **more})

    async def commit(
        self, repo: str, files: Mapping[str, str | None], *, branch: str = "main", message: str = "Change"
    ) -> str:
        """Commit files on top of a branch (made from main where it is missing); None deletes."""
        base = f"/repos/acme/{repo}/git"
        found = await self.call("GET", f"{base}/ref/heads/{branch}")
        start = found if found.status == 200 else await self.call("GET", f"{base}/ref/heads/main")
        parent = start.body["object"]["sha"]
        old = await self.made("GET", f"{base}/commits/{parent}")
        lines = [
            {"path": path, "mode": "100644", "type": "blob", **({"sha": None} if text is None else {"content": text})}
            for path, text in files.items()
        ]
        tree = await self.made("POST", f"{base}/trees", {"base_tree": old["tree"]["sha"], "tree": lines})
        body = {"message": message, "tree": tree["sha"], "parents": [parent]}
        sha: str = (await self.made("POST", f"{base}/commits", body))["sha"]
        if found.status == 200:
            await self.made("PATCH", f"{base}/refs/heads/{branch}", {"sha": sha})
        else:
            await self.made("POST", f"{base}/refs", {"ref": f"refs/heads/{branch}", "sha": sha})
        return sha

    async def pull(self, repo: str, files: Mapping[str, str | None], *, branch: str = "feature") -> Any:
        await self.commit(repo, files, branch=branch)
        return await self.made(
            "POST", f"/repos/acme/{repo}/pulls", {"title": "A change", "head": branch, "base": "main"}
        )

    async def received(self, event: str) -> list[dict[str, Any]]:
        await self.peer.delivered()
        return [hook.payload for hook in self.hooks if hook.event == event]


@asynccontextmanager
async def running(
    data_dir: Path, clock: Clock | None = None, on_request: Callable[[str, str, Any], None] | None = None
) -> AsyncIterator[GitHub]:
    clock = clock or Clock()
    hooks: list[Webhook] = []

    async def receive(request: web.Request) -> web.Response:
        raw = await request.read()
        signature = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
        signed = request.headers.get("X-Hub-Signature-256") == f"sha256={signature}"
        hooks.append(Webhook(request.headers["X-GitHub-Event"], json.loads(raw), dict(request.headers), signed))
        return web.Response()

    receiver = web.Application()
    receiver.router.add_post("/{tail:.*}", receive)
    peer = GitHubPeer(
        data_dir=data_dir,
        base_url="http://127.0.0.1",
        clock=clock,
        token=TOKEN,
        webhook_secret=SECRET,
        on_request=on_request,
    )
    async with served(receiver) as hook_url, served(peer.application()) as url:
        peer.base_url = url
        peer.deliver_to([f"{hook_url}/webhooks/github"])
        await peer.start()
        async with aiohttp.ClientSession() as session:
            yield GitHub(peer, url, clock, hook_url, session, hooks)
        await peer.close()


@asynccontextmanager
async def served(application: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def git(*arguments: str, cwd: Path, succeeds: bool = True) -> str:
    """Run the real Git and return what it printed."""
    environment = {
        **os.environ,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Sample Author",
        "GIT_AUTHOR_EMAIL": "author@acme.example",
        "GIT_COMMITTER_NAME": "Sample Author",
        "GIT_COMMITTER_EMAIL": "author@acme.example",
    }
    process = await asyncio.create_subprocess_exec(
        "git",
        *arguments,
        cwd=cwd,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    assert (process.returncode == 0) is succeeds, printed.decode()
    return printed.decode().strip()
