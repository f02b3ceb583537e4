"""What GitHub does around every call, and what only our GitHub can show (the contract suite has the rest)."""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from nacl.public import PublicKey, SealedBox

from tests.playground.github.running import Clock, GitHub, running

RULE = {"type": "pull_request", "parameters": {"required_approving_review_count": 1}}
RULESET: dict[str, Any] = {
    "name": "main",
    "target": "branch",
    "enforcement": "active",
    "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
    "rules": [RULE, {"type": "deletion"}],
}


@pytest.mark.parametrize("name", ["a b", "ä", "..", "x" * 101, "shop.git", "<script>", "a/b"])
async def test_a_bad_repository_name_is_refused_in_githubs_words(github: GitHub, name: str) -> None:
    answer = await github.call("POST", "/orgs/acme/repos", {"name": name})
    assert (answer.status, answer.body["message"]) == (422, "Repository creation failed.")
    assert answer.body["errors"][0]["field"] == "name"


async def test_names_do_not_differ_by_case(github: GitHub) -> None:
    await github.repository("Shop")
    assert (await github.call("POST", "/orgs/acme/repos", {"name": "shop"})).status == 422
    assert (await github.made("GET", "/repos/ACME/shOP"))["name"] == "Shop"


async def test_a_repository_made_anew_is_another_one(github: GitHub) -> None:
    first = await github.repository("shop")
    await github.made("DELETE", "/repos/acme/shop")
    second = await github.made("POST", "/orgs/acme/repos", {"name": "shop"})
    assert first["id"] != second["id"]
    assert await github.made("GET", "/repos/acme/shop/branches") == []


async def test_urls_stay_on_the_base_that_was_asked(github: GitHub) -> None:
    plain = await github.made("GET", "/repos/acme/catalog")
    enterprise = await github.made("GET", "/api/v3/repos/acme/catalog")
    assert plain["url"] == f"{github.url}/repos/acme/catalog"
    assert enterprise["url"] == f"{github.url}/api/v3/repos/acme/catalog"
    assert plain["html_url"] == enterprise["html_url"] == f"{github.url}/acme/catalog"


async def test_an_unknown_route_is_a_json_404(github: GitHub) -> None:
    for path in ("/api/v3/nonsense", "/nonsense/a/b/c", "/repos/acme/catalog/nonsense"):
        answer = await github.call("GET", path)
        assert (answer.status, answer.body["message"]) == (404, "Not Found")


async def test_no_token_and_a_wrong_token_are_401(github: GitHub) -> None:
    assert (await github.call("GET", "/user", token=None)).body["message"] == "Requires authentication"
    assert (await github.call("GET", "/user", token="wrong")).body["message"] == "Bad credentials"


async def test_a_second_read_with_its_etag_is_304_and_free(github: GitHub) -> None:
    first = await github.call("GET", "/repos/acme/catalog")
    again = await github.call("GET", "/repos/acme/catalog", If_None_Match=first.headers["ETag"])
    assert (again.status, again.body) == (304, "")
    third = await github.call("GET", "/repos/acme/catalog")
    assert int(third.headers["X-RateLimit-Used"]) == int(first.headers["X-RateLimit-Used"]) + 1
    await github.made("PATCH", "/repos/acme/catalog", {"description": "New"})
    changed = await github.call("GET", "/repos/acme/catalog", If_None_Match=first.headers["ETag"])
    assert changed.status == 200


async def test_lists_link_to_their_neighbours(github: GitHub) -> None:
    answer = await github.call("GET", "/api/v3/orgs/acme/repos?per_page=2&page=1&sort=full_name")
    base = f"{github.url}/api/v3/orgs/acme/repos?per_page=2&sort=full_name"
    assert answer.headers["Link"] == f'<{base}&page=2>; rel="next", <{base}&page=2>; rel="last"'
    last = await github.call("GET", "/api/v3/orgs/acme/repos?per_page=2&page=2&sort=full_name")
    assert 'rel="next"' not in last.headers["Link"]
    assert len(answer.body) == 2


async def test_the_hourly_limit_is_refused_until_its_reset(tmp_path: Path) -> None:
    clock = Clock()
    async with running(tmp_path / "github", clock) as github:
        github.peer._access.hourly_limit = 2
        for _ in range(2):
            assert (await github.call("GET", "/user")).status == 200
        refused = await github.call("GET", "/user")
        assert (refused.status, refused.headers["X-RateLimit-Remaining"]) == (403, "0")
        assert "rate limit exceeded" in refused.body["message"]
        clock.advance(hours=1)
        assert (await github.call("GET", "/user")).status == 200


