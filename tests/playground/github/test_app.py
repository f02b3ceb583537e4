"""The App: JWT, tokens for one repository and job, permission checks."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from tests.playground.github.running import Answer, GitHub


async def signed(github: GitHub, *, issuer: int | None = None, minutes: float = 5) -> str:
    app_id, _, key = await github.peer.app_credentials()
    now = int(github.clock().timestamp())
    claims = {"iat": now - 30, "exp": now + int(minutes * 60), "iss": str(issuer or app_id)}
    return jwt.encode(claims, key, algorithm="RS256")


async def token_for(github: GitHub, **body: Any) -> Answer:
    _, installation, _ = await github.peer.app_credentials()
    path = f"/app/installations/{installation}/access_tokens"
    return await github.call("POST", path, body, token=await signed(github))


async def test_the_app_finds_its_installation(github: GitHub) -> None:
    token = await signed(github)
    app = await github.call("GET", "/app", token=token)
    assert app.body["slug"] == "causeway"
    for path in ("/orgs/acme/installation", "/repos/acme/catalog/installation"):
        assert (await github.call("GET", path, token=token)).body["account"]["login"] == "acme"


@pytest.mark.parametrize(("issuer", "minutes", "status"), [(99, 5, 404), (None, -1, 401), (None, 60, 401)])
async def test_a_wrong_jwt_is_refused(github: GitHub, issuer: int | None, minutes: float, status: int) -> None:
    token = await signed(github, issuer=issuer, minutes=minutes)
    assert (await github.call("GET", "/app", token=token)).status == status


async def test_a_personal_token_is_no_app(github: GitHub) -> None:
    assert (await github.call("GET", "/app")).status == 401


async def test_a_token_reaches_its_repositories_only(github: GitHub) -> None:
    made = await token_for(github, repositories=["catalog"], permissions={"contents": "write"})
    assert made.body["repository_selection"] == "selected"
    token = made.body["token"]
    assert (await github.call("GET", "/repos/acme/catalog/branches", token=token)).status == 200
    assert (await github.call("GET", "/repos/acme/gitops/branches", token=token)).status == 404
    seen = await github.call("GET", "/installation/repositories", token=token)
    assert [repo["name"] for repo in seen.body["repositories"]] == ["catalog"]


async def test_a_token_may_what_its_permissions_say(github: GitHub) -> None:
    token = (await token_for(github, permissions={"contents": "read"})).body["token"]
    assert (await github.call("GET", "/repos/acme/catalog/git/ref/heads/main", token=token)).status == 200
    refused = await github.call("POST", "/repos/acme/catalog/git/blobs", {"content": "x"}, token=token)
    assert (refused.status, refused.body["message"]) == (403, "Resource not accessible by integration")
    assert refused.headers["X-Accepted-GitHub-Permissions"] == "contents=write"


async def test_a_token_can_make_a_repository_and_its_commits_are_verified(github: GitHub) -> None:
    permissions = {"administration": "write", "contents": "write"}
    token = (await token_for(github, permissions=permissions)).body["token"]
    made = await github.call("POST", "/orgs/acme/repos", {"name": "shop", "auto_init": True}, token=token)
    assert made.status == 201
    line = {"path": "a", "mode": "100644", "type": "blob", "content": "x"}
    tree = await github.call("POST", "/repos/acme/shop/git/trees", {"tree": [line]}, token=token)
    body = {"message": "x", "tree": tree.body["sha"], "parents": []}
    commit = await github.call("POST", "/repos/acme/shop/git/commits", body, token=token)
    assert commit.body["verification"]["verified"] is True
    named = {**body, "author": {"name": "A", "email": "a@acme.example"}}
    commit = await github.call("POST", "/repos/acme/shop/git/commits", named, token=token)
    assert commit.body["verification"]["verified"] is False


async def test_more_than_the_app_has_is_not_given(github: GitHub) -> None:
    assert (await token_for(github, permissions={"packages": "write"})).status == 422
    assert (await token_for(github, repositories=["none"])).status == 422


async def test_a_token_ends_after_an_hour_or_when_revoked(github: GitHub) -> None:
    first = (await token_for(github)).body["token"]
    assert (await github.call("DELETE", "/installation/token", token=first)).status == 204
    assert (await github.call("GET", "/installation/repositories", token=first)).status == 401
    second = (await token_for(github)).body["token"]
    github.clock.advance(hours=1)
    assert (await github.call("GET", "/installation/repositories", token=second)).status == 401
