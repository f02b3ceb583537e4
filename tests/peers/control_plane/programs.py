"""Child programs of a rig: each writes into a log of its own and ends with the test run, however that ends."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

START_S = 120.0
"""Longest wait for one program to be ready on a busy machine."""
STOP_S = 20.0
LOOK_S = 0.05
PR_SET_PDEATHSIG = 1


@contextmanager
def running(
    command: Sequence[str | Path], log: Path, *, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the block ends. `env` is added to the environment."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=log.parent,
            env=os.environ | dict(env or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=_die_with_parent,  # noqa: PLW1509  # between fork and exec it makes one system call and nothing else
        )
    try:
        yield process
    finally:
        _end(process)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Nothing of a rig is worth saving, and a kube-apiserver that is told to stop politely takes its time."""
    process.kill()
    process.wait(STOP_S)


def await_ready(process: subprocess.Popen[bytes], log: Path, ready: Callable[[], bool]) -> None:
    """Look until `ready` says so: these programs tell of it nowhere else. Fail with the end of the log."""
    deadline = time.monotonic() + START_S
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{log.stem} did not become ready:\n{log.read_text(errors='replace')[-3000:]}")
        time.sleep(LOOK_S)


def await_true(what: str, is_true: Callable[[], bool]) -> None:
    """Look until it is true: for what no event tells a program that does not watch."""
    deadline = time.monotonic() + START_S
    while not is_true():
        assert time.monotonic() < deadline, f"it never came about that {what}"
        time.sleep(LOOK_S)


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback interface on which nothing listens."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()
