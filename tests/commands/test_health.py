"""`/health` and `/health team`: what is well, what decides, what to do; first what has arrived, then the whole."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.command import Answer, Context
from bot.deps import Deps
from bot.errors import NotFound, UpstreamUnavailable, UsageError
from bot.model.release import Deployed, Version
from bot.ports import FiringAlert, FiringGroup, Measured
from commands import health, health_team
from tests.commands.company import person
from tests.commands.running import CRASHING, SOURCE, in_slack
from tests.observing.scene import COMMIT, EARLIER, NOW, PROMISES, Scene, bell, hold, scene
from tests.slack.checker import message_violations

__all__ = ["bell"]

BEFORE = Deployed(
    version=Version(name="v1.1.0", commit=EARLIER, image=f"ghcr.io/{SOURCE}:{EARLIER}"),
    at=NOW - timedelta(days=3),
    by="user:default/teammate",
    operation="op-0",
)


class Drawer:
    """Satisfies `Pictures`."""

    def __init__(self) -> None:
        self.drawn: list[str] = []
        self.problem: Exception | None = None

    async def png(self, svg: str) -> bytes:
        self.drawn.append(svg)
        if self.problem is not None:
            raise self.problem
        return b"PNG"


async def ask(deps: Deps, *words: str, context: Context | None = None) -> Answer:
    return await health.answer(health.parse(words), context or in_slack(), deps)


def texts(answer: Answer) -> str:
    assert message_violations(answer.text, answer.blocks) == []
    found: list[str] = []
    for block in answer.blocks:
        found += [part["text"] for part in (block.get("text"), *block.get("elements", ())) if _is_text(part)]
    return "\n".join(found)


def _is_text(part: Any) -> bool:
    return isinstance(part, dict) and isinstance(part.get("text"), str)


def buttons(answer: Answer) -> dict[str, str]:
    blocks: Sequence[Any] = answer.blocks
    every = [one for block in blocks for one in (*block.get("elements", ()), block.get("accessory") or {})]
    return {one["action_id"]: one["value"] for one in every if one.get("type") == "button"}


async def _well() -> Scene:
    made = await scene()
    for where in ("staging", "production"):
        made.runs("orders-api", where)
        made.measures("orders-api", where)
    made.promises("production", slo=PROMISES, history=(BEFORE,))
    return made


async def test_a_healthy_service_is_told_with_its_numbers() -> None:
    made = await _well()
    answer = await ask(made.deps, "orders-api", "production")
    told = texts(answer)
    assert answer.blocks[0]["text"]["text"] == "🟢 orders-api in production: Healthy"
    assert "2 of 2 pods are ready and it answers 12 requests a second as it should." in told
    assert "*latency (p99)* 100 ms (objective: 250 ms) `▄" in told
    assert "by author" in told
    assert "sure, as of" in told
    assert answer.complete is None
    assert buttons(answer) == {"logs": "/service logs orders-api production", "health": "/health orders-api production"}


async def test_the_worst_environment_is_seen_closely_and_the_others_in_a_line() -> None:
    made = await _well()
    made.measures("orders-api", "staging", errors=0.4)
    answer = await ask(made.deps, "orders-api")
    assert answer.blocks[0]["text"]["text"] == "🟡 orders-api in staging: Degraded"
    assert "🟢 *production* Healthy: 2 of 2 pods" in texts(answer)
    assert answer.text.startswith("orders-api in staging is Degraded: 40 % of its requests fail.")
    data: Any = answer.data
    assert {one["environment"]: one["state"] for one in data["environments"]} == {
        "staging": "Degraded",
        "production": "Healthy",
    }


async def test_a_slow_service_offers_why_and_the_way_back() -> None:
    made = await _well()
    made.measures("orders-api", "production", p99=0.9)
    answer = await ask(made.deps, "orders-api", "in", "production")
    assert "*latency (p99)* 900 ms (over its objective of 250 ms)" in texts(answer)
    pressed = buttons(answer)
    assert pressed["why"] == "/health why orders-api production"
    assert pressed["rollback"] == (
        f"/service rollback orders-api in production leaving {COMMIT[:12]} because it is Degraded"
    )
    assert "v1.1.0" in json.dumps(answer.blocks[-1])


async def test_going_back_is_not_offered_where_it_would_not_help() -> None:
    made = await _well()
    made.promises("production", slo=PROMISES)  # nothing ran before
    made.measures("orders-api", "production", p99=0.9)
    assert "rollback" not in buttons(await ask(made.deps, "orders-api", "production"))
    made.runs("checkout-web", "production")
    made.measures("checkout-web", "production")
    made.promises("production", "checkout-web", history=(BEFORE,))
    answer = await ask(made.deps, "checkout-web", "production")
    assert "Because of orders-api" in texts(answer)
    assert "🟡 *orders-api* Degraded: Its latency (p99) is 900 ms" in texts(answer)
    assert "rollback" not in buttons(answer)


async def test_a_crashing_pod_is_told_with_what_to_do() -> None:
    made = await _well()
    made.runs("orders-api", "production", ready=0, pods=[CRASHING, CRASHING])
    answer = await ask(made.deps, "orders-api", "production")
    told = texts(answer)
    assert "🔴 orders-api in production: Down" in told
    assert "All 2 pods crash at start (exit code 1, 4 restarts)." in told
    assert "`/service logs orders-api`" in told


async def test_what_has_arrived_is_told_first_and_then_the_whole(bell: asyncio.Event) -> None:
    made = await _well()
    answers = hold(made.metrics, "at", "over")
    first = await ask(made.deps, "orders-api", "production")
    assert "⚪ orders-api in production: Unknown" in texts(first)
    assert "Prometheus has not answered yet. This message is completed by itself." in texts(first)
    data: Any = first.data
    assert data["whole"] is False
    assert first.complete is not None
    answers.set()
    whole = await first.complete()
    assert "🟢 orders-api in production: Healthy" in texts(whole)
    assert "completed by itself" not in texts(whole)
    assert whole.complete is None


async def test_a_picture_comes_with_the_whole_and_its_failure_hides_nothing() -> None:
    made, drawer = await _well(), Drawer()
    deps = replace(made.deps, pictures=drawer)
    first = await ask(deps, "orders-api", "production")
    assert first.picture is None
    assert drawer.drawn == []
    assert first.complete is not None
    shown = (await first.complete()).picture
    assert shown is not None
    assert (shown.name, shown.title, shown.png) == (
        "orders-api-production.png",
        "orders-api in production: latency (p99)",
        b"PNG",
    )
    assert "Objective: 250 ms." in shown.alt
    drawer.problem = UpstreamUnavailable("It cannot be drawn.")
    assert (await first.complete()).picture is None


async def test_prometheus_that_is_down_is_named_and_nothing_is_called_healthy() -> None:
    made = await _well()
    made.metrics.answers("", UpstreamUnavailable("Prometheus does not answer."))
    told = texts(await ask(made.deps, "orders-api", "production"))
    assert "⚪ orders-api in production: Unknown" in told
    assert "Prometheus does not answer." in told


async def test_hostile_texts_stay_texts() -> None:
    made = await _well()
    labels = {"alertname": "<!channel> *x*" * 60, "service": "orders-api", "environment": "production"}
    summary = {"summary": "<https://evil.example|click> `rm` & " * 90}
    made.alerts.fire(FiringGroup({}, "causeway", (FiringAlert("f", labels, summary, NOW),)))
    answer = await ask(made.deps, "orders-api", "production")
    everything = json.dumps(answer.blocks) + answer.text
    assert "<!channel>" not in everything
    assert "<https://evil" not in everything


async def test_a_service_that_runs_nowhere_is_said_to() -> None:
    made = await scene()
    made.metrics.answers("", Measured())
    answer = await ask(made.deps, "orders-api")
    assert "orders-api has not been deployed to any environment." in answer.text
    answer = await ask(made.deps, "orders-api", "staging")
    assert "orders-api has not been deployed to staging." in answer.text


@pytest.mark.parametrize(
    ("words", "error", "told"),
    [
        (("orders-apo",), NotFound, "Did you mean `orders-api`"),
        (("orders-api", "moon"), NotFound, "There is no environment `moon`."),
        (("a", "b", "c"), UsageError, "Try `/health"),
    ],
)
async def test_what_is_not_known_is_answered_with_what_is(words: tuple[str, ...], error: Any, told: str) -> None:
    made = await scene()
    with pytest.raises(error) as caught:
        await ask(made.deps, *words)
    assert told in str(caught.value)


# --- Several


async def test_without_words_the_services_of_the_channel_have_a_line_each() -> None:
    made = await _well()
    made.measures("orders-api", "staging", errors=0.4)
    answer = await ask(made.deps)
    told = texts(answer)
    assert answer.blocks[0]["text"]["text"] == "1 Degraded, 1 Healthy"
    assert "🟡 *orders-api* staging · Degraded · 40 % of its requests fail." in told
    assert "(production Healthy)" in told
    assert buttons(answer)["why"] == "/health why orders-api staging"
    assert "checkout-web" not in told
    only = texts(await ask(made.deps, "production"))
    assert "staging" not in only


async def test_elsewhere_ones_own_services_are_meant_and_of_nobody_it_is_asked_back() -> None:
    made = await _well()
    answer = await ask(made.deps, context=in_slack(channel="C0ELSEWHERE"))
    assert "*orders-api*" in texts(answer)
    lonely = replace(in_slack(channel=None), principal=person(user="stranger"))
    with pytest.raises(UsageError, match="Which service"):
        await ask(made.deps, context=lonely)


async def test_a_team_is_one_table() -> None:
    made = await _well()
    made.measures("orders-api", "staging", errors=0.4)
    answer = await health_team.answer(health_team.parse(["team-orders"]), in_slack(), made.deps)
    told = texts(answer)
    assert answer.blocks[0]["text"]["text"] == "team-orders: 1 Degraded, 1 Healthy"
    rows = [line.split() for line in answer.blocks[1]["text"]["text"].strip("`").splitlines()]
    assert rows[0] == ["Service", "Where", "State", "Requests", "Failing", "Latency", "Last", "hour"]
    assert rows[1][:9] == ["!", "orders-api", "staging", "Degraded", "12", "req/s", "40", "%", "100"]
    assert rows[2][:4] == ["✓", "orders-api", "production", "Healthy"]
    assert "🟡 *orders-api* staging: 40 % of its requests fail." in told
    data: Any = answer.data
    assert len(data["services"][0]["signals"][0]["points"]) == 61


async def test_a_team_is_told_in_two_parts_too_and_without_a_name_it_is_the_channels(bell: asyncio.Event) -> None:
    made = await _well()
    answers = hold(made.deployments, "application")
    first = await health_team.answer(health_team.parse([]), in_slack(), made.deps)
    assert "Argo CD has not answered yet." in texts(first)
    assert first.complete is not None
    answers.set()
    assert "2 Healthy" in texts(await first.complete())


async def test_an_unknown_team_and_one_without_services_are_said_to_be() -> None:
    made = await scene()
    for words, told in ((["team-moon"], "There is no group `team-moon`"), (["a", "b"], "Try `/health team")):
        with pytest.raises((NotFound, UsageError), match=told):
            await health_team.answer(health_team.parse(words), in_slack(), made.deps)
    lonely = replace(in_slack(channel=None), principal=person(user="stranger"))
    with pytest.raises(UsageError, match="Which team"):
        await health_team.answer(health_team.parse([]), lonely, made.deps)
