"""A running playground as an outsider knows it: Slack to type in, and the other systems to look at.

Nothing here knows the bot from inside. What people do goes through the Slack simulator, which signs and delivers it;
what is checked is read from GitHub, the cluster and the messages themselves.
"""

from __future__ import annotations

import asyncio
import base64
import json
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import yaml

from bot.errors import NotFound, UpstreamUnavailable
from bot.rehearsal.promise import Broken, promise

T = TypeVar("T")
Json = dict[str, Any]

PATIENCE_S = 120.0
"""Longest wait for one thing to happen, in seconds of the machine's time."""


class Town:
    """The peers behind one playground page."""

    def __init__(self, http: aiohttp.ClientSession, ready: Json) -> None:
        """`ready` is what the playground printed, or answers at `/sim/ready`."""
        self._http = http
        self.ready = ready

    @classmethod
    async def at(cls, http: aiohttp.ClientSession, page: str) -> Town:
        """Return the town behind that page. Raise `NotFound` where no playground answers."""
        hint = "Start one with `make playground`, or name its page with --page."
        try:
            async with http.get(f"{page.rstrip('/')}/sim/ready") as response:
                ready = await response.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise NotFound(f"No playground answers at {page}.", hint=hint) from error
        if not isinstance(ready, dict) or not ready.get("ready"):
            raise NotFound(f"What answers at {page} is no playground.", hint=hint)
        return cls(http, ready)

    # --- Slack: what people do

    async def types(self, user: str, line: str, channel: str = "team-orders") -> None:
        """Type a slash command. It has to be acknowledged as Slack wants it."""
        command, _, text = line.partition(" ")
        answer = await self._slack("POST", "commands", user=user, channel=channel, command=command, text=text)
        promise(answer["status"] == 200, f"`{line}` is acknowledged", seen=answer)

    async def fills_in(self, user: str, form: str, values: Mapping[str, Any]) -> None:
        """Wait for a form, fill it in page by page and submit it."""
        view = await self.until(f"the form {form} opens", lambda: self._modal(user, form))
        answer = await self._submits(user, view, values)
        while (answer["body"] or {}).get("response_action") == "update":
            answer = await self._submits(user, answer["body"]["view"] | {"id": view["id"]}, values)
        refused = (answer["body"] or {}).get("errors")
        promise(answer["status"] == 200 and not refused, f"the form {form} is taken", seen=answer["body"])

    async def _submits(self, user: str, view: Json, values: Mapping[str, Any]) -> Json:
        here = {block.get("block_id") for block in view["blocks"]}
        shaped = {name: {name: value} for name, value in values.items() if name in here}
        return await self._slack("POST", "views/submit", user=user, view_id=view["id"], values=shaped)

    async def clicks(self, user: str, card: Json, action: str, channel: str = "team-orders") -> None:
        answer = await self._slack(
            "POST", "actions", user=user, channel=channel, message_ts=card["ts"], action_id=action
        )
        promise(answer["status"] == 200, f"the button {action} is acknowledged", seen=answer)

    # --- Slack: what they read

    async def messages(self, channel: str = "team-orders", **query: str) -> list[Json]:
        found: list[Json] = (await self._slack("GET", "messages", channel=channel, **query))["messages"]
        return found

    async def card(
        self,
        command: str,
        *states: str,
        says: str = "",
        channel: str = "team-orders",
        but: frozenset[str] = frozenset(),
    ) -> Json:
        """Wait for the newest card of a command in one of these states whose text holds `says`; `but` names operations
        that are not meant."""

        async def look() -> Json | None:
            for message in reversed(await self.messages(channel)):
                payload = payload_of(message)
                if payload.get("command") != command or payload.get("operation") in but:
                    continue
                if payload.get("state") in ENDED and payload["state"] not in states and says in spoken(message):
                    raise Broken(f"{command} ended as {payload['state']}.", hint=spoken(message)[:1500])
                if payload.get("state") in states and says in spoken(message):
                    return message
            return None

        return await self.until(f"the card of {command} is {' or '.join(states)} {says}".strip(), look)

    async def alert(self, service: str, state: str, channel: str = "team-orders") -> Json:
        """Wait for a service's alert card in that state."""

        async def look() -> Json | None:
            for message in reversed(await self.messages(channel)):
                payload = payload_of(message)
                if event_of(message) == "causeway_alert" and payload.get("service") == service:
                    return message if payload.get("state") == state else None
            return None

        return await self.until(f"the alert of {service} is {state}", look)

    async def told(self, user: str, says: str, channel: str = "team-orders") -> Json:
        """Wait for a message to that person, or to all, that holds the words."""

        async def look() -> Json | None:
            for message in reversed(await self.messages(channel, user=user)):
                if says in spoken(message):
                    return message
            return None

        return await self.until(f"{user} reads “{says}”", look)

    async def in_thread(self, card: Json, says: str, channel: str = "team-orders") -> Json:
        """Wait for a reply in a card's thread that holds the words."""

        async def look() -> Json | None:
            replies = await self.messages(channel, thread_ts=card["ts"])
            return next((one for one in reversed(replies) if says in spoken(one) and one["ts"] != card["ts"]), None)

        return await self.until(f"the thread says “{says}”", look)

    async def picture_in_thread(self, card: Json, channel: str = "team-orders") -> Json:
        """Wait for a reply in a card's thread that holds a picture."""

        async def look() -> Json | None:
            replies = await self.messages(channel, thread_ts=card["ts"])
            return next((one for one in replies if one.get("files") or "slack_file" in str(one.get("blocks"))), None)

        return await self.until("there is a picture in the thread", look)

    # --- GitHub

    async def github(self, method: str, path: str, body: Json | None = None) -> tuple[int, Any]:
        url = f"{self.ready['env']['CAUSEWAY_GITHUB_API_URL']}{path}"
        headers = {"Authorization": f"Bearer {self.ready['env']['CAUSEWAY_GITHUB_TOKEN']}"}
        async with self._http.request(method, url, json=body, headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def cloned(self, repository: str) -> frozenset[str]:
        """Clone with plain git; return the names of its files."""
        url = f"{self._at('github')}/{repository}.git"
        with tempfile.TemporaryDirectory() as folder:
            git = await asyncio.create_subprocess_exec("git", "clone", "--quiet", url, f"{folder}/clone")
            promise(await git.wait() == 0, f"`git clone` of {repository} works")
            return await asyncio.to_thread(_files, Path(folder, "clone"))

    async def file(self, repository: str, path: str) -> Any:
        """Return a YAML file of a repository's main branch; None where there is none."""
        status, found = await self.github("GET", f"/repos/{repository}/contents/{path}")
        return yaml.safe_load(base64.b64decode(found["content"])) if status == 200 else None

    async def changes(self, repository: str, message: str, change: Callable[[Json], None]) -> str:
        """Change the platform document by a pull request that is merged; return the commit on main."""
        _, main = await self.github("GET", f"/repos/{repository}/git/ref/heads/main")
        branch = message.lower().replace(" ", "-")
        reference = {"ref": f"refs/heads/{branch}", "sha": main["object"]["sha"]}
        await self.github("POST", f"/repos/{repository}/git/refs", reference)
        _, there = await self.github("GET", f"/repos/{repository}/contents/platform.yaml")
        document = yaml.safe_load(base64.b64decode(there["content"]))
        change(document)
        content = base64.b64encode(yaml.safe_dump(document, sort_keys=False).encode()).decode()
        written = {"message": message, "content": content, "sha": there["sha"], "branch": branch}
        status, answer = await self.github("PUT", f"/repos/{repository}/contents/platform.yaml", written)
        promise(status == 200, f"the branch {branch} can be written", seen=answer)
        _, pull = await self.github(
            "POST", f"/repos/{repository}/pulls", {"title": message, "head": branch, "base": "main"}
        )
        merged = await self._json(
            "POST", f"{self._at('github')}/sim/merge", {"repo": repository, "number": pull["number"]}
        )
        return str(merged["sha"])

    # --- the cluster, the clock, incidents

    async def cluster(self, path: str) -> Json:
        """Look at an object or a list as the administrator; empty for what is not there."""
        headers = {"Authorization": f"Bearer {self.ready['kubernetes_token']}"}
        async with self._http.get(f"{self._at('kubernetes')}{path}", headers=headers) as response:
            answer: Json = await response.json()
            return answer if response.status == 200 else {}

    async def advances(self, span: str) -> None:
        """Move the playground's time forward."""
        await self._json("POST", f"{self._at('page')}/sim/clock", {"advance": span})

    async def goes_wrong(self, service: str, kind: str) -> None:
        """Start an incident that metrics, logs, traces and alerts show alike."""
        await self._json("POST", f"{self._at('prometheus')}/sim/incidents", {"service": service, "kind": kind})

    async def incidents(self) -> Json:
        async with self._http.get(f"{self._at('prometheus')}/sim/incidents") as response:
            found: Json = await response.json()
            return found

    # --- waiting

    async def until(self, what: str, found: Callable[[], Awaitable[T | None]]) -> T:
        """Wait on Slack's event stream until `found` answers with something. Raise `Broken` when it never does."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    last = (await self._slack("GET", "events", after=10**9, timeout_s=0))["last"]
                    if (answer := await found()) is not None:
                        return answer
                    await self._slack("GET", "events", after=last, timeout_s=5)
        except TimeoutError:
            raise Broken(f"It never happened that {what}.", hint=await self._last_words()) from None

    def _at(self, peer: str) -> str:
        """Return the address of a peer. Raise `NotFound` for one that this playground does not have."""
        address = self.ready.get(peer)
        if not address:
            raise NotFound(f"This playground has no {peer}.", hint="Start the playground of this release.")
        return str(address)

    async def _last_words(self) -> str:
        messages = await self.messages()
        return f"The last message in #team-orders: {spoken(messages[-1])[:1000]}" if messages else "Nobody said a word."

    async def _modal(self, user: str, form: str) -> Json | None:
        modals = (await self._slack("GET", "views", user=user))["modals"]
        return modals[-1] if modals and modals[-1]["callback_id"] == form else None

    async def _slack(self, method: str, path: str, **given: Any) -> Json:
        url = f"{self._at('slack')}/sim/{path}"
        if method == "GET":
            async with self._http.get(url, params=given) as response:
                answer: Json = await response.json()
                return answer
        return await self._json(method, url, given)

    async def _json(self, method: str, url: str, body: Mapping[str, Any]) -> Json:
        async with self._http.request(method, url, json=body) as response:
            text = await response.text()
            if response.status >= 400:
                raise UpstreamUnavailable(f"The playground refused {method} {url}: {text[:300]}")
            answer: Json = json.loads(text) if text else {}
            return answer


def _files(folder: Path) -> frozenset[str]:
    return frozenset(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts
    )


ENDED = frozenset({"succeeded", "failed", "undone", "rejected", "expired"})


def event_of(message: Json) -> str:
    return str((message.get("metadata") or {}).get("event_type", ""))


def payload_of(message: Json) -> Json:
    payload: Json = (message.get("metadata") or {}).get("event_payload") or {}
    return payload


def spoken(message: Json) -> str:
    """Return all that a message says: its text, and every text in its blocks."""
    texts = [str(message.get("text", ""))]

    def collect(part: Any) -> None:
        if isinstance(part, dict):
            if isinstance(part.get("text"), str):
                texts.append(part["text"])
            for value in part.values():
                collect(value)
        elif isinstance(part, list):
            for value in part:
                collect(value)

    collect(message.get("blocks") or [])
    return "\n".join(texts)


def buttons(message: Json) -> frozenset[str]:
    """Return the actions that a message offers."""
    rows = [block for block in message.get("blocks") or [] if block.get("type") == "actions"]
    return frozenset(str(element.get("action_id")) for row in rows for element in row.get("elements", []))
