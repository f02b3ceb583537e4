"""What credentials look like: shapes of their values, and names of what holds them. It knows shapes, not values."""

from __future__ import annotations

import re

HIDDEN = "‹hidden›"

WHOLE: tuple[re.Pattern[str], ...] = (
    re.compile(r"\beyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?"),  # JSON Web Token
    re.compile(r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}\b"),  # AWS access key
    re.compile(r"\b(?:gh[pousr]_|github_pat_|glpat-)[\w-]{16,}"),
    re.compile(r"\bx(?:ox[abeoprs]|app)-[\w-]{10,}"),  # Slack
    re.compile(r"\b(?:sk|pk|rk)_(?:live|test)_\w{10,}"),  # Stripe
    re.compile(r"\bAIza[\w-]{30,}"),  # Google
    re.compile(r"\b(?:npm_|hvs\.|dop_v1_|sk-)[\w-]{20,}"),
)
"""Texts that are a credential by themselves."""
_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")
_URL_PASSWORD = re.compile(r"(?P<keep>\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)(?!\$[({])[^\s/]+(?=@)", re.IGNORECASE)
"""`scheme://user:password@host`, unless the password is a reference to a variable."""
_NAME = re.compile(
    r"(^|[_.-])(password|passwd|passphrase|secret|token|credentials?|(api|access|private|secret)[_-]?key)\Z",
    re.IGNORECASE,
)
_NO_VALUE = re.compile(
    r"(true|false|yes|no|on|off|none|null|enabled|disabled|\d*|\.{0,2}/.*|\$[({].*|[a-z]+://.*)\Z", re.IGNORECASE
)
"""What stands under such a name and is none: a switch, a number, a path, a reference, an address."""


def holds_credential(name: str, value: str) -> bool:
    """Say whether a variable holds a credential: by the shape of its value, or by its name unless the value is none."""
    if any(pattern.search(value) for pattern in (*WHOLE, _KEY, _URL_PASSWORD)):
        return True
    return _NAME.search(name) is not None and _NO_VALUE.match(value.strip()) is None


def without_credentials(text: str) -> str:
    """Return `text` with everything hidden that is a credential by its shape."""
    for pattern in WHOLE:
        text = pattern.sub(HIDDEN, text)
    return _URL_PASSWORD.sub(rf"\g<keep>{HIDDEN}", text)
