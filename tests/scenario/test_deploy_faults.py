"""Clusters, Argo CD and GitHub that fail in the middle of a deploy: the card says so; it goes on when they are back."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.scenario.test_day_two import NAME, STAGING, card_of, commit, created, image_of, live, release, written
from tests.scenario.test_direct import DEPLOYMENT
from tests.scenario.world import Json, World, spoken, world

ALWAYS = 10_000
HIDDEN = "permission denied: applications, get, default/payload-api-staging"
FORBIDDEN = (
    'deployments.apps is forbidden: User "causeway" cannot watch resource "deployments" in API group "apps" in the '
    f'namespace "{STAGING}"'
)
GOES_ON = "Causeway goes on by itself once it answers."


async def deploying(here: World, told: str) -> Json:
    """Begin a deploy that meets the fault; return its card once it says so."""
    await commit(here, "Next", A="1")
    card = await card_of(here, "service.deploy", "running", told=told)
    assert "our fault" not in spoken(card)
    return card


async def ends_well(here: World, card: Json) -> Json:
    """Return the receipt: of the same message, with the new version running."""
    done = await card_of(here, "service.deploy", "succeeded")
    assert done["ts"] == card["ts"]
    assert (await live(here))["status"]["updatedReplicas"] == 2
    assert image_of(await live(here)) == (await release(here))["current"]["version"]["image"]
    return done


# --- Argo CD, seen through its API alone


@pytest.fixture
async def by_api(here: World) -> World:
    """Causeway may not read Application resources, so Argo CD's API is all it has."""
    await here.administer(
        "DELETE", "/apis/rbac.authorization.k8s.io/v1/namespaces/argocd/rolebindings/causeway-read", {}
    )
    return here


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"status": 503}, f"it answered with an error of its own (503: upstream request failed). {GOES_ON}"),
        ({"status": 403, "message": HIDDEN}, f"Argo CD does not let us show {STAGING}: {HIDDEN}."),
        ({"status": 401, "message": "invalid session"}, "Argo CD did not accept our token"),
        ({"drop": "before"}, GOES_ON),
    ],
    ids=["down", "forbidding", "locked", "silent"],
)
async def test_an_argo_cd_that_cannot_be_asked_is_told(by_api: World, fault: dict[str, Any], told: str) -> None:
    here = by_api
    await created(here)
    await here.fail("argocd", route="*", times=ALWAYS, **fault)
    card = await deploying(here, told)
    await here.mend("argocd")
    done = await ends_well(here, card)
    assert "Argo CD reads its repository by itself, every few minutes" in spoken(done)


async def test_an_argo_cd_that_answers_slowly_is_waited_for(by_api: World) -> None:
    here = by_api
    await created(here)
    await here.fail("argocd", route="*", times=ALWAYS, delay_ms=300)
    version = await commit(here, "Next", A="1")
    await card_of(here, "service.deploy", "succeeded", told=version[:7])
    assert image_of(await live(here)).endswith(version)


async def test_an_argo_cd_whose_api_is_down_stops_nothing_while_the_cluster_tells(here: World) -> None:
    await created(here)
    await here.fail("argocd", route="*", times=ALWAYS, status=503)
    version = await commit(here, "Next", A="1")
    done = await card_of(here, "service.deploy", "succeeded", told=version[:7])
    assert "Argo CD reads its repository by itself, every few minutes" in spoken(done)


# --- the cluster


@pytest.mark.parametrize(
    "fault",
    [
        {"route": "*", "events": 1},
        {"route": "WATCH *", "status": 410, "times": 3},
        {"route": "*", "delay_ms": 200},
        {"route": "WATCH *", "drop": "after"},
    ],
    ids=["each watch breaks off", "the watches' place is forgotten", "slow", "watches are never answered"],
)
async def test_a_cluster_that_loses_watches_does_not_lose_the_deploy(here: World, fault: dict[str, Any]) -> None:
    await created(here)
    await here.fail("kubernetes", **{"times": ALWAYS, **fault})
    version = await commit(here, "Next", A="1")
    await card_of(here, "service.deploy", "running", "succeeded", told=version[:7])
    await here.mend("kubernetes")
    await card_of(here, "service.deploy", "succeeded", told=version[:7])
    assert image_of(await live(here)).endswith(version)


async def test_what_the_cluster_hides_argo_cd_judges(here: World) -> None:
    await created(here)
    await here.fail("kubernetes", route=f"WATCH /apis/apps/v1/namespaces/{STAGING}/deployments", times=ALWAYS,
                    status=403, message=FORBIDDEN)  # fmt: skip
    version = await commit(here, "Next", A="1")
    await card_of(here, "service.deploy", "succeeded", told=version[:7])


