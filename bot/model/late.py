"""Values that exist only after an earlier effect has run.

Most outputs of a golden path can be foretold (a repository's URL). The rest, such as the hash of a commit that GitHub
will make, stand in the plan as a `Late` value and are bound from the recorded outputs just before their effect runs.
A plan stays plain data: in JSON a late value is `{"$late": ["text ", {"effect": "publish", "output": "commitHash"}]}`.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, Field

from bot.errors import Conflict
from bot.model.canonical import JSON


class OutputRef(BaseModel, frozen=True, extra="forbid"):
    """Names one output of one earlier effect of the same plan."""

    effect: str
    output: str


class Late(BaseModel, frozen=True, extra="forbid", populate_by_name=True):
    """A text with holes that earlier effects fill."""

    parts: tuple[str | OutputRef, ...] = Field(alias="$late")

    def __str__(self) -> str:
        return "".join(p if isinstance(p, str) else f"‹{p.output} of {p.effect}›" for p in self.parts)


Text = str | Late
"""A text known now, or once earlier effects have run."""


def bind(value: JSON, outputs: Mapping[str, Mapping[str, JSON]]) -> JSON:
    """Return `value` with every late value replaced; `outputs` maps effect id → output name → value.

    Raise `Conflict` when an earlier effect did not yield the output that a late value names.
    """
    match value:
        case {"$late": list(parts), **rest} if not rest:
            return "".join(p if isinstance(p, str) else _output(p, outputs) for p in parts)
        case dict():
            return {key: bind(item, outputs) for key, item in value.items()}
        case list():
            return [bind(item, outputs) for item in value]
        case _:
            return value


def _output(part: JSON, outputs: Mapping[str, Mapping[str, JSON]]) -> str:
    ref = OutputRef.model_validate(part)
    try:
        return str(outputs[ref.effect][ref.output])
    except KeyError:
        raise Conflict(f"Step `{ref.effect}` did not yield `{ref.output}`, which a later step needs.") from None
