"""Why an image cannot be pulled."""

from __future__ import annotations

import re

from bot.health.facts import Container, Event, Pod
from bot.health.finding import Finding
from bot.health.words import said

WAITING = frozenset(
    (
        *("ImagePullBackOff", "ErrImagePull", "InvalidImageName"),
        *("ErrImageNeverPull", "RegistryUnavailable", "ImageInspectError"),
    )
)
"""The kubelet's words for a container that has no image yet."""

_UNAUTHORIZED = re.compile(
    r"unauthorized|authentication required|access denied|\b40[13]\b|denied:|no basic auth", re.IGNORECASE
)
_MISSING = re.compile(r"not found|manifest unknown|does not exist|NotFound|name unknown", re.IGNORECASE)
_LIMITED = re.compile(r"toomanyrequests|rate limit|\b429\b", re.IGNORECASE)
_PLATFORM = re.compile(
    r"no match(?:ing manifest)? for (?:platform|linux)|no match for platform in manifest", re.IGNORECASE
)
_UNREACHABLE = re.compile(
    r"dial tcp|no such host|i/o timeout|connection refused|TLS handshake|x509|deadline exceeded|\b50\d\b|\bEOF\b",
    re.IGNORECASE,
)


def finding(pod: Pod, container: Container, events: tuple[Event, ...]) -> Finding:
    """Judge by all that was said of the pull: the kubelet's back-off alone does not tell why."""
    pulls = [one.message for one in events if one.reason == "Failed" and container.image in one.message]
    told = " ".join((container.waiting_message, *pulls))
    why, next_step, final = _why(container, told)
    return Finding(
        rank=1,
        key=("image", container.image, why),
        one=f"cannot start, because {why}",
        many=f"cannot start, because {why}",
        next_step=next_step,
        final=final,
        evidence=tuple(said(message) for message in (pulls[-1:] or [container.waiting_message]) if message),
    )


def _why(container: Container, told: str) -> tuple[str, str, bool]:
    image = container.image
    first = image.partition("/")[0]
    registry = first if "/" in image and ("." in first or ":" in first) else "docker.io"
    if container.waiting == "InvalidImageName":
        step = "Correct `image` in platform.yaml and deploy again, or roll back."
        return f"`{image}` is no valid image name", step, True
    if container.waiting == "ErrImageNeverPull":
        return (
            f"the image `{image}` is not on the node and its pull policy is Never",
            "Change the pull policy, or roll back.",
            True,
        )
    if _PLATFORM.search(told):
        return (
            f"the image `{image}` was not built for the processor of the nodes",
            "Build it for linux/amd64 (or what the nodes are) and deploy that version, or roll back.",
            True,
        )
    if _LIMITED.search(told):
        return (
            f"the registry {registry} limits how often we may pull",
            "Wait: it is tried again by itself. If it lasts, ask the platform team for a pull secret.",
            False,
        )
    if _UNAUTHORIZED.search(told):
        return (
            f"the registry {registry} does not let the cluster pull `{image}`",
            "Check that the image exists, and ask the platform team for a pull secret that may read it.",
            True,
        )
    if _MISSING.search(told):
        return (
            f"the image `{image}` does not exist",
            "See whether CI has built and published this version, or roll back.",
            True,
        )
    if _UNREACHABLE.search(told):
        return (
            f"the registry {registry} cannot be reached",
            "Wait: it is tried again by itself. If it lasts, tell the platform team.",
            False,
        )
    return (
        f"the image `{image}` cannot be pulled ({said(told) or container.waiting})",
        "See whether CI has published this version, or roll back.",
        False,
    )
