"""What a cloud answers, in a sentence: shortened, and without what may not be shown."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.health.words import said


@dataclass(frozen=True, slots=True)
class Answer:
    cause: str
    """Continues “… is not ready: ”."""
    next_step: str
    final: bool = True


_NEWER = re.compile(r"api error (?P<code>\w+): (?P<text>.+)", re.DOTALL)
_OLDER = re.compile(r"(?P<code>[A-Z]\w{5,}): (?P<text>.+?)\s*,?\s*status code: \d+, request id: \S+", re.DOTALL)
_ACCOUNT = re.compile(r"arn:aws[\w-]*:\S+|\b\d{12}\b")
_CONFIG = re.compile(r"ProviderConfig\S* \\?\"(?P<name>[^\"\\]+)\\?\" not found")
_RIGHT = re.compile(r"not authorized to perform: (?P<right>[\w:*]+)")
_CREDENTIALS = re.compile(
    r"cannot (?:get|extract) credentials|secrets? \\?\"[^\"\\]+\\?\" not found|no valid providers in chain|"
    r"failed to (?:retrieve|refresh(?: cached)?) credentials",
    re.IGNORECASE,
)
_COMPOSITION = re.compile(
    r"no (?:compatible )?[Cc]ompositions? (?:has been |were |was )?found|cannot (?:select|get|fetch) [Cc]omposition"
)
_MEND = "Have what it names mended; it goes on by itself then."
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthFailure")
_KEYS = (
    *("InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "ExpiredToken"),
    *("ExpiredTokenException", "IncompleteSignature"),
)
_QUOTA = ("InstanceQuotaExceeded", "InstanceQuotaExceededFault", "StorageQuotaExceeded", "StorageQuotaExceededFault")
_BUSY = ("Throttling", "ThrottlingException", "RequestLimitExceeded", "ServiceUnavailable", "InternalFailure")
_TAKEN = ("DBInstanceAlreadyExists", "DBInstanceAlreadyExistsFault")
_ROOM = ("InsufficientDBInstanceCapacity", "InsufficientDBInstanceCapacityFault")


def explained(message: str, provider_config: str = "") -> Answer | None:
    """Return what a condition's message means; None for an empty one."""
    config = _CONFIG.search(message)
    if config is not None:
        return Answer(
            f"Crossplane has no ProviderConfig {config['name']}, so it cannot reach the cloud",
            f"Have the ProviderConfig {config['name']} made, or another one chosen.",
        )
    if _COMPOSITION.search(message):
        return Answer(
            f"Crossplane has no composition that fits ({quoted(message)})", "Have one made for this type of database."
        )
    answered = _NEWER.search(message) or _OLDER.search(message)
    if answered is not None:
        return _of_code(answered["code"], answered["text"])
    if _CREDENTIALS.search(message):
        config_name = f" of the ProviderConfig {provider_config}" if provider_config else ""
        return Answer(f"Crossplane cannot read the credentials{config_name} for the cloud", "Have them renewed.")
    return Answer(f"Crossplane says “{quoted(message)}”", _MEND, final=False) if message else None


def _of_code(code: str, text: str) -> Answer:
    words = quoted(text)
    if code in _DENIED:
        right = _RIGHT.search(text)
        what = f" {right['right']}" if right is not None else f" ({words})"
        return Answer(
            f"the cloud does not allow Crossplane{what}", "Have that right granted; it goes on by itself then."
        )
    if code in _KEYS:
        return Answer(f"the cloud does not accept Crossplane's credentials ({code})", "Have them renewed.")
    if code in _QUOTA:
        return Answer(
            f"the cloud account may have no more databases or storage ({words})",
            "Delete a database that nobody needs, or have the account's quota raised.",
        )
    if code in _TAKEN:
        return Answer("the cloud has a database of this name already", "Request it under another name.")
    if code in _ROOM:
        return Answer("the cloud has no machine of this size free there", "Wait, or choose another size.", final=False)
    if code in _BUSY:
        return Answer(f"the cloud is too busy to answer ({code})", "Wait: it is tried again by itself.", final=False)
    if "protected DB Instance" in text:
        return Answer("the cloud refuses to delete it: it is protected", "Lift its protection first.")
    if code.startswith(("InvalidParameter", "InvalidVPC")) or code.endswith("Fault"):
        return Answer(f"the cloud refuses what was asked for ({words})", "Have what it names changed, and try again.")
    return Answer(f"the cloud answers {code} ({words})", _MEND, final=False)


def quoted(text: str) -> str:
    """Return a message as it may stand in a sentence."""
    return said(_shortened(text))


def _shortened(text: str) -> str:
    """Leave out who asked and under which account: it tells a developer nothing, and strangers too much."""
    text = re.sub(r"^(?:create|observe|update|delete|connect) failed: ", "", text)
    text = re.sub(
        r"operation error \w+: (\w+), https response error StatusCode: \d+, RequestID: [^,]+, ", r"\1: ", text
    )
    text = re.sub(r"User: \S+ is ", "", text)
    text = re.sub(r" on resource: \S+", "", text)
    text = re.sub(r",? ?(?:status code: \d+, )?request id: [\w-]+", "", text, flags=re.IGNORECASE)
    return _ACCOUNT.sub("…", text)
