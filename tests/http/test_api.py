"""`/api/v1`: the same commands, policy and ledger as in Slack, for programs."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.scenario.world import Json, World

pytestmark = pytest.mark.asyncio(loop_scope="module")

OWNER = "group:default/team-orders"


def wanted(name: str, **more: Any) -> Json:
    return {"template": "python-service", "name": name, "owner": OWNER, **more}


async def raw(here: World, method: str, path: str, *, by: str | None = "author", **more: Any) -> tuple[int, Json]:
    """Send exactly these bytes and headers."""
    headers = {**({"Authorization": f"Bearer {here.ready['api_tokens'][by]}"} if by else {}), **more.pop("headers", {})}
    url = f"{here.ready['bot']}/api/v1{path}"
    async with here.http.request(method, url, headers=headers, **more) as response:
        return response.status, await response.json()


async def waiting(here: World, name: str) -> Json:
    status, view = await here.api("POST", "/requests/service.create?wait_s=60", by="author", body=wanted(name))
    assert (status, view["state"]) == (202, "awaiting_approval"), view
    return view


# --- Who asks


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("", "This call needs a bearer token."),
        ("Bearer", "This call needs a bearer token."),
        ("Basic abc", "This call needs a bearer token."),
        ("Bearer made-up", "This token is not known here."),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/requests/service.list"),
        ("POST", "/requests/service.create"),
        ("GET", "/operations"),
        ("GET", "/operations/op-1"),
        ("POST", "/operations/op-1/approve"),
        ("POST", "/operations/op-1/reject"),
        ("POST", "/operations/op-1/undo"),
        ("POST", "/operations/op-1/wait"),
        ("POST", "/operations/op-1/keep"),
        ("POST", "/deployments"),
    ],
)
async def test_without_a_known_token_nothing_is_told(
    here: World, method: str, path: str, header: str, told: str
) -> None:
    status, answer = await raw(here, method, path, by=None, headers={"Authorization": header})
    assert (status, answer["error"]) == (401, told)
    assert answer["hint"]


async def test_policy_is_the_same_as_in_slack(here: World) -> None:
    status, view = await here.api("POST", "/requests/service.create?wait_s=60", by="stranger", body=wanted("not-mine"))
    assert (status, view["state"], view["reason"]) == (202, "rejected", "refused_by_policy")
    told = "Only members of team-orders may use `/service create` here. Ask one of them, or platform."
    assert view["problem"] == told
    status, answer = await here.api(
        "POST", "/requests/service.create?dry_run=true", by="stranger", body=wanted("not-mine")
    )
    assert (status, answer["error"]) == (403, told)


# --- What is sent


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{", "The body is not JSON."),
        (b"\xff\xfe", "The body is not JSON."),
        (b"[" * 100_000, "The body is not JSON."),
        (b"[1]", "The body must be a JSON object."),
        (b'"text"', "The body must be a JSON object."),
        (b'{"template": "' + b"x" * 1_000_000 + b'"}', "The body is larger than 1,000,000 bytes."),
        (b"", "`service.create` cannot be asked for like this."),
        (b'{"template": 3}', "`service.create` cannot be asked for like this."),
        (b'{"template": "python-service", "values": []}', "`service.create` cannot be asked for like this."),
    ],
    ids=["half", "no text", "deep", "list", "text", "large", "empty", "wrong type", "wrong values"],
)
async def test_a_body_that_is_no_request_is_refused_in_words(here: World, body: bytes, told: str) -> None:
    status, answer = await raw(here, "POST", "/requests/service.create", data=body)
    assert status in (413, 422), answer
    assert answer["error"] == told


async def test_every_wrong_value_is_named(here: World) -> None:
    body = wanted("Bad Name", colour="red")
    status, answer = await here.api("POST", "/requests/service.create?dry_run=true", by="author", body=body)
    assert status == 422
    assert {mistake["path"] for mistake in answer["mistakes"]} == {"name", "colour"}
    status, answer = await here.api("POST", "/requests/service.scale", by="author", body={"servise": "orders-api"})
    assert status == 422
    assert {mistake["path"] for mistake in answer["mistakes"]} == {"replicas", "servise"}


@pytest.mark.parametrize(
    ("method", "path", "status", "told"),
    [
        ("POST", "/requests/service.creat", 404, "There is no command `service.creat`."),
        ("GET", "/operations/op-none", 404, "There is no such operation."),
        ("GET", "/operations?limit=0", 422, "`limit` must be a number from 1 to 200."),
        ("GET", "/operations?limit=²", 422, "`limit` must be a number from 1 to 200."),
        ("GET", "/operations?state=sleeping", 422, "`state` must be one of planned, "),
        ("GET", "/nowhere", 404, "Not Found."),
        ("DELETE", "/operations", 405, "Method Not Allowed."),
    ],
)
async def test_what_is_not_there_is_told(here: World, method: str, path: str, status: int, told: str) -> None:
    found, answer = await raw(here, method, path)
    assert found == status
    assert told in answer["error"]


@pytest.mark.parametrize("wait", ["soon", "nan", "-1", "inf", "1e999"])
async def test_a_strange_wait_ends_at_once(here: World, wait: str) -> None:
    status, answer = await raw(here, "GET", f"/operations/op-none?wait_s={wait}")
    assert status in (404, 422), answer


# --- Planning only


async def test_a_dry_run_shows_the_plan_and_stores_nothing(here: World) -> None:
    _, before = await here.api("GET", "/operations?limit=200", by="author")
    status, answer = await here.api("POST", "/requests/service.create?dry_run=true", by="author", body=wanted("dry"))
    assert status == 200
    assert answer["plan"]["summary"] == "Create dry from Python web service for team-orders"
    assert answer["decision"] == {
        "allowed": True,
        "approval": {"by": [OWNER], "rule": "somebody of team-orders approves /service create"},
    }
    _, after = await here.api("GET", "/operations?limit=200", by="author")
    assert after == before
    view = await waiting(here, "dry")
    assert view["digest"] == answer["digest"], "what was shown is what is asked for"


async def test_a_query_is_answered_at_once(here: World) -> None:
    status, answer = await here.api("POST", "/requests/service.list", by="stranger", body={})
    assert status == 200
    assert {"component:default/orders-api", "component:default/checkout-web"} <= {one["ref"] for one in answer["data"]}


# --- The same request twice


async def test_a_repeated_key_means_the_same_operation(here: World) -> None:
    headers = {"Idempotency-Key": "deploy-1"}
    ask = [raw(here, "POST", "/requests/service.create", json=wanted("keyed"), headers=headers) for _ in range(4)]
    answers = [view["id"] for _, view in await asyncio.gather(*ask)]
    assert len(set(answers)) == 1
    _, other = await raw(here, "POST", "/requests/service.create", json=wanted("keyed"), by="teammate", headers=headers)
    assert other["id"] not in answers, "the key is the caller's own"
    status, answer = await raw(here, "POST", "/requests/service.create", json=wanted("another"), headers=headers)
    assert (status, answer["error"]) == (422, "This Idempotency-Key belongs to another request.")


# --- Deciding


async def test_listing_filters_by_state_and_person(here: World) -> None:
    view = await waiting(here, "listed")
    _, mine = await here.api("GET", "/operations?state=awaiting_approval&user=user:default/author", by="stranger")
    assert view["id"] in [one["id"] for one in mine["operations"]]
    _, theirs = await here.api("GET", "/operations?user=user:default/stranger", by="author")
    assert {one["principal"]["user"] for one in theirs["operations"]} <= {"user:default/stranger"}
    _, one = await here.api("GET", "/operations?limit=1", by="author")
    assert len(one["operations"]) == 1
    assert all("buttons" not in shown for shown in mine["operations"])


async def test_an_approval_is_bound_to_the_digest_it_names(here: World) -> None:
    view = await waiting(here, "approved")
    path = f"/operations/{view['id']}"
    status, answer = await here.api("POST", f"{path}/approve", by="approver", body={"digest": "0" * 64})
    assert (status, answer["accepted"]) == (409, False)
    assert answer["text"] == "The plan has changed since. Look at the new one and decide on that."
    status, answer = await here.api("POST", f"{path}/approve", by="author", body={"digest": view["digest"]})
    assert (status, answer["refused"]) == (403, True)
    status, answer = await here.api("POST", f"{path}/approve", by="approver", body={"digest": view["digest"]})
    assert (status, answer["accepted"]) == (200, True)
    _, done = await here.api("GET", f"{path}?wait_s=60", by="author")
    assert done["state"] == "succeeded"
    again, answer = await here.api("POST", f"{path}/approve", by="approver", body={"digest": view["digest"]})
    assert (again, answer["text"]) == (200, "You approved it."), "the same question gets the same answer"
    late, answer = await here.api("POST", f"{path}/reject", by="teammate")
    assert (late, answer["text"]) == (
        409,
        "Sample Approver has already approved this plan; your click changed nothing.",
    )

    refused, answer = await here.api("POST", f"{path}/undo", by="stranger")
    assert (refused, answer["refused"]) == (403, True)
    status, _ = await here.api("POST", f"{path}/undo", by="teammate")
    assert status == 200
    _, undone = await here.api("GET", f"{path}?wait_s=60", by="author")
    assert undone["state"] == "undone"
    assert (await here.github("GET", "/repos/acme/approved"))[0] == 404


async def test_a_rejection_keeps_its_reason(here: World) -> None:
    view = await waiting(here, "rejected")
    reason = "We have <!channel> & one"
    status, _ = await here.api("POST", f"/operations/{view['id']}/reject", by="teammate", body={"reason": reason})
    assert status == 200
    _, ended = await here.api("GET", f"/operations/{view['id']}", by="author")
    assert (ended["state"], ended["reason"]) == ("rejected", "rejected")
    assert reason in ended["problem"]


@pytest.mark.parametrize("body", [{"digest": 3}, {"digest": ["x"]}, {"reason": {"a": 1}}, {"reason": "x" * 100_000}])
async def test_a_decision_of_any_shape_is_answered_in_words(here: World, body: Json) -> None:
    view = await waiting(here, "shapes")
    status, answer = await here.api("POST", f"/operations/{view['id']}/reject", by="approver", body=body)
    assert status in (200, 409, 422), answer
    assert "our fault" not in json.dumps(answer)
