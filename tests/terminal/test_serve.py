"""What `causeway serve` does around the running bot."""

from __future__ import annotations

import argparse
import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from bot.terminal import serve, try_out


@pytest.fixture(autouse=True)
def _garbage_is_looked_for() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


async def test_once_it_serves_garbage_is_looked_for_though_not_among_what_the_start_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[bool, bool]] = []
    before = gc.get_freeze_count()  # what this test run itself has set aside

    def look() -> None:
        seen.append((gc.isenabled(), gc.get_freeze_count() > before))

    @asynccontextmanager
    async def running(_: Any) -> AsyncIterator[None]:
        look()
        yield

    def told_to_stop() -> asyncio.Event:
        look()
        stop = asyncio.Event()
        stop.set()
        return stop

    monkeypatch.setattr(serve, "configure", lambda _: None)
    monkeypatch.setattr(serve, "running", running)
    monkeypatch.setattr(serve, "told_to_stop", told_to_stop)
    gc.disable()
    settings: Any = SimpleNamespace(environment=SimpleNamespace(log_level="INFO", listen="127.0.0.1:0"))
    await serve.serve(settings)
    assert seen == [(False, False), (True, True)]


@pytest.mark.parametrize("as_json", [True, False])
async def test_whoever_hears_that_the_playground_is_ready_can_stop_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, as_json: bool
) -> None:
    """A signal that came between the line and its handler would end it as it stands."""
    ready = {"page": "P", "github": "G", "data_dir": "D", "bot": "B", "api_tokens": {"author": "T"}}
    heard: list[str] = []

    class Peers:
        async def start(self) -> None: ...
        async def close(self) -> None: ...
        def ready(self) -> dict[str, Any]:
            return ready

    def told_to_stop() -> asyncio.Event:
        heard.append(capsys.readouterr().out)
        stop = asyncio.Event()
        stop.set()
        return stop

    monkeypatch.setattr(try_out, "configure", lambda _: None)
    monkeypatch.setattr(try_out, "told_to_stop", told_to_stop)
    given = {"json": as_json, "headless": True, "peers_only": True, "bot_url": [], "port": 0}
    unused = dict.fromkeys(("data_dir", "seed", "config", "socket_mode", "database_url"))
    assert await try_out.try_out(argparse.Namespace(**given, **unused), lambda **_: Peers()) == 0  # type: ignore[arg-type]
    assert heard == [""], "nothing was printed before"
    assert "P" in capsys.readouterr().out
