"""Faults on order."""

from __future__ import annotations

import aiohttp
import pytest

from tests.playground.slack.rig import ORDERS, TOKENS, Json, Rig


async def raw(slack: Rig, text: str = "hello") -> tuple[int, str | None, Json]:
    headers = {"Authorization": f"Bearer {TOKENS.bot}"}
    url, call = f"{slack.url}/api/chat.postMessage", {"channel": ORDERS, "text": text}
    async with slack.http.post(url, json=call, headers=headers) as response:
        return response.status, response.headers.get("Retry-After"), await response.json()


async def test_a_named_error_comes_as_often_as_ordered_after_what_is_skipped(slack: Rig) -> None:
    await slack.sim("faults", method="chat.postMessage", error="fatal_error", times=2, skip=1)
    answers = [(await raw(slack))[2] for _ in range(4)]
    assert [answer.get("error") for answer in answers] == [None, "fatal_error", "fatal_error", None]
    assert len(await slack.messages()) == 2, "a failed call posts nothing"


async def test_a_status_may_say_when_to_come_back(slack: Rig) -> None:
    await slack.sim("faults", method="*", status=429, retry_after=7)
    assert await raw(slack) == (429, "7", {"ok": False, "error": "ratelimited"})


@pytest.mark.parametrize(("drop", "posted"), [("before", 0), ("after", 1)])
async def test_a_dropped_call_has_no_answer_with_or_without_its_work(slack: Rig, drop: str, posted: int) -> None:
    await slack.sim("faults", method="chat.postMessage", drop=drop)
    with pytest.raises(aiohttp.ClientError):
        await raw(slack)
    assert len(await slack.messages()) == posted


async def test_a_truncated_answer_breaks_off(slack: Rig) -> None:
    await slack.sim("faults", method="chat.postMessage", truncate=True)
    with pytest.raises((aiohttp.ClientError, ValueError)):
        await raw(slack)
    assert len(await slack.messages()) == 1


async def test_a_delay_only_delays(slack: Rig) -> None:
    await slack.sim("faults", method="chat.postMessage", delay_ms=30)
    assert (await raw(slack))[0] == 200
    assert (await slack.log("call"))[-1]["ms"] >= 30


async def test_a_response_url_can_fail_too(slack: Rig) -> None:
    await slack.sim("faults", method="response_url", status=500)
    await slack.trigger()
    async with slack.http.post(slack.bot.heard[-1].payload["response_url"], json={"text": "x"}) as response:
        assert response.status == 500


async def test_faults_are_listed_and_cleared(slack: Rig) -> None:
    listed = await slack.sim("faults", method="views.open", error="fatal_error", times=3)
    assert [(fault["method"], fault["times"]) for fault in listed["faults"]] == [("views.open", 3)]
    async with slack.http.delete(f"{slack.url}/sim/faults") as response:
        assert await response.json() == {"faults": []}
    assert (await slack.see("faults"))["faults"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "*"},
        {"method": "*", "drop": "sometimes"},
        {"method": "*", "x": 1},
        {"method": "*", "error": "x", "times": "many"},
    ],
)
async def test_a_fault_that_says_nothing_is_refused(slack: Rig, wrong: Json) -> None:
    status, answer = await slack.try_sim("faults", **wrong)
    assert (status, answer["error"]) == (400, "invalid_fault")


async def test_an_ordered_fault_is_no_violation_of_the_bot(slack: Rig) -> None:
    await slack.sim("faults", method="chat.postMessage", error="invalid_blocks")
    await raw(slack)
    [entry] = await slack.log("call")
    assert (entry["violations"], entry["fault"]) == ([], {"error": "invalid_blocks"})
