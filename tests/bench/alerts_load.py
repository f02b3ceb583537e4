"""The load of the alerts' benchmark, in a process of its own; arguments: port, deliveries, connections.

Every delivery holds ten alerts and is built before the clock starts. Prints alerts acknowledged in a second.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from tests.alerting.house import alert, delivery
from tests.bench.alerts_server import TOKEN

ALERTS = 10


def requests(count: int) -> list[bytes]:
    made = []
    for number in range(count):
        alerts = (alert("Slow", service=f"service-{number}", pod=f"p{pod}") for pod in range(ALERTS))
        body = json.dumps(delivery(*alerts)).encode()
        head = (
            f"POST /webhooks/alertmanager HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


async def send(port: int, waiting: list[bytes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while waiting:
        writer.write(waiting.pop())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        if not head.startswith("http/1.1 200"):
            raise RuntimeError(head)
        await reader.readexactly(int(head.partition("content-length: ")[2].partition("\r\n")[0]))
    writer.close()


async def main(port: int, count: int, connections: int) -> None:
    waiting = requests(count)
    begin = time.perf_counter()
    await asyncio.gather(*(send(port, waiting) for _ in range(connections)))
    print(json.dumps({"alerts_per_s": count * ALERTS / (time.perf_counter() - begin)}))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
