"""Following applications: one stream for all, which comes back by itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.ports import Seen
from integrations.argocd import ArgoCDApi, client
from integrations.argocd.stream import PATH as STREAM
from tests.integrations.argocd.documents import document
from tests.integrations.argocd.stub import Say, Stub, argo_cd

NAME = "orders-api-staging"
DEADLINE_S = 30
AWAY = Say(503, {"error": "down", "code": 14, "message": "down"})
NO_SESSION = Say(401, {"error": "no session", "code": 16, "message": "no session"})


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


async def asked(stub: Stub, part: str, times: int = 1) -> None:
    """Wait until it was asked so often for what has this part in its path."""
    async with asyncio.timeout(DEADLINE_S):
        while stub.calls(part) < times:
            stub.called.clear()
            await stub.called.wait()


async def test_first_how_it_is_then_every_change() -> None:
    async with argo_cd() as (stub, api), following(api) as seen:
        stub.put(changed("Progressing", 5))
        assert await seen.health() == "Progressing"
        await asked(stub, STREAM)
        for version, health in enumerate(("Degraded", "Progressing", "Healthy"), start=6):
            stub.put(changed(health, version))
            assert await seen.health() == health
        stub.remove(NAME)
        assert (await seen.next()) == Seen()
        stub.put(changed("Missing", 12))
        assert await seen.health() == "Missing"


async def test_while_a_stream_tells_nothing_it_is_read_again_and_again() -> None:
    """Argo CD answers with the first event, so that nothing tells a stream that does not work from a quiet one."""
    async with argo_cd() as (stub, api), following(api) as seen:
        for version, health in enumerate(("Degraded", "Progressing", "Healthy"), start=1):
            stub.put(changed(health, version), told=False)
            stub.later.release()
            assert await seen.health() == health


async def test_what_a_stream_tells_is_read_only_once_more() -> None:
    async with argo_cd() as (stub, api), following(api) as seen:
        stub.put(changed("Progressing", 1))
        assert await seen.health() == "Progressing"
        await asked(stub, STREAM)
        stub.put(changed("Degraded", 2))
        assert await seen.health() == "Degraded"
        for version in range(3, 13):
            stub.later.release()
            health = "Healthy" if version % 2 else "Degraded"
            stub.put(changed(health, version))
            assert await seen.health() == health
        assert stub.calls(NAME) <= 2


async def test_a_stream_that_stays_quiet_is_asked_for_again_and_is_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "SILENCE_S", 0.01)
    async with argo_cd() as (stub, api), following(api) as seen:
        stub.put(changed("Progressing", 1))
        assert await seen.health() == "Progressing"
        await asked(stub, STREAM, 5)
        stub.put(changed("Healthy", 2), told=False)
        stub.later.release()
        assert await seen.health() == "Healthy"


async def test_a_stream_that_is_refused_is_no_problem_as_long_as_it_can_be_read() -> None:
    async with argo_cd() as (stub, api):
        stub.stream_script = [AWAY] * 8 + [Say(hang=True)]
        async with following(api) as seen:
            stub.put(changed("Progressing", 1))
            assert await seen.health() == "Progressing"
            await asked(stub, STREAM, 9)
            stub.put(changed("Healthy", 2))
            stub.later.release()
            assert await seen.health() == "Healthy"
    assert stub.naps[0] == pytest.approx(0.1)
    assert stub.naps[1:6] == sorted(stub.naps[1:6])
    assert all(24 <= nap <= 30 for nap in stub.naps[6:8])


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
            await asked(stub, STREAM)
            stub.put(changed("Degraded", 2, "b-staging"))
            assert [await b.health(), await c.health()] == ["Degraded"] * 2
        streams = [query for _, path, query, _ in stub.asked if "stream" in path]
        assert streams == [{"resourceVersion": "0", "appNamespace": "argocd"}]
        assert not any("c-staging" in path for _, path, _, _ in stub.asked)


async def test_the_stream_ends_with_the_last_follower_and_opens_with_the_next() -> None:
    async with argo_cd() as (stub, api):
        stub.put(changed("Healthy", 1))
        for times in (1, 2):
            async with following(api) as seen:
                assert await seen.health() == "Healthy"
                await asked(stub, STREAM, times)
            assert (api._stream._task, api._stream._readings) == (None, set())
        assert stub.calls(STREAM) == 2


async def test_for_who_has_left_nothing_is_read_any_more() -> None:
    async with argo_cd() as (stub, api), following(api) as seen:
        assert await seen.next() == Seen()
        async with following(api, "other-staging") as other:
            assert await other.next() == Seen()
        for _ in range(4):
            stub.later.release()
        await asked(stub, NAME, 3)
        assert stub.calls("other-staging") == 1


async def test_when_a_stream_breaks_off_it_is_read_at_once_before_anybody_is_told() -> None:
    async with argo_cd() as (stub, api), following(api) as seen, following(api, "other-staging") as other:
        stub.put(changed("Healthy", 1))
        stub.put(changed("Healthy", 1, "other-staging"))
        assert [await seen.health(), await other.health()] == ["Healthy"] * 2
        await asked(stub, STREAM)
        stub.put(changed("Progressing", 2))
        assert await seen.health() == "Progressing"
        stub.later.release()
        stub.later.release()
        await asked(stub, NAME, 2)
        await asked(stub, "other-staging", 2)
        stub.remove(NAME, told=False)
        stub.put(changed("Degraded", 2, "other-staging"), told=False)
        stub.raw(None)
        assert [await seen.next(), await other.health()] == [Seen(), "Degraded"]


async def test_that_it_cannot_be_read_is_told_once_until_it_can() -> None:
    async with argo_cd() as (stub, api), following(api) as seen:
        stub.put(changed("Healthy", 1))
        assert await seen.health() == "Healthy"
        stub.script = [AWAY] * 4
        for _ in range(4):
            stub.later.release()
        problem = (await seen.next()).problem
        assert problem.startswith(f"Argo CD was asked to show {NAME}, but it answered with an error")
        await asked(stub, NAME, 5)
        stub.later.release()
        assert await seen.health() == "Healthy", "nothing else was told in between"


async def test_that_it_cannot_be_read_ends_with_the_next_word_of_a_stream() -> None:
    async with argo_cd() as (stub, api), following(api) as seen:
        stub.put(changed("Healthy", 1))
        assert await seen.health() == "Healthy"
        await asked(stub, STREAM)
        stub.script = [AWAY] * 2
        for _ in range(2):
            stub.later.release()
        assert (await seen.next()).problem
        stub.put(changed("Degraded", 2))
        assert await seen.health() == "Degraded"


async def test_who_comes_while_it_is_away_is_told_so() -> None:
    async with argo_cd() as (stub, api), following(api) as first:
        stub.put(changed("Healthy", 1))
        assert await first.health() == "Healthy"
        stub.script = [NO_SESSION] * 2
        for _ in range(2):
            stub.later.release()
        assert "did not accept our token" in (await first.next()).problem
        stub.script = [Say(hang=True)]
        async with following(api) as second:
            assert "did not accept our token" in (await second.next()).problem


async def test_words_that_are_cut_off_or_none_break_the_stream_and_it_comes_back() -> None:
    async with argo_cd() as (stub, api), following(api) as seen:
        assert await seen.next() == Seen()
        for number, rubbish in enumerate(
            (b'data: {"result": \n\n', b'data: {"error": {"message": "bye"}}\n\n'), start=1
        ):
            await asked(stub, STREAM, number)
            stub.put(changed("Progressing", 2 * number))
            assert await seen.health() == "Progressing"
            stub.put(changed("Healthy", 2 * number + 1), told=False)
            stub.raw(rubbish)
            stub.later.release()
            assert await seen.health() == "Healthy"
        await asked(stub, STREAM, 3)
        assert stub.naps == [pytest.approx(0.1)] * 2


async def test_plain_lines_and_comments_are_understood_too() -> None:
    async with argo_cd() as (stub, api), following(api) as seen:
        assert await seen.next() == Seen()
        await asked(stub, STREAM)
        stub.raw(b":\n:\n\n")
        stub.documents[NAME] = changed("Healthy", 3)
        stub.raw(json.dumps({"result": {"type": "ADDED", "application": stub.documents[NAME]}}).encode() + b"\n")
        assert await seen.health() == "Healthy"


async def test_a_line_of_a_megabyte_comes_through() -> None:
    async with argo_cd() as (stub, api), following(api) as seen:
        assert await seen.next() == Seen()
        await asked(stub, STREAM)
        stub.put(changed("Healthy", 1, conditions=[{"type": "SyncError", "message": "x" * 2**20}]))
        assert await seen.health() == "Healthy"


async def test_older_words_do_not_undo_newer_ones() -> None:
    async with argo_cd() as (stub, api), following(api) as seen:
        stub.put(changed("Healthy", 9))
        assert await seen.health() == "Healthy"
        await asked(stub, STREAM)
        stub.say({"result": {"type": "MODIFIED", "application": changed("Degraded", 8)}})
        stub.put(changed("Progressing", 10))
        assert await seen.health() == "Progressing"


async def test_an_application_of_the_same_name_elsewhere_is_another() -> None:
    async with argo_cd() as (stub, api), following(api) as seen:
        stub.put(changed("Healthy", 9))
        assert await seen.health() == "Healthy"
        await asked(stub, STREAM)
        elsewhere = changed("Degraded", 10)
        elsewhere["metadata"]["namespace"] = "team-apps"
        stub.say({"result": {"type": "MODIFIED", "application": elsewhere}})
        stub.put(changed("Progressing", 11))
        assert await seen.health() == "Progressing"


async def test_one_that_cannot_be_read_is_tried_again_and_told_when_that_fails() -> None:
    async with argo_cd() as (stub, api), following(api) as seen:
        stub.put(changed("Healthy", 1))
        stub.script = [AWAY] * 2
        stub.later.release()
        assert (await seen.next()).problem.startswith(f"Argo CD was asked to show {NAME}")
        stub.later.release()
        assert await seen.health() == "Healthy"


async def test_a_slow_follower_is_told_the_newest_only() -> None:
    async with argo_cd() as (stub, api), following(api) as seen, following(api) as quick:
        stub.put(changed("Healthy", 1))
        assert [await seen.health(), await quick.health()] == ["Healthy"] * 2
        await asked(stub, STREAM)
        for version, health in enumerate(("Degraded", "Progressing", "Suspended"), start=2):
            stub.put(changed(health, version))
            assert await quick.health() == health
        assert await seen.health() == "Suspended"
