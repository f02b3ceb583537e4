"""Bearer tokens of the HTTP door: who a token names. Only hashes are kept."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable

from bot.errors import Refused
from bot.model.principal import Principal


class Unknown(Refused):
    """Nobody can tell who calls: HTTP's 401, as opposed to somebody who may not (403)."""


class Tokens:
    """Turns an `Authorization` header into the catalog's principal."""

    def __init__(self, known: Iterable[tuple[str, str]], principal: Callable[[str], Principal | None]) -> None:
        """`known` holds pairs of user reference and the token's SHA-256 in hexadecimal."""
        self._known = tuple(known)
        self._principal = principal

    def principal(self, header: str) -> Principal:
        """Raise `Unknown` with a sentence when the token is missing, unknown, or names nobody in the catalog."""
        found = self._principal(user_of(self._known, header))
        if found is None:
            raise Unknown("This token names somebody who is not in the catalog.", hint="Ask the platform team.")
        return found


def user_of(known: Iterable[tuple[str, str]], header: str) -> str:
    """Return whom a token was given to. Raise `Unknown` when it is missing or not known."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unknown("This call needs a bearer token.", hint="Send `Authorization: Bearer …`.")
    digest = hashlib.sha256(token.strip().encode()).hexdigest()
    users = [user for user, hashed in known if hmac.compare_digest(hashed, digest)]
    if not users:
        raise Unknown("This token is not known here.", hint="Ask the platform team for one.")
    return users[0]
