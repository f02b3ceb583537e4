"""Values that exist only after an earlier effect has run.

Most outputs of a golden path can be foretold (a repository's URL). The rest, such as the hash of a commit that GitHub
will make, stand in the plan as a `Late` value and are bound from the recorded outputs just before their effect runs.
A plan stays plain data: in JSON a late value is `{"$late": ["text ", {"effect": "publish", "output": "commitHash"}]}`.

What asking itself brings, the operation's id and its time, is late as well: the same request plans the same plan, shown
in a dry run or asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

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


ASKED = "(asked)"
"""The effect that late values name for what came with the request. No step of a plan can have this id."""


def of_asking(operation: str, now: datetime) -> dict[str, JSON]:
    """Return the outputs of `ASKED`: the operation's id, and its time with `Z` and with `+00:00`."""
    return {"operation": operation, "at": now.isoformat().replace("+00:00", "Z"), "isotime": now.isoformat()}


def holes_of_asking(operation: str, now: datetime) -> dict[str, OutputRef]:
    """Return what `with_holes` replaces so that a plan does not depend on who asked when."""
    return {str(text): OutputRef(effect=ASKED, output=name) for name, text in of_asking(operation, now).items()}


def with_holes(value: JSON, holes: Mapping[str, OutputRef]) -> JSON:
    """Return `value` with a late value wherever one of the texts of `holes` stands: the opposite of `bind`."""
    match value:
        case {"$late": list(parts), **rest} if not rest:
            return {"$late": [piece for part in parts for piece in _pieces(part, holes)]}
        case dict():
            return {key: with_holes(item, holes) for key, item in value.items()}
        case list():
            return [with_holes(item, holes) for item in value]
        case str():
            pieces = list(_pieces(value, holes))
            return value if pieces in ([], [value]) else {"$late": pieces}
        case _:
            return value


def _pieces(part: JSON, holes: Mapping[str, OutputRef]) -> Iterator[JSON]:
    if not isinstance(part, str):
        yield part
        return
    for piece in re.split("|".join(f"({re.escape(text)})" for text in sorted(holes, key=len, reverse=True)), part):
        if piece:
            yield holes[piece].model_dump() if piece in holes else piece


def _output(part: JSON, outputs: Mapping[str, Mapping[str, JSON]]) -> str:
    ref = OutputRef.model_validate(part)
    try:
        return str(outputs[ref.effect][ref.output])
    except KeyError:
        raise Conflict(f"Step `{ref.effect}` did not yield `{ref.output}`, which a later step needs.") from None
