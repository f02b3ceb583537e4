"""Drawings become pictures in a process beside ours, which may hang, die and be replaced."""

from __future__ import annotations

import asyncio
import os
import signal
import struct
import sys
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.charts import chart, looks
from bot.errors import UpstreamUnavailable
from bot.ports import Pictures
from integrations.resvg import ResvgPictures, connect
from integrations.resvg import pictures as adapter
from tests.charts.examples import CHARTS, LATENCY

EMPTY = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"/>'
SLACK_TAKES = 300_000


@pytest.fixture
async def pictures() -> AsyncIterator[ResvgPictures]:
    found = connect()
    yield found
    await found.close()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def pid_of(pictures: ResvgPictures) -> int:
    assert pictures._process is not None
    return pictures._process.pid


def size(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack_from(">II", png, 16)
    return width, height


def colours(png: bytes) -> set[bytes]:
    """Return the pixels that a picture has, each as 4 bytes (red, green, blue, how solid)."""
    width, height = size(png)
    packed, at = b"", 8
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        packed += png[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    raw, row, before = zlib.decompress(packed), 4 * width + 1, bytes(4 * width)
    found: set[bytes] = set()
    for y in range(height):
        filtered, now = raw[y * row], bytearray(raw[y * row + 1 : (y + 1) * row])
        for x in range(len(now)):
            left, above, corner = (now[x - 4], before[x], before[x - 4]) if x >= 4 else (0, before[x], 0)
            now[x] = (now[x] + _guess(filtered, left, above, corner)) & 255
        found |= {bytes(now[x : x + 4]) for x in range(0, len(now), 4)}
        before = bytes(now)
    return found


def _guess(filtered: int, left: int, above: int, corner: int) -> int:
    """What PNG takes a byte to be from its neighbours."""
    if filtered == 4:
        about = left + above - corner
        return min((abs(about - left), 0, left), (abs(about - above), 1, above), (abs(about - corner), 2, corner))[2]
    return (0, left, above, (left + above) // 2)[filtered]


def worker(tmp_path: Path, text: str) -> tuple[str, ...]:
    """Return the command of a worker that does as told."""
    path = tmp_path / "worker.py"
    path.write_text("import os, sys, time\ntaken, given = sys.stdin.buffer, sys.stdout.buffer\n" + text)
    return (sys.executable, "-I", str(path))


async def test_every_chart_becomes_a_picture_that_slack_takes(pictures: ResvgPictures) -> None:
    port: Pictures = pictures
    for drawn in CHARTS.values():
        png = await port.png(chart(drawn))
        assert size(png) == (2 * looks.WIDTH, 2 * looks.HEIGHT)
        assert len(png) < SLACK_TAKES


async def test_a_picture_has_a_ground_and_is_lettered(pictures: ResvgPictures) -> None:
    def drawn(letters: str) -> str:
        return (
            '<svg xmlns="http://www.w3.org/2000/svg" width="60" height="20" font-family="Lato">'
            f'<rect width="60" height="20" fill="#ffffff"/><text x="2" y="15" font-size="14">{letters}</text></svg>'
        )

    bare, lettered = colours(await pictures.png(drawn(""))), colours(await pictures.png(drawn("p99")))
    assert bare == {b"\xff\xff\xff\xff"}
    assert b"\x00\x00\x00\xff" in lettered


async def test_nothing_is_started_before_the_first_drawing_and_nothing_is_left(pictures: ResvgPictures) -> None:
    assert pictures._process is None
    await asyncio.gather(*(pictures.png(EMPTY) for _ in range(5)))
    pid = pid_of(pictures)
    await pictures.close()
    assert not alive(pid)
    with pytest.raises(UpstreamUnavailable):
        await pictures.png(EMPTY)


async def test_a_worker_that_died_is_replaced(pictures: ResvgPictures) -> None:
    await pictures.png(EMPTY)
    pid = pid_of(pictures)
    os.kill(pid, signal.SIGKILL)
    assert size(await pictures.png(EMPTY)) == (8, 6)
    assert pid_of(pictures) != pid


async def test_a_drawing_that_kills_workers_is_given_up(tmp_path: Path) -> None:
    pictures = ResvgPictures(worker(tmp_path, "taken.read(4)\nos._exit(9)\n"))
    with pytest.raises(UpstreamUnavailable, match="could not be drawn"):
        await pictures.png(EMPTY)
    assert pictures._process is None
    await pictures.close()


async def test_a_worker_that_hangs_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    text = f"open({str(note)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)\n"
    pictures = ResvgPictures(worker(tmp_path, text), draw_s=1.0)
    with pytest.raises(UpstreamUnavailable, match="in time"):
        await pictures.png(EMPTY)
    assert not note.exists() or not alive(int(note.read_text()))
    await pictures.close()


async def test_whoever_waits_too_long_for_a_turn_is_told(tmp_path: Path) -> None:
    pictures = ResvgPictures(worker(tmp_path, "time.sleep(600)\n"), draw_s=60.0, wait_s=0.05)
    first = asyncio.create_task(pictures.png(EMPTY))
    await asyncio.sleep(0)
    with pytest.raises(UpstreamUnavailable, match="Too many"):
        await pictures.png(EMPTY)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await pictures.close()


async def test_an_answer_never_meets_another_question(pictures: ResvgPictures) -> None:
    await pictures.png(EMPTY)
    pid = pid_of(pictures)
    left = asyncio.create_task(pictures.png(chart(LATENCY)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)
    assert size(await pictures.png(EMPTY)) == (8, 6)
    assert pid_of(pictures) != pid


async def test_a_drawing_that_cannot_be_read_is_refused_and_the_next_one_drawn(pictures: ResvgPictures) -> None:
    with pytest.raises(UpstreamUnavailable, match="could not be drawn"):
        await pictures.png("no drawing")
    pid = pid_of(pictures)
    assert size(await pictures.png(EMPTY)) == (8, 6)
    assert pid_of(pictures) == pid


async def test_a_drawing_beyond_all_memory_ends_its_worker_only(pictures: ResvgPictures) -> None:
    with pytest.raises(UpstreamUnavailable):
        await pictures.png(EMPTY.replace('width="4" height="3"', 'width="30000" height="30000"'))
    assert size(await pictures.png(EMPTY)) == (8, 6)


@pytest.mark.parametrize(
    "part",
    [
        '<image href="/etc/hostname"/>',
        '<use href="#x"/>',
        '<!DOCTYPE svg [<!ENTITY x SYSTEM "/etc/hostname">]>',
        "<?xml-stylesheet?>",
        "<style>@import 'x'</style>",
    ],
)
async def test_a_drawing_that_could_open_something_is_never_drawn(pictures: ResvgPictures, part: str) -> None:
    with pytest.raises(ValueError, match="names no file"):
        await pictures.png(EMPTY[:-2] + f">{part}</svg>")
    assert pictures._process is None


async def test_a_drawing_is_bounded(pictures: ResvgPictures) -> None:
    with pytest.raises(UpstreamUnavailable, match="too large"):
        await pictures.png(" " * (adapter.MOST_IN + 1))


async def test_a_picture_is_bounded(tmp_path: Path) -> None:
    text = "taken.read(4)\ngiven.write(b'+' + bytes([255] * 4))\ngiven.flush()\ntime.sleep(600)\n"
    pictures = ResvgPictures(worker(tmp_path, text))
    with pytest.raises(UpstreamUnavailable, match="too large"):
        await pictures.png(EMPTY)
    assert pictures._process is None
    await pictures.close()


async def test_a_worker_is_replaced_after_many_drawings(
    pictures: ResvgPictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "DRAWINGS", 2)
    await pictures.png(EMPTY)
    await pictures.png(EMPTY)
    pid = pid_of(pictures)
    await pictures.png(EMPTY)
    assert pid_of(pictures) != pid
    assert not alive(pid)


async def test_a_worker_ends_with_whoever_started_it(pictures: ResvgPictures) -> None:
    await pictures.png(EMPTY)
    process = pictures._process
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), 30) == 0
