"""What `causeway serve` does around the running bot."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from bot.terminal import serve


@pytest.fixture(autouse=True)
def _garbage_is_looked_for() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


async def test_once_it_serves_garbage_is_looked_for_though_not_among_what_the_start_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[bool, bool]] = []

    def look() -> None:
        seen.append((gc.isenabled(), gc.get_freeze_count() > 0))

    @asynccontextmanager
    async def running(_: Any) -> AsyncIterator[None]:
        look()
        yield

    async def told_to_stop() -> None:
        look()

    monkeypatch.setattr(serve, "configure", lambda _: None)
    monkeypatch.setattr(serve, "running", running)
    monkeypatch.setattr(serve, "told_to_stop", told_to_stop)
    gc.disable()
    settings: Any = SimpleNamespace(environment=SimpleNamespace(log_level="INFO", listen="127.0.0.1:0"))
    await serve.serve(settings)
    assert seen == [(False, False), (True, True)]
