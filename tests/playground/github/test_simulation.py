"""`/sim`: faults, merges, workflow runs, images, the log; and what a restart keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.playground.github.running import TOKEN, Clock, GitHub, running


async def order(github: GitHub, **fault: Any) -> None:
    await github.made("POST", "/sim/faults", fault)


async def test_a_fault_fails_the_calls_it_names_and_no_others(github: GitHub) -> None:
    await order(github, route="POST /orgs/{org}/repos", times=2, skip=1, status=500)
    assert (await github.call("POST", "/orgs/acme/repos", {"name": "one"})).status == 201
    assert (await github.call("GET", "/orgs/acme/repos")).status == 200
    assert (await github.call("POST", "/api/v3/orgs/acme/repos", {"name": "two"})).status == 500
    assert (await github.call("POST", "/orgs/acme/repos", {"name": "two"})).status == 500
    assert (await github.call("POST", "/orgs/acme/repos", {"name": "two"})).status == 201


async def test_a_piece_of_a_path_is_a_route_too(github: GitHub) -> None:
    await order(github, route="/topics", status=502)
    assert (await github.call("GET", "/repos/acme/catalog/topics")).status == 502


async def test_limits_come_with_githubs_headers(github: GitHub) -> None:
    await order(github, route="/user", limit="secondary", retry_after=7)
    secondary = await github.call("GET", "/user")
    assert (secondary.status, secondary.headers["Retry-After"]) == (403, "7")
    assert "secondary rate limit" in secondary.body["message"]
    await order(github, route="/user", limit="primary")
    primary = await github.call("GET", "/user")
    assert (primary.status, primary.headers["X-RateLimit-Remaining"]) == (403, "0")
    assert "X-RateLimit-Reset" in primary.headers


@pytest.mark.parametrize(("drop", "done"), [("before", False), ("after", True)])
async def test_a_dropped_call_was_done_or_not(github: GitHub, drop: str, done: bool) -> None:
    await order(github, route="POST /orgs/{org}/repos", drop=drop)
    with pytest.raises(aiohttp.ClientError):
        await github.call("POST", "/orgs/acme/repos", {"name": "shop"})
    assert ((await github.call("GET", "/repos/acme/shop")).status == 200) is done


async def test_a_truncated_answer_breaks_off(github: GitHub) -> None:
    await order(github, route="/repos/acme/catalog", truncate=True)
    with pytest.raises(aiohttp.ClientPayloadError):
        await github.call("GET", "/repos/acme/catalog")


async def test_a_route_may_be_written_as_the_log_shows_it(github: GitHub) -> None:
    await github.made("POST", "/sim/faults", {"route": "GET /api/v3/orgs/{org}", "status": 503})
    assert (await github.call("GET", "/orgs/acme")).status == 503


async def test_faults_can_be_cleared_and_must_be_understood(github: GitHub) -> None:
    await order(github, route="/user", times=100, status=500)
    await github.made("DELETE", "/sim/faults")
    assert (await github.call("GET", "/user")).status == 200
    for wrong in ({"status": 500}, {"route": "/user", "drop": "later"}, {"route": "/user", "nonsense": 1}):
        assert (await github.call("POST", "/sim/faults", wrong)).status == 400


async def test_a_person_merges_past_the_rules(github: GitHub) -> None:
    await github.repository("shop")
    await github.pull("shop", {"a": "1"})
    merged = await github.made("POST", "/sim/merge", {"repo": "acme/shop", "number": 1})
    assert merged["sha"] == (await github.made("GET", "/repos/acme/shop/branches/main"))["commit"]["sha"]
    assert (await github.received("pull_request"))[-1]["pull_request"]["merged_by"]["login"] == "platform"
    assert (await github.call("POST", "/sim/merge", {"repo": "shop", "number": 1})).status == 409
    assert (await github.call("POST", "/sim/merge", {"repo": "shop", "number": 7})).status == 404


async def test_a_push_completes_a_run_and_its_image_can_be_pulled(github: GitHub) -> None:
    await github.repository("shop")
    sha = await github.commit("shop", {"a": "1"})
    runs = [event for event in await github.received("workflow_run") if event["action"] == "completed"]
    assert (runs[-1]["workflow_run"]["conclusion"], runs[-1]["workflow_run"]["head_sha"]) == ("success", sha)
    for tag in (sha, sha[:7], "main"):
        assert github.peer.pullable(f"ghcr.io/acme/shop:{tag}")
    assert not github.peer.pullable("ghcr.io/acme/shop:other")
    listed = await github.made("GET", "/sim/images")
    assert f"ghcr.io/acme/shop:{sha}" in [image["image"] for image in listed]


async def test_a_failing_workflow_publishes_nothing(github: GitHub) -> None:
    await github.repository("shop")
    await github.made("POST", "/sim/workflows", {"repo": "acme/shop", "conclusion": "failure"})
    sha = await github.commit("shop", {"a": "1"})
    assert (await github.received("workflow_run"))[-1]["workflow_run"]["conclusion"] == "failure"
    assert not github.peer.pullable(f"ghcr.io/acme/shop:{sha}")
    checks = await github.made("GET", f"/repos/acme/shop/commits/{sha}/check-runs")
    assert [check["conclusion"] for check in checks["check_runs"]] == ["failure"]


async def test_a_run_in_progress_ends_when_told(github: GitHub) -> None:
    await github.repository("shop")
    await github.made("POST", "/sim/workflows", {"repo": "shop", "conclusion": "in_progress"})
    sha = await github.commit("shop", {"a": "1"})
    assert not github.peer.pullable(f"ghcr.io/acme/shop:{sha}")
    told = await github.made("POST", "/sim/workflows", {"repo": "shop", "conclusion": "success"})
    assert (told["ended"], github.peer.pullable(f"ghcr.io/acme/shop:{sha}")) == (1, True)


async def test_the_log_has_every_call_and_no_token(github: GitHub) -> None:
    await github.call("GET", "/repos/acme/catalog?page=1")
    await github.call("GET", "/nonsense/at/all")
    lines = await github.made("GET", "/sim/log")
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        ("GET", "/repos/acme/catalog", 200),
        ("GET", "/nonsense/at/all", 404),
    ]
    assert TOKEN not in str(lines)
    assert await github.made("GET", f"/sim/log?since={lines[-1]['number']}") == []


async def test_webhooks_are_signed_and_can_be_sent_again(github: GitHub) -> None:
    await github.repository("shop")
    await github.peer.delivered()
    assert all(hook.signed for hook in github.hooks)
    first = github.hooks[-1]
    await github.made("POST", "/sim/redeliver", {"last": 1})
    await github.peer.delivered()
    again = github.hooks[-1]
    assert again is not first
    assert again.headers["X-GitHub-Delivery"] == first.headers["X-GitHub-Delivery"]
    assert again.payload == first.payload


async def test_a_hook_gets_its_ping_and_only_the_events_it_wants(github: GitHub) -> None:
    await github.repository("shop")
    config = {"url": f"{github.hook_url}/own", "content_type": "json", "secret": "sample-webhook-secret"}
    hook = {"name": "web", "events": ["create"], "config": config}
    made = await github.made("POST", "/repos/acme/shop/hooks", hook)
    await github.commit("shop", {"a": "1"}, branch="feature")
    await github.peer.delivered()
    own = [hook for hook in github.hooks if hook.headers["X-GitHub-Hook-ID"] == str(made["id"])]
    assert [(hook.event, hook.signed) for hook in own] == [("ping", True), ("create", True)]


async def test_a_receiver_that_is_gone_holds_up_nobody(github: GitHub) -> None:
    github.peer.deliver_to(["http://127.0.0.1:9/gone", f"{github.hook_url}/webhooks/github"])
    await github.repository("shop")
    assert await github.received("repository")
    outcomes = {line["url"]: line["status_code"] for line in await github.made("GET", "/sim/deliveries")}
    assert outcomes["http://127.0.0.1:9/gone"] == 0


async def test_everything_survives_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path / "github") as github:
        before = await github.repository("shop", description="A shop")
        sha = await github.commit("shop", {"a": "1"})
        await github.pull("shop", {"b": "1"})
        await github.made("POST", "/repos/acme/shop/actions/variables", {"name": "REGION", "value": "north"})
        app = await github.peer.app_credentials()
    async with running(tmp_path / "github") as github:
        after = await github.made("GET", "/repos/acme/shop")
        assert (after["id"], after["description"]) == (before["id"], "A shop")
        assert (await github.made("GET", "/repos/acme/shop/branches/main"))["commit"]["sha"] == sha
        assert (await github.made("GET", "/repos/acme/shop/pulls/1"))["title"] == "A change"
        assert (await github.made("GET", "/repos/acme/shop/actions/variables/REGION"))["value"] == "north"
        assert github.peer.pullable(f"ghcr.io/acme/shop:{sha}")
        assert await github.peer.app_credentials() == app
        other = await github.repository("other")
        assert other["id"] > before["id"]
        assert len(await github.made("GET", "/orgs/acme/repos")) == 6


async def test_times_follow_the_playgrounds_clock(tmp_path: Path) -> None:
    clock = Clock()
    async with running(tmp_path / "github", clock) as github:
        clock.advance(hours=36)
        assert (await github.repository("shop"))["created_at"] == "2026-03-03T21:00:00Z"
        commits = await github.made("GET", "/repos/acme/shop/commits")
        assert commits[0]["commit"]["author"]["date"] == "2026-03-03T21:00:00Z"
