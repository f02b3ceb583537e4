"""One server of the acknowledgement benchmark, in a process of its own: `python -m tests.bench.ack_server VARIANT`.

Prints its port, answers `POST /slack/events`, and answers `GET /idle` once no work is left, with its CPU seconds.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qsl

from aiohttp import ClientSession, web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck

import bot.storage.slack_inbound  # noqa: F401 - declares the table
from bot.slack.door import SlackDoor
from bot.storage.database import Database, metadata
from tests.bench.ack_load import COMMAND, SECRET
from tests.fakes.slack_inbound import (
    AUTHOR,
    HOME,
    USER,
    FakeDirectory,
    FakeOperations,
    FakeOptions,
    FakeReplies,
    FakeWeb,
    account,
    answered,
    query,
)

Idle = Callable[[], Awaitable[None]]
_INSERT = (
    "INSERT INTO slack_inbox (key, kind, body, received_at, state, attempts, lease_until, holder)"
    " VALUES (?, 'command', ?, ?, 0, 1, ?, 'bare') ON CONFLICT (key) DO NOTHING"
)


def names(count: int) -> list[str]:
    """The command that is called stands last, behind all others."""
    return [*(f"service.other{number}" for number in range(count - 1)), "service.called"]


async def bare(application: web.Application, folder: Path) -> Idle:
    """Verify, parse, insert, answer: nothing else, in as few steps as Python allows; commits every row by itself."""
    await _tables(folder)
    connection = sqlite3.connect(folder / "bench.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
        connection.execute(f"PRAGMA {pragma}")

    async def handle(request: web.Request) -> web.Response:
        body = await request.read()
        timestamp = request.headers["X-Slack-Request-Timestamp"]
        if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
            return web.Response(status=401)
        expected = "v0=" + hmac.new(SECRET, b"v0:%s:%s" % (timestamp.encode(), body), sha256).hexdigest()
        if not hmac.compare_digest(expected, request.headers["X-Slack-Signature"]):
            return web.Response(status=401)
        text = body.decode()
        fields = dict(parse_qsl(text, keep_blank_values=True))
        now = time.time()
        connection.execute(_INSERT, (fields["trigger_id"], text, now, now + 30))
        return web.Response()

    async def idle() -> None:
        return None

    application.router.add_post("/slack/events", handle)
    return idle


async def causeway(application: web.Application, folder: Path, commands: int) -> Idle:
    """The whole edge with Bolt and router behind it; what would be sent to Slack ends in a list."""
    await _tables(folder)
    database, session = Database(f"sqlite:///{folder / 'bench.db'}"), ClientSession()
    slack = FakeWeb({USER: account()})
    door = SlackDoor(
        signing_secret=SECRET.decode(),
        bot_token="xoxb-unused",
        api_url="http://127.0.0.1:9/api",
        contact="#platform",
        session=session,
        commands=[query(name) for name in names(commands)],
        deps=None,
        answer=answered,
        database=database,
        operations=FakeOperations(),
        directory=FakeDirectory(AUTHOR),
        options=FakeOptions(),
        gateway=slack,
        outbox=FakeReplies(),
        clock=lambda: datetime.now(UTC),
        home_team=HOME,
    )
    application.add_routes(door.routes())

    async def idle() -> None:
        await door.idle()
        await door.inbox.close()

    return idle


async def bolt(application: web.Application, folder: Path, commands: int) -> Idle:
    """Bolt as its documentation shows it, one token known; it stores nothing."""
    result = AuthorizeResult(enterprise_id=None, team_id=HOME, bot_token="xoxb-unused")

    async def authorize() -> AuthorizeResult:
        return result

    app = AsyncApp(signing_secret=SECRET.decode(), authorize=authorize, logger=logging.getLogger("bolt-bench"))

    async def listener(ack: AsyncAck) -> None:
        await ack()

    for name in names(commands):
        app.command("/" + name.replace(".", "-") if name != "service.called" else COMMAND)(listener)

    async def handle(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    async def idle() -> None:
        return None

    application.router.add_post("/slack/events", handle)
    return idle


async def _tables(folder: Path) -> None:
    database = Database(f"sqlite:///{folder / 'bench.db'}")
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await database.close()


async def serve(variant: str, folder: Path) -> None:
    application = web.Application()
    kind, _, number = variant.partition("_")
    match kind:
        case "bare":
            idle = await bare(application, folder)
        case "causeway":
            idle = await causeway(application, folder, int(number))
        case _:
            idle = await bolt(application, folder, int(number))

    async def wait(_request: web.Request) -> web.Response:
        await idle()
        return web.Response(text=str(time.process_time()))

    application.router.add_get("/idle", wait)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # ends when the benchmark closes it
    await runner.cleanup()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as place:
        asyncio.run(serve(sys.argv[1], Path(place)))
