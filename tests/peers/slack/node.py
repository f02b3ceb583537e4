"""Slack's JavaScript SDKs as child processes."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.peers.tools import need
from tests.playground.slack.rig import DEADLINE_S, TOKENS

HERE = Path(__file__).parent


def node() -> str:
    """Return Node's path; skip, or fail with REQUIRE_PEERS=1, as for any other peer."""
    need("node_modules")
    found = shutil.which("node")
    assert found, "the packages are here, so Node was"
    return found


def _environment(slack_url: str, more: dict[str, str]) -> dict[str, str]:
    tokens = {"BOT_TOKEN": TOKENS.bot, "APP_TOKEN": TOKENS.app, "SIGNING_SECRET": TOKENS.signing_secret}
    modules = {"NODE_PATH": str(need("node_modules")), "SLACK_URL": slack_url}
    return {"PATH": os.environ["PATH"], **tokens, **modules, **more}


async def _started(script: str, slack_url: str, **more: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        node(),
        str(HERE / script),
        env=_environment(slack_url, more),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def run(script: str, slack_url: str) -> dict[str, Any]:
    """Run a script to its end and return the JSON object that it printed."""
    process = await _started(script, slack_url)
    async with asyncio.timeout(DEADLINE_S):
        printed, said = await process.communicate()
    if process.returncode != 0:
        pytest.fail(said.decode())
    return dict(json.loads(printed))


@asynccontextmanager
async def echo(slack_url: str, *, socket_mode: bool) -> AsyncIterator[str]:
    """Run the echo app and yield its request URL (in Socket Mode it has none)."""
    process = await _started("echo.cjs", slack_url, SOCKET_MODE="1" if socket_mode else "")
    assert process.stdout
    assert process.stdin
    try:
        async with asyncio.timeout(DEADLINE_S):
            line = await process.stdout.readline()
            if not line:
                pytest.fail((await process.communicate())[1].decode())
        ready = json.loads(line)
        yield f"http://127.0.0.1:{ready['port']}/slack/events"
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
