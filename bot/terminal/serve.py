"""`causeway serve`: the bot, until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from bot.app import open_app
from bot.errors import UsageError
from bot.logs import configure
from bot.settings import Settings

log = logging.getLogger(__name__)


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; then take nothing new, finish what runs, and leave the rest to the next start."""
    configure(settings.environment.log_level)
    async with running(settings):
        stay()
        stop = told_to_stop()
        log.info("serving", extra={"listen": settings.environment.listen})
        await stop.wait()
        log.info("stopping")


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[None]:
    """A bot that answers on its port while the block runs."""
    async with open_app(settings) as app:
        runner = web.AppRunner(app.web(), access_log=None, handle_signals=False, shutdown_timeout=5.0)
        await runner.setup()
        try:
            await _listen(runner, settings)
            yield
        finally:
            await runner.cleanup()


def stay() -> None:
    """Take all that the start has made for what it is, here for good: from now on garbage is looked for among what came
    later. Each look at everything would hold up the event loop for a tenth of a second."""
    gc.freeze()
    gc.enable()


async def _listen(runner: web.AppRunner, settings: Settings) -> None:
    host, port = settings.environment.host_and_port
    try:
        await web.TCPSite(runner, host, port, reuse_address=True).start()
    except (OSError, OverflowError) as error:
        told = f"Causeway cannot listen on {settings.environment.listen}."
        raise UsageError(told, hint="Stop what listens there, or set CAUSEWAY_LISTEN to a free HOST:PORT.") from error


def told_to_stop() -> asyncio.Event:
    """Return what is set once we are told to stop. Ask for it before anybody hears that we are ready: until then the
    signal ends the process as it stands."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