async def test_git_data_of_an_empty_repository_is_a_conflict(github: GitHub) -> None:
    await github.made("POST", "/orgs/acme/repos", {"name": "shop"})
    line = {"path": "a", "mode": "100644", "type": "blob", "content": "x"}
    answer = await github.call("POST", "/repos/acme/shop/git/trees", {"tree": [line]})
    assert (answer.status, answer.body["message"]) == (409, "Git Repository is empty.")
    body = {"message": "First", "content": "eA=="}
    assert (await github.call("PUT", "/repos/acme/shop/contents/a", body)).status == 201
    assert (await github.call("POST", "/repos/acme/shop/git/trees", {"tree": [line]})).status == 201


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a//b", ".git/config", "a/../b", "", "a/.GIT/hooks"])
async def test_a_tree_cannot_hold_a_hostile_path(github: GitHub, path: str) -> None:
    line = {"path": path, "mode": "100644", "type": "blob", "content": "x"}
    assert (await github.call("POST", "/repos/acme/catalog/git/trees", {"tree": [line]})).status == 422


async def test_a_null_sha_deletes_a_path_and_its_empty_folder(github: GitHub) -> None:
    await github.repository("shop")
    await github.commit("shop", {"a/b/c.txt": "x", "d.txt": "y"})
    await github.commit("shop", {"a/b/c.txt": None})
    found = await github.made("GET", "/repos/acme/shop/git/trees/main?recursive=1")
    assert [entry["path"] for entry in found["tree"]] == ["README.md", "d.txt"]


async def test_links_and_executables_keep_their_mode(github: GitHub) -> None:
    await github.repository("shop")
    lines = [
        {"path": "run", "mode": "100755", "type": "blob", "content": "#!/bin/sh\n"},
        {"path": "link", "mode": "120000", "type": "blob", "content": "run"},
    ]
    tree = await github.made("POST", "/repos/acme/shop/git/trees", {"tree": lines})
    assert {e["path"]: e["mode"] for e in tree["tree"]} == {"run": "100755", "link": "120000"}


async def test_a_ruleset_refuses_what_goes_past_a_pull_request(github: GitHub) -> None:
    await github.repository("shop")
    await github.made("POST", "/repos/acme/shop/rulesets", RULESET)
    head = (await github.made("GET", "/repos/acme/shop/git/ref/heads/main"))["object"]["sha"]
    commit = await github.made("GET", f"/repos/acme/shop/git/commits/{head}")
    body = {"message": "Straight", "tree": commit["tree"]["sha"], "parents": [head]}
    sha = (await github.made("POST", "/repos/acme/shop/git/commits", body))["sha"]
    answer = await github.call("PATCH", "/repos/acme/shop/git/refs/heads/main", {"sha": sha})
    assert answer.status == 422
    assert "Changes must be made through a pull request." in answer.body["message"]
    assert (await github.call("POST", "/repos/acme/shop/rulesets", RULESET)).status == 422


async def test_a_protected_branch_wants_an_approval_before_the_merge(github: GitHub) -> None:
    await github.repository("shop")
    await github.made("POST", "/repos/acme/shop/rulesets", RULESET)
    await github.pull("shop", {"a": "1"})
    refused = await github.call("PUT", "/repos/acme/shop/pulls/1/merge", {})
    assert (refused.status, "approving review" in refused.body["message"]) == (405, True)
    own = await github.call("POST", "/repos/acme/shop/pulls/1/reviews", {"event": "APPROVE"})
    assert own.status == 422


async def test_an_organisations_ruleset_covers_a_repository_by_its_property(github: GitHub) -> None:
    include = [{"name": "protected", "source": "custom", "property_values": ["true"]}]
    conditions = {**RULESET["conditions"], "repository_property": {"include": include, "exclude": []}}
    await github.made("POST", "/orgs/acme/rulesets", {**RULESET, "conditions": conditions})
    await github.repository("open")
    await github.repository("closed", custom_properties={"protected": "true"})
    await github.commit("open", {"a": "1"})
    with pytest.raises(AssertionError, match="Changes must be made through a pull request"):
        await github.commit("closed", {"a": "1"})


async def test_conflicting_changes_cannot_be_merged(github: GitHub) -> None:
    await github.repository("shop")
    await github.commit("shop", {"a": "0\n"})
    pull = await github.pull("shop", {"a": "theirs\n"})
    assert pull["mergeable"] is True
    await github.commit("shop", {"a": "ours\n"})
    assert (await github.made("GET", "/repos/acme/shop/pulls/1"))["mergeable"] is False
    assert (await github.call("PUT", "/repos/acme/shop/pulls/1/merge", {})).status == 405


