"""`/service show`: what runs where, what people decided about it, and what could be deployed."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.command import Answer
from bot.deps import Deps
from bot.errors import UpstreamUnavailable, UsageError
from bot.model.operation import Behind
from bot.model.platform import Platform
from bot.model.release import Freeze, Pin, Scaled, Version
from bot.ports import Application, Object
from commands import service_show
from commands.service_show import ServiceShow
from tests.commands.company import MONDAY
from tests.commands.running import (
    GITOPS,
    PLATFORM,
    SOURCE,
    LoggingCluster,
    a_release,
    cluster,
    forge,
    in_slack,
    keep,
    running,
)
from tests.fakes.deployments import FakeDeployments, application
from tests.fakes.forge import FakeForge
from tests.slack.checker import message_violations

USER = "user:default/author"
OLD = "1" * 40


async def ask(there: Deps, service: str = "orders-api") -> Answer:
    return await service_show.answer(ServiceShow(service=service), in_slack(), there)


def shown(answer: Answer) -> str:
    assert message_violations(answer.text, answer.blocks) == []
    return "\n".join(block["text"]["text"] for block in answer.blocks if block["type"] == "section" and "text" in block)


def environments(answer: Answer) -> dict[str, Any]:
    told: Any = answer.data
    return {one["environment"]: one for one in told["environments"]}


def deployment(ready: int, wanted: int) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "orders-api",
            "namespace": "orders-api-staging",
            "labels": {"causeway.io/service": "orders-api", "causeway.io/environment": "staging"},
        },
        "spec": {"replicas": wanted},
        "status": {"readyReplicas": ready},
    }


async def test_a_version_is_shown_with_when_by_whom_and_how_it_is() -> None:
    made = await forge()
    sha = made.push(SOURCE, {"a": b"1"}, message="Sell more\n\nMuch more")
    keep(made, a_release(sha, name="v1.4.2"))
    there = cluster()
    there.put(deployment(2, 3))
    argocd = FakeDeployments(application("orders-api-staging", sync="OutOfSync", health="Progressing"))
    answer = await ask(running(made, clusters={"default": there}, deployments=argocd))
    text = shown(answer)
    assert f"*staging* · `v1.4.2` (<https://github.example/{SOURCE}/commit/{sha}|{sha[:7]}>) since <!date^" in text
    assert "by author" in text
    assert "Progressing, OutOfSync" in text
    assert "2 of 3 replicas ready" in text
    assert "<https://orders-api.staging.acme.example|orders-api.staging.acme.example>" in text
    assert "*production* · not deployed yet" in text
    there_now = environments(answer)["staging"]
    assert (there_now["health"], there_now["ready"], there_now["replicas"]) == ("Progressing", 2, 3)
    assert there_now["url"] == "https://orders-api.staging.acme.example"


async def test_the_channel_says_which_service_is_meant() -> None:
    there = running(await forge())
    assert (await ask(there, "")).text == "orders-api, owned by team-orders"
    with pytest.raises(UsageError, match="Which service"):
        await service_show.answer(ServiceShow(), in_slack(channel="C0GENERAL"), there)


async def test_what_people_decided_is_shown_as_long_as_it_holds() -> None:
    made = await forge()
    later, before = MONDAY + timedelta(days=1), MONDAY - timedelta(days=1)
    bad = Version(name="v2 <b>", commit="2" * 40, image="x")
    pin = Pin(reason="It *burns* <!here>", by=USER, at=before, until=later, bad=bad)
    freeze = Freeze(reason="Sale", by="user:default/teammate", at=before)
    keep(
        made,
        a_release(OLD, pin=pin, scaled=Scaled(replicas=5, by=USER, until=later)),
        a_release(OLD, "production", freeze=freeze),
    )
    text = shown(await ask(running(made)))
    assert "by author, who left `v2 &lt;b&gt;`: It" in text
    assert "<!here>" not in text
    assert "Scaled to 5 until <!date^" in text
    assert "Frozen by teammate: Sale" in text
    over = pin.model_copy(update={"until": before})
    keep(
        made, a_release(OLD, pin=over), a_release(OLD, "production", freeze=freeze.model_copy(update={"until": before}))
    )
    text = shown(await ask(running(made)))
    assert "Held" not in text
    assert "Frozen" not in text


async def test_a_place_that_was_only_frozen_says_so() -> None:
    made = await forge()
    frozen = a_release(OLD, "production", freeze=Freeze(reason="Sale", by=USER, at=MONDAY))
    keep(made, frozen.model_copy(update={"current": None, "document": {}}))
    text = shown(await ask(running(made)))
    assert "*production* · not deployed yet\nFrozen by author: Sale" in text


async def test_what_stands_in_line_is_listed() -> None:
    behind = tuple(Behind(operation=f"op-{n}", summary=f"Deploy <v{n}>", by="Author") for n in range(5))
    there = running(await forge(), lanes={"deploy:orders-api/staging": behind})
    text = shown(await ask(there))
    assert "Under way: Deploy &lt;v0&gt; (Author)\nThen: Deploy &lt;v1&gt; (Author)\nand 3 more" in text


async def test_the_newest_versions_come_with_a_line_to_paste() -> None:
    made = await forge()
    shas = [made.push(SOURCE, {"n": str(n).encode()}, message=f"Change {n} `<x>`") for n in range(7)]
    made.tag(SOURCE, "v1", shas[-1])
    made.publish_image(SOURCE, shas[-1])
    keep(made, a_release(shas[-1], name="v1"), a_release(shas[-2], "production"))
    answer = await ask(running(made))
    text = shown(answer)
    assert "• `v1` tag · built · runs in staging\n    `/service deploy orders-api v1 to production`" in text
    assert f"`/service deploy orders-api {shas[-2][:7]} to staging`" in text
    assert text.count("/service deploy") == 5
    told: Any = answer.data
    assert len(told["versions"]) == 5


async def test_a_version_that_runs_everywhere_needs_no_line() -> None:
    made = await forge()
    sha = made.push(SOURCE, {"a": b"1"})
    keep(made, a_release(sha), a_release(sha, "production"))
    assert f"{sha[:7]} to" not in shown(await ask(running(made)))


# --- What is not there, or does not answer


async def test_systems_that_are_not_there_are_not_mentioned() -> None:
    made = await forge()
    keep(made, a_release(OLD))
    text = shown(await ask(running(made)))
    for word in ("Argo CD", "cluster", "replicas"):
        assert word not in text


async def test_without_a_gitops_repository_only_the_catalog_speaks() -> None:
    answer = await ask(running(await forge(), platform=Platform()))
    assert "staging" not in shown(answer)
    assert environments(answer) == {}


async def test_what_answers_with_an_error_says_so_and_hides_nothing_else() -> None:
    made, there, argocd = await forge(), cluster(), FakeDeployments()
    keep(made, a_release(OLD))
    there.refuse("get", UpstreamUnavailable("The cluster `default` did not answer."), times=9)
    argocd.faults.refuse("application", UpstreamUnavailable("Argo CD did not answer."), times=9)
    made.refuse("releases", UpstreamUnavailable("GitHub did not answer."))
    answer = await ask(running(made, clusters={"default": there}, deployments=argocd))
    text = shown(answer)
    assert "`1111111`" not in text
    assert f"|{OLD[:7]}> since" in text
    for sentence in ("Argo CD did not answer.", "did not answer", "They are not known: GitHub did not answer."):
        assert sentence in text
    assert "Argo CD did not answer." in environments(answer)["staging"]["problems"]


async def test_a_release_that_somebody_broke_is_told_and_the_others_are_shown() -> None:
    made = await forge()
    keep(made, a_release(OLD, "production"))
    made.push(GITOPS, {"apps/orders-api/staging/.causeway/release.yaml": b"a: [b"})
    text = shown(await ask(running(made)))
    assert "*staging* · what runs is not known: apps/orders-api/staging/.causeway/release.yaml is not what" in text
    assert "*production* · <https" in text


class Silent:
    """Fakes that take a question and never answer it."""

    def __init__(self) -> None:
        self._never = asyncio.Event()

    async def __call__(self, *_: Any, **__: Any) -> Any:
        await self._never.wait()


async def test_what_does_not_answer_in_time_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    made, there, argocd, silent = await forge(), cluster(), FakeDeployments(), Silent()
    keep(made, a_release(OLD))
    for fake, method in ((there, "list"), (argocd, "application"), (made, "tags")):
        monkeypatch.setattr(fake, method, silent)
    known = replace(running(made, clusters={"default": there}, deployments=argocd), in_lane=silent)
    text = shown(await ask(known))
    assert f"|{OLD[:7]}> since" in text
    assert text.count("Argo CD has not answered yet.") == 2, "once for each environment"
    for who in ("The cluster", "The list of operations", "They are not known: The place of its source"):
        assert f"{who} has not answered yet." in text


async def test_what_argo_cd_finds_wrong_is_shown_in_its_words() -> None:
    made = await forge()
    keep(made, a_release(OLD))
    sick = application("orders-api-staging", health="Degraded", health_message="Deployment <exceeded> its deadline")
    text = shown(await ask(running(made, deployments=FakeDeployments(sick))))
    assert "Degraded, Synced> (Deployment &lt;exceeded&gt; its deadline)" in text


async def test_an_application_that_argo_cd_does_not_know_is_missed_only_where_something_runs() -> None:
    made = await forge()
    keep(made, a_release(OLD))
    text = shown(await ask(running(made, deployments=FakeDeployments())))
    assert text.count("Argo CD does not know it") == 1


async def test_in_direct_delivery_the_cluster_knows_the_release() -> None:
    platform = Platform.model_validate({"environments": {"staging": {"delivery": "direct"}}})
    there: LoggingCluster = cluster()
    release = a_release(OLD, name="v9")
    told = json.loads(release.model_dump_json(exclude_defaults=True))
    there.put(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "causeway-release-orders-api", "namespace": "orders-api-staging"},
            "data": {"release.yaml": json.dumps(told)},
        }
    )
    there.put(deployment(2, 2))
    text = shown(await ask(running(await forge(), clusters={"default": there}, platform=platform)))
    assert "`v9`" in text
    assert "2 of 2 replicas ready" in text


async def test_everything_at_its_longest_still_fits_slack() -> None:
    made: FakeForge = await forge()
    long = "&<>" * 100
    names = [f"environment-{n}" for n in range(12)]
    platform = PLATFORM.model_validate({"environments": {name: {} for name in names}, "gitops": {"repository": GITOPS}})
    bad = Version(name=long, commit="2" * 40, image="x")
    pin = Pin(reason=long, by=USER, at=MONDAY, until=MONDAY + timedelta(days=1), bad=bad)
    freeze = Freeze(reason=long, by=USER, at=MONDAY)
    keep(made, *(a_release(OLD, name, name=long, pin=pin, freeze=freeze) for name in names))
    behind = tuple(Behind(operation=str(n), summary=long, by=long) for n in range(9))
    lanes = {f"deploy:orders-api/{name}": behind for name in names}
    sick: list[Application] = [
        application(f"orders-api-{name}", health="Degraded", health_message=long) for name in names
    ]
    shown(await ask(running(made, lanes=lanes, platform=platform, deployments=FakeDeployments(*sick))))
