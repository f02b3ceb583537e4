"""Begins one run and never ends it: the process that `test_durable_engine` kills."""

from __future__ import annotations

import asyncio
import sys

from bot.operations.dbos_driver import DbosDriver


async def run(operation: str, token: int) -> None:
    print(f"running {operation}.{token}", flush=True)  # noqa: T201  # the line the test waits for
    await asyncio.Event().wait()


async def main(url: str, replica: str, operation: str) -> None:
    driver = DbosDriver(url, replica)
    await driver.open(run)
    await driver.start(operation, 1)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
