"""The load of the acknowledgement benchmark, in a process of its own; arguments: port, requests, connections.

Every request is a signed slash command with a trigger of its own, built before the clock starts. Prints one JSON
object: seconds until every answer was there and all work behind it was done, CPU seconds of the server, latencies.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import sys
import time
import urllib.request
from collections.abc import Iterator
from hashlib import sha256
from urllib.parse import urlencode

from tests.bench.figures import percentile

SECRET = b"bench-secret"
COMMAND = "/service"


def request(run: str, number: int) -> bytes:
    body = urlencode(
        {
            "token": "gIkuvaNzQIHg97ATvDxqgjtO",
            "team_id": "T0ACME00001",
            "team_domain": "acme",
            "channel_id": "C0TEAMORDER",
            "channel_name": "team-orders",
            "user_id": "U0AUTHOR01",
            "user_name": "author",
            "command": COMMAND,
            "text": "called orders production",
            "api_app_id": "A0CAUSEWAY1",
            "is_enterprise_install": "false",
            "response_url": "https://hooks.slack.com/commands/T0ACME00001/1234567890/abcdefghijklmnop",
            "trigger_id": f"{run}.{number}",
        }
    ).encode()
    timestamp = str(int(time.time()))
    digest = hmac.new(SECRET, b"v0:%s:%s" % (timestamp.encode(), body), sha256).hexdigest()
    head = (
        "POST /slack/events HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Slackbot 1.0\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nAccept: application/json,*/*\r\n"
        f"X-Slack-Request-Timestamp: {timestamp}\r\nX-Slack-Signature: v0={digest}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class _Connection(asyncio.Protocol):
    def __init__(self, work: Iterator[bytes], latencies: list[float], done: asyncio.Future[None]) -> None:
        self._work, self._latencies, self._done = work, latencies, done

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        if not data.startswith(b"HTTP/1.1 200"):
            self._done.set_exception(RuntimeError(data[:200].decode(errors="replace")))
            self._transport.close()
            return
        self._latencies.append(time.perf_counter() - self._began)
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(error or ConnectionError("closed early"))

    def _next(self) -> None:
        message = next(self._work, None)
        if message is None:
            self._done.set_result(None)
            self._transport.close()
            return
        self._began = time.perf_counter()
        self._transport.write(message)


def _idle(port: int) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/idle", timeout=60) as answer:
        return float(answer.read())


async def load(port: int, count: int, connections: int) -> dict[str, float]:
    run = secrets.token_hex(4)
    work, latencies = iter([request(run, number) for number in range(count)]), list[float]()
    loop = asyncio.get_running_loop()
    cpu = _idle(port)
    begin = time.perf_counter()
    done: list[asyncio.Future[None]] = [loop.create_future() for _ in range(connections)]
    for future in done:
        await loop.create_connection(lambda f=future: _Connection(work, latencies, f), "127.0.0.1", port)  # type: ignore[misc]  # mypy cannot type a lambda's default
    await asyncio.gather(*done)
    cpu = _idle(port) - cpu
    seconds = time.perf_counter() - begin
    return {
        "per_s": count / seconds,
        "cpu_us": cpu / count * 1e6,
        "p50_ms": percentile(latencies, 0.5) * 1000,
        "p99_ms": percentile(latencies, 0.99) * 1000,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(load(*map(int, sys.argv[1:4])))))
