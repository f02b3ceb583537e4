"""What GitHub may answer, and what becomes of it: each fault ends in one of the port's errors with a clear sentence."""

from __future__ import annotations

import logging
from email.utils import formatdate

import pytest
from pydantic import SecretStr

from bot.errors import Conflict, NotFound, OutcomeUnknown, PlatformError, Refused, UpstreamUnavailable
from bot.ports import File, NewRepository
from integrations.github import connect
from tests.integrations.github.stub import BRANCH, COMMIT, REPOSITORY, SHA, TOKEN, Say, Stub

NAME = "acme/orders"
NEW = NewRepository(NAME, "Being set up")
HTML = "<html><body>Bad gateway</body></html>"
BROKEN = {
    "500": Say(500, {"message": "Server Error"}),
    "502 with a page": Say(502, text=HTML),
    "503 without a body": Say(503, None),
    "200 with a page": Say(200, text=HTML),
    "404 with a page": Say(404, text=HTML),
    "404 without a body": Say(404, None),
    "half an answer": Say(200, REPOSITORY, cut=True),
    "JSON that breaks off": Say(200, text='{"id": 7, "full_'),
    "no answer": Say(drop=True),
    "an answer of another shape": Say(200, {"unexpected": True}),
    "a list where an object belongs": Say(200, []),
    "null": Say(200, text="null"),
    "a redirect": Say(307, {"message": "moved"}, {"location": "/elsewhere"}),
}


def sentence(error: PlatformError) -> str:
    text = str(error)
    assert TOKEN not in text
    assert "Traceback" not in text
    assert error.message.endswith(".")
    assert "\n" not in text
    return text


@pytest.mark.parametrize("fault", BROKEN)
async def test_a_read_that_fails_once_is_repeated(fault: str) -> None:
    stub = Stub()
    stub.script = [BROKEN[fault], Say(200, REPOSITORY)]
    async with stub.forge() as forge:
        found = await forge.repository(NAME)
    assert found is not None
    assert found.id == 7
    assert len(stub.asked) == 2


@pytest.mark.parametrize("fault", BROKEN)
async def test_a_read_that_keeps_failing_proves_nothing(fault: str) -> None:
    stub = Stub()
    stub.otherwise = lambda _: BROKEN[fault]
    async with stub.forge() as forge:
        with pytest.raises(UpstreamUnavailable) as caught:
            await forge.repository(NAME)
    assert not isinstance(caught.value, OutcomeUnknown)
    assert "read acme/orders" in sentence(caught.value)
    assert len(stub.asked) == 4


@pytest.mark.parametrize("fault", BROKEN)
async def test_a_write_without_a_good_answer_is_sent_once_and_its_outcome_is_unknown(fault: str) -> None:
    stub = Stub()
    stub.otherwise = lambda _: BROKEN[fault]
    async with stub.forge() as forge:
        with pytest.raises(OutcomeUnknown) as caught:
            await forge.create_repository(NEW)
    assert "create the repository acme/orders" in sentence(caught.value)
    assert len(stub.asked) == 1


async def test_a_git_object_whose_answer_is_lost_is_only_a_failure() -> None:
    stub = Stub()
    stub.script = [Say(200, BRANCH), Say(drop=True)]
    async with stub.forge() as forge:
        with pytest.raises(UpstreamUnavailable) as caught:
            await forge.commit(NAME, "main", [], "m", parent=None)
    assert not isinstance(caught.value, OutcomeUnknown)


