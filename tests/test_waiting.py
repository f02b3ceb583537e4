from __future__ import annotations

import asyncio

from bot.ports import Unannounced, build_key
from bot.waiting import LocalWaiting

FOREVER_S = 600.0


async def test_an_announcement_ends_the_pause_of_whoever_listens_for_it() -> None:
    waiting = LocalWaiting()
    with waiting.listening("build:a", "build:b") as pause:
        paused = asyncio.ensure_future(pause(FOREVER_S))
        await asyncio.sleep(0)
        waiting.announce("build:other")
        await asyncio.sleep(0)
        assert not paused.done()
        waiting.announce("build:b")
        await asyncio.wait_for(paused, 10)


async def test_an_announcement_between_two_pauses_is_not_lost_and_counts_once() -> None:
    waiting = LocalWaiting()
    with waiting.listening("build:a") as pause:
        waiting.announce("build:a", "build:nobody")
        await asyncio.wait_for(pause(FOREVER_S), 10)
        again = asyncio.ensure_future(pause(FOREVER_S))
        await asyncio.sleep(0)
        assert not again.done()
        again.cancel()


async def test_a_pause_without_news_ends_by_itself() -> None:
    for waiting in (LocalWaiting(), Unannounced()):
        with waiting.listening("build:a") as pause:
            await pause(0.0)


async def test_two_who_listen_for_the_same_are_both_woken_and_nothing_is_kept_of_them() -> None:
    waiting = LocalWaiting()
    with waiting.listening("build:a") as one, waiting.listening("build:a") as other:
        waiting.announce("build:a")
        await asyncio.wait_for(asyncio.gather(one(FOREVER_S), other(FOREVER_S)), 10)
    assert waiting._listeners == {}


def test_a_repository_has_one_key_however_it_is_written() -> None:
    assert build_key("Acme/Orders", "1a") == build_key("acme/orders", "1a") != build_key("acme/orders", "1b")
