"""A question on its way, which can be given up from outside of the thread that waits for its answer.

A blocking client waits again for each part of an answer, so that one that trickles keeps its thread for hours. Who
asked cuts the connection when the time is over, and the thread ends.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Protocol

_here = threading.local()
_holding = threading.Lock()
"""One for all: a connection goes from one call to the next, and must not be cut for the one before."""


class Held(Protocol):
    """A connection that works for one call at a time."""

    call: Call | None
    sock: socket.socket | None


class Cut(OSError):
    """The call was given up before it had its connection."""


class Call:
    def __init__(self) -> None:
        self._connection: Held | None = None
        self._is_cut = False

    @contextlib.contextmanager
    def in_this_thread(self) -> Iterator[None]:
        """Connections that this thread takes meanwhile are the call's."""
        _here.call = self
        try:
            yield
        finally:
            _here.call = None
            with _holding:
                if self._connection is not None and self._connection.call is self:
                    self._connection.call = None
                self._connection = None

    def cut(self) -> None:
        """End it, from any thread and at any time; for a call that is over this is nothing."""
        with _holding:
            self._is_cut = True
            held = self._connection
            if held is not None and held.call is self and held.sock is not None:
                with contextlib.suppress(OSError):  # the other side was quicker
                    held.sock.shutdown(socket.SHUT_RDWR)

    def take(self, connection: Held) -> None:
        """Raise `Cut` where nobody waits any more."""
        with _holding:
            if self._is_cut:
                raise Cut
            self._connection, connection.call = connection, self


def take(connection: Held) -> None:
    """Give the connection to the call of this thread, if there is one."""
    call: Call | None = getattr(_here, "call", None)
    if call is not None:
        call.take(connection)
