"""Following applications: one stream for all, which comes back by itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.ports import Seen
from integrations.argocd import ArgoCDApi
from tests.integrations.argocd.documents import document
from tests.integrations.argocd.stub import Say, Stub, argo_cd

NAME = "orders-api-staging"
DEADLINE_S = 30


class Following:
    def __init__(self, seen: AsyncIterator[Seen]) -> None:
        self._seen = seen

    async def next(self) -> Seen:
        async with asyncio.timeout(DEADLINE_S):
            return await anext(self._seen)

    async def health(self) -> str | None:
        """Return how it is, passing over what is told twice."""
        seen = await self.next()
        assert not seen.problem
        return None if seen.application is None else seen.application.health


@asynccontextmanager
async def following(api: ArgoCDApi, name: str = NAME) -> AsyncIterator[Following]:
    seen = api.follow(name)
    try:
        yield Following(seen)
    finally:
        await seen.aclose()


def changed(health: str, version: int, name: str = NAME, **status: Any) -> dict[str, Any]:
    return document(name, version=version, health={"status": health}, **status)


async def opened(stub: Stub, count: int = 1) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while len(stub.streams) < count:
            stub.streamed.clear()
            await stub.streamed.wait()


async def test_first_how_it_is_then_every_change() -> None:
    async with argo_cd() as (stub, api), following(api) as seen:
        stub.put(changed("Progressing", 5))
        assert await seen.health() == "Progressing"
        for version, health in enumerate(("Degraded", "Progressing", "Healthy"), start=6):
            stub.put(changed(health, version))
            assert await seen.health() == health
        stub.remove(NAME)
        assert (await seen.next()) == Seen()
        stub.put(changed("Missing", 12))
        assert await seen.health() == "Missing"


async def test_an_unknown_one_is_none_until_it_comes() -> None:
    async with argo_cd() as (stub, api), following(api) as seen:
        assert await seen.next() == Seen()
        stub.put(changed("Healthy", 1))
        assert await seen.health() == "Healthy"


async def test_one_stream_serves_all_and_asks_only_for_what_happens_from_now_on() -> None:
    async with argo_cd() as (stub, api):
        for name in ("a-staging", "b-staging", "c-staging"):
            stub.put(changed("Healthy", 1, name))
        async with following(api, "a-staging") as a, following(api, "b-staging") as b, following(api, "b-staging") as c:
            assert [await a.health(), await b.health(), await c.health()] == ["Healthy"] * 3
            stub.put(changed("Degraded", 2, "b-staging"))
            assert [await b.health(), await c.health()] == ["Degraded"] * 2
        streams = [query for _, path, query, _ in stub.asked if "stream" in path]
        assert streams == [{"resourceVersion": "0", "appNamespace": "argocd"}]
        assert not any("c-staging" in path for _, path, _, _ in stub.asked)


async def test_the_stream_ends_with_the_last_follower_and_opens_with_the_next() -> None:
    async with argo_cd() as (stub, api):
        stub.put(changed("Healthy", 1))
        for _ in range(2):
            async with following(api) as seen:
                assert await seen.health() == "Healthy"
            assert api._stream._task is None
        assert sum("stream" in path for _, path, _, _ in stub.asked) == 2


async def test_a_stream_that_breaks_off_is_opened_again_before_anybody_is_told() -> None:
    async with argo_cd() as (stub, api), following(api) as seen:
        stub.put(changed("Progressing", 1))
        assert await seen.health() == "Progressing"
        await opened(stub)
        stub.put(changed("Healthy", 2), told=False)
        stub.raw(None)
        assert await seen.health() == "Healthy"


async def test_what_happened_while_it_was_away_is_told_when_it_is_back() -> None:
    async with argo_cd() as (stub, api), following(api) as seen, following(api, "other-staging") as other:
        stub.put(changed("Healthy", 1))
        stub.put(changed("Healthy", 1, "other-staging"))
        assert [await seen.health(), await other.health()] == ["Healthy"] * 2
        await opened(stub)
        stub.remove(NAME, told=False)
        stub.put(changed("Degraded", 2, "other-staging"), told=False)
        stub.raw(None)
        assert [await seen.next(), await other.health()] == [Seen(), "Degraded"]


async def test_a_problem_is_told_once_while_it_is_away_and_pauses_grow() -> None:
    async with argo_cd() as (stub, api):
        stub.put(changed("Healthy", 1))
        away = Say(503, {"error": "down", "code": 14, "message": "down"})
        stub.stream_script = [away] * 8
        async with following(api) as seen:
            problem = (await seen.next()).problem
            assert problem.startswith(
                "Argo CD was asked to tell how applications change, but it answered with an error"
            )
            assert await seen.health() == "Healthy", "nothing else was told in between"
    assert len(stub.naps) == 8
    assert stub.naps[0] == pytest.approx(0.1)
    assert stub.naps[1:6] == sorted(stub.naps[1:6])
    assert all(24 <= nap <= 30 for nap in stub.naps[6:])


async def test_who_comes_while_it_is_away_is_told_so() -> None:
    async with argo_cd() as (stub, api):
        stub.put(changed("Healthy", 1))
        stub.stream_script = [Say(401, {"error": "no session", "code": 16, "message": "no session"})] * 3
        stub.stream_script.append(Say(hang=True))
        async with following(api) as first:
            assert "did not accept our token" in (await first.next()).problem
            async with following(api) as second:
                assert "did not accept our token" in (await second.next()).problem


async def test_words_that_are_cut_off_or_none_break_the_stream_and_it_comes_back() -> None:
    async with argo_cd() as (stub, api), following(api) as seen:
        stub.put(changed("Healthy", 1))
        assert await seen.health() == "Healthy"
        for version, rubbish in enumerate(
            (b'data: {"result": \n\n', b'data: {"error": {"message": "bye"}}\n\n'), start=2
        ):
            await opened(stub)
            stub.put(changed("Degraded" if version % 2 else "Progressing", version), told=False)
            stub.raw(rubbish)
            assert await seen.health() == ("Degraded" if version % 2 else "Progressing")


async def test_plain_lines_and_comments_are_understood_too() -> None:
    async with argo_cd() as (stub, api), following(api) as seen:
        assert await seen.next() == Seen()
        await opened(stub)
        stub.raw(b":\n:\n\n")
        stub.documents[NAME] = changed("Healthy", 3)
        stub.raw(json.dumps({"result": {"type": "ADDED", "application": stub.documents[NAME]}}).encode() + b"\n")
        assert await seen.health() == "Healthy"


async def test_a_line_of_a_megabyte_comes_through() -> None:
    async with argo_cd() as (stub, api), following(api) as seen:
        assert await seen.next() == Seen()
        await opened(stub)
        stub.put(changed("Healthy", 1, conditions=[{"type": "SyncError", "message": "x" * 2**20}]))
        assert await seen.health() == "Healthy"


async def test_older_words_do_not_undo_newer_ones() -> None:
    async with argo_cd() as (stub, api), following(api) as seen:
        stub.put(changed("Healthy", 9))
        assert await seen.health() == "Healthy"
        await opened(stub)
        stub.say({"result": {"type": "MODIFIED", "application": changed("Degraded", 8)}})
        stub.put(changed("Progressing", 10))
        assert await seen.health() == "Progressing"


async def test_an_application_of_the_same_name_elsewhere_is_another() -> None:
    async with argo_cd() as (stub, api), following(api) as seen:
        stub.put(changed("Healthy", 9))
        assert await seen.health() == "Healthy"
        await opened(stub)
        elsewhere = changed("Degraded", 10)
        elsewhere["metadata"]["namespace"] = "team-apps"
        stub.say({"result": {"type": "MODIFIED", "application": elsewhere}})
        stub.put(changed("Progressing", 11))
        assert await seen.health() == "Progressing"


async def test_one_that_cannot_be_read_is_tried_again() -> None:
    async with argo_cd() as (stub, api):
        stub.put(changed("Healthy", 1))
        stub.script = [Say(500, {"error": "x", "code": 2, "message": "x"}), Say(drop=True)]
        async with following(api) as seen:
            while (found := await seen.next()).problem:
                assert found.problem.startswith(f"Argo CD was asked to show {NAME}")
            assert found.application is not None


async def test_a_slow_follower_is_told_the_newest_only() -> None:
    async with argo_cd() as (stub, api), following(api) as seen, following(api) as quick:
        stub.put(changed("Healthy", 1))
        assert [await seen.health(), await quick.health()] == ["Healthy"] * 2
        await opened(stub)
        for version, health in enumerate(("Degraded", "Progressing", "Suspended"), start=2):
            stub.put(changed(health, version))
            assert await quick.health() == health
        assert await seen.health() == "Suspended"