# --- a cluster that is delivered to directly


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[World]:
    config = tmp_path / "given.yaml"
    config.write_text(json.dumps({"platform": {"environments": {"staging": {"delivery": "direct"}}}}))
    async with world(tmp_path / "playground", config=config) as found:
        yield found


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"status": 503}, "answered with an error of its own (503)"),
        ({"drop": "after"}, "was asked to apply Deployment payload-api"),
        ({"status": 429}, "has too much to do"),
    ],
    ids=["down", "silent after the work", "too busy"],
)
async def test_an_apply_that_is_not_answered_is_tried_again(there: World, fault: dict[str, Any], told: str) -> None:
    await created(there)
    await there.fail("kubernetes", route=f"PATCH {DEPLOYMENT}", times=2, skip=1, **fault)  # the dry run passes
    card = await deploying(there, told)
    assert "Trying again in" in spoken(card)
    done = await card_of(there, "service.deploy", "succeeded")
    assert done["ts"] == card["ts"]


async def test_a_cluster_that_lets_nobody_watch_is_read_again_and_again(there: World) -> None:
    await created(there)
    await there.fail("kubernetes", route=f"WATCH /apis/apps/v1/namespaces/{STAGING}/deployments", times=ALWAYS,
                     status=403, message=FORBIDDEN)  # fmt: skip
    version = await commit(there, "Next", A="1")
    await card_of(there, "service.deploy", "succeeded", told=version[:7])


# --- GitHub, and hands in the GitOps repository


async def commits_of(here: World, operation: str) -> list[str]:
    _, found = await here.github("GET", "/repos/acme/gitops/commits?per_page=100")
    messages = [one["commit"]["message"] for one in found]
    return [one for one in messages if f"Causeway-Operation: {operation}" in one]


@pytest.mark.parametrize("route", ["git/trees", "git/commits"])
async def test_a_github_that_is_down_at_the_commit_is_tried_again(here: World, route: str) -> None:
    await created(here)
    await here.fail_github(route=f"POST /repos/acme/gitops/{route}", times=2, status=503)
    card = await deploying(here, " of 5).")
    done = await ends_well(here, card)
    assert len(await commits_of(here, done["metadata"]["event_payload"]["operation"])) == 1


async def test_a_branch_that_moves_under_the_commit_is_built_upon(here: World) -> None:
    await created(here)
    await here.fail_github(route="PATCH /repos/acme/gitops/git/refs/heads/main", times=1, delay_ms=1_500)
    version = await commit(here, "Next", A="1")
    await met(here)
    other = {"message": "Theirs", "content": base64.b64encode(b"theirs\n").decode()}
    status, _ = await here.github("PUT", "/repos/acme/gitops/contents/apps/theirs.yaml", other)
    assert status == 201
    done = await card_of(here, "service.deploy", "succeeded", told=version[:7])
    assert (await here.github("GET", "/repos/acme/gitops/contents/apps/theirs.yaml"))[0] == 200
    assert len(await commits_of(here, done["metadata"]["event_payload"]["operation"])) == 1
    assert image_of(await live(here)).endswith(version)


async def met(here: World) -> None:
    """Wait until GitHub has taken the call for which a fault was ordered."""

    async def look() -> bool | None:
        async with here.http.get(f"{here.ready['github']}/sim/faults") as response:
            return None if await response.json() else True

    await here.slack.until(look)


RELEASE = f"/repos/acme/gitops/contents/apps/{NAME}/staging/.causeway/release.yaml"


@pytest.mark.parametrize("garbage", [b"hello: [", b"service: payload-api\nhands: were here\n", b"", b"\xff\xfe"])
async def test_a_release_that_hands_have_ruined_is_told_to_who_asks_and_to_the_team(
    here: World, garbage: bytes
) -> None:
    await created(here)
    before = await live(here)
    _, there = await here.github("GET", RELEASE)
    ruin = {"message": "Oops", "content": base64.b64encode(garbage).decode(), "sha": there["sha"]}
    assert (await here.github("PUT", RELEASE, ruin))[0] == 200
    await here.slack.command("author", f"/service deploy {NAME}")
    mend = ".causeway/release.yaml is not what Causeway wrote. Restore it from the commit before its last change."
    await here.slack.told("author", mend)
    await commit(here, "Next", A="1")
    card = await card_of(here, "service.deploy", "failed", told=mend)
    assert "/service deploy payload-api" in spoken(card)
    assert image_of(await live(here)) == image_of(before)


async def test_a_document_that_breaks_between_plan_and_approval_is_told_on_the_card(here: World) -> None:
    await created(here)
    await here.slack.command("author", f"/service deploy {NAME} to production")
    card = await card_of(here, "service.deploy", "awaiting_approval")
    broken = (
        b"apiVersion: platform.company.io/v1\nkind: WebService\nmetadata: {name: payload-api}\nspec: {replica: 2}\n"
    )
    await written(here, "Break", broken)
    await here.slack.click("approver", "team-orders", card, "approve")
    ended = await here.slack.card("team-orders", "failed", operation=card["metadata"]["event_payload"]["operation"])
    assert ended["ts"] == card["ts"]
    assert "`spec.replica`: is not a field; did you mean `replicas`?" in spoken(ended)
    assert "Nothing was changed." in spoken(ended)
    assert await live(here, f"{NAME}-production") == {}
