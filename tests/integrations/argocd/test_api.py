"""Calls of Argo CD's API: what is sent, what answers become, what failures become."""

from __future__ import annotations

import aiohttp
import pytest
from pydantic import SecretStr

from bot.errors import Conflict, NotFound, OutcomeUnknown, PlatformError, Refused, UpstreamUnavailable
from bot.ports import SyncWindows
from integrations.argocd import ArgoCDApi
from tests.integrations.argocd.documents import HEAD, document
from tests.integrations.argocd.stub import HIDDEN, TOKEN, Say, argo_cd

NAME = "orders-api-staging"
PATH = f"/api/v1/applications/{NAME}"
HERE = {"appNamespace": "argocd"}
DENY = {"kind": "deny", "schedule": "0 18 * * 5", "duration": "60h", "manualSync": False}


async def test_one_application() -> None:
    async with argo_cd() as (stub, api):
        stub.put(document())
        found = await api.application(NAME)
    assert found is not None
    assert (found.name, found.revision) == (NAME, HEAD)
    assert stub.asked == [("GET", PATH, HERE, None)]


@pytest.mark.parametrize(
    "answer", [Say(403, HIDDEN), Say(404, {"error": "not found", "code": 5, "message": "not found"})]
)
async def test_one_that_does_not_exist_or_is_hidden_is_none(answer: Say) -> None:
    async with argo_cd() as (stub, api):
        stub.script = [answer]
        assert await api.application(NAME) is None


async def test_all_that_carry_a_label() -> None:
    async with argo_cd() as (stub, api):
        stub.put(document("a-staging"))
        stub.put(document("b-staging"))
        found = await api.applications(labels={"team": "orders", "app": "x"})
        assert [one.name for one in found] == ["a-staging", "b-staging"]
        stub.documents.clear()
        assert await api.applications() == [], "Argo CD says null for none"
    assert stub.asked[0] == ("GET", "/api/v1/applications", {**HERE, "selector": "app=x,team=orders"}, None)


async def test_a_refresh_asks_for_a_normal_one() -> None:
    async with argo_cd() as (stub, api):
        stub.put(document())
        await api.refresh(NAME)
    assert stub.asked == [("GET", PATH, {**HERE, "refresh": "normal"}, None)]


async def test_a_refresh_that_takes_its_time_was_asked_for() -> None:
    async with argo_cd(refresh_s=0.05) as (stub, api):
        stub.script = [Say(hang=True)]
        await api.refresh(NAME)


async def test_a_refresh_of_an_unknown_application() -> None:
    async with argo_cd() as (_, api):
        with pytest.raises(NotFound, match="has no such application, or hides it from us"):
            await api.refresh(NAME)


async def test_a_sync_names_revision_and_pruning() -> None:
    async with argo_cd() as (stub, api):
        stub.put(document())
        await api.sync(NAME, revision=HEAD, prune=False)
        await api.sync(NAME)
    usual = {"name": NAME, "appNamespace": "argocd"}
    assert [body for *_, body in stub.asked] == [
        {**usual, "prune": False, "revision": HEAD},
        {**usual, "prune": True},
    ]


@pytest.mark.parametrize("status", [400, 409, 500])
async def test_a_sync_beside_another_is_no_error(status: int) -> None:
    message = "error setting app operation: another operation is already in progress"
    async with argo_cd() as (stub, api):
        stub.script = [Say(status, {"error": message, "code": 9, "message": message})]
        await api.sync(NAME)


async def test_a_closed_window_refuses_a_sync_and_is_named() -> None:
    message = "cannot sync: blocked by sync window"
    async with argo_cd() as (stub, api):
        stub.put(document())
        stub.windows = {"activeWindows": [DENY], "assignedWindows": [DENY], "canSync": False}
        stub.script = [Say(403, {"error": message, "code": 7, "message": message})]
        with pytest.raises(Refused) as refused:
            await api.sync(NAME)
    assert str(refused.value) == (
        f"Argo CD does not sync {NAME}: the sync window `deny 0 18 * * 5 for 60h` is open. Wait until it opens."
    )


async def test_a_missing_right_is_told_in_argo_cds_words() -> None:
    message = "permission denied: applications, sync, team-orders/orders-api-staging, sub: causeway"
    async with argo_cd() as (stub, api):
        stub.script = [Say(403, {"error": message, "code": 7, "message": message})]
        with pytest.raises(Refused, match="applications, sync, team-orders/orders-api-staging"):
            await api.sync(NAME)


