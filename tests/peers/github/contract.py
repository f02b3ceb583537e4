"""What any GitHub does, ours and the independent emulator alike: `tests/peers/github/test_contract.py` runs it on both.

Each check takes a `Rest` that speaks to an empty organisation `acme` as its owner and asserts by itself.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp


@dataclass(frozen=True)
class Rest:
    session: aiohttp.ClientSession
    base: str
    token: str
    hook_url: str = "http://127.0.0.1:9/hook"

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"token {self.token}", "Accept": "application/vnd.github+json"}
        async with self.session.request(method, self.base + path, json=body, headers=headers) as response:
            text = await response.read()
            is_json = response.content_type == "application/json" and text
            return response.status, await response.json() if is_json else None

    async def good(self, method: str, path: str, body: Any = None) -> Any:
        status, answer = await self.call(method, path, body)
        assert 200 <= status < 300, (method, path, status, answer)
        return answer

    async def shop(self, name: str) -> str:
        await self.good("POST", "/orgs/acme/repos", {"name": name, "auto_init": True, "private": False})
        return f"/repos/acme/{name}"


Check = Callable[[Rest], Awaitable[None]]
CHECKS: dict[str, Check] = {}


def check(function: Check) -> Check:
    CHECKS[function.__name__] = function
    return function


def git_hash(kind: str, content: bytes) -> str:
    return hashlib.sha1(f"{kind} {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()


async def skeleton(rest: Rest, shop: str, *, parents: list[str], lines: list[dict[str, Any]]) -> dict[str, Any]:
    tree = await rest.good("POST", f"{shop}/git/trees", {"tree": lines})
    body = {"message": "Start", "tree": tree["sha"], "parents": parents}
    made: dict[str, Any] = await rest.good("POST", f"{shop}/git/commits", body)
    return made


def line(path: str, text: str, mode: str = "100644") -> dict[str, Any]:
    return {"path": path, "mode": mode, "type": "blob", "content": text}


@check
async def a_repository_is_made_read_and_deleted(rest: Rest) -> None:
    made = await rest.good("POST", "/orgs/acme/repos", {"name": "one", "description": "First", "auto_init": True})
    assert (made["full_name"], made["default_branch"], made["description"]) == ("acme/one", "main", "First")
    assert (await rest.good("GET", "/repos/acme/one"))["id"] == made["id"]
    assert await rest.call("DELETE", "/repos/acme/one") == (204, None)
    assert (await rest.call("GET", "/repos/acme/one"))[0] == 404


@check
async def an_organisation_lists_its_repositories(rest: Rest) -> None:
    await rest.shop("listed")
    assert "listed" in [repo["name"] for repo in await rest.good("GET", "/orgs/acme/repos")]


@check
async def a_name_that_is_taken_is_refused(rest: Rest) -> None:
    await rest.shop("two")
    status, body = await rest.call("POST", "/orgs/acme/repos", {"name": "two"})
    assert status == 422
    assert isinstance(body["message"], str)
    assert "documentation_url" in body


@check
async def an_unknown_token_is_refused(rest: Rest) -> None:
    stranger = Rest(rest.session, rest.base, "unknown-token")
    assert (await stranger.call("GET", "/user"))[0] == 401


@check
async def what_does_not_exist_is_not_found(rest: Rest) -> None:
    assert (await rest.call("GET", "/repos/acme/none"))[0] == 404
    assert (await rest.call("GET", "/orgs/none"))[0] == 404
    assert (await rest.call("GET", "/nonsense"))[0] == 404


@check
async def a_blob_has_its_git_hash(rest: Rest) -> None:
    shop = await rest.shop("blobs")
    content = b"\x00\x01binary"
    body = {"content": base64.b64encode(content).decode(), "encoding": "base64"}
    made = await rest.good("POST", f"{shop}/git/blobs", body)
    assert made["sha"] == git_hash("blob", content)
    read = await rest.good("GET", f"{shop}/git/blobs/{made['sha']}")
    assert base64.b64decode(read["content"]) == content


@check
async def a_tree_has_its_git_hash_and_keeps_modes(rest: Rest) -> None:
    shop = await rest.shop("trees")
    made = await rest.good("POST", f"{shop}/git/trees", {"tree": [line("run.sh", "x", "100755"), line("a", "y")]})
    entries = [("a", "100644", b"y"), ("run.sh", "100755", b"x")]
    raw = b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(git_hash("blob", text)) for name, mode, text in entries)
    assert made["sha"] == git_hash("tree", raw)
    assert {e["path"]: e["mode"] for e in made["tree"]} == {"a": "100644", "run.sh": "100755"}


@check
async def a_whole_skeleton_is_four_calls(rest: Rest) -> None:
    shop = await rest.shop("skeleton")
    lines = [line("src/app.py", "print()\n"), line("docs/a/b.md", "b\n"), line("run.sh", "#!/bin/sh\n", "100755")]
    commit = await skeleton(rest, shop, parents=[], lines=lines)
    await rest.good("PATCH", f"{shop}/git/refs/heads/main", {"sha": commit["sha"], "force": True})
    found = await rest.good("GET", f"{shop}/git/trees/main?recursive=1")
    files = {e["path"]: e["mode"] for e in found["tree"] if e["type"] == "blob"}
    assert files == {"src/app.py": "100644", "docs/a/b.md": "100644", "run.sh": "100755"}
    assert len(await rest.good("GET", f"{shop}/commits")) == 1


@check
async def a_tree_on_a_base_keeps_the_rest(rest: Rest) -> None:
    shop = await rest.shop("base")
    first = await skeleton(rest, shop, parents=[], lines=[line("a", "1"), line("b", "2")])
    body = {"base_tree": first["tree"]["sha"], "tree": [line("b", "3")]}
    tree = await rest.good("POST", f"{shop}/git/trees", body)
    shown = {e["path"]: e["sha"] for e in tree["tree"]}
    assert shown == {"a": git_hash("blob", b"1"), "b": git_hash("blob", b"3")}


@check
async def a_commit_is_no_base_tree(rest: Rest) -> None:
    shop = await rest.shop("wrongbase")
    head = (await rest.good("GET", f"{shop}/git/ref/heads/main"))["object"]["sha"]
    body = {"base_tree": head, "tree": [line("b", "3")]}
    assert (await rest.call("POST", f"{shop}/git/trees", body))[0] == 422


@check
async def a_ref_moves_forward_only_unless_forced(rest: Rest) -> None:
    shop = await rest.shop("forward")
    head = (await rest.good("GET", f"{shop}/git/ref/heads/main"))["object"]["sha"]
    other = await skeleton(rest, shop, parents=[], lines=[line("a", "1")])
    status, _ = await rest.call("PATCH", f"{shop}/git/refs/heads/main", {"sha": other["sha"], "force": False})
    assert status == 422
    onward = await skeleton(rest, shop, parents=[head], lines=[line("a", "1")])
    await rest.good("PATCH", f"{shop}/git/refs/heads/main", {"sha": onward["sha"]})
    await rest.good("PATCH", f"{shop}/git/refs/heads/main", {"sha": other["sha"], "force": True})


@check
async def branches_are_made_listed_and_deleted(rest: Rest) -> None:
    shop = await rest.shop("branches")
    head = (await rest.good("GET", f"{shop}/git/ref/heads/main"))["object"]["sha"]
    body = {"ref": "refs/heads/feature/x", "sha": head}
    assert (await rest.good("POST", f"{shop}/git/refs", body))["ref"] == "refs/heads/feature/x"
    assert (await rest.call("POST", f"{shop}/git/refs", body))[0] == 422
    assert {b["name"] for b in await rest.good("GET", f"{shop}/branches")} == {"main", "feature/x"}
    assert (await rest.call("DELETE", f"{shop}/git/refs/heads/feature/x"))[0] == 204
    assert (await rest.call("GET", f"{shop}/git/ref/heads/feature/x"))[0] == 404


@check
async def a_file_is_written_read_and_guarded_by_its_hash(rest: Rest) -> None:
    shop = await rest.shop("contents")
    body: dict[str, Any] = {"message": "Add", "content": base64.b64encode(b"one\n").decode()}
    made = await rest.good("PUT", f"{shop}/contents/dir/a.txt", body)
    assert made["content"]["sha"] == git_hash("blob", b"one\n")
    read = await rest.good("GET", f"{shop}/contents/dir/a.txt")
    assert base64.b64decode(read["content"]) == b"one\n"
    changed = {**body, "content": base64.b64encode(b"two\n").decode()}
    assert (await rest.call("PUT", f"{shop}/contents/dir/a.txt", {**changed, "sha": "0" * 40}))[0] == 409
    await rest.good("PUT", f"{shop}/contents/dir/a.txt", {**changed, "sha": read["sha"]})
    assert [e["name"] for e in await rest.good("GET", f"{shop}/contents/dir")] == ["a.txt"]


async def opened(rest: Rest, name: str) -> tuple[str, dict[str, Any]]:
    shop = await rest.shop(name)
    head = (await rest.good("GET", f"{shop}/git/ref/heads/main"))["object"]["sha"]
    base = await rest.good("GET", f"{shop}/git/commits/{head}")
    body = {"base_tree": base["tree"]["sha"], "tree": [line("new.txt", "new\n")]}
    tree = await rest.good("POST", f"{shop}/git/trees", body)
    commit = {"message": "Add", "tree": tree["sha"], "parents": [head]}
    sha = (await rest.good("POST", f"{shop}/git/commits", commit))["sha"]
    await rest.good("POST", f"{shop}/git/refs", {"ref": "refs/heads/feature", "sha": sha})
    pull = {"title": "A change", "head": "feature", "base": "main", "body": "Why"}
    return shop, await rest.good("POST", f"{shop}/pulls", pull)


@check
async def a_pull_request_is_opened_and_merged(rest: Rest) -> None:
    shop, pull = await opened(rest, "pulls")
    assert (pull["number"], pull["state"], pull["merged"], pull["head"]["ref"]) == (1, "open", False, "feature")
    merged = await rest.good("PUT", f"{shop}/pulls/1/merge", {"merge_method": "squash"})
    assert merged["merged"] is True
    after = await rest.good("GET", f"{shop}/pulls/1")
    assert (after["state"], after["merged"]) == ("closed", True)


@check
async def a_pull_request_lists_its_files(rest: Rest) -> None:
    shop, _ = await opened(rest, "files")
    assert [f["filename"] for f in await rest.good("GET", f"{shop}/pulls/1/files")] == ["new.txt"]


@check
async def a_merged_pull_request_says_so_and_merges_no_more(rest: Rest) -> None:
    shop, _ = await opened(rest, "merged")
    assert (await rest.call("GET", f"{shop}/pulls/1/merge"))[0] == 404
    await rest.good("PUT", f"{shop}/pulls/1/merge", {})
    assert (await rest.call("GET", f"{shop}/pulls/1/merge"))[0] == 204
    assert (await rest.call("PUT", f"{shop}/pulls/1/merge", {}))[0] == 405


@check
async def a_second_pull_request_for_the_same_branches_is_refused(rest: Rest) -> None:
    shop, _ = await opened(rest, "twice")
    body = {"title": "Again", "head": "feature", "base": "main"}
    assert (await rest.call("POST", f"{shop}/pulls", body))[0] == 422


@check
async def a_pull_request_is_found_by_its_head_and_closed(rest: Rest) -> None:
    shop, _ = await opened(rest, "byhead")
    assert [p["number"] for p in await rest.good("GET", f"{shop}/pulls?head=acme:feature&state=open")] == [1]
    assert await rest.good("GET", f"{shop}/pulls?head=acme:other&state=open") == []
    assert (await rest.good("PATCH", f"{shop}/pulls/1", {"state": "closed"}))["state"] == "closed"
    assert await rest.good("GET", f"{shop}/pulls?state=open") == []


@check
async def a_merge_with_an_old_head_is_refused(rest: Rest) -> None:
    shop, _ = await opened(rest, "oldhead")
    assert (await rest.call("PUT", f"{shop}/pulls/1/merge", {"sha": "0" * 40}))[0] == 409


@check
async def topics_are_replaced(rest: Rest) -> None:
    shop = await rest.shop("topics")
    await rest.good("PUT", f"{shop}/topics", {"names": ["python", "web"]})
    assert (await rest.good("GET", f"{shop}/topics"))["names"] == ["python", "web"]


@check
async def issues_carry_comments(rest: Rest) -> None:
    shop = await rest.shop("issues")
    made = await rest.good("POST", f"{shop}/issues", {"title": "It breaks", "body": "Badly", "labels": []})
    comment = await rest.good("POST", f"{shop}/issues/{made['number']}/comments", {"body": "Seen"})
    found = await rest.good("GET", f"{shop}/issues/{made['number']}/comments")
    assert [(c["id"], c["body"]) for c in found] == [(comment["id"], "Seen")]
    assert (await rest.good("PATCH", f"{shop}/issues/{made['number']}", {"state": "closed"}))["state"] == "closed"


@check
async def a_comment_on_a_pull_request_is_edited_and_deleted(rest: Rest) -> None:
    shop, _ = await opened(rest, "talk")
    made = await rest.good("POST", f"{shop}/issues/1/comments", {"body": "One"})
    edited = await rest.good("PATCH", f"{shop}/issues/comments/{made['id']}", {"body": "Two"})
    assert (edited["id"], edited["body"]) == (made["id"], "Two")
    assert [one["body"] for one in await rest.good("GET", f"{shop}/issues/1/comments")] == ["Two"]
    assert (await rest.call("DELETE", f"{shop}/issues/comments/{made['id']}"))[0] == 204
    assert await rest.good("GET", f"{shop}/issues/1/comments") == []
    assert (await rest.call("PATCH", f"{shop}/issues/comments/{made['id']}", {"body": "x"}))[0] == 404
    assert (await rest.call("POST", f"{shop}/issues/99/comments", {"body": "x"}))[0] == 404


@check
async def a_pull_request_carries_labels(rest: Rest) -> None:
    shop, _ = await opened(rest, "labels")
    for name in ("preview", "bug"):
        await rest.call("POST", f"{shop}/labels", {"name": name, "color": "ededed"})  # GitHub makes missing ones itself
    shown = await rest.good("POST", f"{shop}/issues/1/labels", {"labels": ["preview", "bug"]})
    assert {one["name"] for one in shown} == {"preview", "bug"}
    assert {one["name"] for one in (await rest.good("GET", f"{shop}/pulls/1"))["labels"]} == {"preview", "bug"}
    left = await rest.good("DELETE", f"{shop}/issues/1/labels/bug")
    assert [one["name"] for one in left] == ["preview"]
    assert (await rest.call("DELETE", f"{shop}/issues/1/labels/bug"))[0] == 404


@check
async def a_pull_request_tells_both_sides(rest: Rest) -> None:
    shop, pull = await opened(rest, "sides")
    assert (pull["head"]["label"], pull["base"]["label"]) == ("acme:feature", "acme:main")
    assert pull["head"]["repo"]["full_name"] == pull["base"]["repo"]["full_name"] == f"acme/{shop.rpartition('/')[2]}"
    assert pull["draft"] is False


@check
async def webhooks_are_made_listed_and_deleted(rest: Rest) -> None:
    shop = await rest.shop("hooks")
    config = {"url": rest.hook_url, "content_type": "json", "secret": "sample"}
    made = await rest.good("POST", f"{shop}/hooks", {"name": "web", "events": ["push"], "config": config})
    assert made["config"].get("secret") != "sample"
    assert [h["id"] for h in await rest.good("GET", f"{shop}/hooks")] == [made["id"]]
    assert (await rest.call("DELETE", f"{shop}/hooks/{made['id']}"))[0] == 204
    assert await rest.good("GET", f"{shop}/hooks") == []


@check
async def a_list_comes_in_pages(rest: Rest) -> None:
    shop = await rest.shop("pages")
    for number in range(3):
        await rest.good("POST", f"{shop}/issues", {"title": f"Issue {number}"})
    one = await rest.good("GET", f"{shop}/issues?per_page=1&page=1")
    two = await rest.good("GET", f"{shop}/issues?per_page=1&page=2")
    assert len(one) == len(two) == 1
    assert one[0]["id"] != two[0]["id"]


@check
async def missing_fields_are_refused(rest: Rest) -> None:
    shop = await rest.shop("missing")
    assert (await rest.call("POST", f"{shop}/issues", {}))[0] == 422
    assert (await rest.call("POST", f"{shop}/pulls", {"head": "main", "base": "main"}))[0] == 422
    assert (await rest.call("POST", "/orgs/acme/repos", {}))[0] == 422


@check
async def a_team_may_push_to_a_repository(rest: Rest) -> None:
    await rest.shop("teamed")
    await rest.good("POST", "/orgs/acme/teams", {"name": "Sample Team"})
    assert (await rest.call("PUT", "/orgs/acme/teams/sample-team/repos/acme/teamed", {"permission": "push"}))[0] == 204
    assert [r["name"] for r in await rest.good("GET", "/orgs/acme/teams/sample-team/repos")] == ["teamed"]
    assert (await rest.call("DELETE", "/orgs/acme/teams/sample-team/repos/acme/teamed"))[0] == 204
