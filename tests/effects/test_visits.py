"""A way into a database: a pod of one's own, made once, told why it does not start, taken back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.effects import AdmitVisitor, AwaitVisitor
from bot.errors import Conflict
from bot.model.effect import Outcome
from bot.ports import ObjectRef, Ports
from tests.effects.scenes import ADMIT, NAMESPACE, VISITOR, World, run, world
from tests.fakes.waiting import FakeWaiting

REF = ObjectRef("v1", "Pod", "orders-db-visit-author", NAMESPACE)
WAIT = AwaitVisitor(id="await-visitor", cluster="default", namespace=NAMESPACE, name=REF.name)


def pod(phase: str, ready: str = "False", **status: Any) -> dict[str, Any]:
    told = {"phase": phase, "conditions": [{"type": "Ready", "status": ready}], **status}
    return {**VISITOR, "status": told}


def ports(made: World, waiting: FakeWaiting) -> Ports:
    return replace(made.ports, waiting=waiting)


async def waited(made: World, waiting: FakeWaiting, told: list[tuple[str, bool]]) -> Outcome:
    async def report(text: str, *, stalled: bool = False) -> None:
        told.append((text, stalled))

    return await WAIT.apply(ports(made, waiting), run(WAIT).model_copy(update={"report": report}))


async def test_the_receipt_says_until_when() -> None:
    made = await world()
    outcome = await ADMIT.apply(made.ports, run(ADMIT))
    assert outcome.outputs["until"] == "2026-06-01T10:00:00+00:00", "an hour after the pod was made"
    assert outcome.seen.endswith("lets author in until 01 June, 10:00 UTC")


async def test_who_is_in_already_is_not_thrown_out() -> None:
    made = await world()
    made.cluster.put(pod("Running", "True"))
    with pytest.raises(Conflict, match=r"author has a way into orders-db already\. End it: `/database disconnect`"):
        await ADMIT.apply(made.ports, run(ADMIT))


async def test_what_is_left_of_an_ended_visit_makes_room() -> None:
    made = await world()
    made.cluster.put(pod("Failed", reason="DeadlineExceeded"))
    made.cluster.held.add(REF)
    before = made.cluster.find(REF)["metadata"]["uid"]
    outcome = await ADMIT.apply(ports(made, FakeWaiting([lambda: made.cluster.release(REF)])), run(ADMIT))
    assert outcome.made["uid"] != before


async def test_it_waits_for_the_pod_and_says_why_it_does_not_start() -> None:
    made, told = await world(), list[tuple[str, bool]]()
    waiting_for = {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}
    broken = pod("Pending", containerStatuses=[{"name": "client", "image": "psql:1", "state": waiting_for}])
    made.cluster.put(
        {**broken, "spec": {"containers": [{"name": "client", "image": "psql:1"}], "activeDeadlineSeconds": 3600}}
    )
    waiting = FakeWaiting([lambda: made.cluster.put(pod("Running", "True"))])
    outcome = await waited(made, waiting, told)
    assert outcome.seen == "the way in is open: orders-db-visit-author runs"
    ((text, stalled),) = told
    assert stalled
    assert text.startswith("The way in is not open: its pod ")
    assert "psql:1" in text


async def test_a_way_in_that_was_closed_meanwhile_ends_the_wait() -> None:
    made = await world()
    made.cluster.put(pod("Pending"))
    waiting = FakeWaiting([lambda: made.cluster.remove(REF)])
    async with asyncio.timeout(30):
        with pytest.raises(Conflict, match="closed before it was open"):
            await waited(made, waiting, [])


def test_one_pod_and_no_more() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        AdmitVisitor(id="admit", cluster="default", pod=(), database="orders-db", visitor="author")
