"""Addresses from outside, before they become links."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

LONGEST = 1_500
_INSIDE = (".svc", ".local", ".internal", ".localdomain", ".lan", ".test", ".invalid", ".localhost")
"""Ends of names that only machines beside that one can look up."""


def web_url(text: str) -> str:
    """Return an address that a browser can open, or nothing: http(s), with a host, without a password, bounded."""
    text = text.strip()
    if len(text) > LONGEST or any(character.isspace() or not character.isprintable() for character in text):
        return ""
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
        return ""
    return text


def outside_url(text: str) -> str:
    """The same for an address that a machine made of its own name: nothing where that name means nothing to people.

    Prometheus and Alertmanager write their host's name there unless they were told their outside address.
    """
    url = web_url(text)
    host = (urlsplit(url).hostname or "").rstrip(".") if url else ""
    if "." not in host or host.endswith(_INSIDE) or _is_address(host):
        return ""
    return url


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
