"""The process in which templates are evaluated: one job, then the end.

It reads a frame (`bot.golden_paths.wire`) from standard input, may ask the bot for files and catalog entities, and
answers on standard output with a result or a fault. Before it reads, it gives up what it does not need: memory, time,
files, processes. It imports the standard library and Jinja2 only, so that it starts fast.
"""

from __future__ import annotations

import resource
import signal
import sys
import traceback
from typing import BinaryIO

from bot.golden_paths.execution import Execution
from bot.golden_paths.faults import Fault
from bot.golden_paths.inspection import inspect_skeletons
from bot.golden_paths.tree import Entry
from bot.golden_paths.wire import HEAD, Contents, Message, entries, unpacked

RECURSION = 600
"""Deep enough for honest templates; an endless macro ends here, long before the C stack does."""


def limit(*, memory: int, cpu_s: int) -> None:
    """Give up rights for good: `memory` bytes of address space, `cpu_s` seconds of work, no new files or processes."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    sys.setrecursionlimit(RECURSION)


class Pipe:
    """Frames over the two pipes to the bot."""

    def __init__(self, source: BinaryIO, sink: BinaryIO) -> None:
        self._source = source
        self._sink = sink

    def read(self) -> tuple[Message, list[bytes]] | None:
        """Return the next frame; None when the bot has closed the pipe."""
        head = self._source.read(HEAD.size)
        if len(head) < HEAD.size:
            return None
        text, contents = HEAD.unpack(head)
        return unpacked(self._source.read(text), self._source.read(contents))

    def write(self, frame: bytes) -> None:
        self._sink.write(frame)
        self._sink.flush()

    def ask(self, question: Message) -> tuple[Message, dict[str, Entry]]:
        """Ask the bot and return its answer. Raise `Fault` with what the bot has to say against it."""
        self.write(Contents().frame(question))
        answered = self.read()
        if answered is None:
            raise SystemExit(0)
        answer, contents = answered
        if "fault" in answer:
            raise Fault(**answer["fault"])
        return answer, entries(answer.get("files", []), contents)


def answer(job: Message, contents: list[bytes], pipe: Pipe) -> bytes:
    """Do the job; mistakes come back as a fault."""
    try:
        if job["job"] == "inspect":
            return Contents().frame(inspect_skeletons(job, contents))
        return Execution(job, pipe.ask).result()
    except Fault as fault:
        return _fault(fault)
    except RecursionError:
        return _fault(Fault("The template is nested or calls itself too deeply."))
    except MemoryError:
        return _fault(Fault("The template needs more memory than it may have."))
    except Exception:  # noqa: BLE001 - the process ends here; the bot logs the defect and gives a reference
        return Contents().frame({"defect": traceback.format_exc(limit=-8)[-4000:]})


def _fault(fault: Fault) -> bytes:
    return Contents().frame({"fault": {"message": fault.message, "where": fault.where, "hint": fault.hint}})


def main() -> None:
    """Serve one job. `argv`: memory in bytes, CPU time in seconds."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit(memory=int(sys.argv[1]), cpu_s=int(sys.argv[2]))
    pipe = Pipe(sys.stdin.buffer, sys.stdout.buffer)
    received = pipe.read()
    if received is not None:
        pipe.write(answer(*received, pipe))


if __name__ == "__main__":
    main()
