"""What all kinds share. Names are Kubernetes' own; `snake_case` here is `camelCase` there."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel


class Kind(BaseModel):
    """Strict: no unknown field, no value of another type. Built when first used, because starting must be quick."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, alias_generator=to_camel, defer_build=True, hide_input_in_errors=True
    )


Labels = dict[str, str]
IntOrString = int | str
Quantity = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$")]
Quantities = dict[str, Quantity]
PortNumber = Annotated[int, Field(ge=1, le=65535)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=253)]
Whole = Annotated[int, Field(ge=0)]


class ObjectMeta(Kind):
    name: Name
    namespace: Annotated[str, StringConstraints(min_length=1, max_length=63)]
    labels: Labels | None = None
    annotations: Labels | None = None


class UnplacedMeta(Kind):
    """Of what stands in no namespace."""

    name: Name
    labels: Labels | None = None
    annotations: Labels | None = None


class TemplateMeta(Kind):
    """Of what is made from a template: it gets its name there."""

    labels: Labels | None = None
    annotations: Labels | None = None


class LabelRequirement(Kind):
    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: list[str] | None = None


class LabelSelector(Kind):
    match_labels: Labels | None = None
    match_expressions: list[LabelRequirement] | None = None


class LocalReference(Kind):
    name: str


Anything = dict[str, Any]
"""A part that another program checks."""
