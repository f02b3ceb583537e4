"""`/webhooks/github`: only what GitHub signed, once, and then the catalog knows it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from pathlib import Path

import pytest

from tests.peers.tools import need
from tests.scenario.world import Json, World, spoken

pytestmark = pytest.mark.asyncio(loop_scope="module")

PING = json.dumps({"zen": "Keep it logically awesome."}).encode()


async def delivered(here: World, body: bytes, **headers: str | None) -> tuple[int, Json]:
    secret = here.ready["env"]["CAUSEWAY_GITHUB_WEBHOOK_SECRET"].encode()
    given: dict[str, str | None] = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "ping",
        "X-GitHub-Delivery": "11111111-2222",
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest(),
    }
    given.update({name.replace("_", "-"): value for name, value in headers.items()})
    sent = {name: value for name, value in given.items() if value is not None}
    async with here.http.post(f"{here.ready['bot']}/webhooks/github", data=body, headers=sent) as response:
        return response.status, await response.json()


@pytest.mark.parametrize(
    "signature",
    [None, "", "sha256=", "sha256=" + "0" * 64, "sha1=" + "0" * 40, "sha256=ü"],
    ids=["none", "empty", "no digest", "wrong", "old kind", "no hex"],
)
async def test_what_github_did_not_sign_is_refused(here: World, signature: str | None) -> None:
    status, answer = await delivered(here, PING, X_Hub_Signature_256=signature)
    assert status == 401
    assert answer["error"]


async def test_a_changed_body_is_refused(here: World) -> None:
    secret = here.ready["env"]["CAUSEWAY_GITHUB_WEBHOOK_SECRET"].encode()
    signature = "sha256=" + hmac.new(secret, PING, hashlib.sha256).hexdigest()
    assert (await delivered(here, PING + b" ", X_Hub_Signature_256=signature))[0] == 401


async def test_a_large_delivery_is_read_to_its_end(here: World) -> None:
    large = json.dumps({"zen": "x" * 900_000}).encode()
    assert await delivered(here, large, X_GitHub_Delivery="large") == (202, {"stored": True})


async def test_a_redelivery_is_stored_once(here: World) -> None:
    first = await delivered(here, PING, X_GitHub_Delivery="once")
    again = await asyncio.gather(*(delivered(here, PING, X_GitHub_Delivery="once") for _ in range(5)))
    assert first == (202, {"stored": True})
    assert again == [(202, {"stored": False})] * 5


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"3", b"null", b'{"repository": 3}', b"\xff"])
@pytest.mark.parametrize("event", ["push", "pull_request", "repository", "nonsense", ""])
async def test_a_signed_delivery_of_any_shape_is_answered_in_words(here: World, body: bytes, event: str) -> None:
    name = hashlib.sha256(body + event.encode()).hexdigest()
    status, answer = await delivered(here, body, X_GitHub_Event=event, X_GitHub_Delivery=name)
    assert status in (202, 422), answer
    assert "our fault" not in str(answer)


async def test_a_delivery_without_an_id_is_refused(here: World) -> None:
    status, answer = await delivered(here, PING, X_GitHub_Delivery=None)
    assert (status, answer["error"]) == (422, "The delivery has no `X-GitHub-Delivery` header.")


async def test_a_push_to_the_catalog_is_seen_by_service_show(here: World, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    await git("clone", "-q", f"{here.ready['github']}/acme/orders-api.git", str(clone))
    file = clone / "catalog-info.yaml"
    file.write_text(file.read_text().replace("Takes and keeps orders", "Keeps every order for ever"))
    identity = ("-c", "user.name=Sample Author", "-c", "user.email=author@acme.example")
    await git("-C", str(clone), *identity, "commit", "-qam", "Say more")
    await git("-C", str(clone), "push", "-q", "origin", "HEAD:main")

    async def shown() -> bool | None:
        _, answer = await here.api("POST", "/requests/service.show", by="author", body={"service": "orders-api"})
        return True if answer["data"]["metadata"]["description"] == "Keeps every order for ever" else None

    async with asyncio.timeout(60):
        while await shown() is None:
            pass  # each look is a request, and the webhook is on its way
    await here.slack.command("author", "/service show orders-api")
    told = await here.slack.told("author", "orders-api")
    assert "Keeps every order for ever" in spoken(told)


async def git(*words: str) -> None:
    process = await asyncio.create_subprocess_exec(str(need("git")), *words)
    assert await process.wait() == 0
