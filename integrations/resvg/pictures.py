"""The port of pictures on resvg, which holds Python's lock while it draws: so it draws in a process beside ours."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from bot.errors import UpstreamUnavailable
from integrations.resvg.worker import DONE, LENGTH

log = logging.getLogger(__name__)

WORKER = Path(__file__).with_name("worker.py")
DRAW_S = 5.0
"""Longest drawing, in seconds, the start of the process included. A usual one takes a tenth of a second."""
WAIT_S = 10.0
"""Longest wait for one's turn, in seconds."""
MEMORY = 256 * 1024 * 1024
"""Address space of the process, in bytes; a usual drawing needs a tenth of it."""
MOST_IN = 2_000_000
"""Longest drawing, in bytes; of 50,000 points it has 130,000."""
MOST_OUT = 4_000_000
"""Largest picture, in bytes."""
DRAWINGS = 1_000
"""After so many the process is replaced: whatever it may have lost in memory is given back."""

_FOREIGN = re.compile(r"<\s*(image|use|style|script|!|\?)", re.IGNORECASE)
"""What could make the renderer open something. Our drawings have none of it."""


class ResvgPictures:
    """Satisfies `bot.ports.Pictures`. The process starts with the first drawing; `close` ends it."""

    def __init__(self, command: Sequence[str] | None = None, *, draw_s: float = DRAW_S, wait_s: float = WAIT_S) -> None:
        self._command = command or (sys.executable, "-I", str(WORKER), str(MEMORY))
        self._draw_s = draw_s
        self._wait_s = wait_s
        self._turn = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._drawn = 0
        self._closed = False

    async def png(self, svg: str) -> bytes:
        body = svg.encode("utf-8", "replace")
        if len(body) > MOST_IN:
            raise UpstreamUnavailable("The chart is too large to be drawn.")
        if _FOREIGN.search(svg):
            raise ValueError("A drawing of ours names no file, no style and no other drawing.")
        try:
            async with asyncio.timeout(self._wait_s):
                await self._turn.acquire()
        except TimeoutError:
            raise UpstreamUnavailable("Too many charts are being drawn.", hint="Try again in a minute.") from None
        try:
            return await self._draw(body)
        finally:
            self._turn.release()

    async def close(self) -> None:
        self._closed = True
        await self._end()

    async def _draw(self, body: bytes) -> bytes:
        try:
            async with asyncio.timeout(self._draw_s):
                try:
                    return await self._ask(body)
                except (EOFError, ConnectionError):
                    # It may have died before. If this drawing ends the next one too, the drawing is at fault.
                    log.warning("chart_worker_died", extra={"code": await self._end()})
                    return await self._ask(body)
        except UpstreamUnavailable:
            raise
        except TimeoutError:
            await self._end()
            log.warning("chart_worker_hung")
            raise UpstreamUnavailable("The chart could not be drawn in time.") from None
        except (EOFError, ConnectionError):
            log.warning("chart_worker_died", extra={"code": await self._end()})
            raise UpstreamUnavailable("The chart could not be drawn.") from None
        except OSError as error:
            raise UpstreamUnavailable("The chart could not be drawn.") from error
        except BaseException:  # whoever asked has gone: the answer to this question must not meet the next one
            await asyncio.shield(self._end())
            raise

    async def _ask(self, body: bytes) -> bytes:
        """Return the picture. Raise `EOFError` when the process has died."""
        if self._drawn >= DRAWINGS:
            await self._end()
        process = self._process or await self._start()
        assert process.stdin is not None  # noqa: S101 - started with pipes
        assert process.stdout is not None  # noqa: S101 - as above
        process.stdin.write(LENGTH.pack(len(body)) + body)
        await process.stdin.drain()
        try:
            state = await process.stdout.readexactly(1)
            (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
            if length > MOST_OUT:
                await self._end()
                raise UpstreamUnavailable("The chart is too large to be shown.")
            answer = await process.stdout.readexactly(length)
        except asyncio.IncompleteReadError as error:
            raise EOFError from error
        self._drawn += 1
        if state != DONE:
            log.error("chart_not_drawn", extra={"problem": answer.decode("utf-8", "replace")})
            raise UpstreamUnavailable("The chart could not be drawn.")
        return answer

    async def _start(self) -> asyncio.subprocess.Process:
        if self._closed:
            raise UpstreamUnavailable("Causeway is being stopped.")
        self._drawn = 0
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            env={"LC_ALL": "C.UTF-8", "PATH": ""},
        )
        return self._process

    async def _end(self) -> int | None:
        """Kill the process, if there is one; return how it ended (negative: the signal)."""
        process, self._process = self._process, None
        if process is None:
            return None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        if process.stdin is not None:
            process.stdin.close()
        code = await process.wait()
        process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 - it has no public close()
        return code


def connect() -> ResvgPictures:
    """Return the port. Nothing is started before the first drawing."""
    return ResvgPictures()
