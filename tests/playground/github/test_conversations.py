"""Comments, labels and forks: what people from inside and outside do, and what GitHub tells of it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from playground.github.markdown import html_of
from tests.playground.github.running import Answer, GitHub, git

SHOP = "/repos/acme/shop"


async def token(github: GitHub, user: str) -> str:
    told: str = (await github.call("POST", "/sim/tokens", {"user": user}, token=None)).body["token"]
    return told


async def by(github: GitHub, user: str, method: str, path: str, body: Any = None) -> Answer:
    return await github.call(method, path, body, token=await token(github, user))


async def did(github: GitHub, user: str, method: str, path: str, body: Any = None) -> Any:
    answer = await by(github, user, method, path, body)
    assert answer.status < 300, answer
    return answer.body


async def told(github: GitHub, event: str) -> list[str]:
    """Return the actions of an event, in order."""
    return [payload["action"] for payload in await github.received(event)]


async def test_people_have_tokens_and_nobody_else(github: GitHub) -> None:
    assert (await did(github, "author", "GET", "/user"))["login"] == "author"
    unknown = await github.call("POST", "/sim/tokens", {"user": "nobody"}, token=None)
    assert unknown.status == 404
    forged = (await token(github, "author"))[:-1] + "x"
    assert (await github.call("GET", "/user", token=forged)).status == 401


# --- comments


async def test_a_comment_is_told_when_it_comes_changes_and_goes(github: GitHub) -> None:
    await github.repository("shop")
    await github.pull("shop", {"a": "1"})
    made = await did(github, "author", "POST", f"{SHOP}/issues/1/comments", {"body": "/preview"})
    await did(github, "author", "PATCH", f"{SHOP}/issues/comments/{made['id']}", {"body": "/preview down"})
    await did(github, "author", "DELETE", f"{SHOP}/issues/comments/{made['id']}")
    payloads = await github.received("issue_comment")
    assert [one["action"] for one in payloads] == ["created", "edited", "deleted"]
    assert payloads[1]["changes"] == {"body": {"from": "/preview"}}
    assert "pull_request" in payloads[0]["issue"]
    assert (payloads[0]["comment"]["author_association"], payloads[0]["sender"]["login"]) == ("MEMBER", "author")
    assert (await github.made("GET", f"{SHOP}/issues/1"))["comments"] == 0


async def test_a_comment_says_which_app_wrote_it(github: GitHub) -> None:
    app_id, installation, _ = await github.peer.app_credentials()
    await github.repository("shop")
    await github.pull("shop", {"a": "1"})
    issued = github.peer.hub.access.issue({"pull_requests": "write", "metadata": "read"}, None)["token"]
    made = await github.call("POST", f"{SHOP}/issues/1/comments", {"body": "x"}, token=issued)
    assert made.status == 201
    assert made.body["performed_via_github_app"]["id"] == app_id
    assert installation
    plain = await did(github, "author", "POST", f"{SHOP}/issues/1/comments", {"body": "y"})
    assert plain["performed_via_github_app"] is None


async def test_a_comment_needs_one_of_two_permissions(github: GitHub) -> None:
    await github.peer.app_credentials()
    await github.repository("shop")
    await github.pull("shop", {"a": "1"})
    for granted, status in (("issues", 201), ("pull_requests", 201), ("contents", 403)):
        issued = github.peer.hub.access.issue({granted: "write", "metadata": "read"}, None)["token"]
        answer = await github.call("POST", f"{SHOP}/issues/1/comments", {"body": "x"}, token=issued)
        assert answer.status == status, granted
    assert answer.headers["X-Accepted-GitHub-Permissions"] == "issues=write; pull_requests=write"


async def test_a_comment_of_65536_characters_is_the_longest(github: GitHub) -> None:
    await github.repository("shop")
    await github.pull("shop", {"a": "1"})
    await github.made("POST", f"{SHOP}/issues/1/comments", {"body": "x" * 65_536})
    assert (await github.call("POST", f"{SHOP}/issues/1/comments", {"body": "x" * 65_537})).status == 422


# --- labels


async def test_each_label_that_comes_or_goes_is_told(github: GitHub) -> None:
    await github.repository("shop")
    await github.pull("shop", {"a": "1"})
    await github.made("POST", f"{SHOP}/issues/1/labels", {"labels": ["preview", "bug"]})
    await github.made("POST", f"{SHOP}/issues/1/labels", ["bug"])
    await github.made("DELETE", f"{SHOP}/issues/1/labels/bug")
    assert (await github.call("DELETE", f"{SHOP}/issues/1/labels/bug")).status == 404
    await github.made("PUT", f"{SHOP}/issues/1/labels", {"labels": ["late"]})
    payloads = [one for one in await github.received("pull_request") if "label" in one]
    assert [(one["action"], one["label"]["name"]) for one in payloads] == [
        ("labeled", "preview"),
        ("labeled", "bug"),
        ("unlabeled", "bug"),
        ("unlabeled", "preview"),
        ("labeled", "late"),
    ]
    assert [one["name"] for one in payloads[0]["pull_request"]["labels"]] == ["preview", "bug"]
    assert [one["name"] for one in await github.made("GET", f"{SHOP}/issues/1/labels")] == ["late"]
    assert await github.received("issues") == []


# --- forks


async def forked(github: GitHub, tmp_path: Path) -> Path:
    """Let somebody from outside fork a public repository and push a branch to it; return their clone."""
    await github.repository("shop", private=False)
    made = await did(github, "outsider", "POST", f"{SHOP}/forks")
    assert (made["full_name"], made["fork"], made["parent"]["full_name"]) == ("outsider/shop", True, "acme/shop")
    await git("clone", "-q", f"{github.url}/outsider/shop.git", str(tmp_path / "shop"), cwd=tmp_path)
    await pushed(tmp_path / "shop", "one")
    return tmp_path / "shop"


async def pushed(clone: Path, text: str) -> str:
    await git("checkout", "-q", "-B", "patch", cwd=clone)
    (clone / "new.txt").write_text(text)
    await git("add", ".", cwd=clone)
    await git("commit", "-q", "-m", text, cwd=clone)
    await git("push", "-q", "origin", "patch", cwd=clone)
    return await git("rev-parse", "HEAD", cwd=clone)


async def offered(github: GitHub, user: str = "outsider", head: str = "outsider:patch") -> Any:
    return await did(github, user, "POST", f"{SHOP}/pulls", {"title": "Mine", "head": head, "base": "main"})


async def test_a_fork_offers_its_branch(github: GitHub, tmp_path: Path) -> None:
    clone = await forked(github, tmp_path)
    pull = await offered(github)
    head = await git("rev-parse", "HEAD", cwd=clone)
    assert (pull["head"]["label"], pull["head"]["repo"]["full_name"]) == ("outsider:patch", "outsider/shop")
    assert (pull["head"]["sha"], pull["base"]["repo"]["full_name"]) == (head, "acme/shop")
    assert pull["author_association"] == "NONE"
    assert [one["filename"] for one in await github.made("GET", f"{SHOP}/pulls/1/files")] == ["new.txt"]
    assert (await github.made("GET", f"{SHOP}/git/commits/{head}"))["message"] == "one\n"
    found = await github.made("GET", f"{SHOP}/pulls?head=outsider:patch")
    assert [one["number"] for one in found] == [1]
    assert await github.made("GET", f"{SHOP}/pulls?head=acme:patch") == []
    assert (await github.made("GET", SHOP))["forks_count"] == 1
    assert [one["full_name"] for one in await github.made("GET", f"{SHOP}/forks")] == ["outsider/shop"]


async def test_a_push_to_the_fork_synchronizes_and_ci_of_the_base_builds_it(github: GitHub, tmp_path: Path) -> None:
    clone = await forked(github, tmp_path)
    await offered(github)
    first, second = await git("rev-parse", "HEAD", cwd=clone), await pushed(clone, "two")
    event = (await github.received("pull_request"))[-1]
    assert (event["action"], event["before"], event["after"]) == ("synchronize", first, second)
    assert event["pull_request"]["head"]["sha"] == second
    assert event["sender"]["login"] == "outsider"
    runs = (await github.made("GET", f"{SHOP}/actions/runs?head_sha={second}"))["workflow_runs"]
    assert [(one["event"], one["head_repository"]["full_name"]) for one in runs] == [("pull_request", "outsider/shop")]
    assert github.peer.pullable(f"ghcr.io/acme/shop:{second}")
    assert not github.peer.pullable("ghcr.io/acme/shop:patch")
    assert (await github.made("GET", "/repos/outsider/shop/actions/runs"))["total_count"] == 0


async def test_what_a_fork_offers_is_merged_and_a_deleted_fork_is_no_repository(github: GitHub, tmp_path: Path) -> None:
    await forked(github, tmp_path)
    await offered(github)
    await did(github, "outsider", "DELETE", "/repos/outsider/shop")
    assert (await github.made("GET", f"{SHOP}/pulls/1"))["head"]["repo"] is None
    merged = await github.made("PUT", f"{SHOP}/pulls/1/merge", {})
    message = (await github.made("GET", f"{SHOP}/git/commits/{merged['sha']}"))["message"]
    assert message.startswith("Merge pull request #1 from outsider/patch")


async def test_a_fork_is_made_once_and_by_whoever_may_see_it(github: GitHub) -> None:
    await github.repository("shop", private=True)
    assert (await by(github, "outsider", "POST", f"{SHOP}/forks")).status == 404
    assert (await by(github, "outsider", "GET", SHOP)).status == 404
    first = await did(github, "author", "POST", f"{SHOP}/forks")
    assert (await did(github, "author", "POST", f"{SHOP}/forks"))["id"] == first["id"]
    assert [one["forkee"]["full_name"] for one in await github.received("fork")] == ["author/shop"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "issues/1/labels", {"labels": ["preview"]}),
        ("PUT", "pulls/1/merge", {}),
        ("PATCH", "pulls/1", {"state": "closed"}),
        ("PATCH", "issues/comments/7000001", {"body": "mine"}),
        ("DELETE", "issues/comments/7000001", None),
        ("PUT", "contents/x", {"message": "x", "content": "eA=="}),
        ("DELETE", "", None),
    ],
)
async def test_somebody_from_outside_takes_part_and_decides_nothing(
    github: GitHub, method: str, path: str, body: Any
) -> None:
    await github.repository("shop", private=False)
    await github.pull("shop", {"a": "1"})
    await github.made("POST", f"{SHOP}/issues/1/comments", {"body": "ours"})
    said = await did(github, "outsider", "POST", f"{SHOP}/issues/1/comments", {"body": "theirs"})
    assert said["author_association"] == "NONE"
    await did(github, "outsider", "PATCH", f"{SHOP}/issues/comments/{said['id']}", {"body": "edited"})
    answer = await by(github, "outsider", method, f"{SHOP}/{path}".rstrip("/"), body)
    assert answer.status == 403
    assert "person" not in answer.headers.get("X-Accepted-GitHub-Permissions", "")


async def test_somebody_from_outside_offers_only_branches_of_their_own(github: GitHub, tmp_path: Path) -> None:
    await forked(github, tmp_path)
    await github.commit("shop", {"a": "1"}, branch="feature")
    for head in ("feature", "acme:feature", "author:patch", "outsider:none"):
        body = {"title": "x", "head": head, "base": "main"}
        assert (await by(github, "outsider", "POST", f"{SHOP}/pulls", body)).status in (404, 422), head
    basic = base64.b64encode(f"outsider:{await token(github, 'outsider')}".encode()).decode()
    header = f"http.extraHeader=Authorization: Basic {basic}"
    refused = await git(
        "-c", header, "push", f"{github.url}/acme/shop.git", "patch", cwd=tmp_path / "shop", succeeds=False
    )
    assert "403" in refused


async def test_a_pushed_branch_is_invited_to_become_a_pull_request(github: GitHub, tmp_path: Path) -> None:
    await github.repository("shop")
    await git("clone", "-q", f"{github.url}/acme/shop.git", str(tmp_path / "shop"), cwd=tmp_path)
    clone = tmp_path / "shop"
    await git("commit", "-q", "--allow-empty", "-m", "x", cwd=clone)
    first = await git("push", "origin", "HEAD:feature/one", cwd=clone)
    place = f"{github.url}/acme/shop/pull/new/feature/one"
    assert f"remote:      {place}" in first
    await git("commit", "-q", "--allow-empty", "-m", "y", cwd=clone)
    assert "Create a pull request" not in await git("push", "origin", "HEAD:feature/one", "HEAD:main", cwd=clone)
    page = await github.call("GET", place.removeprefix(github.url), token=None)
    assert "Open pull request" in page.body


# --- the pages


async def test_a_person_opens_labels_comments_and_merges_in_the_pages(github: GitHub) -> None:
    await github.repository("shop")
    await github.commit("shop", {"a.txt": "1"}, branch="feature/one")

    async def sent(path: str, **form: str) -> str:
        async with github.session.post(f"{github.url}{path}", data=form) as response:
            assert response.status == 200
            return await response.text()

    opened = await sent("/acme/shop/pull/new/feature/one", user="teammate", title="A change")
    assert "by teammate" in opened
    assert "already exists" in await sent("/acme/shop/pull/new/feature/one", user="author", title="Again")
    assert 'label">preview' in await sent("/acme/shop/pull/1", user="author", action="label")
    assert "<p>/preview</p>" in await sent("/acme/shop/pull/1", user="author", action="comment", text="/preview")
    refused = await sent("/acme/shop/pull/1", user="outsider", action="merge")
    assert "Must have admin rights" in refused
    assert 'label">preview' not in await sent("/acme/shop/pull/1", user="author", action="label")
    assert "There is nobody" in await sent("/acme/shop/pull/1", user="nobody", action="merge")
    assert "merged" in await sent("/acme/shop/pull/1", user="author", action="merge")
    assert await told(github, "pull_request") == ["opened", "labeled", "unlabeled", "closed"]
    assert await told(github, "issue_comment") == ["created"]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<!-- hidden -->\n### Preview `pr-1`\n\n**Ready**.", "<h4>Preview <code>pr-1</code></h4><p><b>Ready</b>.</p>"),
        ("| a | b |\n|---|---|\n| `x\\|y` | <https://a.example> |", None),
        ("> stuck\\. \\<b\\>", "<blockquote>stuck. &lt;b&gt;</blockquote>"),
        ("- one\n- two", "<ul><li>one</li><li>two</li></ul>"),
        ("<sub>small</sub>", "<p><sub>small</sub></p>"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        (
            '<https://a.example/"onclick=x>',
            '<p><a href="https://a.example/&quot;onclick=x">https://a.example/&quot;onclick=x</a></p>',
        ),
        ("`` a`b ``", "<p><code>a`b</code></p>"),
    ],
)
def test_comments_are_shown_as_github_shows_them(text: str, html: str | None) -> None:
    shown = html_of(text)
    if html is None:
        assert shown == (
            "<table><tr><th>a</th><th>b</th></tr><tr><td><code>x|y</code></td>"
            '<td><a href="https://a.example">https://a.example</a></td></tr></table>'
        )
    else:
        assert shown == html
