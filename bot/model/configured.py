"""The shapes that the platform team's settings are made of."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

DnsLabel = Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")]
"""A name that Kubernetes takes for a namespace or a service (RFC 1035 label)."""

DomainName = Annotated[
    str, StringConstraints(pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
]

LONGEST_NAME = 63

_QUANTITY = re.compile(r"^\d+(\.\d+)?(m|k|Ki|Mi|Gi|Ti|M|G|T)?$")


def cut(name: str) -> str:
    """Return a name as Kubernetes takes it for a label or a namespace. One that is too long ends in a hash of the
    whole, so that no two become one."""
    if len(name) <= LONGEST_NAME:
        return name.rstrip("-")
    return f"{name[: LONGEST_NAME - 9].rstrip('-')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _quantity(value: str) -> str:
    if not _QUANTITY.fullmatch(value):
        raise ValueError("is not a quantity; write `100m`, `0.5`, `256Mi` or `10Gi`")
    return value


Quantity = Annotated[str, AfterValidator(_quantity)]
"""Kubernetes' way to write an amount: `100m` CPU, `256Mi` memory, `10Gi` disk."""

_Words = Literal["anyone", "owner", "none"]


def _full(value: _Words | tuple[str, ...]) -> _Words | tuple[str, ...]:
    if isinstance(value, str):
        return value
    from bot.model.entities import full_ref  # noqa: PLC0415  # a word needs no catalog, and rendering starts quickly

    return tuple(full_ref(ref, kind="group") for ref in value)


People = Annotated[_Words | tuple[str, ...], AfterValidator(_full)]
"""Who may, or must: a word, or entity references (`group:platform`), any one of whom suffices."""


class Part(BaseModel):
    """Settings never echo a value in an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, populate_by_name=True)
