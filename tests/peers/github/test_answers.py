"""Our answers against GitHub's OpenAPI description: a client that believes the description understands us."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.peers.github.openapi import check_request, find, response_validator
from tests.playground.github.running import Answer, GitHub, running


@dataclass
class Witnessed:
    """Speaks to our GitHub and holds request and answer against the description."""

    github: GitHub
    problems: list[str] = field(default_factory=list)

    async def __call__(self, method: str, path: str, body: Any = None, *, status: int | None = None) -> Any:
        self.problems += check_request(method, path, body) if status is None else []
        answer = await self.github.call(method, path, body)
        assert status is None or answer.status == status, answer
        assert status is not None or answer.status < 300, (method, path, answer)
        self.problems += self._complaints(method, path, answer)
        return answer.body

    def _complaints(self, method: str, path: str, answer: Answer) -> list[str]:
        operation = find(method, path.partition("?")[0])
        assert operation is not None, (method, path)
        assert str(answer.status) in operation.description["responses"], (method, path, answer.status)
        validator = response_validator(operation, answer.status)
        if validator is None or not isinstance(answer.body, dict | list):
            return []
        where = f"{method} {operation.template} {answer.status}"
        return [
            f"{where}: {'/'.join(map(str, e.absolute_path))} {e.message[:200]}"
            for e in validator.iter_errors(answer.body)
        ]


@pytest.fixture
async def witnessed(tmp_path: Path) -> AsyncIterator[Witnessed]:
    async with running(tmp_path / "github") as github:
        speaker = Witnessed(github)
        yield speaker
        assert not speaker.problems, "\n".join(dict.fromkeys(speaker.problems))


async def test_accounts_and_teams(witnessed: Witnessed) -> None:
    for path in ("/user", "/users/author", "/rate_limit", "/orgs/acme", "/orgs/acme/members", "/orgs/acme/repos"):
        await witnessed("GET", path)
    await witnessed("GET", "/user/repos?per_page=2")
    await witnessed("GET", "/search/repositories?q=org:acme+orders")
    await witnessed("POST", "/orgs/acme/teams", {"name": "Sample Team", "privacy": "closed"})
    await witnessed("GET", "/orgs/acme/teams")
    await witnessed("GET", "/orgs/acme/teams/team-orders")
    await witnessed("GET", "/orgs/acme/teams/team-orders/members")
    await witnessed("PUT", "/orgs/acme/teams/sample-team/repos/acme/orders-api", {"permission": "push"})
    await witnessed("GET", "/orgs/acme/teams/sample-team/repos")
    await witnessed("PUT", "/orgs/acme/teams/sample-team/memberships/author", {"role": "member"})
    await witnessed("GET", "/orgs/acme/teams/sample-team/memberships/author")
    await witnessed("GET", "/repos/acme/orders-api/teams")
    await witnessed("DELETE", "/orgs/acme/teams/sample-team/repos/acme/orders-api")


async def test_repositories(witnessed: Witnessed) -> None:
    body = {"name": "shop", "auto_init": True, "private": True, "custom_properties": {"tier": "one"}}
    await witnessed("POST", "/orgs/acme/repos", body)
    await witnessed("POST", "/orgs/acme/repos", body, status=422)
    await witnessed("GET", "/repos/acme/shop")
    await witnessed("GET", "/repos/acme/none", status=404)
    await witnessed("PATCH", "/repos/acme/shop", {"description": "A shop", "homepage": "https://shop.example"})
    await witnessed("PUT", "/repos/acme/shop/topics", {"names": ["python"]})
    await witnessed("GET", "/repos/acme/shop/topics")
    await witnessed("GET", "/repos/acme/orders-api/languages")
    await witnessed("PUT", "/repos/acme/shop/collaborators/author", {"permission": "push"}, status=204)
    await witnessed("GET", "/repos/acme/shop/collaborators")
    await witnessed("GET", "/repos/acme/shop/collaborators/author/permission")
    values = {"properties": [{"property_name": "tier", "value": "two"}]}
    await witnessed("PATCH", "/repos/acme/shop/properties/values", values)
    await witnessed("GET", "/repos/acme/shop/properties/values")
    await witnessed("DELETE", "/repos/acme/shop")


async def test_git_data(witnessed: Witnessed) -> None:
    await witnessed("POST", "/orgs/acme/repos", {"name": "shop", "auto_init": True})
    base = "/repos/acme/shop"
    blob = await witnessed("POST", f"{base}/git/blobs", {"content": "aGk=", "encoding": "base64"})
    await witnessed("GET", f"{base}/git/blobs/{blob['sha']}")
    entry = {"path": "a/b.bin", "mode": "100644", "type": "blob", "sha": blob["sha"]}
    tree = await witnessed("POST", f"{base}/git/trees", {"tree": [entry]})
    await witnessed("GET", f"{base}/git/trees/{tree['sha']}?recursive=1")
    commit = await witnessed("POST", f"{base}/git/commits", {"message": "x", "tree": tree["sha"], "parents": []})
    await witnessed("GET", f"{base}/git/commits/{commit['sha']}")
    await witnessed("PATCH", f"{base}/git/refs/heads/main", {"sha": commit["sha"]}, status=422)
    await witnessed("PATCH", f"{base}/git/refs/heads/main", {"sha": commit["sha"], "force": True})
    await witnessed("POST", f"{base}/git/refs", {"ref": "refs/heads/feature/x", "sha": commit["sha"]})
    await witnessed("GET", f"{base}/git/ref/heads/feature/x")
    await witnessed("GET", f"{base}/git/matching-refs/heads/feature")
    tag = {"tag": "v1", "message": "First", "object": commit["sha"], "type": "commit"}
    made = await witnessed("POST", f"{base}/git/tags", tag)
    await witnessed("GET", f"{base}/git/tags/{made['sha']}")
    await witnessed("DELETE", f"{base}/git/refs/heads/feature/x")


async def test_an_empty_repository(witnessed: Witnessed) -> None:
    await witnessed("POST", "/orgs/acme/repos", {"name": "shop"})
    entry = {"path": "a", "mode": "100644", "type": "blob", "content": "x"}
    await witnessed("POST", "/repos/acme/shop/git/trees", {"tree": [entry]}, status=409)
    await witnessed("POST", "/repos/acme/shop/git/blobs", {"content": "x"}, status=409)
    await witnessed("GET", "/repos/acme/shop/git/ref/heads/main", status=409)
    await witnessed("GET", "/repos/acme/shop/commits", status=409)
    assert await witnessed("GET", "/repos/acme/shop/branches") == []


async def test_contents_and_history(witnessed: Witnessed) -> None:
    await witnessed("POST", "/orgs/acme/repos", {"name": "shop", "auto_init": True})
    base = "/repos/acme/shop"
    content = base64.b64encode(b"hello\n").decode()
    await witnessed("PUT", f"{base}/contents/docs/a.md", {"message": "Add", "content": content})
    found = await witnessed("GET", f"{base}/contents/docs/a.md?ref=main")
    await witnessed("GET", f"{base}/contents/docs")
    await witnessed("GET", f"{base}/readme")
    commits = await witnessed("GET", f"{base}/commits?per_page=5")
    await witnessed("GET", f"{base}/commits/{commits[0]['sha']}")
    await witnessed("GET", f"{base}/compare/{commits[1]['sha']}...{commits[0]['sha']}")
    await witnessed("GET", f"{base}/branches")
    await witnessed("GET", f"{base}/branches/main")
    await witnessed("GET", f"{base}/tags")
    await witnessed("DELETE", f"{base}/contents/docs/a.md", {"message": "Remove", "sha": found["sha"]})


async def test_pull_requests_and_issues(witnessed: Witnessed) -> None:
    await witnessed("POST", "/orgs/acme/repos", {"name": "shop", "auto_init": True})
    await witnessed.github.commit("shop", {"new.txt": "new\n"}, branch="feature")
    base = "/repos/acme/shop"
    await witnessed("POST", f"{base}/pulls", {"title": "T", "head": "feature", "base": "main", "body": "B"})
    await witnessed("POST", f"{base}/pulls", {"title": "T", "head": "feature", "base": "main"}, status=422)
    await witnessed("GET", f"{base}/pulls?state=all&head=acme:feature")
    await witnessed("GET", f"{base}/pulls/1")
    await witnessed("GET", f"{base}/pulls/1/files")
    await witnessed("GET", f"{base}/pulls/1/commits")
    await witnessed("PATCH", f"{base}/pulls/1", {"title": "Better"})
    await witnessed("POST", f"{base}/pulls/1/reviews", {"event": "COMMENT", "body": "Hm"})
    await witnessed("GET", f"{base}/pulls/1/reviews")
    await witnessed("PUT", f"{base}/pulls/1/merge", {"merge_method": "squash"})
    await witnessed("PUT", f"{base}/pulls/1/merge", {}, status=405)
    await witnessed("POST", f"{base}/issues", {"title": "It breaks", "labels": ["bug"]})
    await witnessed("GET", f"{base}/issues?state=all")
    await witnessed("GET", f"{base}/issues/2")
    await witnessed("PATCH", f"{base}/issues/2", {"state": "closed"})
    await witnessed("POST", f"{base}/issues/2/comments", {"body": "Seen"})
    await witnessed("GET", f"{base}/issues/2/comments")
    await witnessed("POST", f"{base}/issues/2/labels", {"labels": ["later"]})


async def test_conversations_labels_and_forks(witnessed: Witnessed) -> None:
    await witnessed("POST", "/orgs/acme/repos", {"name": "shop", "auto_init": True, "private": False})
    await witnessed.github.commit("shop", {"new.txt": "new\n"}, branch="feature")
    base = "/repos/acme/shop"
    await witnessed("POST", f"{base}/pulls", {"title": "T", "head": "feature", "base": "main", "draft": True})
    made = await witnessed("POST", f"{base}/issues/1/comments", {"body": "Seen"})
    await witnessed("PATCH", f"{base}/issues/comments/{made['id']}", {"body": "Seen twice"})
    await witnessed("GET", f"{base}/issues/comments/{made['id']}")
    await witnessed("GET", f"{base}/issues/1/comments?per_page=100&page=1")
    await witnessed("DELETE", f"{base}/issues/comments/{made['id']}")
    await witnessed("POST", f"{base}/issues/99/comments", {"body": "x"}, status=404)
    await witnessed("POST", f"{base}/issues/1/labels", {"labels": ["preview", "bug"]})
    await witnessed("GET", f"{base}/issues/1/labels")
    await witnessed("DELETE", f"{base}/issues/1/labels/bug")
    await witnessed("DELETE", f"{base}/issues/1/labels/bug", status=404)
    await witnessed("PUT", f"{base}/issues/1/labels", {"labels": ["late"]})
    await witnessed("GET", f"{base}/pulls/1")
    fork = await witnessed("POST", f"{base}/forks", {"name": "shop-of-mine"})
    assert fork["fork"]
    await witnessed("GET", f"{base}/forks")
    await witnessed("GET", "/repos/causeway/shop-of-mine")
    changed = {"message": "Mine", "content": "eA==", "branch": "main"}
    await witnessed("PUT", "/repos/causeway/shop-of-mine/contents/mine.txt", changed)
    await witnessed("POST", f"{base}/pulls", {"title": "Mine", "head": "causeway:main", "base": "main"})
    await witnessed("GET", f"{base}/pulls/2")
    runs = await witnessed("GET", f"{base}/actions/runs?event=pull_request")
    assert runs["workflow_runs"][0]["head_repository"]["full_name"] == "causeway/shop-of-mine"
    await witnessed("GET", f"{base}/pulls?state=all")


async def test_a_comment_of_the_app(witnessed: Witnessed) -> None:
    await witnessed("POST", "/orgs/acme/repos", {"name": "shop", "auto_init": True})
    await witnessed.github.commit("shop", {"new.txt": "new\n"}, branch="feature")
    await witnessed("POST", "/repos/acme/shop/pulls", {"title": "T", "head": "feature", "base": "main"})
    await witnessed.github.peer.app_credentials()
    issued = witnessed.github.peer.hub.access.issue({"pull_requests": "write", "metadata": "read"}, None)["token"]
    said = {"body": "Hello"}
    made = await witnessed.github.call("POST", "/repos/acme/shop/issues/1/comments", said, token=issued)
    assert made.status == 201
    (shown,) = await witnessed("GET", "/repos/acme/shop/issues/1/comments")
    assert shown["performed_via_github_app"]["slug"] == "causeway"


async def test_rules_and_settings(witnessed: Witnessed) -> None:
    await witnessed("POST", "/orgs/acme/repos", {"name": "shop", "auto_init": True})
    base = "/repos/acme/shop"
    parameters = {
        "dismiss_stale_reviews_on_push": False,
        "require_code_owner_review": True,
        "require_last_push_approval": False,
        "required_approving_review_count": 1,
        "required_review_thread_resolution": False,
    }
    ruleset: dict[str, Any] = {
        "name": "main",
        "target": "branch",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": [{"type": "deletion"}, {"type": "pull_request", "parameters": parameters}],
    }
    made = await witnessed("POST", f"{base}/rulesets", ruleset)
    await witnessed("GET", f"{base}/rulesets")
    await witnessed("GET", f"{base}/rulesets/{made['id']}")
    await witnessed("GET", f"{base}/rules/branches/main")
    await witnessed("PUT", f"{base}/rulesets/{made['id']}", {"enforcement": "disabled"})
    await witnessed("DELETE", f"{base}/rulesets/{made['id']}")
    in_organisation = {**ruleset, "conditions": {**ruleset["conditions"], "repository_name": {"include": ["~ALL"]}}}
    await witnessed("POST", "/orgs/acme/rulesets", in_organisation)
    await witnessed("GET", "/orgs/acme/rulesets")
    protection = {
        "required_status_checks": {"strict": True, "contexts": ["build"]},
        "enforce_admins": True,
        "required_pull_request_reviews": {"required_approving_review_count": 1},
        "restrictions": None,
    }
    await witnessed("PUT", f"{base}/branches/main/protection", protection)
    await witnessed("GET", f"{base}/branches/main/protection")
    await witnessed("DELETE", f"{base}/branches/main/protection")
    await witnessed("POST", f"{base}/actions/variables", {"name": "REGION", "value": "north"})
    await witnessed("GET", f"{base}/actions/variables")
    await witnessed("GET", f"{base}/actions/variables/REGION")
    await witnessed("PATCH", f"{base}/actions/variables/REGION", {"value": "south"})
    await witnessed("DELETE", f"{base}/actions/variables/REGION")
    key = await witnessed("GET", f"{base}/actions/secrets/public-key")
    sealed = base64.b64encode(bytes(60)).decode()
    await witnessed("PUT", f"{base}/actions/secrets/TOKEN", {"encrypted_value": sealed, "key_id": key["key_id"]})
    await witnessed("GET", f"{base}/actions/secrets")
    await witnessed("PUT", f"{base}/environments/production", {"wait_timer": 5})
    await witnessed("GET", f"{base}/environments/production")
    await witnessed("GET", f"{base}/environments")
    await witnessed("GET", f"{base}/environments/production/secrets/public-key")
    await witnessed("POST", f"{base}/environments/production/variables", {"name": "REGION", "value": "north"})


async def test_deliveries_of_all_kinds(witnessed: Witnessed) -> None:
    await witnessed("POST", "/orgs/acme/repos", {"name": "shop", "auto_init": True})
    base = "/repos/acme/shop"
    sha = await witnessed.github.commit("shop", {"a": "1"})
    made = await witnessed("POST", f"{base}/deployments", {"ref": "main", "required_contexts": []})
    await witnessed("GET", f"{base}/deployments?environment=production")
    await witnessed("GET", f"{base}/deployments/{made['id']}")
    await witnessed("POST", f"{base}/deployments/{made['id']}/statuses", {"state": "success"})
    await witnessed("GET", f"{base}/deployments/{made['id']}/statuses")
    await witnessed("POST", f"{base}/statuses/{sha}", {"state": "success", "context": "lint"})
    await witnessed("GET", f"{base}/commits/{sha}/status")
    await witnessed("GET", f"{base}/commits/{sha}/statuses")
    await witnessed("POST", f"{base}/check-runs", {"name": "scan", "head_sha": sha, "conclusion": "success"})
    await witnessed("GET", f"{base}/commits/{sha}/check-runs")
    runs = await witnessed("GET", f"{base}/actions/runs?head_sha={sha}")
    await witnessed("GET", f"{base}/actions/runs/{runs['workflow_runs'][0]['id']}")
    await witnessed("GET", f"{base}/actions/workflows")
    hook = {"name": "web", "events": ["push"], "config": {"url": witnessed.github.hook_url, "content_type": "json"}}
    made = await witnessed("POST", f"{base}/hooks", hook)
    await witnessed("GET", f"{base}/hooks")
    await witnessed.github.peer.delivered()
    sent = await witnessed("GET", f"{base}/hooks/{made['id']}/deliveries")
    await witnessed("GET", f"{base}/hooks/{made['id']}/deliveries/{sent[0]['id']}")
    await witnessed("POST", f"{base}/hooks/{made['id']}/pings")
    await witnessed("POST", f"{base}/releases", {"tag_name": "v1", "name": "First", "generate_release_notes": False})
    await witnessed("GET", f"{base}/releases")
    await witnessed("GET", f"{base}/releases/latest")
    await witnessed("GET", f"{base}/releases/tags/v1")


async def test_versions_and_deployments(witnessed: Witnessed) -> None:
    await witnessed("POST", "/orgs/acme/repos", {"name": "shop", "auto_init": True})
    base = "/repos/acme/shop"
    first = await witnessed.github.commit("shop", {"a": "1"})
    second = await witnessed.github.commit("shop", {"a": "2", "b": "2"})
    versions = await witnessed("GET", "/orgs/acme/packages/container/shop/versions?per_page=100&page=1")
    assert [second in version["metadata"]["container"]["tags"] for version in versions] == [True, False]
    await witnessed("GET", "/orgs/acme/packages/container/none/versions", status=404)
    await witnessed("GET", "/users/author/packages/container/none/versions", status=404)
    await witnessed("GET", f"{base}/compare/{first}...{second}")
    await witnessed("GET", f"{base}/compare/{first}...none", status=404)
    await witnessed("GET", f"{base}/actions/runs?head_sha={second}&exclude_pull_requests=true&per_page=100")
    order = {
        "ref": second,
        "environment": "staging",
        "description": "Shop",
        "payload": {"causeway_operation": "op_1", "causeway_replaces": 7},
        "auto_merge": False,
        "required_contexts": [],
    }
    made = await witnessed("POST", f"{base}/deployments", order)
    assert made["payload"] == order["payload"]
    await witnessed("GET", f"{base}/deployments?environment=staging&per_page=30")
    status = {"state": "success", "description": "It runs", "environment_url": "https://shop.example"}
    await witnessed("POST", f"{base}/deployments/{made['id']}/statuses", {**status, "auto_inactive": True})
    await witnessed("GET", f"{base}/deployments/{made['id']}/statuses?per_page=1")
    await witnessed("POST", f"{base}/deployments", {**order, "ref": "none"}, status=422)
    await witnessed("POST", f"{base}/deployments/{made['id']}/statuses", {"state": "done"}, status=422)


def test_the_witness_would_notice_a_wrong_answer() -> None:
    operation = find("GET", "/repos/acme/shop/topics")
    assert operation is not None
    validator = response_validator(operation, 200)
    assert validator is not None
    assert [error.message for error in validator.iter_errors(json.loads('{"names": "python"}'))]
