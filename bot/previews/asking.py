"""What may be asked of `/preview up`: the request, the words for it, and the Environment document that it becomes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints, ValidationError, field_validator

from bot.errors import Invalid, Mistake, UsageError
from bot.model.duration import Duration
from bot.model.environment import API_VERSION, KIND, Environment
from bot.model.previews import Previews
from bot.previews.terms import refuse_short
from bot.releases.wording import read
from bot.rendering.environments import read_environment
from bot.rendering.mistakes import mistakes_of

EMPTY = "none"
"""What is said of databases that shall begin empty, whatever the platform fills them from otherwise."""
USAGE = "[name] [service[@branch] …] [of acme/orders-api#12] [for 3d] [seeded from staging]"
MOST_SERVICES = 50
LONGEST_DOCUMENT = 65_536
_IMAGE = re.compile(r"[^@]*[:@].*")
Part = Annotated[str, StringConstraints(max_length=300)]


class PreviewUp(BaseModel, frozen=True, extra="forbid"):
    """What is shown, and for how long."""

    name: str = Field(default="", max_length=200, description="Empty: one is made up", examples=["new-checkout"])
    services: dict[Part, Part] = Field(
        default_factory=dict,
        max_length=MOST_SERVICES,
        description="Service → a branch, tag or commit, or an image; empty: as it runs in the base environment",
        examples=[{"orders-api": "new-checkout", "frontend": ""}],
    )
    ttl: Duration | None = Field(default=None, description="How long it lives", examples=["3d"])
    seed: str = Field(
        default="", max_length=63, description="Environment that its databases are filled from, or `none`"
    )
    pull_request: str = Field(default="", max_length=300, description="What it shows", examples=["acme/orders-api#12"])
    document: str = Field(default="", max_length=LONGEST_DOCUMENT, description="A whole Environment document, as YAML")

    @field_validator("services", mode="before")
    @classmethod
    def _listed(cls, given: Any) -> Any:
        """`["orders-api@branch", "frontend"]` is as good as a map."""
        lines = given.splitlines() if isinstance(given, str) else given
        if not isinstance(lines, list | tuple):
            return given
        return dict(named(line.strip()) for line in lines if isinstance(line, str) and line.strip())


def named(word: str) -> tuple[str, str]:
    """`orders-api@branch`, `orders-api=ghcr.io/acme/orders-api:1` or `orders-api` → service, and what of it."""
    for sign in ("=", "@"):
        service, found, of_it = word.partition(sign)
        if found and service:
            return service, of_it
    return word, ""


def parse(words: Sequence[str]) -> PreviewUp:
    """Read words. The first plain one is the name, unless it says what of a service is shown."""
    usage = f"/preview up {USAGE}"
    kept = [word for word in words if word.lower() not in ("seeded", "show", "showing")]
    said = read(kept, most=MOST_SERVICES, known=("of", "for", "from"), usage=usage)
    plain = list(said.plain)
    pull_request = said.after.get("of", "")
    if plain and not pull_request and ("#" in plain[0] or "/pull/" in plain[0]):
        pull_request = plain.pop(0)
    name = plain.pop(0) if plain and not {"=", "@"} & set(plain[0]) else ""
    return PreviewUp.model_validate(
        {
            "name": name,
            "services": dict(map(named, plain)),
            "ttl": said.after.get("for"),
            "seed": said.after.get("from", ""),
            "pull_request": pull_request,
        }
    )


def is_image(of_it: str) -> bool:
    """Say whether it names an image, and no branch, tag or commit: those hold neither `:` nor `@`."""
    return _IMAGE.fullmatch(of_it) is not None


def document_of(request: PreviewUp, name: str, services: Mapping[str, str], policy: Previews) -> Environment:
    """Return the document that is asked for: the one that was given, or one that is made of the request.

    Raise `Invalid` with every mistake, `UsageError` where both say different things.
    """
    if request.document:
        _refuse_both(request)
        return read_environment(request.document, longest=policy.longest, source="The document")
    document: dict[str, Any] = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name},
        "spec": {
            "services": [
                {"name": service, **({"image": of_it} if is_image(of_it) else {})}
                for service, of_it in services.items()
            ],
            **(
                {"databases": [{"type": "postgresql", "seedFrom": request.seed}]}
                if request.seed not in ("", EMPTY)
                else {}
            ),
        },
    }
    try:
        return Environment.model_validate(document, by_alias=True, by_name=False, context={"longest": policy.longest})
    except ValidationError as error:
        mistakes = [Mistake(_told(one.path), one.message) for one in mistakes_of(error, Environment, document)]
        told = "; ".join(map(str, mistakes))
        raise Invalid("This cannot be a preview.", mistakes, hint=f"{told}.") from None


def span_of(request: PreviewUp, document: Environment) -> timedelta | None:
    """Return how long it is to live, as far as anybody has said so."""
    if request.ttl is not None:
        refuse_short(request.ttl)
        return request.ttl
    return document.lifetime


def _refuse_both(request: PreviewUp) -> None:
    said = [word for word in ("services", "seed", "name") if getattr(request, word)]
    if said:
        raise UsageError(
            f"The document says what the preview is, so `{said[0]}` cannot be said beside it.",
            hint="Write it into the document.",
        )


def _told(path: str) -> str:
    """Return where a mistake is in the words of the request, which knows no document."""
    return path.removeprefix("spec.").removeprefix("metadata.")
