"""From the image that a document names to the one that a cluster can pull."""

from __future__ import annotations

import re

from bot.model.platform import Platform

_COMMIT = re.compile(r"[0-9a-f]{40}\Z")


def complete_image(image: str, platform: Platform) -> str:
    """Return the image with registry and owner: `user-api:latest` → `ghcr.io/acme/user-api:latest`.

    What names a registry stays as it is; so does a name without a slash when the platform names no owner.
    """
    first, slash, _ = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return image
    if slash:
        return f"{platform.registry}/{image}"
    return f"{platform.registry}/{platform.image_owner}/{image}" if platform.image_owner else image


def never_changes(image: str) -> bool:
    """Say whether the name can only mean one image: by digest, or by the tag of a commit."""
    if "@sha256:" in image:
        return True
    return _COMMIT.match(image.rpartition("/")[2].partition(":")[2]) is not None