@pytest.mark.parametrize(("method", "commits"), [("merge", 4), ("squash", 3), ("rebase", 3)])
async def test_three_ways_to_merge(github: GitHub, method: str, commits: int) -> None:
    await github.repository("shop")
    await github.pull("shop", {"a": "1"})
    await github.commit("shop", {"b": "2"})
    await github.made("PUT", "/repos/acme/shop/pulls/1/merge", {"merge_method": method})
    assert len(await github.made("GET", "/repos/acme/shop/commits")) == commits
    found = await github.made("GET", "/repos/acme/shop/contents")
    assert [entry["name"] for entry in found] == ["README.md", "a", "b"]


async def test_a_secret_is_sealed_with_the_key_and_never_shown(github: GitHub) -> None:
    base = "/repos/acme/orders-api/actions/secrets"
    key = await github.made("GET", f"{base}/public-key")
    box = SealedBox(PublicKey(b64decode(key["key"]))).encrypt(b"sample")
    body = {"encrypted_value": b64encode(box).decode(), "key_id": key["key_id"]}
    assert (await github.call("PUT", f"{base}/DEPLOY_KEY", body)).status == 201
    assert (await github.call("PUT", f"{base}/DEPLOY_KEY", body)).status == 204
    assert (await github.made("GET", f"{base}/DEPLOY_KEY")).keys() == {"name", "created_at", "updated_at"}
    assert (await github.call("PUT", f"{base}/DEPLOY_KEY", {**body, "key_id": "1"})).status == 422


async def test_an_archived_repository_is_read_only(github: GitHub) -> None:
    await github.repository("shop")
    await github.made("PATCH", "/repos/acme/shop", {"archived": True})
    assert (await github.call("POST", "/repos/acme/shop/issues", {"title": "x"})).status == 403
    await github.made("PATCH", "/repos/acme/shop", {"archived": False})
    assert (await github.call("POST", "/repos/acme/shop/issues", {"title": "x"})).status == 201


async def test_broken_json_is_named(github: GitHub) -> None:
    headers = {"Authorization": "token sample-token", "Content-Type": "application/json"}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.post(f"{github.url}/orgs/acme/repos", data=b'{"name": ') as response:
            assert (response.status, (await response.json())["message"]) == (400, "Problems parsing JSON")


async def test_tests_see_every_request(tmp_path: Path) -> None:
    seen: list[tuple[str, str, Any]] = []
    async with running(tmp_path / "github", on_request=lambda *request: seen.append(request)) as github:
        await github.call("PUT", "/api/v3/repos/acme/catalog/topics", {"names": ["a"]})
    assert seen == [("PUT", "/repos/acme/catalog/topics", {"names": ["a"]})]


async def test_parallel_commits_lose_nothing(github: GitHub) -> None:
    await github.repository("shop")
    bodies = [{"message": f"Add {n}", "content": "eA==", "branch": "main"} for n in range(8)]
    answers = await asyncio.gather(
        *(github.call("PUT", f"/repos/acme/shop/contents/{n}.txt", body) for n, body in enumerate(bodies))
    )
    assert {answer.status for answer in answers} == {201}
    assert len(await github.made("GET", "/repos/acme/shop/commits")) == 9


async def test_two_merges_at_once_merge_once(github: GitHub) -> None:
    await github.repository("shop")
    await github.pull("shop", {"a": "1"})
    calls = [github.call("PUT", "/repos/acme/shop/pulls/1/merge", {}) for _ in range(3)]
    assert sorted(answer.status for answer in await asyncio.gather(*calls)) == [200, 405, 405]


async def test_work_that_waited_for_a_deleted_repository_finds_nothing(github: GitHub, tmp_path: Path) -> None:
    await github.repository("shop")
    calls = [github.call("GET", "/repos/acme/shop/commits") for _ in range(4)]
    removal = github.call("DELETE", "/repos/acme/shop")
    statuses = [answer.status for answer in await asyncio.gather(removal, *calls)]
    assert statuses[0] == 204
    assert set(statuses[1:]) <= {200, 404}
    assert len(list((tmp_path / "github/git").iterdir())) == 4


async def test_half_a_character_is_refused(github: GitHub) -> None:
    line = {"path": "a", "mode": "100644", "type": "blob", "content": "\ud800"}
    assert (await github.call("POST", "/repos/acme/catalog/git/trees", {"tree": [line]})).status == 422