async def test_a_branch_that_moves_between_look_and_write_is_never_forced() -> None:
    stub = Stub()
    objects = [Say(201, {"sha": "3" * 40}), Say(201, COMMIT)]
    moved = Say(422, {"message": "Update is not a fast forward"})
    stub.script = [Say(200, BRANCH), *objects, moved]
    async with stub.forge() as forge:
        with pytest.raises(Conflict, match="not a fast forward"):
            await forge.commit(NAME, "main", [File("a", b"1")], "m", parent=SHA)
    assert stub.asked[-1].body["force"] is False
    assert stub.asked[-3].body == {
        "base_tree": "2" * 40,
        "tree": [{"path": "a", "mode": "100644", "type": "blob", "content": "1"}],
    }


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (Say(401, {"message": "Bad credentials"}), Refused, "did not accept our credentials"),
        (
            Say(
                403,
                {"message": "Resource not accessible by integration"},
                {"x-accepted-github-permissions": "administration=write"},
            ),
            Refused,
            "It needs the permission administration=write",
        ),
        (Say(409, {"message": "Reference cannot be updated"}), Conflict, "Reference cannot be updated"),
        (
            Say(
                422,
                {
                    "message": "Validation Failed",
                    "errors": [{"resource": "Repository", "message": "name already exists on this account"}],
                },
            ),
            Conflict,
            "name already exists on this account",
        ),
        (Say(422, {"message": "Invalid", "errors": ["a\nb\u202e"]}), Conflict, "Invalid; a b."),
        (Say(422, {"message": "x" * 5000}), Conflict, "x" * 240 + "."),
        (Say(400, ["odd"]), Conflict, "it gave no reason"),
    ],
    ids=["401", "403", "409", "422", "422 with control characters", "422 very long", "400"],
)
async def test_a_refusal_is_said_in_githubs_words(answer: Say, kind: type[PlatformError], words: str) -> None:
    stub = Stub()
    stub.otherwise = lambda _: answer
    async with stub.forge() as forge:
        with pytest.raises(kind) as caught:
            await forge.create_repository(NEW)
    assert words in sentence(caught.value)
    assert len(stub.asked) == 1


async def test_what_is_not_there_is_none_or_not_found() -> None:
    stub = Stub()
    async with stub.forge() as forge:
        assert await forge.repository(NAME) is None
        assert await forge.branch_head(NAME, "main") is None
        assert await forge.recent_commits(NAME, "main") == ()
        assert await forge.file(NAME, "main", "catalog-info.yaml") is None
        with pytest.raises(NotFound):
            await forge.delete_repository(NAME)
        with pytest.raises(NotFound):
            await forge.tree(NAME, "main")


async def test_an_empty_repository_is_not_ready_yet() -> None:
    stub = Stub()
    stub.script = [Say(200, BRANCH), Say(409, {"message": "Git Repository is empty."})]
    async with stub.forge() as forge:
        with pytest.raises(UpstreamUnavailable, match="still setting up") as caught:
            await forge.commit(NAME, "main", [], "m", parent=None)
    assert caught.value.retry_after_s == 1.0


async def test_a_new_repository_is_returned_when_it_can_be_read() -> None:
    stub = Stub()
    missing = Say(404, {"message": "Branch not found"})
    stub.script = [Say(201, REPOSITORY), missing, missing, Say(200, BRANCH)]
    async with stub.forge() as forge:
        assert (await forge.create_repository(NEW)).id == 7
    assert stub.naps == [0.1, 0.2]


NOON = 1_700_000_000
RESET = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(NOON + 30), "date": formatdate(NOON, usegmt=True)}
LIMITS = {
    "429 with Retry-After": (Say(429, {"message": "slow"}, {"retry-after": "7"}), 7.0),
    "429 without advice": (Say(429, {"message": "slow"}), 60.0),
    "429 as a page": (Say(429, text=HTML), 60.0),
    "403 of the hourly limit": (Say(403, {"message": "API rate limit exceeded"}, RESET), 31.0),
    "403 of the secondary limit": (Say(403, {"message": "You have exceeded a secondary rate limit."}), 60.0),
    "403 with Retry-After": (Say(403, {"message": "wait"}, {"retry-after": "3"}), 3.0),
}


@pytest.mark.parametrize("limit", LIMITS)
async def test_a_refusal_for_limits_pauses_everybody_and_is_repeated_even_for_a_write(limit: str) -> None:
    stub = Stub()
    answer, pause_s = LIMITS[limit]
    stub.script = [answer, Say(201, REPOSITORY), Say(200, BRANCH)]
    async with stub.forge() as forge:
        assert (await forge.create_repository(NEW)).id == 7
    assert stub.naps == [pytest.approx(pause_s)]
    assert len(stub.asked) == 3


