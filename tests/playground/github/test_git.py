"""Plain `git` against the playground."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.playground.github.running import TOKEN, GitHub, git

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="the program git is not installed")


async def test_a_repository_made_by_rest_can_be_cloned(github: GitHub, tmp_path: Path) -> None:
    await github.repository("shop")
    await github.commit("shop", {"src/app.py": "print()\n", "README.md": "# Shop\n"})
    await git("clone", "-q", f"{github.url}/acme/shop.git", "work", cwd=tmp_path)
    assert (tmp_path / "work/src/app.py").read_text() == "print()\n"
    assert await git("branch", "--show-current", cwd=tmp_path / "work") == "main"
    assert await git("fsck", "--strict", cwd=tmp_path / "work") == ""


async def test_a_push_moves_the_branch_and_is_told_by_webhook(github: GitHub, tmp_path: Path) -> None:
    await github.repository("shop")
    work = await clone(github, tmp_path)
    (work / "new.txt").write_text("new\n")
    await git("add", ".", cwd=work)
    await git("commit", "-qm", "Add a file", cwd=work)
    await git("push", "-q", "origin", "main", cwd=work)
    head = await git("rev-parse", "HEAD", cwd=work)
    assert (await github.made("GET", "/repos/acme/shop/branches/main"))["commit"]["sha"] == head
    push = (await github.received("push"))[-1]
    assert (push["after"], push["head_commit"]["added"]) == (head, ["new.txt"])
    assert push["head_commit"]["author"]["username"] == "author"


async def test_branches_and_tags_can_be_pushed_and_deleted(github: GitHub, tmp_path: Path) -> None:
    await github.repository("shop")
    work = await clone(github, tmp_path)
    await git("push", "-q", "origin", "main:feature/x", cwd=work)
    await git("tag", "-a", "v1", "-m", "First", cwd=work)
    await git("push", "-q", "origin", "v1", cwd=work)
    assert [tag["name"] for tag in await github.made("GET", "/repos/acme/shop/tags")] == ["v1"]
    await git("push", "-q", "origin", ":feature/x", cwd=work)
    assert [b["name"] for b in await github.made("GET", "/repos/acme/shop/branches")] == ["main"]
    assert [(e["ref"], e["ref_type"]) for e in await github.received("delete")] == [("feature/x", "branch")]


async def test_a_shallow_clone_can_be_deepened(github: GitHub, tmp_path: Path) -> None:
    await github.repository("shop")
    for number in range(3):
        await github.commit("shop", {"n.txt": f"{number}\n"})
    await git("clone", "-q", "--depth", "1", f"{github.url}/acme/shop.git", "work", cwd=tmp_path)
    work = tmp_path / "work"
    assert await git("rev-list", "--count", "HEAD", cwd=work) == "1"
    await git("fetch", "-q", "--unshallow", cwd=work)
    assert await git("rev-list", "--count", "HEAD", cwd=work) == "4"


async def test_a_shallow_clone_follows_new_commits(github: GitHub, tmp_path: Path) -> None:
    await github.repository("shop")
    await github.commit("shop", {"n.txt": "1\n"})
    await git("clone", "-q", "--depth", "1", f"{github.url}/acme/shop.git", "work", cwd=tmp_path)
    await github.commit("shop", {"n.txt": "2\n"})
    await git("pull", "-q", "--ff-only", cwd=tmp_path / "work")
    assert (tmp_path / "work/n.txt").read_text() == "2\n"


async def test_a_fetch_brings_only_what_is_new(github: GitHub, tmp_path: Path) -> None:
    await github.repository("shop")
    work = await clone(github, tmp_path)
    await github.commit("shop", {"n.txt": "1\n"})
    await git("pull", "-q", "--ff-only", cwd=work)
    assert (work / "n.txt").read_text() == "1\n"


async def test_an_empty_repository_can_be_cloned_and_filled(github: GitHub, tmp_path: Path) -> None:
    await github.made("POST", "/orgs/acme/repos", {"name": "shop"})
    await git("clone", "-q", f"{github.url}/acme/shop.git", "work", cwd=tmp_path)
    work = tmp_path / "work"
    await git("checkout", "-q", "-B", "main", cwd=work)
    (work / "a.txt").write_text("a\n")
    await git("add", ".", cwd=work)
    await git("commit", "-qm", "First", cwd=work)
    await git("push", "-q", "origin", "main", cwd=work)
    assert (await github.call("GET", "/repos/acme/shop/contents/a.txt")).status == 200


async def test_a_push_that_is_not_a_fast_forward_is_refused_unless_forced(github: GitHub, tmp_path: Path) -> None:
    await github.repository("shop")
    work = await clone(github, tmp_path)
    await github.commit("shop", {"theirs.txt": "1\n"})
    (work / "ours.txt").write_text("2\n")
    await git("add", ".", cwd=work)
    await git("commit", "-qm", "Ours", cwd=work)
    await git("push", "-q", "origin", "main", cwd=work, succeeds=False)
    await git("push", "-q", "--force", "origin", "main", cwd=work)
    assert (await github.received("push"))[-1]["forced"] is True


async def test_a_ruleset_refuses_a_push(github: GitHub, tmp_path: Path) -> None:
    await github.repository("shop")
    rules = [{"type": "pull_request", "parameters": {"required_approving_review_count": 1}}]
    conditions = {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}
    ruleset = {"name": "main", "target": "branch", "enforcement": "active", "rules": rules, "conditions": conditions}
    await github.made("POST", "/repos/acme/shop/rulesets", ruleset)
    work = await clone(github, tmp_path)
    await git("commit", "-q", "--allow-empty", "-m", "Straight to main", cwd=work)
    printed = await git("push", "origin", "main", cwd=work, succeeds=False)
    assert "Changes must be made through a pull request." in printed


async def test_a_wrong_token_is_refused(github: GitHub, tmp_path: Path) -> None:
    await github.repository("shop")
    url = f"{github.url}/acme/shop.git"
    header = "http.extraHeader=Authorization: Bearer"
    await git("-c", f"{header} wrong", "clone", "-q", url, "work", cwd=tmp_path, succeeds=False)
    await git("-c", f"{header} {TOKEN}", "clone", "-q", url, "work", cwd=tmp_path)


async def test_a_large_push_arrives_whole(github: GitHub, tmp_path: Path) -> None:
    await github.repository("shop")
    work = await clone(github, tmp_path)
    content = "".join(f"{number * 7919 % 1000003}\n" for number in range(400_000))
    (work / "large.txt").write_text(content)
    await git("add", ".", cwd=work)
    await git("commit", "-qm", "Large", cwd=work)
    await git("push", "-q", "origin", "main", cwd=work)
    await git("clone", "-q", f"{github.url}/acme/shop.git", "again", cwd=tmp_path)
    assert (tmp_path / "again/large.txt").read_text() == content


async def clone(github: GitHub, tmp_path: Path) -> Path:
    await git("clone", "-q", f"{github.url}/acme/shop.git", "work", cwd=tmp_path)
    return tmp_path / "work"
