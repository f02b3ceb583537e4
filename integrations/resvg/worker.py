"""Draws pictures in a process of its own, one after the other: run as a program, with its memory in bytes.

Reads drawings from its input and writes pictures to its output, each with its length before it. It ends when its input
does, so it cannot outlive whoever started it. Imports nothing of ours: starting must be quick.
"""

from __future__ import annotations

import contextlib
import resource
import struct
import sys
from typing import BinaryIO

LENGTH = struct.Struct(">I")
DONE, FAILED = b"+", b"-"
ZOOM = 2
"""Pixels for each unit: sharp on the screens that people have."""


def main(memory: int) -> None:
    import font_lato  # noqa: PLC0415  # only the process that draws needs them
    import resvg_py  # noqa: PLC0415  # as above

    fonts = [font_lato.font_files["Lato"], font_lato.font_files["LatoBold"]]
    _limit(resource.RLIMIT_AS, memory)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    taken, given = sys.stdin.buffer, sys.stdout.buffer
    while (svg := read(taken)) is not None:
        try:
            png = bytes(
                resvg_py.svg_to_bytes(
                    svg_string=svg.decode(), skip_system_fonts=True, font_files=fonts, font_family="Lato", zoom=ZOOM
                )
            )
        except BaseException as error:  # noqa: BLE001 - a panic of the library is no `Exception`
            write(given, FAILED, f"{type(error).__name__}: {error}"[:500].encode())
        else:
            write(given, DONE, png)


def read(source: BinaryIO) -> bytes | None:
    """Return the next drawing; None at the end."""
    head = source.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    body = source.read(length)
    return body if len(body) == length else None


def write(sink: BinaryIO, state: bytes, body: bytes) -> None:
    sink.write(state + LENGTH.pack(len(body)) + body)
    sink.flush()


def _limit(what: int, most: int) -> None:
    with contextlib.suppress(ValueError, OSError):  # not every system knows every limit
        resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        main(int(sys.argv[1]))
