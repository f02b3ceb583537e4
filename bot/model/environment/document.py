"""The whole document: `apiVersion`, `kind`, `metadata`, `spec`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from bot.errors import Mistake
from bot.model.canonical import JSON
from bot.model.duration import parse_duration
from bot.model.environment.parts import Database, EnvironmentName, Service, Term
from bot.model.web_service.document import CONTRADICTION
from bot.model.web_service.parts import Part
from bot.model.web_service.rules import reserved
from bot.model.web_service.shapes import LabelKey, LabelValue, Text

API_VERSION: Literal["environments.platform.io/v1"] = "environments.platform.io/v1"
KIND: Literal["Environment"] = "Environment"


class Metadata(Part):
    name: Annotated[
        EnvironmentName,
        Field(
            description="Of the environment, its namespace, and a part of its addresses.", examples=["pr-123-preview"]
        ),
    ]
    labels: Annotated[
        dict[LabelKey, LabelValue],
        Field(max_length=50, description="Put on every object of its services.", examples=[{"cost-center": "4711"}]),
    ] = Field(default_factory=dict)
    annotations: Annotated[
        dict[LabelKey, Text],
        Field(max_length=50, description="Kept, and used for nothing.", examples=[{"acme.com/ticket": "SHOP-42"}]),
    ] = Field(default_factory=dict)


class Spec(Part):
    ttl: Annotated[
        Term | None,
        Field(
            description="How long it stands: a number and `m`, `h`, `d` or `w`; left out: as the platform says.",
            examples=["7d"],
        ),
    ] = None
    services: Annotated[
        tuple[Service, ...],
        Field(
            min_length=1,
            max_length=50,
            description="What runs in it. A service that one of these calls and that is not named is found in the "
            "base environment.",
            examples=[[{"name": "frontend", "image": "frontend:pr-123"}]],
        ),
    ]
    databases: Annotated[
        tuple[Database, ...],
        Field(
            max_length=50,
            description="What databases begin with, and how large they are.",
            examples=[[{"type": "postgresql", "seedFrom": "staging"}]],
        ),
    ] = ()


class Environment(Part):
    """What a developer writes: several services and databases that stand together for a while."""

    api_version: Annotated[Literal["environments.platform.io/v1"], Field(description="Version of this format.")] = (
        API_VERSION
    )
    kind: Annotated[Literal["Environment"], Field(description="What is described.")] = KIND
    metadata: Annotated[Metadata, Field(description="Its name and labels.")]
    spec: Annotated[Spec, Field(description="What it holds, and for how long.")]

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def lifetime(self) -> timedelta | None:
        """How long it is to stand; None where it says nothing."""
        return parse_duration(self.spec.ttl) if self.spec.ttl else None

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        mistakes = [
            *reserved(self.metadata.labels, "metadata.labels"),
            *reserved(self.metadata.annotations, "metadata.annotations"),
            *_services(self.spec),
            *_databases(self.spec),
        ]
        if mistakes:
            told = "; ".join(str(mistake) for mistake in mistakes)
            raise PydanticCustomError(CONTRADICTION, "{told}", {"told": told, "mistakes": mistakes})
        return self

    def written(self) -> dict[str, JSON]:
        """Return the document as it was written: without defaults."""
        head: dict[str, JSON] = {"apiVersion": API_VERSION, "kind": KIND}
        return head | self.model_dump(by_alias=True, exclude_unset=True, mode="json")


def _services(spec: Spec) -> Iterator[Mistake]:
    names = [service.name for service in spec.services]
    for number, name in enumerate(names):
        if name in names[:number]:
            yield Mistake(f"spec.services[{number}].name", f"`{name}` is given twice; keep one")


def _databases(spec: Spec) -> Iterator[Mistake]:
    names = [service.name for service in spec.services]
    for number, database in enumerate(spec.databases):
        path, earlier = f"spec.databases[{number}]", spec.databases[:number]
        if database.service is not None and database.service not in names:
            there = ", ".join(names)
            yield Mistake(f"{path}.service", f"`{database.service}` is not one of its services; there are: {there}")
        if any(other.service == database.service for other in earlier):
            whose = f"`{database.service}`" if database.service else "the same services"
            yield Mistake(
                path, f"is a second one of {whose}, and a service has one database; keep one, or say `service`"
            )
        if database.mask and database.seed_from is None:
            yield Mistake(f"{path}.mask", "masks what it is filled with; add `seedFrom`, or remove it")
