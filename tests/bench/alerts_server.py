"""One server of the alerts' benchmark, in a process of its own: `python -m tests.bench.alerts_server VARIANT`.

Prints its port and answers `POST /webhooks/alertmanager`: `bare` checks the token, parses and inserts, each body in a
transaction of its own; `causeway` is our webhook.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import sqlite3
import sys
import tempfile
from pathlib import Path

from aiohttp import web
from pydantic import SecretStr

from bot.clock import machine_clock
from bot.http.alertmanager import AlertmanagerWebhook
from bot.storage.database import Database
from bot.storage.migrate import upgrade

TOKEN = "bench-token"
_INSERT = "INSERT INTO alert_intake (body, received_at, attempts, failed) VALUES (?, ?, 0, 0)"


def bare(application: web.Application, file: Path) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")

    async def receive(request: web.Request) -> web.Response:
        if not hmac.compare_digest(request.headers.get("Authorization", ""), f"Bearer {TOKEN}"):
            return web.Response(status=401)
        body = await request.text()
        json.loads(body)
        connection.execute(_INSERT, (body, machine_clock().timestamp()))
        return web.json_response({"stored": True})

    application.add_routes([web.post("/webhooks/alertmanager", receive)])


async def main(variant: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bench.db"
        upgrade(f"sqlite:///{file}")
        application = web.Application()
        database = Database(f"sqlite:///{file}")
        if variant == "bare":
            bare(application, file)
        else:
            webhook = AlertmanagerWebhook(database, machine_clock, token=SecretStr(TOKEN), stored=lambda: None)
            application.add_routes(webhook.routes())
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        print(runner.addresses[0][1], flush=True)
        await asyncio.to_thread(sys.stdin.read)  # until whoever measures is done
        await runner.cleanup()
        await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
