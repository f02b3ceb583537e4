"""Watches on a server that says what a test tells it: pauses, odd lines, late and slow followers, the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from bot.ports import Change
from integrations.kubernetes import KubernetesCluster, feed
from integrations.kubernetes.follower import Follower, Plain
from tests.integrations.kubernetes.server import PATIENCE_S, Asked, Say, Server, config_map, listed, refusal


@asynccontextmanager
async def following(cluster: KubernetesCluster, **scope: Any) -> AsyncIterator[Callable[[], Any]]:
    changes = cluster.watch("v1", "ConfigMap", **scope)

    async def told() -> tuple[str, str]:
        async with asyncio.timeout(PATIENCE_S):
            change = await anext(changes)
        metadata: Any = change.object["metadata"] if change.object else {}
        return change.what, metadata.get("name", "") or change.problem

    async with aclosing(changes):  # type: ignore[type-var]  # every watch is an asynchronous generator
        yield told


def event(kind: str, obj: Any) -> Any:
    return {"type": kind, "object": obj}


def watches(*rounds: Say, lists: Say | None = None) -> Callable[[Asked], Say]:
    """Answer each watch with the next of `rounds`; the last one goes on for ever."""
    left = list(rounds)

    def answer(asked: Asked) -> Say:
        if "watch" not in asked.query:
            return lists or listed(config_map("one"))
        return left.pop(0) if left else Say(lines=(), ends=False)

    return answer


def assert_longer_and_longer(pauses: list[float], expected: tuple[float, ...]) -> None:
    """Each is a little shorter than expected, at random."""
    assert len(pauses) == len(expected)
    assert all(0.8 * full <= pause <= full for pause, full in zip(pauses, expected, strict=True))


async def test_a_watch_goes_on_where_the_list_and_the_last_event_stood(
    server: Server, cluster: KubernetesCluster
) -> None:
    bookmark = event("BOOKMARK", {"metadata": {"resourceVersion": "30"}})
    server.otherwise = watches(Say(lines=(event("MODIFIED", config_map("one", "20")), bookmark)))
    async with following(cluster) as told:
        assert [await told() for _ in range(3)] == [("present", "one"), ("synced", ""), ("present", "one")]
        assert await server.watched(2) == ["10", "30"]
    assert server.pauses == []
    first = next(asked for asked in server.asked if "watch" in asked.query)
    assert first.query["allowWatchBookmarks"] == "true"
    assert first.query["timeoutSeconds"] == "120"


async def test_a_line_that_is_cut_off_is_read_again(server: Server, cluster: KubernetesCluster) -> None:
    half = '{"type": "MODIFIED", "object": {"metad'
    server.otherwise = watches(
        Say(lines=(event("ADDED", config_map("two", "20")), half)),
        Say(lines=(event("ADDED", config_map("three", "21")),)),
    )
    async with following(cluster) as told:
        assert [await told() for _ in range(4)] == [
            ("present", "one"),
            ("synced", ""),
            ("present", "two"),
            ("present", "three"),
        ]
    assert (await server.watched(2))[:2] == ["10", "20"]


async def test_a_server_that_ends_every_watch_at_once_is_not_asked_in_a_busy_loop(
    server: Server, cluster: KubernetesCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "SHORT_S", 1e9)  # however slow the machine is
    server.otherwise = watches(*[Say(lines=())] * 8)
    async with following(cluster) as told:
        await told(), await told()
        await server.watched(9)
    assert_longer_and_longer(server.pauses, (1, 2, 4, 8, 16, 30, 30, 30))


async def test_a_place_that_is_forgotten_is_told_in_the_watch_too(server: Server, cluster: KubernetesCluster) -> None:
    gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version: 10 (99)"}
    lists = [listed(config_map("one"), config_map("two")), listed(config_map("two", "50"), version="50")]
    rounds = watches(Say(lines=(event("ERROR", gone),)))
    server.otherwise = lambda asked: rounds(asked) if "watch" in asked.query else lists.pop(0)
    async with following(cluster) as told:
        assert [await told() for _ in range(5)] == [
            ("present", "one"),
            ("present", "two"),
            ("synced", ""),
            ("deleted", "one"),
            ("present", "two"),
        ]
    assert server.pauses == []


async def test_a_watch_that_is_refused_is_lost_once_and_tried_after_longer_and_longer_pauses(
    server: Server, cluster: KubernetesCluster
) -> None:
    denied = refusal(403, 'configmaps is forbidden: User "u" cannot list resource "configmaps"', "Forbidden")
    server.script = [denied] * 7
    server.otherwise = watches()
    async with following(cluster) as told:
        what, problem = await told()
        assert what == "lost"
        assert "does not let Causeway list configmaps" in problem
        assert [await told(), await told()] == [("present", "one"), ("synced", "")]
    assert_longer_and_longer(server.pauses, (1, 2, 4, 8, 16, 30, 30))


async def test_a_kind_that_comes_later_is_followed_then(server: Server, cluster: KubernetesCluster) -> None:
    known = server.kinds.pop("/api/v1")
    server.otherwise = lambda _: Say(404, "404 page not found")
    async with following(cluster) as told:
        what, problem = await told()
        assert what == "lost"
        assert "does not know the kind ConfigMap" in problem
        server.otherwise = watches()
        server.kinds["/api/v1"] = known
        assert [await told(), await told()] == [("present", "one"), ("synced", "")]


async def test_who_comes_while_the_watch_is_lost_is_told_so_first(server: Server, cluster: KubernetesCluster) -> None:
    server.otherwise = lambda _: Say(403, {"kind": "Status", "message": "no"})
    async with following(cluster) as first:
        assert (await first())[0] == "lost"
        async with following(cluster) as second:
            assert (await second())[0] == "lost"
            server.otherwise = watches()
            for told in (first, second):
                assert [await told(), await told()] == [("present", "one"), ("synced", "")]


async def test_the_last_to_leave_ends_the_watch_and_the_next_to_come_begins_one(
    server: Server, cluster: KubernetesCluster
) -> None:
    server.otherwise = watches()
    async with following(cluster) as first, following(cluster) as second:
        for told in (first, second):
            assert [await told(), await told()] == [("present", "one"), ("synced", "")]
    async with following(cluster) as told:
        assert [await told(), await told()] == [("present", "one"), ("synced", "")]
    assert len([asked for asked in server.asked if "watch" not in asked.query]) == 2


async def test_different_scopes_have_watches_of_their_own(server: Server, cluster: KubernetesCluster) -> None:
    server.otherwise = watches()
    async with following(cluster, namespace="x", name="one") as here, following(cluster, labels={"a": "1"}) as there:
        for told in (here, there):
            assert [await told(), await told()] == [("present", "one"), ("synced", "")]
    lists = [(asked.path, dict(asked.query)) for asked in server.asked if "watch" not in asked.query]
    assert sorted(lists, key=str) == [
        ("/api/v1/configmaps", {"limit": "50", "labelSelector": "a=1"}),
        ("/api/v1/namespaces/x/configmaps", {"limit": "50", "fieldSelector": "metadata.name=one"}),
    ]


async def test_closing_the_cluster_ends_all_who_follow(server: Server, cluster: KubernetesCluster) -> None:
    server.otherwise = watches()
    changes = cluster.watch("v1", "ConfigMap")
    assert (await anext(changes)).what == "present"
    assert (await anext(changes)).what == "synced"
    await cluster.close()
    with pytest.raises(StopAsyncIteration):
        await anext(changes)


async def test_a_mistake_of_ours_in_a_watch_reaches_who_follows(server: Server, cluster: KubernetesCluster) -> None:
    async def broken(_seconds: float) -> None:
        raise ZeroDivisionError

    server.otherwise = lambda _: Say(403, {"kind": "Status", "message": "no"})
    cluster._client.sleep = broken
    async with following(cluster) as told:
        assert (await told())[0] == "lost"
        with pytest.raises(ZeroDivisionError):
            await told()


# --- one who is slow


def present(name: str, version: str) -> Change:
    return Change("present", config_map(name, version))


def tell(follower: Follower, *changes: Change) -> None:
    for change in changes:
        metadata: Any = change.object["metadata"] if change.object else {"uid": change.what}
        follower.tell(metadata["uid"], Plain(change))


async def taken(follower: Follower) -> list[tuple[str, str]]:
    follower.end()
    told: list[tuple[str, str]] = []
    while (change := await follower.next()) is not None:
        metadata: Any = change.object["metadata"] if change.object else {}
        told.append((change.what, f"{metadata.get('name', '')} {metadata.get('resourceVersion', '')}".strip()))
    return told


async def test_a_slow_follower_is_told_the_latest_of_each_object_and_nothing_twice() -> None:
    follower = Follower()
    tell(follower, present("a", "1"), present("b", "2"), Change("synced"), present("a", "3"), present("c", "4"))
    assert await taken(follower) == [("present", "a 3"), ("present", "b 2"), ("synced", ""), ("present", "c 4")]


async def test_a_slow_follower_that_loses_the_watch_hears_of_that_and_of_what_was_deleted() -> None:
    follower = Follower()
    gone = Change("deleted", config_map("b", "3"))
    tell(follower, present("a", "1"), Change("synced"), present("b", "2"), gone, Change("lost", problem="no"))
    tell(follower, present("a", "5"), Change("synced"))
    assert await taken(follower) == [("deleted", "b 3"), ("lost", ""), ("present", "a 5"), ("synced", "")]


async def test_an_object_that_takes_the_name_of_one_that_went_is_told_apart() -> None:
    follower = Follower()
    other = config_map("a", "3")
    other["metadata"]["uid"] = "uid-other"
    tell(follower, Change("deleted", config_map("a", "2")), Change("present", other))
    assert await taken(follower) == [("deleted", "a 2"), ("present", "a 3")]
