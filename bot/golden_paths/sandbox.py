"""Runs jobs in child processes that can do no harm: limited in memory, time, files, output, and killed when they hang.

One process serves one job. A spare one stands ready, so a job does not wait for Python to start.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import bot
from bot.errors import Invalid, Mistake, PlatformError
from bot.golden_paths.wire import HEAD, Contents, Message, unpacked

log = logging.getLogger(__name__)

Answer = Callable[[Message], Awaitable[bytes]]
"""Answers what a child asks: returns a frame. Raises `PlatformError` for what cannot be answered."""


class Limits(BaseModel, frozen=True, extra="forbid"):
    """What one evaluation of a template may use."""

    memory: int = 512 * 1024 * 1024
    """Address space, in bytes."""
    cpu_s: int = 5
    """Processor time, in seconds."""
    wall_s: float = 15.0
    """Longest wait for the child between two messages, in seconds."""
    max_files: int = 2_000
    max_bytes: int = 20_000_000
    """All files together, in bytes; also the most that is read from the child."""
    max_questions: int = 100
    at_once: int = 2
    """Children that may work at the same time."""


def child_command(limits: Limits) -> Sequence[str]:
    """Return the command of the child: isolated from the environment and from the working directory."""
    root = str(Path(bot.__file__).resolve().parent.parent)
    code = f"import sys; sys.path.insert(0, {root!r}); from bot.golden_paths.child import main; main()"
    return [sys.executable, "-I", "-c", code, str(limits.memory), str(limits.cpu_s)]


class Child:
    """One started child process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, command: Sequence[str]) -> Child:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            env={"LC_ALL": "C.UTF-8", "PATH": ""},
        )
        return cls(process)

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def send(self, frame: bytes) -> None:
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101 - started with a pipe
        with contextlib.suppress(ConnectionError):  # a child that died is noticed when its answer is read
            stdin.write(frame)
            await stdin.drain()

    async def receive(self, limit: int) -> tuple[Message, list[bytes]]:
        """Return the child's next frame. Raise `EOFError` when it died, `OverflowError` for more than `limit` bytes."""
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 - started with a pipe
        try:
            text, contents = HEAD.unpack(await stdout.readexactly(HEAD.size))
            if text + contents > limit:
                raise OverflowError
            return unpacked(await stdout.readexactly(text), await stdout.readexactly(contents))
        except asyncio.IncompleteReadError as error:
            raise EOFError from error

    async def end(self) -> int:
        """Kill the child and all that it may have started; return how it ended (negative: the signal)."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        if self._process.stdin is not None:
            self._process.stdin.close()
        code = await self._process.wait()
        transport = self._process._transport  # type: ignore[attr-defined]  # noqa: SLF001 - it has no public close()
        transport.close()
        return code


class Sandbox:
    """Evaluates templates in children. Call `close` at the end: no process outlives it."""

    def __init__(self, limits: Limits | None = None, command: Sequence[str] | None = None) -> None:
        self.limits = limits or Limits()
        self._command = command or child_command(self.limits)
        self._room = asyncio.Semaphore(self.limits.at_once)
        self._spare: Child | None = None
        self._starting: asyncio.Task[None] | None = None
        self._closed = False

    async def __aenter__(self) -> Sandbox:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Make a spare child ready."""
        await self._refill()

    async def close(self) -> None:
        self._closed = True
        if self._starting is not None:
            await asyncio.gather(self._starting, return_exceptions=True)
        if self._spare is not None:
            await self._spare.end()
            self._spare = None

    async def run(self, job: bytes, answer: Answer) -> tuple[Message, list[bytes]]:
        """Do one job. Raise `Invalid` for the template's mistakes and limits, `PlatformError` for our defects."""
        async with self._room:
            child = await self._take()
            try:
                return await self._converse(child, job, answer)
            finally:
                await asyncio.shield(child.end())
                if not self._closed and self._starting is None:
                    self._starting = asyncio.create_task(self._refill())
                    self._starting.add_done_callback(self._started)

    def _started(self, _task: asyncio.Task[None]) -> None:
        self._starting = None

    async def _take(self) -> Child:
        if self._starting is not None:
            await asyncio.gather(self._starting, return_exceptions=True)
        child, self._spare = self._spare, None
        if child is not None and child.alive:
            return child
        if child is not None:
            await child.end()
        return await Child.start(self._command)

    async def _refill(self) -> None:
        if self._spare is None and not self._closed:
            self._spare = await Child.start(self._command)

    async def _converse(self, child: Child, job: bytes, answer: Answer) -> tuple[Message, list[bytes]]:
        await self._send(child, job)
        for _ in range(self.limits.max_questions + 1):
            message, contents = await self._receive(child)
            if "ask" in message:
                await self._send(child, await _answered(message, answer))
                continue
            _raise_faults(message)
            return message, contents
        raise broken(f"The template asks for more than {self.limits.max_questions} things from outside.")

    async def _send(self, child: Child, frame: bytes) -> None:
        try:
            async with asyncio.timeout(self.limits.wall_s):
                await child.send(frame)
        except TimeoutError:
            raise self._too_slow() from None

    async def _receive(self, child: Child) -> tuple[Message, list[bytes]]:
        try:
            async with asyncio.timeout(self.limits.wall_s):
                return await child.receive(2 * self.limits.max_bytes)
        except TimeoutError:
            raise self._too_slow() from None
        except OverflowError:
            raise broken(f"The template makes more than {self.limits.max_bytes / 1e6:,.0f} MB.") from None
        except EOFError:
            code = await child.end()
            if code == -signal.SIGXCPU:
                raise self._too_slow() from None
            raise broken("The template used more memory or other means than it may have, and was stopped.") from None

    def _too_slow(self) -> Invalid:
        return broken("The template did not come to an end in time, and was stopped.")


def broken(message: str, where: str = "", hint: str = "") -> Invalid:
    """Return the error of a template that cannot be run."""
    sentence = f"{where}: {message}" if where else message
    return Invalid(
        f"The golden path cannot be run. {sentence}",
        [Mistake(where, message)],
        hint=hint or "Nothing was changed. Tell the keeper of the golden path.",
    )


async def _answered(question: Message, answer: Answer) -> bytes:
    try:
        return await answer(question)
    except PlatformError as error:
        return Contents().frame({"fault": {"message": error.message, "hint": error.hint}})


def _raise_faults(message: dict[str, Any]) -> None:
    if "fault" in message:
        raise broken(**message["fault"])
    if "defect" in message:
        reference = secrets.token_hex(4)
        log.error("golden_path_child_failed", extra={"reference": reference, "trace": message["defect"]})
        raise PlatformError(
            "The golden path could not be evaluated, and it is our fault.",
            hint=f"Quote `{reference}` to the platform team.",
        )
