"""What happens to pull requests, and what is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.errors import UpstreamUnavailable
from bot.model.forge_events import PullRequestComment, PullRequestEvent
from bot.model.operation import Asked
from bot.model.platform import Platform
from bot.model.previews import PullRequestSource
from bot.model.principal import Door
from bot.ports import NewRepository
from bot.pull_requests import PullRequests
from tests.previews.village import PLATFORM, Village

REPOSITORY, NUMBER = "acme/orders-api", 12
NAME = "pr-12-orders-api"
HEAD = "b" * 40
CATALOG = """
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: team-orders}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: author, annotations: {github.com/user-login: octo-author}}
spec: {profile: {displayName: Sample Author}, memberOf: [team-orders]}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: teammate, annotations: {github.com/user-login: octo-mate}}
spec: {profile: {displayName: Sample Teammate}, memberOf: [team-orders]}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: orders-api, annotations: {github.com/project-slug: acme/orders-api}}
spec: {type: service, lifecycle: production, owner: team-orders}
"""
"""People have other logins than handles."""


def village(**previews: Any) -> Village:
    told = PLATFORM.model_dump(mode="json")
    platform = Platform.model_validate({**told, "previews": {**told["previews"], **previews}})
    return Village(platform=platform, catalog=CATALOG)


def event(action: str, **fields: Any) -> PullRequestEvent:
    given: dict[str, Any] = {
        "delivery": "d-1",
        "repository": REPOSITORY,
        "action": action,
        "number": NUMBER,
        "title": "A change",
        "web_url": "https://forge.example/acme/orders-api/pull/12",
        "head": "feature",
        "head_sha": HEAD,
        "base": "main",
        "author": "octo-author",
        "sender": "octo-author",
        "head_repository": REPOSITORY,
        "fork": False,
        "at": "2026-03-02T09:00:00Z",
    }
    return PullRequestEvent.model_validate(given | fields)


def comment(text: str, **fields: Any) -> PullRequestComment:
    given: dict[str, Any] = {
        "delivery": "d-2",
        "repository": REPOSITORY,
        "number": NUMBER,
        "comment": 77,
        "author": "octo-mate",
        "association": "MEMBER",
        "text": text,
    }
    return PullRequestComment.model_validate(given | fields)


async def after(here: Village, *events: PullRequestEvent | PullRequestComment) -> list[tuple[str, dict[str, Any]]]:
    """Return command and request of everything that the events have asked for."""
    hears = PullRequests(here.deps, here._ask, lambda: here.now)
    for one in events:
        if isinstance(one, PullRequestComment):
            await hears.said(one)
        else:
            await hears.changed(one)
    return [(asked.command, dict(asked.request)) for asked in here.asked]


def up(**more: Any) -> tuple[str, dict[str, Any]]:
    return "preview.up", {"pull_request": f"{REPOSITORY}#{NUMBER}", **more}


DOWN = ("preview.down", {"name": NAME})


async def opened(here: Village, **fields: Any) -> None:
    """Let the pull request be there in the forge."""
    await here.forge.create_repository(NewRepository(REPOSITORY, "Orders"))
    here.forge.push(REPOSITORY, {"a": b"1"}, branch="feature")
    for number in range(NUMBER):
        here.forge.push(REPOSITORY, {"a": b"1"}, branch=f"feature-{number}")
        await here.forge.create_pull_request(
            REPOSITORY, head=f"feature-{number}", base="main", title="A change", body=""
        )
    here.forge.change_pull_request(REPOSITORY, NUMBER, **fields)


# --- by itself, or by the label


@pytest.mark.parametrize("action", ["opened", "reopened", "ready_for_review"])
async def test_each_pull_request_of_an_own_branch_gets_one_where_the_platform_says_so(action: str) -> None:
    assert await after(village(every_pull_request=True), event(action)) == [up()]
    assert await after(village(), event(action)) == []


async def test_a_draft_waits_until_it_is_ready_and_a_fork_waits_for_somebody_to_ask() -> None:
    for waits in ({"draft": True}, {"fork": True, "head_repository": "stranger/orders-api"}):
        assert await after(village(every_pull_request=True), event("opened", **waits)) == []
        assert await after(village(every_pull_request=True), event("synchronize", **waits)) == []


async def test_the_label_asks_for_one_whatever_the_branch() -> None:
    for fields in ({}, {"draft": True}, {"fork": True, "author": "stranger"}):
        labelled = event("labeled", label="preview", labels=("preview",), **fields)
        assert await after(village(), labelled) == [up()]
    assert await after(village(), event("labeled", label="bug", labels=("bug", "preview"))) == []
    assert await after(village(label="show me"), event("labeled", label="show me", labels=("show me",))) == [up()]


async def test_what_has_one_by_itself_is_not_asked_for_twice() -> None:
    here = village(every_pull_request=True)
    label = event("labeled", label="preview", labels=("preview",), at="2026-03-02T09:00:01Z")
    assert await after(here, event("opened", labels=("preview",)), label) == [up()]


async def test_opened_with_the_label_is_asked_for_once() -> None:
    label = event("labeled", label="preview", labels=("preview",))
    assert await after(village(), event("opened", labels=("preview",)), label) == [up()]


async def test_a_reopened_one_that_carries_the_label_is_asked_for_again() -> None:
    assert await after(village(), event("reopened", labels=("preview",))) == [up()]


async def test_a_closed_one_gets_none_by_a_label() -> None:
    assert await after(village(), event("labeled", label="preview", labels=("preview",), is_open=False)) == []


@pytest.mark.parametrize("elsewhere", ["acme/unknown", None])
async def test_a_repository_of_no_service_is_nobodys_business(elsewhere: str | None) -> None:
    assert await after(village(every_pull_request=True), event("opened", repository=elsewhere)) == []


async def test_without_previews_nothing_is_asked_for() -> None:
    here = village()
    here.platform = Platform.model_validate({**PLATFORM.model_dump(mode="json"), "previews": None})
    assert await after(here, event("labeled", label="preview", labels=("preview",)), comment("/preview")) == []


# --- pushes


async def test_a_push_brings_the_preview_up_to_date() -> None:
    here = village()
    here.stands(NAME)
    assert await after(here, event("synchronize")) == [up()]


async def test_a_push_is_told_below_the_card_of_whatever_made_the_preview() -> None:
    here = village()
    here.stands(NAME)
    (line,) = await here.deps.environments.standing("preview")  # type: ignore[union-attr]  # a village has a book
    asked: list[Asked] = []

    async def ask(one: Asked) -> None:
        asked.append(one)

    await PullRequests(here.deps, ask, lambda: here.now).changed(event("synchronize"))
    assert [one.origin.beside for one in asked] == [line.operation]
    assert line.operation


async def test_a_push_brings_up_to_date_what_is_still_being_made() -> None:
    here = village()
    here.running["op-up"] = NAME
    assert await after(here, event("synchronize")) == [up()]


async def test_a_push_to_one_without_a_preview_asks_nothing_unless_the_label_does() -> None:
    assert await after(village(), event("synchronize")) == []
    assert await after(village(), event("synchronize", labels=("preview",))) == [up()]


async def test_each_push_is_asked_for_and_each_redelivery_is_not() -> None:
    here = village()
    here.stands(NAME)
    first, second = event("synchronize"), event("synchronize", head_sha="c" * 40, at="2026-03-02T10:00:00Z")
    again = first.model_copy(update={"delivery": "d-again"})
    back = event("synchronize", at="2026-03-02T11:00:00Z")
    assert await after(here, first, again, second, again, back) == [up()] * 3


async def test_two_replicas_ask_the_same() -> None:
    asked: list[Asked] = []

    async def ask(one: Asked) -> None:
        asked.append(one)

    here = village(every_pull_request=True)
    for _ in range(2):
        await PullRequests(here.deps, ask, lambda: here.now).changed(event("opened"))
    assert asked[0] == asked[1]
    assert (asked[0].door, asked[0].principal.user) == (Door.FORGE, "user:default/author")


async def test_a_preview_under_a_name_of_its_own_is_found_by_what_it_shows() -> None:
    here = village()
    source = PullRequestSource(repository=REPOSITORY, number=NUMBER, head=HEAD)
    here.stands("new-checkout", source=source)
    here.stands("another", source=source.model_copy(update={"number": 13}))
    assert await after(here, event("synchronize")) == [up(name="new-checkout")]
    here.asked.clear()
    assert await after(here, event("closed", merged=True)) == [("preview.down", {"name": "new-checkout"})]


# --- the end


@pytest.mark.parametrize("merged", [True, False])
async def test_a_merge_or_a_close_ends_what_stands(merged: bool) -> None:  # a parameter of the test
    here = village()
    here.stands(NAME)
    assert await after(here, event("closed", merged=merged, is_open=False)) == [DOWN]


async def test_closed_while_being_made_is_ended_all_the_same() -> None:
    here = village()
    here.running["op-up"] = NAME
    assert await after(here, event("closed", is_open=False)) == [DOWN]


async def test_closed_while_being_made_under_a_chosen_name_is_ended_all_the_same() -> None:
    """No release says yet what it shows: it waits for its build. The book knows."""
    here = village()
    for name, number in (("new-checkout", NUMBER), ("another", 13)):
        here.stands(name)
        ref = next(one for one in here.cluster.refs() if one.kind == "ConfigMap" and one.namespace == name)
        here.cluster.remove(ref)
        line = await here.book.get("preview", "main", name)
        assert line is not None
        here.book.put(replace(line, holds={"pull_request": f"{REPOSITORY}#{number}"}))
    assert await after(here, event("closed", is_open=False)) == [("preview.down", {"name": "new-checkout"})]


async def test_closing_one_that_never_had_a_preview_asks_nothing() -> None:
    assert await after(village(every_pull_request=True), event("closed", is_open=False)) == []


async def test_closing_ends_it_even_while_nothing_outside_answers() -> None:
    here = village()
    here.stands(NAME)
    here.cluster.faults.refuse("*", UpstreamUnavailable("Away."), times=99)
    here.forge.refuse("*", UpstreamUnavailable("Away."), times=99)
    assert await after(here, event("closed", is_open=False)) == [DOWN]


async def test_the_label_taken_off_ends_it_unless_it_is_there_by_itself() -> None:
    off = event("unlabeled", label="preview")
    here = village()
    here.stands(NAME)
    assert await after(here, off) == [DOWN]
    here = village(every_pull_request=True)
    here.stands(NAME)
    assert await after(here, off) == []


# --- in whose name


@pytest.mark.parametrize(
    ("sender", "author", "asks"),
    [
        ("octo-mate", "octo-author", "teammate"),
        ("OCTO-MATE", "octo-author", "teammate"),
        ("merge-bot[bot]", "octo-author", "author"),
        ("merge-bot[bot]", "stranger", "author"),
        ("teammate", "stranger", "author"),
    ],
    ids=["who did it", "in any case", "whose it is", "whose the preview is", "a login that is only a name of ours"],
)
async def test_it_is_asked_in_the_name_of_whom_the_catalog_knows(sender: str, author: str, asks: str) -> None:
    here = village()
    here.stands(NAME)
    await after(here, event("closed", is_open=False, sender=sender, author=author))
    assert [one.principal.user for one in here.asked] == [f"user:default/{asks}"]


async def test_what_only_strangers_have_to_do_with_asks_for_nothing() -> None:
    strange = {"sender": "stranger", "author": "teammate", "fork": True}
    assert await after(village(), event("labeled", label="preview", labels=("preview",), **strange)) == []
    assert await after(village(every_pull_request=True), event("opened", sender="x", author="x")) == []


# --- comments


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("/preview", up()),
        ("  /Preview up  \r\nplease", up()),
        ("/preview down", DOWN),
        ("/preview sleep", ("preview.sleep", {"name": NAME})),
        ("/preview wake", ("preview.wake", {"name": NAME})),
        ("/preview extend", ("preview.extend", {"name": NAME})),
        ("/preview extend 2d", ("preview.extend", {"name": NAME, "by": "2d"})),
        ("/preview extend by 36h", ("preview.extend", {"name": NAME, "by": "36h"})),
    ],
)
async def test_a_comment_asks_in_the_name_of_whoever_wrote_it(text: str, asked: tuple[str, dict[str, Any]]) -> None:
    here = village()
    assert await after(here, comment(text)) == [asked]
    assert here.asked[0].principal.user == "user:default/teammate"
    assert await after(here, comment(text, delivery="again")) == [asked]
    assert len(await after(here, comment(text, comment=78))) == 2


@pytest.mark.parametrize(
    "text", ["", "Looks good", "Try /preview", "> /preview", "/previews", "`/preview`", "x\n/preview", "/previewdown"]
)
async def test_talk_asks_for_nothing(text: str) -> None:
    here = village()
    await opened(here)
    assert await after(here, comment(text)) == []
    assert await here.forge.comments(REPOSITORY, NUMBER) == []


async def test_a_comment_by_an_app_asks_for_nothing() -> None:
    assert await after(village(), comment("/preview", author="octo-author[bot]")) == []


@pytest.mark.parametrize("association", ["NONE", "CONTRIBUTOR", "FIRST_TIME_CONTRIBUTOR", "FIRST_TIMER", "MANNEQUIN"])
async def test_a_stranger_gets_neither_a_preview_nor_an_answer(association: str) -> None:
    here = village()
    await opened(here)
    assert await after(here, comment("/preview", author="teammate", association=association)) == []
    assert await here.forge.comments(REPOSITORY, NUMBER) == []


async def test_a_colleague_whom_the_catalog_does_not_know_is_told_once_what_to_do() -> None:
    here = village()
    await opened(here)
    said = comment("/preview", author="newcomer")
    assert await after(here, said, said.model_copy(update={"delivery": "again"})) == []
    (answer,) = await here.forge.comments(REPOSITORY, NUMBER)
    assert "I do not know who `newcomer` is" in answer.body
    assert "`github.com/user-login: newcomer`" in answer.body


@pytest.mark.parametrize("text", ["/preview extend 2 days", "/preview dwon", "/preview down now", "/preview extend x"])
async def test_what_cannot_be_read_is_answered_with_what_can_be(text: str) -> None:
    here = village()
    await opened(here)
    assert await after(here, comment(text)) == []
    (answer,) = await here.forge.comments(REPOSITORY, NUMBER)
    assert "Say `/preview`, `/preview extend 2d`" in answer.body


async def test_on_a_closed_pull_request_only_the_end_can_be_asked_for() -> None:
    here = village()
    await opened(here, state="closed")
    assert await after(here, comment("/preview", is_open=False)) == []
    (answer,) = await here.forge.comments(REPOSITORY, NUMBER)
    assert "is closed" in answer.body
    assert await after(here, comment("/preview down", is_open=False, comment=78)) == [DOWN]
