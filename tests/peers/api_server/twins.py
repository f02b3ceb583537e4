"""Two API servers that are asked the same: the real one and the playground's. What differs by nature is made alike."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestServer

from playground.kubernetes.peer import KubernetesPeer
from tests.peers.control_plane.rig import ADMIN_TOKEN, BOT_TOKEN, ControlPlane

JSON, APPLY = "application/json", "application/apply-patch+yaml"
MERGE, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"


@dataclass(frozen=True)
class Ask:
    """One request. `{ns}` in path and body is the test's namespace; `bot` asks with the bot's token."""

    method: str
    path: str
    body: Any = None
    kind: str = JSON
    bot: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Server:
    """Where one of the two listens."""

    url: str
    ca: Path | None = None

    def ask(self, ask: Ask, namespace: str) -> tuple[int, Any, str]:
        """Return status, body and warnings, with everything that differs by nature made alike."""
        path, body = ask.path.replace("{ns}", namespace), ask.body
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - a server that this run has started
            self.url + path, method=ask.method, data=None if raw is None else raw.replace(b"{ns}", namespace.encode())
        )
        token = BOT_TOKEN if ask.bot else ADMIN_TOKEN
        sent = {"Authorization": f"Bearer {token}", "Content-Type": ask.kind, "User-Agent": "twins/1", **ask.headers}
        for name, value in sent.items():
            request.add_header(name, value)
        context = ssl.create_default_context(cafile=str(self.ca)) if self.ca else None
        try:
            with urllib.request.urlopen(request, context=context, timeout=60) as answer:  # noqa: S310 - the same
                return answer.status, alike(answer.read()), answer.headers.get("Warning", "")
        except urllib.error.HTTPError as error:
            return error.code, alike(error.read()), ""


DIFFERENT = (
    (re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"), "UID"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "TIME"),
    (re.compile(r'(\\*"resourceVersion\\*": ?\\*")\d+'), r"\1VERSION"),
    (re.compile(r"(match the \w+ in record) \(\d+\)"), r"\1 (VERSION)"),
    (re.compile(r"current: \d+"), "current: VERSION"),
    (re.compile(r"10\.(?:0\.0|96\.\d+)\.\d+"), "ADDRESS"),
)
"""What no two servers have in common: identities, times, revisions, addresses."""
ABSENT = "(not there)"


def alike(raw: bytes) -> Any:
    text = raw.decode()
    for pattern, word in DIFFERENT:
        text = pattern.sub(word, text)
    try:
        return json.loads(text, object_hook=_in_order_of_managers)
    except ValueError:
        return text


def _in_order_of_managers(found: dict[str, Any]) -> dict[str, Any]:
    """Managers stand in the order of the seconds in which they wrote, which two servers do not share."""
    if isinstance(found.get("managedFields"), list):
        found["managedFields"].sort(key=lambda entry: json.dumps(entry, sort_keys=True))
    return found


def differences(real: Any, simulated: Any, path: str = "") -> Iterator[str]:
    """Name the places in which two answers differ, and what each of them has there."""
    if isinstance(real, dict) and isinstance(simulated, dict):
        for name in sorted(real.keys() | simulated.keys()):
            yield from differences(real.get(name, ABSENT), simulated.get(name, ABSENT), f"{path}.{name}")
    elif isinstance(real, list | tuple) and isinstance(simulated, list | tuple) and len(real) == len(simulated):
        for place, both in enumerate(zip(real, simulated, strict=True)):
            yield from differences(*both, f"{path}[{place}]")
    elif real != simulated:
        yield f"  at {path}\n    real:      {real}\n    simulated: {simulated}"


@dataclass(frozen=True)
class Twins:
    real: Server
    simulated: Server
    namespace: str
    """Of the same name on both: each test has its own."""

    async def both(self, ask: Ask) -> tuple[Any, Any]:
        """Return the real answer and the simulated one."""
        real = await asyncio.to_thread(self.real.ask, ask, self.namespace)
        return real, await asyncio.to_thread(self.simulated.ask, ask, self.namespace)

    async def agree(self, asks: Sequence[Ask]) -> None:
        for ask in asks:
            real, simulated = await self.both(ask)
            told = "\n".join(differences(real, simulated))
            assert simulated == real, f"{ask.method} {ask.path} {ask.body}\n{told}"


@asynccontextmanager
async def twins(plane: ControlPlane, folder: Path) -> AsyncIterator[Twins]:
    """The simulator alone, without the controllers that could change what a test has just written."""
    peer = KubernetesPeer(
        data_dir=folder,
        base_url="http://127.0.0.1",
        clock=lambda: datetime.now(UTC),
        admin_token=ADMIN_TOKEN,
        bot_token=BOT_TOKEN,
    )
    await peer.start()
    server = TestServer(peer.application())
    await server.start_server()
    try:
        namespace = await asyncio.to_thread(plane.namespace, "twins")
        peer.store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        url = str(server.make_url("")).rstrip("/")
        yield Twins(Server(plane.url, plane.ca), Server(url), namespace)
    finally:
        await server.close()
        await peer.close()
