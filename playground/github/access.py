"""Who calls: personal tokens, the App's JWT, installation tokens, and the hourly limit of each."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from playground.github.call import Actor
from playground.github.errors import ApiError
from playground.github.notify import INSTALLATION
from playground.github.shapes import stamp

if TYPE_CHECKING:
    from playground.github.hub import Hub

APP_ID = 4242
APP_SLUG = "causeway"
INSTALLATION_ID = int(str(INSTALLATION["id"]))
HOURLY_LIMIT = 15_000
"""Requests per hour and token (GitHub Enterprise Cloud)."""
APP_PERMISSIONS = {
    "actions": "write", "actions_variables": "write", "administration": "write", "checks": "write",
    "contents": "write", "deployments": "write", "environments": "write", "issues": "write", "members": "write",
    "metadata": "read", "organization_administration": "write", "organization_custom_properties": "write",
    "organization_hooks": "write", "packages": "read", "pull_requests": "write", "repository_hooks": "write",
    "secrets": "write", "statuses": "write", "workflows": "write",
}  # fmt: skip
OUTSIDE = {"contents": "read", "issues": "read", "metadata": "read", "pull_requests": "read", "person": "write"}
"""What somebody may do in a public repository that is not theirs: read, and what any person may (`person`)."""


@dataclass(slots=True)
class Usage:
    used: int
    resets: datetime


class Access:
    def __init__(self, hub: Hub, token: str, login: str) -> None:
        self._hub = hub
        self._token = token
        self._login = login
        self._usage: dict[str, Usage] = {}
        self.hourly_limit = HOURLY_LIMIT

    # --- the App

    @property
    def has_app(self) -> bool:
        """Whether anybody has asked for the App's key, now or in an earlier run."""
        return self._hub.store.get("app", "", "key") is not None

    async def app_private_key(self) -> str:
        """Return the App's private key (PEM), made on first use and kept."""
        if not self.has_app:
            self._hub.store.put("app", "", "key", {"pem": await asyncio.to_thread(new_private_key)})
        return self._kept_key()

    def _kept_key(self) -> str:
        kept = self._hub.store.get("app", "", "key")
        if kept is None:
            raise ApiError(401, "A JSON web token could not be decoded")
        return str(kept["pem"])

    def _app_from(self, token: str) -> Actor:
        key = load_pem_private_key(self._kept_key().encode(), None)
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        options: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
        try:
            claims = jwt.decode(token, public, algorithms=["RS256"], options=options)
        except jwt.PyJWTError as error:
            raise ApiError(401, "A JSON web token could not be decoded") from error
        now = self._hub.clock().timestamp()
        if str(claims.get("iss")) != str(APP_ID):
            raise ApiError(404, "Integration not found")
        if not isinstance(claims.get("exp"), int) or claims["exp"] < now:
            raise ApiError(401, "'Expiration time' claim ('exp') must be a numeric value representing a future time")
        if claims["exp"] > now + 660:
            raise ApiError(401, "'Expiration time' claim ('exp') is too far in the future")
        return Actor(f"{APP_SLUG}[bot]", {}, None, APP_ID)

    def issue(self, permissions: dict[str, str], repositories: list[int] | None) -> dict[str, Any]:
        """Make an installation token that lives one hour."""
        expires = self._hub.clock() + timedelta(hours=1)
        document = {
            "token": f"ghs_{secrets.token_urlsafe(40)}",
            "expires_at": stamp(expires),
            "permissions": permissions,
            "repositories": repositories,
        }
        return self._hub.store.put("tokens", "", document["token"], document)

    def revoke(self, token: str) -> None:
        self._hub.store.delete("tokens", "", token)

    # --- callers

    def token_of(self, login: str) -> str:
        """Return the personal token of somebody of the sample company, or of an acquaintance of it."""
        digest = hmac.new(self._token.encode(), login.lower().encode(), hashlib.sha256)
        return f"ghp_{digest.hexdigest()[:36]}"

    def _person(self, token: str) -> Actor | None:
        for account in self._hub.store.all("accounts"):
            login = str(account["login"])
            if hmac.compare_digest(token.encode(), self.token_of(login).encode()):
                return self.person(login)
        return None

    def person(self, login: str) -> Actor | None:
        """Return somebody as they act: a member with all rights, anybody else with what a stranger has."""
        account = self._hub.account(login)
        if account is None or account["type"] != "User":
            return None
        name = str(account["login"])
        return Actor(name) if account.get("member", True) else Actor(name, OUTSIDE, outside=True)

    def actor(self, authorization: str, *, app: bool = False) -> Actor | None:
        """Return who calls, None without credentials. Raise 401 for wrong ones."""
        token = credentials(authorization)
        if token is None:
            return None
        if token.count(".") == 2 and app:
            return self._app_from(token)
        if hmac.compare_digest(token.encode(), self._token.encode()):
            return Actor(self._login)
        if token.startswith("ghp_") and (person := self._person(token)):
            return person
        document = self._hub.store.get("tokens", "", token)
        if document is None or document["expires_at"] <= self._hub.now():
            raise ApiError(401, "Bad credentials")
        allowed = document["repositories"]
        repositories = None if allowed is None else tuple(allowed)
        return Actor(f"{APP_SLUG}[bot]", document["permissions"], repositories, APP_ID)

    # --- limits

    def count(self, actor: Actor, weight: int = 1) -> dict[str, str]:
        """Count a call against its hour; return GitHub's headers. Raise 403 beyond the limit."""
        usage = self.usage(actor)
        usage.used += weight
        headers = self._headers(usage)
        if usage.used > self.hourly_limit:
            raise ApiError(403, f"API rate limit exceeded for user ID {actor.login}.", headers=headers)
        return headers

    def usage(self, actor: Actor) -> Usage:
        now = self._hub.clock()
        usage = self._usage.get(actor.login)
        if usage is None or usage.resets <= now:
            usage = self._usage[actor.login] = Usage(0, now + timedelta(hours=1))
        return usage

    def _headers(self, usage: Usage) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.hourly_limit),
            "X-RateLimit-Remaining": str(max(self.hourly_limit - usage.used, 0)),
            "X-RateLimit-Reset": str(int(usage.resets.timestamp())),
            "X-RateLimit-Used": str(usage.used),
            "X-RateLimit-Resource": "core",
        }


def new_private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def credentials(authorization: str) -> str | None:
    """Return the token of a `token`, `Bearer` or `Basic` header. Raise 401 for any other kind."""
    kind, _, value = authorization.strip().partition(" ")
    if not kind:
        return None
    if kind.lower() in {"token", "bearer"} and value:
        return value.strip()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            pass
    raise ApiError(401, "Bad credentials")
