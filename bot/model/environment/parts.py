"""The pieces of an Environment's `spec`. Descriptions and examples here become the JSON Schema and the CRD."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from bot.model.databases import Engine
from bot.model.duration import format_duration, parse_duration
from bot.model.web_service.parts import Part
from bot.model.web_service.shapes import (
    EnvName,
    Flag,
    Image,
    Integer,
    ServiceName,
    Shape,
    Text,
    WordOfPlatform,
    shown,
    wrong,
)

SHORTEST, LONGEST = timedelta(minutes=10), timedelta(days=365)
"""What can be a term at all. The platform's own ceiling is lower (`Previews.longest`): whoever validates names it as
`longest` in the context of the validation."""
LONGEST_NAME = 50
"""Characters of an environment's name: shorter than Kubernetes allows, so that what is named after it fits as well."""

EnvironmentName = Annotated[
    str,
    Shape(
        r"[a-z0-9]([a-z0-9-]*[a-z0-9])?",
        "is not a name: use small letters, digits and dashes, such as `pr-123-preview`",
        LONGEST_NAME,
    ),
]
"""A DNS label (RFC 1123): it becomes a namespace and a part of host names."""


def allowed(longest: timedelta) -> str:
    """Return the sentence's end about terms: `write from 10m to 30d`."""
    return f"write from {format_duration(SHORTEST)} to {format_duration(longest)}, such as `7d`"


def _term(value: str, info: ValidationInfo) -> str:
    longest = info.context["longest"] if info.context else LONGEST
    try:
        span = parse_duration(value)
    except ValueError:
        raise wrong(f"`{shown(value)}` is not a span of time; {allowed(longest)}") from None
    if span < SHORTEST:
        raise wrong(f"`{value}` is too short for an environment; {allowed(longest)}")
    if span > longest:
        raise wrong(f"`{value}` is longer than an environment may stand; {allowed(longest)}")
    return value


def _has_unit(value: object) -> object:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise wrong("says no unit; write a number and `m`, `h`, `d` or `w`, such as `7d`")
    return value


Term = Annotated[
    str,
    Field(json_schema_extra={"pattern": r"^[0-9]{1,6}[smhdw]$", "maxLength": 7}),
    BeforeValidator(_has_unit),
    AfterValidator(_term),
]
"""A span of time as it was written: `7d`."""


class Service(Part):
    """One service of the environment."""

    name: Annotated[ServiceName, Field(description="Of the service, as the catalog knows it.", examples=["backend"])]
    image: Annotated[
        Image,
        Field(
            description="What runs; left out: the version that was asked for, else the one of the service's document.",
            examples=["backend:pr-123", "ghcr.io/acme/backend:pr-123"],
        ),
    ] = ""
    replicas: Annotated[Integer | None, Field(ge=0, le=10, description="How many run; left out: 1.", examples=[1])] = (
        None
    )
    size: Annotated[
        WordOfPlatform | None,
        Field(description="CPU and memory of one replica; left out: as its document says.", examples=["small"]),
    ] = None
    env: Annotated[
        dict[EnvName, Text],
        Field(
            max_length=200,
            description="Environment variables, over those of its document. No secrets here.",
            examples=[{"LOG_LEVEL": "debug"}],
        ),
    ] = Field(default_factory=dict)


class Database(Part):
    """A database for the environment's time."""

    type: Annotated[Engine, Field(description="Which kind.", examples=["postgresql"])] = "postgresql"
    service: Annotated[
        ServiceName | None,
        Field(
            description="Whose it is; left out: of each service whose document asks for one, else of the only one.",
            examples=["backend"],
        ),
    ] = None
    size: Annotated[
        WordOfPlatform | None,
        Field(
            description="One of the platform's database sizes; left out: that of what it is filled from, or of the "
            "service's document.",
            examples=["small"],
        ),
    ] = None
    seed_from: Annotated[
        WordOfPlatform | None,
        Field(
            description="The environment from whose database of the same service it is filled; left out: it begins "
            "empty.",
            examples=["staging"],
        ),
    ] = None
    mask: Annotated[
        Flag,
        Field(
            description="`true`: what it is filled with is masked even if that environment holds no personal data; "
            "otherwise it always is.",
            examples=[True],
        ),
    ] = False
