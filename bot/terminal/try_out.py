"""`causeway playground`: everything in one process, nothing to sign up for."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import webbrowser
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol

import yaml

from bot.errors import UsageError
from bot.logs import configure
from bot.settings import load
from bot.terminal.manifest import manifest_of
from bot.terminal.serve import running, stay, told_to_stop

HIGHEST_PORT = 65_000
"""The peers listen on the ports that follow it."""


class Playground(Protocol):
    """The embedded peers."""

    async def start(self) -> None: ...
    async def close(self) -> None: ...
    def ready(self) -> dict[str, Any]: ...
    def environment(self) -> Mapping[str, str]: ...


async def try_out(arguments: argparse.Namespace, playground: Callable[..., Playground]) -> int:
    """Start the peers, and a bot that reaches them as it would reach the real systems; stop on SIGTERM or SIGINT."""
    configure("WARNING")
    if arguments.bot_url and not arguments.peers_only:
        raise UsageError("`--bot-url` goes with `--peers-only`.")
    if not 0 <= arguments.port <= HIGHEST_PORT:
        raise UsageError(f"A port is a number from 0 to {HIGHEST_PORT}.", hint="Choose another --port; 0 takes any.")
    async with AsyncExitStack() as stack:
        peers = playground(
            data_dir=arguments.data_dir,
            manifest=manifest_of(),
            port=arguments.port,
            seed=arguments.seed,
            config=arguments.config,
            socket_mode=arguments.socket_mode,
            database_url=arguments.database_url,
            bot_urls=arguments.bot_url,
        )
        stack.push_async_callback(peers.close)
        await _start(peers)
        if not arguments.peers_only:
            await stack.enter_async_context(running(load(peers.environment())))
        stay()
        stop = told_to_stop()
        ready = peers.ready()
        print(json.dumps(ready) if arguments.json else _welcome(ready), flush=True)  # noqa: T201  # the promised line
        if not arguments.headless:
            await asyncio.to_thread(webbrowser.open, ready["page"])
        await stop.wait()
    return 0


async def _start(peers: Playground) -> None:
    try:
        await peers.start()
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        raise UsageError(f"The playground cannot start: {place}{error.strerror or error}.") from error
    except yaml.YAMLError as error:
        raise UsageError("The file given with --config is not YAML.", hint=str(error).splitlines()[0]) from error


def _welcome(ready: Mapping[str, Any]) -> str:
    programs, token = Path(sys.executable).parent, ready["api_tokens"]["author"]
    return (
        f"Causeway's playground is ready: {ready['page']}\n"
        f"  Type /service create in the page. GitHub is at {ready['github']}, data in {ready['data_dir']}.\n"
        "  For a second terminal, as Sample Author:\n"
        f'    export PATH="{programs}:$PATH" CAUSEWAY_TOKEN={token}\n'
        f"    causeway run service.list --server {ready['bot']}\n"
        "  Ctrl+C stops it; the next start has everything this one had."
    )
