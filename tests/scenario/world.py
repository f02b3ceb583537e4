"""The whole app on the playground's peers, driven as people drive it: through Slack, HTTP and Git."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from bot.rehearsal.town import spoken
from bot.settings import load
from bot.terminal.manifest import manifest_of
from bot.terminal.serve import running
from playground.server import Playground

__all__ = ["Json", "Slack", "World", "peers", "spoken", "world"]

PATIENCE_S = 90.0
"""Longest wait for one thing to happen. Waiting is on events; this only ends a broken run."""

Json = dict[str, Any]


@dataclass
class World:
    """Peers, and zero or more bots."""

    playground: Playground | None
    """None where the peers are another process."""
    http: aiohttp.ClientSession
    ready: Json
    slack: Slack = field(init=False)

    def __post_init__(self) -> None:
        self.slack = Slack(self.http, self.ready["slack"])

    async def api(self, method: str, path: str, *, by: str, body: Json | None = None) -> tuple[int, Json]:
        """Call the HTTP door as `by`."""
        headers = {"Authorization": f"Bearer {self.ready['api_tokens'][by]}"}
        url = f"{self.ready['bot']}/api/v1{path}"
        async with self.http.request(method, url, json=body, headers=headers) as response:
            return response.status, await response.json()

    async def forgotten(self, service: str) -> None:
        """Wait until the catalog does not know the service: it hears by webhook that a repository is gone."""
        async with asyncio.timeout(PATIENCE_S):
            shown = 200
            while shown != 404:  # each look is a call of its own: there is no event to wait on from outside
                shown, _ = await self.api("POST", "/requests/service.show", by="author", body={"service": service})

    async def github(self, method: str, path: str, body: Json | None = None) -> tuple[int, Any]:
        token = self.ready["env"]["CAUSEWAY_GITHUB_TOKEN"]
        url = f"{self.ready['env']['CAUSEWAY_GITHUB_API_URL']}{path}"
        headers = {"Authorization": f"Bearer {token}"}
        async with self.http.request(method, url, json=body, headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def fail_github(self, **fault: Any) -> None:
        async with self.http.post(f"{self.ready['github']}/sim/faults", json=fault) as response:
            assert response.status == 200, await response.text()

    async def fail_slack(self, **fault: Any) -> None:
        async with self.http.post(f"{self.ready['slack']}/sim/faults", json=fault) as response:
            assert response.status == 200, await response.text()

    async def fail(self, peer: str, **fault: Any) -> None:
        """Order a fault of another peer: `kubernetes`, `argocd`."""
        async with self.http.post(f"{self.ready[peer]}/sim/faults", json=fault) as response:
            assert response.status == 200, await response.text()

    async def kubernetes(self, method: str, path: str) -> Json:
        """Look at the cluster as its administrator; an empty answer for what is not there."""
        headers = {"Authorization": f"Bearer {self.ready['kubernetes_token']}"}
        async with self.http.request(method, f"{self.ready['kubernetes']}{path}", headers=headers) as response:
            found: Json = await response.json()
            assert response.status in (200, 404), found
            return found if response.status == 200 else {}

    async def administer(self, method: str, path: str, body: Json) -> Json:
        """Change the cluster as its administrator; a PATCH is a server-side apply."""
        kind = "application/apply-patch+yaml" if method == "PATCH" else "application/json"
        headers = {"Authorization": f"Bearer {self.ready['kubernetes_token']}", "Content-Type": kind}
        url = f"{self.ready['kubernetes']}{path}"
        async with self.http.request(method, url, data=json.dumps(body), headers=headers) as response:
            answer: Json = await response.json()
            assert response.status < 300, answer
            return answer

    async def application(self, name: str) -> Json:
        """The Argo CD Application of that name; empty where there is none."""
        return await self.kubernetes("GET", f"/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/{name}")

    async def pods(self, namespace: str, selector: str, state: str) -> None:
        body = {"namespace": namespace, "selector": selector, "state": state}
        async with self.http.post(f"{self.ready['kubernetes']}/sim/pods", json=body) as response:
            assert response.status == 200, await response.text()

    async def workflows(self, repo: str, conclusion: str) -> None:
        body = {"repo": f"acme/{repo}", "conclusion": conclusion}
        async with self.http.post(f"{self.ready['github']}/sim/workflows", json=body) as response:
            assert response.status == 200, await response.text()

    async def merge(self, repo: str, number: int) -> str:
        """Merge a pull request as somebody who may pass over reviews; return the commit on the base branch."""
        merging = self.http.post(f"{self.ready['github']}/sim/merge", json={"repo": repo, "number": number})
        async with merging as response:
            assert response.status == 200, await response.text()
            sha: str = (await response.json())["sha"]
            return sha

    async def mend(self, *peers: str) -> None:
        """Take back every fault that was ordered and not met."""
        for peer in peers or ("slack", "github"):
            async with self.http.delete(f"{self.ready[peer]}/sim/faults") as response:
                assert response.status == 200, await response.text()

    async def use(self, host: str, *, per_hour: float) -> None:
        """Ask a host so often from now on, as the ingress controller counts it."""
        body = {"host": host, "per_hour": per_hour}
        async with self.http.post(f"{self.ready['prometheus']}/sim/requests", json=body) as response:
            assert response.status == 200, await response.text()

    async def advance(self, span: str) -> None:
        async with self.http.post(f"{self.ready['page']}/sim/clock", json={"advance": span}) as response:
            assert response.status == 200, await response.text()


class Slack:
    """What people do in Slack, and what they see there."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = url

    async def call(self, method: str, path: str, *, expect: int | None = 200, **given: Any) -> Json:
        query = given if method == "GET" else None
        body = given if method != "GET" else None
        async with self._http.request(method, f"{self._url}/sim/{path}", params=query, json=body) as response:
            answer: Json = await response.json()
            assert expect is None or response.status == expect, answer
            return answer

    async def command(self, user: str, text: str, channel: str = "team-orders") -> Json:
        word, _, rest = text.partition(" ")
        return await self.call("POST", "commands", user=user, channel=channel, command=word, text=rest)

    async def submit(self, user: str, view: Json, values: Mapping[str, Any]) -> Json:
        """Fill in plain values by field name, page by page, and submit."""
        answer = await self._submit_page(user, view["id"], values)
        while answer["body"] and answer["body"].get("response_action") == "update":
            page = answer["body"]["view"]
            assert not any(":warning:" in str(block) for block in page["blocks"]), page
            answer = await self._submit_page(user, view["id"], values)
        return answer

    async def _submit_page(self, user: str, view_id: str, values: Mapping[str, Any]) -> Json:
        view = await self.modal(user)
        here = {block.get("block_id") for block in view["blocks"]} if view else set()
        shaped = {name: {name: value} for name, value in values.items() if name in here}
        return await self.call("POST", "views/submit", user=user, view_id=view_id, values=shaped)

    async def click(self, user: str, channel: str, message: Json, action: str) -> Json:
        return await self.call(
            "POST", "actions", user=user, channel=channel, message_ts=message["ts"], action_id=action
        )

    async def messages(self, channel: str, **query: Any) -> list[Json]:
        found: list[Json] = (await self.call("GET", "messages", channel=channel, **query))["messages"]
        return found

    async def modal(self, user: str) -> Json | None:
        modals = (await self.call("GET", "views", user=user))["modals"]
        return modals[-1] if modals else None

    async def until(self, found: Callable[[], Any]) -> Any:
        """Wait on the event stream until `found` (an async question) answers with something."""
        last = 0
        async with asyncio.timeout(PATIENCE_S):
            while True:
                last = (await self.call("GET", "events", after=10**9, timeout_s=0))["last"]
                if (answer := await found()) is not None:
                    return answer
                await self.call("GET", "events", after=last, timeout_s=5)

    async def opened(self, user: str, callback: str) -> Json:
        async def look() -> Json | None:
            view = await self.modal(user)
            return view if view is not None and view["callback_id"] == callback else None

        view: Json = await self.until(look)
        return view

    async def card(self, channel: str, *states: str, operation: str | None = None) -> Json:
        """Wait for an operation's card in one of these states."""

        async def look() -> Json | None:
            for message in reversed(await self.messages(channel)):
                payload = (message.get("metadata") or {}).get("event_payload", {})
                if payload.get("state") in states and operation in (None, payload["operation"]):
                    return message
            return None

        message: Json = await self.until(look)
        return message

    async def told(self, user: str, words: str, channel: str = "team-orders") -> Json:
        """Wait for an ephemeral message to `user` that holds `words`."""

        async def look() -> Json | None:
            messages = await self.messages(channel, user=user)
            return next((m for m in messages if m["ephemeral_to"] and words in spoken(m)), None)

        message: Json = await self.until(look)
        return message


@asynccontextmanager
async def peers(data_dir: Path, **options: Any) -> AsyncIterator[World]:
    """Peers without a bot."""
    playground = Playground(data_dir=data_dir, manifest=manifest_of(), port=0, **options)
    try:
        await playground.start()
        async with aiohttp.ClientSession() as http:
            yield World(playground, http, playground.ready())
    finally:
        await playground.close()


@asynccontextmanager
async def world(data_dir: Path, **options: Any) -> AsyncIterator[World]:
    """Peers and the production bot in one process, as `make playground` starts them."""
    async with peers(data_dir, **options) as found, running(load(found.ready["env"])):
        yield found
