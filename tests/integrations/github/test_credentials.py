from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr

from bot.errors import Refused, UpstreamUnavailable
from bot.ports import NewRepository
from tests.integrations.github.stub import BRANCH, REPOSITORY, Asked, Say, Stub

NAME = "acme/orders"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@cache
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def pem() -> SecretStr:
    text = key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return SecretStr(text.decode())


class AppStub(Stub):
    """Gives tokens `t-1`, `t-2`, … that live for an hour."""

    def __init__(self) -> None:
        super().__init__()
        self.minted: list[Any] = []
        self.refuse_tokens: set[str] = set()
        self.mint: Say | None = None
        self.otherwise = self.answer

    def answer(self, asked: Asked) -> Say:
        if asked.path.endswith("/installation"):
            return Say(200, {"id": 42})
        if asked.path == "/app/installations/42/access_tokens":
            if self.mint is not None:
                return self.mint
            self.minted.append(asked)
            later = (NOW + timedelta(hours=1)).isoformat()
            body = {"token": f"t-{len(self.minted)}", "expires_at": later}
            return Say(201, body, {"date": format_datetime(NOW, usegmt=True)})
        if asked.headers["Authorization"].removeprefix("token ") in self.refuse_tokens:
            return Say(401, {"message": "Bad credentials"})
        return Say(200, BRANCH if "/branches/" in asked.path else REPOSITORY)


async def test_each_job_has_a_token_of_its_own_for_one_repository_with_named_permissions() -> None:
    stub = AppStub()
    async with stub.forge(app_id="7", app_key=pem()) as forge:
        await forge.repository(NAME)
        await forge.repository(NAME)
        await forge.repository("acme/checkout")
        await forge.delete_repository(NAME)
    bodies = [asked.body for asked in stub.minted]
    read = {"contents": "read", "issues": "read", "metadata": "read", "pull_requests": "read"}
    assert bodies == [
        {"permissions": read, "repositories": ["orders"]},
        {"permissions": read, "repositories": ["checkout"]},
        {"permissions": {"administration": "write", "metadata": "read"}, "repositories": ["orders"]},
    ]
    used = [asked.headers["Authorization"] for asked in stub.asked if asked.path.startswith("/repos/")]
    assert used == ["token t-1", "token t-1", "token t-2", "token t-3"]


async def test_the_app_signs_for_itself_only_where_it_must() -> None:
    stub = AppStub()
    async with stub.forge(app_id="7", app_key=pem()) as forge:
        await forge.repository(NAME)
    signed = [asked for asked in stub.asked if asked.headers["Authorization"].startswith("Bearer ")]
    assert [asked.path for asked in signed] == ["/orgs/acme/installation", "/app/installations/42/access_tokens"]
    claims = jwt.decode(
        signed[0].headers["Authorization"].removeprefix("Bearer "), key().public_key(), algorithms=["RS256"]
    )
    assert str(claims["iss"]) == "7"
    assert claims["exp"] - claims["iat"] <= 660


async def test_a_repository_is_created_with_a_token_of_the_organisation() -> None:
    stub = AppStub()
    async with stub.forge(app_id="7", app_key=pem()) as forge:
        await forge.create_repository(NewRepository(NAME, "x"))
    assert stub.minted[0].body == {"permissions": {"administration": "write", "metadata": "read"}}


async def test_many_calls_at_once_mint_one_token() -> None:
    stub = AppStub()
    async with stub.forge(app_id="7", app_key=pem()) as forge:
        await asyncio.gather(*(forge.repository(NAME) for _ in range(10)))
    assert len(stub.minted) == 1


async def test_a_token_is_renewed_five_minutes_before_its_end() -> None:
    stub = AppStub()
    async with stub.forge(app_id="7", app_key=pem()) as forge:
        await forge.repository(NAME)
        stub.now += 54 * 60
        await forge.repository(NAME)
        assert len(stub.minted) == 1
        stub.now += 2 * 60
        await forge.repository(NAME)
    assert len(stub.minted) == 2
    assert stub.asked[-1].headers["Authorization"] == "token t-2"


async def test_a_token_that_is_refused_is_replaced_once() -> None:
    stub = AppStub()
    stub.refuse_tokens = {"t-1"}
    async with stub.forge(app_id="7", app_key=pem()) as forge:
        await forge.repository(NAME)
        assert len(stub.minted) == 2
        stub.refuse_tokens = {f"t-{number}" for number in range(9)}
        with pytest.raises(Refused, match="did not accept our credentials"):
            await forge.repository(NAME)
    assert len(stub.minted) == 3


async def test_a_personal_token_that_is_refused_is_not_tried_again() -> None:
    stub = Stub()
    stub.otherwise = lambda _: Say(401, {"message": "Bad credentials"})
    async with stub.forge() as forge:
        with pytest.raises(Refused):
            await forge.repository(NAME)
    assert len(stub.asked) == 1


async def test_a_repository_that_the_app_cannot_see_does_not_exist_for_us() -> None:
    stub = AppStub()
    stub.mint = Say(422, {"message": "There is at least one repository that does not exist or is not accessible."})
    async with stub.forge(app_id="7", app_key=pem()) as forge:
        assert await forge.repository(NAME) is None


async def test_a_permission_that_the_app_lacks_is_named() -> None:
    stub = AppStub()
    stub.mint = Say(422, {"message": "The permissions requested are not granted to this installation."})
    async with stub.forge(app_id="7", app_key=pem()) as forge:
        with pytest.raises(Refused, match="administration: write, metadata: read and accept them in acme"):
            await forge.delete_repository(NAME)


async def test_an_app_that_is_not_installed_is_said() -> None:
    stub = Stub()
    async with stub.forge(app_id="7", app_key=pem()) as forge:
        with pytest.raises(Refused, match="not installed in acme"):
            await forge.repository(NAME)


async def test_a_key_that_is_none_is_said_without_showing_it() -> None:
    stub = Stub()
    async with stub.forge(app_id="7", app_key=SecretStr("not a key")) as forge:
        with pytest.raises(Refused, match="cannot be read") as caught:
            await forge.repository(NAME)
    assert "not a key" not in str(caught.value)
    assert stub.asked == []


@pytest.mark.parametrize("mint", [Say(drop=True), Say(201, {}), Say(500, {}), Say(201, text="<p>")])
async def test_a_token_that_does_not_come_leaves_a_write_undone_not_unknown(mint: Say) -> None:
    stub = AppStub()
    stub.mint = mint
    async with stub.forge(app_id="7", app_key=pem()) as forge:
        with pytest.raises(UpstreamUnavailable) as caught:
            await forge.delete_repository(NAME)
    assert type(caught.value) is UpstreamUnavailable
    assert not any(asked.method == "DELETE" for asked in stub.asked)


async def test_a_repository_made_anew_gets_a_new_token() -> None:
    stub = AppStub()
    async with stub.forge(app_id="7", app_key=pem()) as forge:
        await forge.repository(NAME)
        await forge.delete_repository(NAME)
        await forge.repository(NAME)
    used = [asked.headers["Authorization"] for asked in stub.asked if asked.method == "GET" and "repos/" in asked.path]
    assert used == ["token t-1", "token t-3"]
