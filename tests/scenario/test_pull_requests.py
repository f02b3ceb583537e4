"""Previews by pull request, from the `git push` of a branch to the receipt: a card in Slack, a comment on GitHub."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.playground.github.running import git
from tests.scenario.test_day_two import card_of
from tests.scenario.test_previews import ENDED, SERVICE, another, cards, deployment, left, state
from tests.scenario.world import PATIENCE_S, Json, World, spoken

REPO = f"/repos/acme/{SERVICE}"
NAME = f"pr-1-{SERVICE}"
URL = f"{SERVICE}.{NAME}.preview.acme.example"


@dataclass
class Hands:
    """What people do with plain Git and in GitHub's pages."""

    here: World
    folder: Path

    async def token(self, user: str) -> str:
        async with self.here.http.post(f"{self.here.ready['github']}/sim/tokens", json={"user": user}) as response:
            told: str = (await response.json())["token"]
            return told

    async def rest(self, user: str, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {await self.token(user)}"}
        url = f"{self.here.ready['github']}/api/v3{path}"
        async with self.here.http.request(method, url, json=body, headers=headers) as response:
            assert response.status < 300, await response.text()
            return await response.json() if response.content_type == "application/json" else None

    async def clone(self, repo: str = f"acme/{SERVICE}") -> Path:
        where = self.folder / repo.replace("/", "-")
        await git("clone", "-q", f"{self.here.ready['github']}/{repo}.git", str(where), cwd=self.folder)
        return where

    async def push(self, where: Path, branch: str = "checkout", text: str = "one", user: str = "") -> str:
        """Commit to a branch and push it with the real Git; return the commit."""
        await git("checkout", "-q", "-B", branch, cwd=where)
        (where / "change.txt").write_text(text)
        await git("add", "change.txt", cwd=where)
        await git("commit", "-q", "-m", f"Change to {text}", cwd=where)
        as_user: tuple[str, ...] = ()
        if user:
            basic = base64.b64encode(f"{user}:{await self.token(user)}".encode()).decode()
            as_user = ("-c", f"http.extraHeader=Authorization: Basic {basic}")
        await git(*as_user, "push", "-q", "origin", branch, cwd=where)
        return await git("rev-parse", "HEAD", cwd=where)

    async def open(self, user: str = "author", head: str = "checkout", **more: Any) -> Json:
        """Open it as GitHub has it: Git pushes the branch, GitHub itself opens the pull request."""
        body = {"title": "A new checkout", "head": head, "base": "main", **more}
        made: Json = await self.rest(user, "POST", f"{REPO}/pulls", body)
        return made

    async def label(self, user: str = "author", number: int = 1) -> None:
        await self.rest(user, "POST", f"{REPO}/issues/{number}/labels", {"labels": ["preview"]})

    async def say(self, user: str, text: str, number: int = 1) -> None:
        await self.rest(user, "POST", f"{REPO}/issues/{number}/comments", {"body": text})

    async def ours(self, number: int = 1) -> list[Json]:
        """Return the bot's comments."""
        _, found = await self.here.github("GET", f"{REPO}/issues/{number}/comments")
        return [one for one in found if one["user"]["login"] == "causeway"]

    async def comment(self) -> str:
        """Return what the one comment says."""
        (only,) = await self.ours()
        body: str = only["body"]
        return body

    async def until_comment(self, words: str) -> str:
        """Wait until the one comment holds the words: GitHub tells nobody of what it shows."""
        async with asyncio.timeout(PATIENCE_S):
            while not any(words in one["body"] for one in await self.ours()):
                pass  # each look is a call of its own
        return await self.comment()

    async def deployments(self) -> list[str]:
        """Return the state of each record of the preview's environment, newest first."""
        _, found = await self.here.github("GET", f"{REPO}/deployments?environment={NAME}")
        states = []
        for one in found:
            assert one["transient_environment"]
            _, statuses = await self.here.github("GET", f"{REPO}/deployments/{one['id']}/statuses")
            states.append(statuses[0]["state"])
        return states


@pytest.fixture
def hands(here: World, tmp_path: Path) -> Hands:
    folder = tmp_path / "people"
    folder.mkdir()
    return Hands(here, folder)


async def told_below(here: World, card: Json, words: str) -> Json:
    """Wait for a line in the thread of a card."""

    async def look() -> Json | None:
        lines = await here.slack.messages("team-orders", thread_ts=card["ts"])
        return next((line for line in lines if line["ts"] != card["ts"] and words in spoken(line)), None)

    line: Json = await here.slack.until(look)
    return line


async def offered(hands: Hands) -> tuple[Path, str]:
    """Push a branch and open a pull request for it, labelled; return the clone and the commit."""
    where = await hands.clone()
    head = await hands.push(where)
    await hands.open()
    await hands.label()
    return where, head


async def test_a_labelled_pull_request_is_shown_kept_up_to_date_and_ended_by_the_merge(
    here: World, hands: Hands
) -> None:
    where, first = await offered(hands)
    card = await card_of(here, "preview.up", *ENDED)
    assert state(card) == "succeeded", spoken(card)
    assert URL in str(card["blocks"])
    told = await hands.comment()
    assert f"**Is ready** at `{first[:7]}`" in told
    assert f"| `{SERVICE}` | <http://{URL}> | `{first[:7]}` |" in told.replace("https://", "http://")
    (comment,) = await hands.ours()
    assert await hands.deployments() == ["success"]

    second = await hands.push(where, text="two")
    await told_below(here, card, "✅")
    assert len(await cards(here, "preview.up")) == 1, "a push that goes well is a line below the first card"
    (edited,) = await hands.ours()
    assert edited["id"] == comment["id"], "one comment, edited in place"
    assert f"**Is ready** at `{second[:7]}`" in edited["body"]
    image = (await deployment(here, NAME))["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image.endswith(second)
    assert await hands.deployments() == ["success", "inactive"]

    await here.merge(f"acme/{SERVICE}", 1)
    receipt = await card_of(here, "preview.down", *ENDED)
    assert state(receipt) == "succeeded", spoken(receipt)
    assert await left(here, NAME) == {}
    told = await hands.comment()
    assert "**Has ended**" in told
    assert "seen to be gone" in told
    assert "not proved" not in told
    assert URL not in told
    assert await hands.deployments() == ["inactive", "inactive"]


async def test_a_comment_asks_extends_and_ends_in_the_name_of_whoever_wrote_it(here: World, hands: Hands) -> None:
    await hands.push(await hands.clone())
    await hands.open()
    await hands.say("teammate", "/preview")
    card = await card_of(here, "preview.up", *ENDED)
    assert state(card) == "succeeded", spoken(card)
    assert "Sample Teammate" in spoken(card)
    before = await hands.comment()
    await hands.say("author", "/preview extend 2d")
    assert state(await card_of(here, "preview.extend", *ENDED)) == "succeeded"
    after = await hands.comment()
    assert (before != after, URL in after) == (True, True)
    await hands.say("author", "/preview extend 900d")
    refused = await hands.until_comment("could not be done")
    assert "no preview lives longer than" in refused
    await hands.say("author", "/preview down")
    assert state(await card_of(here, "preview.down", *ENDED)) == "succeeded"
    assert "**Has ended**" in await hands.comment()


async def test_a_fork_waits_for_an_approval_and_gets_no_secrets(here: World, hands: Hands) -> None:
    _, _ = await here.github("PATCH", REPO, {"private": False})
    await hands.rest("outsider", "POST", f"{REPO}/forks")
    where = await hands.clone(f"outsider/{SERVICE}")
    head = await hands.push(where, user="outsider")
    await hands.open("outsider", "outsider:checkout")
    await hands.say("outsider", "/preview")
    await hands.label("teammate")
    card = await card_of(here, "preview.up", "awaiting_approval")
    assert "comes from a fork" in spoken(card)
    assert len(await cards(here, "preview.up")) == 1, "a stranger's comment asks for nothing"
    told = await hands.until_comment("It waits for the approval of")
    assert URL not in told
    await here.slack.click("teammate", "team-orders", card, "approve")
    await here.slack.told("teammate", "You asked for this yourself")
    await here.slack.click("approver", "team-orders", card, "approve")
    done = await card_of(here, "preview.up", *ENDED)
    assert state(done) == "succeeded", spoken(done)
    assert f"at `{head[:7]}`" in await hands.comment()
    namespace = await here.kubernetes("GET", f"/api/v1/namespaces/{NAME}")
    assert namespace["metadata"]["labels"]["causeway.io/secrets"] == "none"
    pod = (await deployment(here, NAME))["spec"]["template"]["spec"]
    assert "secret" not in str(pod).lower()

    await hands.push(where, text="worse", user="outsider")
    again = await card_of(here, "preview.up", "awaiting_approval")
    assert again["ts"] != card["ts"], "what a stranger has pushed since is looked at anew"
    await hands.rest("outsider", "PATCH", f"{REPO}/pulls/1", {"state": "closed"})
    assert state(await card_of(here, "preview.down", *ENDED)) == "succeeded"
    assert await left(here, NAME) == {}
    await here.slack.click("approver", "team-orders", again, "approve")
    late = await card_of(here, "preview.up", "failed")
    assert "closed already" in spoken(late)
    assert await left(here, NAME) == {}


async def test_closed_while_it_is_being_made_leaves_nothing(here: World, hands: Hands) -> None:
    await here.workflows(SERVICE, "in_progress")
    await offered(hands)
    await card_of(here, "preview.up", "running", told="is running")
    assert "**Is being made**" in await hands.until_comment("Is being made")
    await hands.rest("author", "PATCH", f"{REPO}/pulls/1", {"state": "closed"})
    receipt = await card_of(here, "preview.down", *ENDED)
    assert state(receipt) == "succeeded", spoken(receipt)
    assert state((await cards(here, "preview.up"))[-1]) == "undone"
    assert await left(here, NAME) == {}
    assert not any("Is being made" in one["body"] for one in await hands.ours())


async def test_a_build_that_fails_is_told_below_the_pull_request(here: World, hands: Hands) -> None:
    await here.workflows(SERVICE, "failure")
    where, _ = await offered(hands)
    stuck = await card_of(here, "preview.up", "running", told="Stuck")
    assert "push a fix" in spoken(stuck)
    told = await hands.until_comment("It is stuck")
    assert "> It is stuck" in told
    await here.workflows(SERVICE, "success")
    head = await hands.push(where, text="a fix")
    await here.slack.click("author", "team-orders", stuck, "undo")
    done = await another(here, "preview.up", 2)
    assert state(done) == "succeeded", spoken(done)
    told = await hands.comment()
    assert f"**Is ready** at `{head[:7]}`" in told
    assert "stuck" not in told


async def test_webhooks_that_come_again_ask_nothing_anew(here: World, hands: Hands) -> None:
    await offered(hands)
    assert state(await card_of(here, "preview.up", *ENDED)) == "succeeded"
    async with here.http.post(f"{here.ready['github']}/sim/redeliver", json={"last": 50}) as response:
        assert (await response.json())["sent"] > 10
    await here.merge(f"acme/{SERVICE}", 1)  # heard after all of them
    assert state(await card_of(here, "preview.down", *ENDED)) == "succeeded"
    assert len(await cards(here, "preview.up")) == 1
    assert len(await hands.ours()) == 1


async def test_a_pull_request_that_nobody_asks_for_has_no_preview(here: World, hands: Hands) -> None:
    where = await hands.clone()
    await hands.push(where)
    await hands.open()
    await hands.push(where, text="two")
    await here.merge(f"acme/{SERVICE}", 1)
    await hands.push(where, branch="next", text="three")
    await hands.open(head="next")
    await hands.label(number=2)
    assert state(await card_of(here, "preview.up", *ENDED)) == "succeeded"
    assert [len(await cards(here, command)) for command in ("preview.up", "preview.down")] == [1, 0]
    assert await hands.ours() == []