@pytest.mark.parametrize(
    ("answer", "windows"),
    [
        ({"canSync": True}, SyncWindows(may_sync=True, may_sync_by_hand=True)),
        (
            {"activeWindows": [DENY], "assignedWindows": [DENY], "canSync": False},
            SyncWindows(may_sync=False, may_sync_by_hand=False, told="deny 0 18 * * 5 for 60h"),
        ),
        (
            {"activeWindows": [{**DENY, "manualSync": True}], "assignedWindows": [DENY], "canSync": True},
            SyncWindows(may_sync=False, may_sync_by_hand=True, told="deny 0 18 * * 5 for 60h"),
        ),
        (
            {"assignedWindows": [{**DENY, "kind": "allow"}], "canSync": False},
            SyncWindows(may_sync=False, may_sync_by_hand=False, told="allow 0 18 * * 5 for 60h"),
        ),
    ],
    ids=["none", "deny", "deny but by hand", "allow that is closed"],
)
async def test_windows(answer: object, windows: SyncWindows) -> None:
    async with argo_cd() as (stub, api):
        stub.script = [Say(body=answer)]
        assert await api.windows(NAME) == windows
    assert stub.asked == [("GET", f"{PATH}/syncwindows", HERE, None)]


def test_where_a_person_looks() -> None:
    api = ArgoCDApi("http://argocd.internal/", SecretStr(""), web_url="https://argocd.example/")
    assert api.web_url(NAME) == f"https://argocd.example/applications/argocd/{NAME}"
    assert ArgoCDApi("http://argocd.internal", SecretStr("")).web_url(NAME).startswith("http://argocd.internal/app")


WRONG = [
    (Say(drop=True), UpstreamUnavailable, OutcomeUnknown),
    (Say(500, {"error": "boom", "code": 2, "message": "boom"}), UpstreamUnavailable, OutcomeUnknown),
    (Say(502, text="<html>bad gateway</html>"), UpstreamUnavailable, OutcomeUnknown),
    (Say(200, text="<html>sign on</html>"), UpstreamUnavailable, OutcomeUnknown),
    (Say(302, text="", headers={"Location": "https://sso.example"}), UpstreamUnavailable, OutcomeUnknown),
    (Say(hang=True), UpstreamUnavailable, OutcomeUnknown),
    (Say(401, {"error": "invalid session", "code": 16, "message": "invalid session"}), Refused, Refused),
    (Say(400, {"error": "no", "code": 3, "message": "no"}), Conflict, Conflict),
]


@pytest.mark.parametrize(
    ("answer", "reading", "writing"), WRONG, ids=[str(one[0].status) + str(i) for i, one in enumerate(WRONG)]
)
async def test_failures_become_our_errors_without_the_token(
    answer: Say, reading: type[PlatformError], writing: type[PlatformError]
) -> None:
    async with argo_cd(timeout_s=0.2) as (stub, api):
        stub.script = [answer, answer]  # aiohttp sends a read again where a connection that was kept had been closed
        with pytest.raises(reading) as read:
            await api.application(NAME)
        assert type(read.value) is reading
        stub.script = [answer]
        with pytest.raises(writing) as written:
            await api.sync(NAME)
        assert type(written.value) is writing
    for error in (read.value, written.value):
        assert TOKEN not in f"{error!r} {error} {error.__cause__!r}"


async def test_an_address_where_nobody_listens(unused_tcp_port: int) -> None:
    api = ArgoCDApi(f"http://127.0.0.1:{unused_tcp_port}", SecretStr(TOKEN))
    for act in (api.application, api.sync):
        with pytest.raises(UpstreamUnavailable, match="could not be reached") as error:
            await act(NAME)
        assert not isinstance(error.value, OutcomeUnknown), "it was never sent"
    await api.close()


async def test_the_token_is_not_sent_where_a_redirect_points() -> None:
    async with argo_cd() as (thief, _), argo_cd() as (stub, api):
        stub.script = [Say(307, text="", headers={"Location": "http://127.0.0.1:1/"})]
        with pytest.raises(UpstreamUnavailable):
            await api.application(NAME)
        assert thief.asked == []


async def test_nothing_is_opened_before_the_first_call() -> None:
    api = ArgoCDApi("http://127.0.0.1:1", SecretStr(TOKEN))
    assert api._client._session is None
    await api.close()
    assert isinstance(api._client._open(), aiohttp.ClientSession)
    await api.close()
