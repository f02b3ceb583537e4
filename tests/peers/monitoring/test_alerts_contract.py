"""What may be relied on about alerts and silences: one suite on the playground's Alertmanager and on the real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.errors import Conflict, NotFound
from bot.ports import FiringGroup, Matcher, Silence
from integrations.alertmanager import connect
from tests.peers.monitoring.houses import ALERTS, PATIENCE_S, Firing

everywhere = pytest.mark.parametrize("firing", ALERTS, indirect=True)
HOUR = timedelta(hours=1)
ALIKE = timedelta(milliseconds=2)
SLOW = {"alertname": "Slow", "service": "orders-api", "severity": "critical"}
FULL = {"alertname": "Full", "service": 'a "strange" \\ näme', "note": "<@U1> {{ .Labels }}"}


def silence(**changes: object) -> Silence:
    now = datetime.now(UTC)
    made = Silence(
        matchers=(Matcher("service", "orders-api"), Matcher("alertname", "Sl.*", is_regex=True)),
        starts_at=now,
        ends_at=now + HOUR,
        by="Sample Author",
        comment="a new disk, op_1",
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # a test's own


async def shown(house: Firing, *, silenced: bool) -> FiringGroup:
    """Look until the group is shown as silenced, or not: both show a change a moment later than they take it."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            group = await house.group("orders-api")
            if group is not None and all(bool(one.silenced_by) is silenced for one in group.alerts):
                return group
            await asyncio.sleep(0.02)  # neither tells when it shows it


@everywhere
async def test_what_fires_is_told_in_groups_until_it_is_resolved(firing: Firing) -> None:
    assert await firing.alerts.groups() == ()
    await firing.fire(SLOW | {"pod": "a"}, SLOW | {"pod": "b"}, FULL)
    told = await firing.told_of("orders-api", "firing")
    await firing.told_of(FULL["service"], "firing")
    group = await firing.group("orders-api")
    assert group is not None
    assert dict(group.labels) == {"alertname": "Slow", "service": "orders-api"} == told["groupLabels"]
    assert group.receiver == told["receiver"]
    assert {one.labels["pod"] for one in group.alerts} <= {"a", "b"}
    assert {one.fingerprint for one in group.alerts} >= {one["fingerprint"] for one in told["alerts"]}
    assert group.alerts[0].annotations == {"summary": "It is slow"}
    assert group.alerts[0].starts_at < datetime.now(UTC) - timedelta(seconds=30)
    strange = await firing.group(FULL["service"])
    assert strange is not None
    assert dict(strange.alerts[0].labels) == FULL
    ended = datetime.now(UTC)
    await firing.fire(SLOW | {"pod": "a"}, SLOW | {"pod": "b"}, ends_at=ended)
    await firing.told_of("orders-api", "resolved")
    assert await firing.group("orders-api") is None


@everywhere
async def test_a_silence_keeps_alerts_quiet_until_it_is_ended(firing: Firing) -> None:
    await firing.fire(SLOW, FULL)
    wanted = silence()
    made = await firing.alerts.silence(wanted)
    [kept] = await firing.alerts.silences()
    assert (kept.id, kept.by, kept.comment, kept.state) == (made, wanted.by, wanted.comment, "active")
    assert set(kept.matchers) == set(wanted.matchers)
    assert abs(kept.ends_at - wanted.ends_at) < ALIKE
    group = await shown(firing, silenced=True)
    assert group.alerts[0].silenced_by == (made,)
    other = await firing.group(FULL["service"])
    assert other is not None
    assert other.alerts[0].silenced_by == ()
    assert await firing.alerts.unsilence(made)
    await shown(firing, silenced=False)
    assert not await firing.alerts.unsilence(made), "it has ended already"
    assert [one.state for one in await firing.alerts.silences()] == ["expired"]


@everywhere
async def test_a_silence_may_be_changed(firing: Firing) -> None:
    made = await firing.alerts.silence(silence())
    [standing] = await firing.alerts.silences()
    longer = replace(standing, ends_at=standing.ends_at + HOUR, comment="longer")
    assert await firing.alerts.silence(longer) == made, "only its end has moved"
    [kept] = await firing.alerts.silences()
    assert (kept.comment, abs(kept.ends_at - longer.ends_at) < ALIKE) == ("longer", True)
    wider = await firing.alerts.silence(replace(kept, matchers=(Matcher("service", "orders-api"),)))
    assert wider != made
    states = {one.id: one.state for one in await firing.alerts.silences()}
    assert states == {made: "expired", wider: "active"}


@everywhere
async def test_a_silence_may_be_about_what_is_not_and_begin_later(firing: Firing) -> None:
    matchers = (Matcher("service", "other", is_equal=False), Matcher("pod", "a|b", is_regex=True, is_equal=False))
    begin = datetime.now(UTC) + HOUR
    await firing.alerts.silence(silence(matchers=matchers, starts_at=begin, ends_at=begin + HOUR))
    [kept] = await firing.alerts.silences()
    assert (kept.state, set(kept.matchers)) == ("pending", set(matchers))
    assert abs(kept.starts_at - begin) < ALIKE


@everywhere
@pytest.mark.parametrize("unknown", ["3b1ce3a7-6f8a-4f4b-9a2c-0d6f3f1f2b11", "no-id", "../alerts", ""])
async def test_an_unknown_silence_cannot_be_ended(firing: Firing, unknown: str) -> None:
    assert not await firing.alerts.unsilence(unknown)


@everywhere
async def test_what_is_no_silence_is_not_taken(firing: Firing) -> None:
    with pytest.raises(NotFound):
        await firing.alerts.silence(silence(id="3b1ce3a7-6f8a-4f4b-9a2c-0d6f3f1f2b11"))
    past = datetime.now(UTC) - HOUR
    for wrong in (
        silence(starts_at=past - HOUR, ends_at=past),
        silence(matchers=()),
        silence(matchers=(Matcher("service", "(", is_regex=True),)),
        silence(matchers=(Matcher("service", ".*", is_regex=True),)),
        silence(matchers=(Matcher("no name", "x"),)),
    ):
        with pytest.raises(Conflict):
            await firing.alerts.silence(wrong)
    assert await firing.alerts.silences() == ()


@everywhere
async def test_a_silence_whose_answer_is_lost_is_found(firing: Firing) -> None:
    async with losing(firing) as url:
        alerts = connect(url)
        made = await alerts.silence(silence())
        await alerts.close()
    assert [one.id for one in await firing.alerts.silences()] == [made]


@asynccontextmanager
async def losing(house: Firing) -> AsyncIterator[str]:
    """Pass everything on, and lose the answer to what is posted."""

    async def passes(request: web.Request) -> web.Response:
        body = await request.read()
        headers = {"Content-Type": "application/json"}
        async with house.session.request(
            request.method, f"{house.url}{request.path_qs}", data=body or None, headers=headers
        ) as response:
            content = await response.read()
        if request.method == "POST" and request.transport is not None:
            request.transport.close()
        return web.Response(body=content, status=response.status, headers=headers)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", passes)
    async with TestServer(application) as server:
        yield str(server.make_url("")).rstrip("/")
