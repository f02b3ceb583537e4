"""Images, comparisons and deployments: what GitHub does with them, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.playground.github.running import GitHub

VERSIONS = "/orgs/acme/packages/container/shop/versions"


async def tags(github: GitHub) -> list[list[str]]:
    """Return the tags of the shop's images, newest first."""
    found = await github.made("GET", VERSIONS)
    return [sorted(version["metadata"]["container"]["tags"]) for version in found]


async def app_token(github: GitHub, **permissions: str) -> str:
    access = github.peer._access
    token: str = access.issue(permissions, None)["token"]
    return token


async def test_each_successful_run_leaves_an_image_and_takes_the_branchs_tag(github: GitHub) -> None:
    await github.repository("shop")
    one = await github.commit("shop", {"a": "1"})
    await github.made("POST", "/sim/workflows", {"repo": "acme/shop", "conclusion": "failure"})
    await github.commit("shop", {"a": "2"})
    await github.made("POST", "/sim/workflows", {"repo": "acme/shop", "conclusion": "success"})
    github.clock.advance(minutes=5)
    three = await github.commit("shop", {"a": "3"})
    found = await tags(github)
    assert found == [sorted([three, three[:7], "main"]), sorted([one, one[:7]])]
    names = [version["name"] for version in await github.made("GET", VERSIONS)]
    assert all(name.startswith("sha256:") and len(name) == 71 for name in names)
    assert len(set(names)) == len(names)


async def test_packages_are_shown_to_people_and_to_no_app(github: GitHub) -> None:
    await github.repository("shop")
    await github.commit("shop", {"a": "1"})
    for permissions, status in (({"packages": "read"}, 404), ({"contents": "read"}, 403)):
        token = await app_token(github, **permissions)
        assert (await github.call("GET", VERSIONS, token=token)).status == status
    assert (await github.call("GET", VERSIONS)).status == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/orgs/acme/packages/container/none/versions", 404),
        ("/orgs/author/packages/container/shop/versions", 404),
        ("/users/acme/packages/container/shop/versions", 404),
        ("/users/none/packages/container/shop/versions", 404),
        ("/orgs/acme/packages/npm/shop/versions", 404),
        ("/orgs/acme/packages/nonsense/shop/versions", 400),
    ],
)
async def test_there_are_no_other_packages(github: GitHub, path: str, status: int) -> None:
    await github.repository("shop")
    assert (await github.call("GET", path)).status == status


async def test_a_persons_own_repository_has_a_package_of_theirs(github: GitHub) -> None:
    login = (await github.made("GET", "/user"))["login"]
    await github.made("POST", "/user/repos", {"name": "notes", "auto_init": True})
    await github.made("PUT", f"/repos/{login}/notes/contents/a", {"message": "Add", "content": "MQ=="})
    found = await github.made("GET", f"/users/{login}/packages/container/notes/versions")
    assert "main" in found[0]["metadata"]["container"]["tags"]


async def deployment(github: GitHub, environment: str = "staging", **more: Any) -> int:
    body = {"ref": "main", "environment": environment, "required_contexts": [], **more}
    number: int = (await github.made("POST", "/repos/acme/shop/deployments", body))["id"]
    return number


async def succeed(github: GitHub, number: int, **more: Any) -> None:
    await github.made("POST", f"/repos/acme/shop/deployments/{number}/statuses", {"state": "success", **more})


async def state(github: GitHub, number: int) -> str | None:
    found = await github.made("GET", f"/repos/acme/shop/deployments/{number}/statuses")
    return found[0]["state"] if found else None


@pytest.mark.parametrize(
    ("environment", "more", "said", "after"),
    [
        ("staging", {}, {}, "inactive"),
        ("staging", {}, {"auto_inactive": False}, "success"),
        ("production", {}, {}, "success"),
        ("live", {"production_environment": True}, {}, "success"),
        ("preview", {"transient_environment": True}, {}, "success"),
    ],
    ids=["plain", "not wanted", "production", "another production", "transient"],
)
async def test_a_success_lets_earlier_ones_be_inactive(
    github: GitHub, environment: str, more: dict[str, Any], said: dict[str, Any], after: str
) -> None:
    await github.repository("shop")
    first, elsewhere = await deployment(github, environment, **more), await deployment(github, "other")
    for number in (first, elsewhere):
        await succeed(github, number)
    failed, second = await deployment(github, environment, **more), await deployment(github, environment, **more)
    await succeed(github, second, **said)
    assert [await state(github, number) for number in (first, elsewhere, failed, second)] == [
        after,
        "success",
        None,
        "success",
    ]


async def test_a_deployment_is_refused_while_checks_run_or_have_failed(github: GitHub) -> None:
    await github.repository("shop")
    await github.made("POST", "/sim/workflows", {"repo": "acme/shop", "conclusion": "failure"})
    await github.commit("shop", {"a": "1"})
    path = "/repos/acme/shop/deployments"
    assert (await github.call("POST", path, {"ref": "main"})).status == 409
    assert (await github.call("POST", path, {"ref": "main", "required_contexts": ["build"]})).status == 409
    assert (await github.call("POST", path, {"ref": "main", "required_contexts": []})).status == 201


async def test_a_statuss_description_has_a_longest_length(github: GitHub) -> None:
    await github.repository("shop")
    path = f"/repos/acme/shop/deployments/{await deployment(github)}/statuses"
    for length, status in ((140, 201), (141, 422)):
        body = {"state": "in_progress", "description": "x" * length}
        assert (await github.call("POST", path, body)).status == status


async def test_a_long_comparison_shows_the_newest_commits_and_pages_begin_with_the_oldest(
    github: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playground.github.api.commits.MOST_COMMITS", 2)
    monkeypatch.setattr("playground.github.api.commits.MOST_FILES", 2)
    await github.repository("shop")
    start = (await github.made("GET", "/repos/acme/shop/commits"))[0]["sha"]
    shas = []
    for number in range(4):
        github.clock.advance(seconds=1)
        shas.append(await github.commit("shop", {f"{number}.txt": "x"}))
    whole = await github.made("GET", f"/repos/acme/shop/compare/{start}...main")
    assert [one["sha"] for one in whole["commits"]] == shas[-2:]
    assert (whole["ahead_by"], whole["total_commits"], len(whole["files"])) == (4, 4, 2)
    page = await github.made("GET", f"/repos/acme/shop/compare/{start}...main?per_page=3&page=2")
    assert ([one["sha"] for one in page["commits"]], page["files"]) == (shas[3:], [])