async def test_a_long_pause_is_given_back_to_the_engine() -> None:
    stub = Stub()
    stub.script = [Say(429, {"message": "slow"}, {"retry-after": "900"})]
    async with stub.forge() as forge:
        with pytest.raises(UpstreamUnavailable, match="in 15 minutes") as caught:
            await forge.create_repository(NEW)
        assert not isinstance(caught.value, OutcomeUnknown)
        assert caught.value.retry_after_s == pytest.approx(900)
        with pytest.raises(UpstreamUnavailable, match="in 15 minutes"):
            await forge.repository(NAME)
    assert len(stub.asked) == 1


async def test_limits_without_end_are_given_back_too() -> None:
    stub = Stub()
    stub.otherwise = lambda _: Say(429, {"message": "slow"}, {"retry-after": "1"})
    async with stub.forge() as forge:
        with pytest.raises(UpstreamUnavailable, match="keeps refusing") as caught:
            await forge.create_repository(NEW)
    assert caught.value.retry_after_s is not None
    assert len(stub.asked) == 4


async def test_a_server_that_says_nothing_is_given_up() -> None:
    stub = Stub()
    stub.otherwise = lambda _: Say(hang=True)
    async with stub.forge(timeout_s=1) as forge:
        with pytest.raises(OutcomeUnknown, match="no answer in time"):
            await forge.delete_repository(NAME)


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "https://127.0.0.1:9"])
async def test_a_server_that_is_not_there_was_certainly_not_asked(address: str) -> None:
    forge = connect(address, sleep=Stub().sleep)
    with pytest.raises(UpstreamUnavailable, match="could not be reached") as caught:
        await forge.delete_repository(NAME)
    assert not isinstance(caught.value, OutcomeUnknown)
    await forge.close()


async def test_a_redirect_to_another_host_is_not_followed() -> None:
    stub = Stub()
    stub.otherwise = lambda _: Say(301, {}, {"location": "http://elsewhere.example/repos/acme/orders"})
    async with stub.forge() as forge:
        with pytest.raises(UpstreamUnavailable):
            await forge.repository(NAME)
    assert {asked.path for asked in stub.asked} == {"/repos/acme/orders"}


async def test_an_answer_that_did_not_change_is_taken_from_memory() -> None:
    stub = Stub()
    stub.script = [Say(200, REPOSITORY, {"etag": '"v1"'}), Say(304, None), Say(200, REPOSITORY | {"id": 8})]
    async with stub.forge() as forge:
        ids = [(await forge.repository(NAME) or pytest.fail("gone")).id for _ in range(3)]
    assert ids == [7, 7, 8]
    assert [asked.headers.get("If-None-Match") for asked in stub.asked] == [None, '"v1"', '"v1"']


@pytest.mark.parametrize("name", ["acme", "acme/..", "../x", "acme/a/b", "acme/a?b", "acme/ä", "/", ""])
async def test_a_name_that_cannot_be_one_is_never_sent(name: str) -> None:
    stub = Stub()
    async with stub.forge() as forge:
        with pytest.raises(NotFound):
            await forge.delete_repository(name)
    assert stub.asked == []


async def test_nothing_in_a_branch_or_path_reaches_another_call() -> None:
    stub = Stub()
    async with stub.forge() as forge:
        for branch in ("../../other", "a//b", ".", ""):
            with pytest.raises(NotFound):
                await forge.delete_branch(NAME, branch)
        assert await forge.branch_head(NAME, "a?b#c d") is None
        assert await forge.team_permission(NAME, "../../x") is None
    assert [asked.path for asked in stub.asked] == [
        "/repos/acme/orders/branches/a?b#c d",
        "/orgs/acme/teams/../../x/repos/acme/orders",
    ]


async def test_the_token_and_the_secret_stay_out_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    stub = Stub()
    stub.otherwise = lambda _: Say(422, {"message": "no"})

    async with stub.forge(secrets={"hook": SecretStr("hook-secret-value")}) as forge:
        with pytest.raises(Conflict):
            await forge.create_webhook(NAME, "https://bot.example", ["push"], secret_name="hook")
        with pytest.raises(NotFound, match="No secret is configured under the name other"):
            await forge.create_webhook(NAME, "https://bot.example", ["push"], secret_name="other")
    assert stub.asked[0].body["config"]["secret"] == "hook-secret-value"
    assert stub.asked[0].headers["Authorization"] == f"token {TOKEN}"
    assert TOKEN not in caplog.text
    assert "hook-secret-value" not in caplog.text
