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
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unknown("This call needs a bearer token.", hint="Send `Authorization: Bearer …`.")
        digest = hashlib.sha256(token.strip().encode()).hexdigest()
        users = [user for user, known in self._known if hmac.compare_digest(known, digest)]
        if not users:
            raise Unknown("This token is not known here.", hint="Ask the platform team for one.")
        found = self._principal(users[0])
        if found is None:
            raise Unknown("This token names somebody who is not in the catalog.", hint="Ask the platform team.")
        return found
