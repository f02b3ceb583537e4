"""`/service list` with versions: one look at Git, and nothing read twice."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from bot.command import Answer
from bot.errors import UpstreamUnavailable
from bot.releases import book
from commands import service_list
from commands.service_list import ServiceList
from tests.commands.running import GITOPS, a_release, forge, in_slack, keep, running
from tests.fakes.forge import FakeForge
from tests.slack.checker import message_violations


async def ask(made: FakeForge) -> Answer:
    answer = await service_list.answer(ServiceList(), in_slack(), running(made))
    assert message_violations(answer.text, answer.blocks) == []
    return answer


def shown(answer: Answer) -> str:
    return json.dumps(list(answer.blocks), ensure_ascii=False)


async def test_versions_are_listed_where_they_run() -> None:
    made = await forge()
    keep(made, a_release("1" * 40, "production", name="v1.4.1"), a_release("2" * 40, "staging", name="v1.4.2 <b>"))
    answer = await ask(made)
    assert "· staging `v1.4.2 &lt;b&gt;`, production `v1.4.1`" in shown(answer)
    told: Any = answer.data
    assert told[0]["running"] == {"staging": "v1.4.2 <b>", "production": "v1.4.1"}
    assert "running" not in told[1]


async def test_what_has_not_changed_is_not_read_again() -> None:
    made = await forge()
    keep(made, a_release("3" * 40, name="kept"), a_release("4" * 40, "production", name="goes"))
    await ask(made)
    made.calls.clear()
    await ask(made)
    assert made.calls == ["tree"]
    keep(made, a_release("5" * 40, "production", name="new"))
    made.calls.clear()
    assert "staging `kept`, production `new`" in shown(await ask(made))
    assert made.calls == ["tree", "file"]


async def test_only_the_files_of_listed_services_are_read() -> None:
    made = await forge()
    foreign = a_release("6" * 40, name="of another").model_copy(update={"service": "billing"})
    keep(made, foreign)
    made.push(GITOPS, {"apps/orders-api/staging/deployment-orders-api.yaml": b"kind: Deployment"})
    made.push(GITOPS, {"apps/orders-api/retired/.causeway/release.yaml": b"service: orders-api"})
    await ask(made)
    assert "file" not in made.calls


@pytest.mark.parametrize("method", ["tree", "file"])
async def test_a_git_that_cannot_be_read_takes_only_the_versions_away(method: str) -> None:
    made = await forge()
    keep(made, a_release("7" * 40, name=f"unreadable by {method}"))
    made.refuse(method, UpstreamUnavailable("GitHub did not answer."))
    answer = await ask(made)
    assert answer.text == "2 services: orders-api, checkout-web"
    assert "Which versions run is not known: GitHub did not answer." in shown(answer)


async def test_a_release_that_somebody_broke_is_left_out() -> None:
    made = await forge()
    made.push(GITOPS, {"apps/orders-api/staging/.causeway/release.yaml": b"broken: [by hand"})
    answer = await ask(made)
    assert "staging" not in shown(answer)


async def test_what_does_not_answer_in_time_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    made, never = await forge(), asyncio.Event()

    async def silent(*_: Any, **__: Any) -> Any:
        await never.wait()

    monkeypatch.setattr(made, "tree", silent)
    monkeypatch.setattr(book, "PATIENCE_S", 0.0)
    assert "Not every version could be read in time" in shown(await ask(made))
