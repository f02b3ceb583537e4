"""What the one comment on a pull request says of its preview. Pure; everything that comes from outside is escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import AwareDatetime, BaseModel

from bot.effects.markdown import address, code, plain
from bot.effects.marks import known
from bot.model.late import Late, Text

Stage = Literal["waiting", "making", "stuck", "ready", "asleep", "failed", "ended"]
WORDS: dict[Stage, str] = {
    "waiting": "Waits for an approval",
    "making": "Is being made",
    "stuck": "Is being made, and is stuck",
    "ready": "Is ready",
    "asleep": "Sleeps",
    "failed": "Could not be made",
    "ended": "Has ended",
}
HEARD: dict[Stage, tuple[str, ...]] = {
    "ready": ("extend 2d", "sleep", "down"),
    "asleep": ("wake", "extend 2d", "down"),
    "failed": ("up",),
    "ended": ("up",),
}
"""What may be said below the pull request, by stage."""
_PROVED = {"yes": "seen to be gone", "kept": "kept on purpose, at least in part; the card in Slack says what"}
MOST_ROWS, MOST_LINES = 30, 5
LONGEST_CELL, LONGEST_LINE = 80, 500
"""Characters. Together they stay below what a comment may have."""


class CommentedService(BaseModel, frozen=True, extra="forbid"):
    """One line of the table."""

    name: str
    url: Text = ""
    """Where it answers; empty: it has no address from outside."""
    version: str = ""
    went: Text = "success"
    """The output `state` of waiting for it; anything but `success` is told."""


class CommentedDatabase(BaseModel, frozen=True, extra="forbid"):
    name: str
    engine: str
    """What people call it: `PostgreSQL`."""
    seeded_from: str = ""
    """Name of the environment that it was filled from; empty: it began empty."""
    masked: str = ""
    """Version of the masking rules; empty: nothing was masked."""


class Proved(BaseModel, frozen=True, extra="forbid"):
    """One thing that was looked for after the end."""

    what: str
    proved: Text
    """The output of `ProveGone`: `yes`, once its absence was seen; `kept`, where some of it stays on purpose; `no`."""


class Told(BaseModel, frozen=True, extra="forbid"):
    """Everything that a comment can say."""

    stage: Stage
    head: str = ""
    """The commit that is shown."""
    by: str = ""
    """Display name of whoever asked."""
    ends: AwareDatetime | None = None
    services: tuple[CommentedService, ...] = ()
    databases: tuple[CommentedDatabase, ...] = ()
    lines: tuple[Text, ...] = ()
    """Further sentences: a reason, what to do."""
    proofs: tuple[Proved, ...] = ()


def written(preview: str, told: Told) -> str:
    """Return the Markdown. Raise `Conflict` for a late value that is not bound."""
    return "\n\n".join(_parts(preview, told))


def _parts(preview: str, told: Told) -> Iterator[str]:
    yield f"### Preview {code(preview)}"
    yield _first_sentence(told)
    yield from (text for one in told.lines[:MOST_LINES] if (text := plain(known(one), LONGEST_LINE)))
    if told.services:
        yield _services(told.services)
    if told.databases:
        yield _databases(told.databases)
    if told.proofs:
        yield "\n".join(f"- {_proof(one)}" for one in told.proofs[:MOST_ROWS])
    if told.stage in HEARD:
        said = [f"`/preview {word}`".replace("/preview up", "/preview") for word in HEARD[told.stage]]
        listed = said[0] if len(said) == 1 else f"{', '.join(said[:-1])} or {said[-1]}"
        yield f"<sub>Comment {listed} here.</sub>"


def _first_sentence(told: Told) -> str:
    unwell = told.stage == "ready" and any(_went(one) for one in told.services)
    said = "Is up, though not everything runs" if unwell else WORDS[told.stage]
    at = f" at {code(told.head[:7])}" if told.head else ""
    until = f" until {told.ends.day} {told.ends:%B at %H:%M} UTC" if told.ends is not None else ""
    by = f", asked for by {plain(told.by)}" if told.by else ""
    return f"**{said}**{at}{until}{by}."


def _services(services: tuple[CommentedService, ...]) -> str:
    rows = [f"| {_cell(one.name)} | {_answers(one)} | {_cell(one.version)} |" for one in services[:MOST_ROWS]]
    return _table("| Service | Address | Version |", rows, len(services))


def _answers(service: CommentedService) -> str:
    url = known(service.url)
    return (address(url, in_table=True) if url else "none from outside") + _went(service)


def _went(service: CommentedService) -> str:
    went = service.went
    return "" if isinstance(went, Late) or went == "success" else " (does not run)"


def _databases(databases: tuple[CommentedDatabase, ...]) -> str:
    rows = [
        f"| {_cell(one.name)} | {plain(one.engine, LONGEST_CELL)} | "
        f"{_cell(one.seeded_from) if one.seeded_from else 'nothing: it began empty'} | "
        f"{'rules ' + _cell(one.masked) if one.masked else 'none'} |"
        for one in databases[:MOST_ROWS]
    ]
    return _table("| Database | Engine | Filled from | Masking |", rows, len(databases))


def _table(head: str, rows: Sequence[str], count: int) -> str:
    table = "\n".join((head, "|---" * (head.count("|") - 1) + "|", *rows))
    return table if count == len(rows) else f"{table}\n\nAnd {count - len(rows)} more."


def _cell(text: str) -> str:
    return code(text, LONGEST_CELL, in_table=True)


def _proof(one: Proved) -> str:
    return f"{plain(one.what, LONGEST_CELL)}: {_PROVED.get(known(one.proved), '**not proved**')}"
