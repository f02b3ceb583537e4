"""Restarting, scaling and freezing: the release changes, the version does not."""

from __future__ import annotations

from typing import Any

import pytest

from bot.effects import AwaitHealthy
from bot.errors import Conflict, Refused, UsageError
from commands import service_deploy, service_freeze, service_promote, service_rollback, service_scale
from tests.releases.house import House, effects, ids


@pytest.fixture
async def running(house: House) -> House:
    await house.do("service.deploy", service="orders-api")
    return house


async def test_a_restart_is_a_commit_that_starts_pods_anew(running: House) -> None:
    before = running.object("Deployment")
    plan = await running.do("service.restart", service="orders-api")
    after = running.object("Deployment")
    stamp = after["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"]
    assert stamp == running.now.isoformat()
    assert before["spec"]["template"]["spec"] == after["spec"]["template"]["spec"]
    assert ids(plan) == ["deliver", "refresh", "await-healthy"]
    health = next(effect for effect in effects(plan) if isinstance(effect, AwaitHealthy))
    assert running.bound(health).restarted_at == stamp  # type: ignore[attr-defined]  # bound, it is of the same kind


async def test_scaling_wins_over_the_document_until_it_is_unscaled(running: House) -> None:
    await running.do("service.scale", service="orders-api", replicas=5)
    assert running.object("Deployment")["spec"]["replicas"] == 5
    running.push("Later", replicas=3)
    await running.do("service.deploy", service="orders-api")
    assert running.object("Deployment")["spec"]["replicas"] == 5, "a deploy does not forget it"
    await running.do("service.unscale", service="orders-api")
    assert running.object("Deployment")["spec"].get("replicas") != 5
    with pytest.raises(Conflict, match="as its document says already"):
        await running.plan("service.unscale", service="orders-api")


async def test_borrowed_replicas_go_back_at_their_time(running: House) -> None:
    plan = await running.do("service.scale", service="orders-api", replicas=5, span="2h")
    assert plan.summary == "Scale orders-api in staging to 5 for 2h"
    assert running.agenda.appointments["unscale:orders-api/staging"]["command"] == "service.unscale"
    await running.do("service.scale", service="orders-api", replicas=4)
    assert "unscale:orders-api/staging" not in running.agenda.appointments, "for good now: the term has no meaning"


async def test_a_number_of_replicas_whose_term_is_over_is_not_deployed_again(running: House) -> None:
    await running.do("service.scale", service="orders-api", replicas=4, span="2h")
    assert running.object("Deployment")["spec"]["replicas"] == 4
    running.later(hours=3)
    running.push("Go on", replicas=2)
    await running.do("service.deploy", service="orders-api")
    assert running.release().scaled is None
    assert running.object("Deployment")["spec"].get("replicas") != 4


async def test_no_more_than_the_environment_allows(running: House) -> None:
    with pytest.raises(Refused, match=r"staging allows at most 10 .*platform team can raise"):
        await running.plan("service.scale", service="orders-api", replicas=11)


async def test_nothing_is_left_running_with_none_and_the_card_says_so(running: House) -> None:
    plan = await running.do("service.scale", service="orders-api", replicas=0)
    assert "refused" in plan.highlights[0]
    assert running.object("Deployment")["spec"]["replicas"] == 0


async def test_what_never_ran_cannot_be_restarted_or_scaled(house: House) -> None:
    asked: list[tuple[str, dict[str, Any]]] = [
        ("service.restart", {}),
        ("service.scale", {"replicas": 2}),
        ("service.unscale", {}),
    ]
    for name, more in asked:
        with pytest.raises(Conflict, match=r"never been deployed to staging\. Try `/service deploy"):
            await house.plan(name, service="orders-api", **more)


async def test_a_frozen_service_is_neither_restarted_nor_scaled(running: House) -> None:
    await running.do("service.freeze", service="orders-api", reason="Weekend")
    asked: list[tuple[str, dict[str, Any]]] = [("service.restart", {}), ("service.scale", {"replicas": 2})]
    for name, more in asked:
        with pytest.raises(Refused, match="frozen"):
            await running.plan(name, service="orders-api", **more)
    with pytest.raises(Conflict, match=r"frozen by author already: Weekend\."):
        await running.plan("service.freeze", service="orders-api", reason="Again")


# --- what people type


def test_words_become_requests() -> None:
    deploy = service_deploy.parse(["orders-api", "v1.2", "to", "production"])
    assert (deploy.service, deploy.version, deploy.environment) == ("orders-api", "v1.2", "production")
    assert service_deploy.parse([]).service == ""
    promote = service_promote.parse(["orders-api", "from", "staging", "to", "production"])
    assert (promote.source, promote.environment) == ("staging", "production")
    rollback = service_rollback.parse(["orders-api", "v1.1", "in", "production", "for", "3d", "because", "it", "burns"])
    assert (rollback.version, rollback.environment, rollback.hold.days, rollback.reason) == (
        "v1.1",
        "production",
        3,
        "it burns",
    )
    assert service_rollback.parse(["orders-api", "leaving", "1a2b3c4", "in", "production"]).leaves == "1a2b3c4"
    freeze = service_freeze.parse(["orders-api", "production", "for", "2d", "because", "the", "sale", "begins"])
    assert (freeze.environment, freeze.reason) == ("production", "the sale begins")
    assert service_freeze.parse(["orders-api", "because", "of", "the", "sale"]).reason == "because of the sale"


@pytest.mark.parametrize(
    ("words", "service", "replicas", "environment"),
    [
        ("orders-api 4", "orders-api", 4, ""),
        ("orders-api to 4", "orders-api", 4, ""),
        ("orders-api 4 to production for 2h", "orders-api", 4, "production"),
        ("orders-api 4 in production", "orders-api", 4, "production"),
        ("4", "", 4, ""),
    ],
)
def test_scaling_is_said_in_many_ways(words: str, service: str, replicas: int, environment: str) -> None:
    request = service_scale.parse(words.split())
    assert (request.service, request.replicas, request.environment) == (service, replicas, environment)


def test_what_cannot_be_read_is_answered_with_a_line_to_paste() -> None:
    with pytest.raises(UsageError, match="Try `/service deploy"):
        service_deploy.parse(["a", "b", "c"])
    with pytest.raises(UsageError, match="missing after `to`"):
        service_deploy.parse(["a", "to"])
    with pytest.raises(UsageError, match="unscale"):
        service_scale.parse(["orders-api", "auto"])
    with pytest.raises(UsageError, match="Why"):
        service_freeze.parse(["orders-api"])
