"""The whole document: `apiVersion`, `kind`, `metadata`, `spec`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from bot.errors import Mistake
from bot.model.canonical import JSON
from bot.model.web_service.parts import Part
from bot.model.web_service.rules import contradictions, reserved
from bot.model.web_service.shapes import LabelKey, LabelValue, ServiceName, Text
from bot.model.web_service.spec import Spec, merged

API_VERSION: Literal["platform.company.io/v1"] = "platform.company.io/v1"
KIND: Literal["WebService"] = "WebService"
CONTRADICTION = "contradiction"
"""Type of the validation error that carries `Mistake`s in its context, under `mistakes`."""


class Metadata(Part):
    name: Annotated[ServiceName, Field(description="Of the service, and of what is made of it.", examples=["user-api"])]
    labels: Annotated[
        dict[LabelKey, LabelValue],
        Field(max_length=50, description="Put on every object.", examples=[{"cost-center": "4711"}]),
    ] = Field(default_factory=dict)
    annotations: Annotated[
        dict[LabelKey, Text],
        Field(
            max_length=50,
            description="Put on the workload and its pods.",
            examples=[{"acme.com/contact": "#team-orders"}],
        ),
    ] = Field(default_factory=dict)


class WebService(Part):
    """What a developer writes: one service, and what it needs."""

    api_version: Annotated[Literal["platform.company.io/v1"], Field(description="Version of this format.")] = (
        API_VERSION
    )
    kind: Annotated[Literal["WebService"], Field(description="What is described.")] = KIND
    metadata: Annotated[Metadata, Field(description="Its name and labels.")]
    spec: Annotated[Spec, Field(description="What runs, and what it needs.")] = Spec()

    @property
    def name(self) -> str:
        return self.metadata.name

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        mistakes = [
            *reserved(self.metadata.labels, "metadata.labels"),
            *reserved(self.metadata.annotations, "metadata.annotations"),
            *contradictions(self.spec),
        ]
        if mistakes:
            told = "; ".join(str(mistake) for mistake in mistakes)
            raise PydanticCustomError(CONTRADICTION, "{told}", {"told": told, "mistakes": mistakes})
        return self

    def written(self) -> dict[str, JSON]:
        """Return the document as it was written: without defaults."""
        head: dict[str, JSON] = {"apiVersion": API_VERSION, "kind": KIND}
        return head | self.model_dump(by_alias=True, exclude_unset=True, mode="json")

    def for_environment(self, name: str) -> WebService:
        """Return the document that counts in an environment. Raise pydantic's `ValidationError` where what it says
        for this environment does not fit the rest; the reader has checked that already."""
        overrides = self.spec.environments.get(name)
        if overrides is None:
            return self
        document = self.written()
        spec: Any = document["spec"]
        over: Any = spec["environments"][name]
        for one, other in (("autoscaling", "replicas"), ("replicas", "autoscaling")):
            if over.get(one) is not None and other not in over:
                spec = {key: value for key, value in spec.items() if key != other}
        return WebService.model_validate(document | {"spec": merged(spec, over)})


def mistakes_of_environments(document: WebService) -> list[tuple[str, ValidationError]]:
    """Return the environments for which the document does not fit together, each with what is wrong."""
    found = []
    for name in document.spec.environments:
        try:
            document.for_environment(name)
        except ValidationError as error:
            found.append((name, error))
    return found


def mistakes_in(context: Mapping[str, Any]) -> list[Mistake]:
    """Return the mistakes that a contradiction carries."""
    return list(context["mistakes"])
