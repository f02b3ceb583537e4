"""Tell a pull request of its preview: one comment for each preview, edited in place from its beginning to its end.

As every note to the forge it stands beside the operation and is no part of it: where the forge refuses it or stays
away, the step says so in the receipt, and the operation goes on.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field

from bot.effects.comment_text import Told, written
from bot.effects.markdown import plain
from bot.effects.marks import RepositoryName, known
from bot.errors import NotFound, PlatformError, Refused, UpstreamUnavailable
from bot.model.effect import Effect, Outcome, Proof, Run, Undo, Undone
from bot.ports import LONGEST_COMMENT, Comment, Forge, Ports

MOST_ATTEMPTS = 3
"""How often a forge that does not answer is tried before the operation goes on without it."""
MADE = "made"
"""Stands in the place of an earlier text where there was none."""
FORGOTTEN = "forgotten"
"""Stands there where the earlier text was too long to be kept."""
NOTE = "<!-- causeway:note -->"
LONGEST_NOTE = 1_000
_NOTE = re.compile(rf"\n*{NOTE}\n> .*\Z")
_STEP = re.compile(r"\n*<!-- causeway:step (\S+) (\S+) (\S+) -->\s*\Z")


class LivingComment(Effect):
    """The comment says this now. It is found by a hidden mark, and only where we wrote it: others can copy the mark.

    A second hidden mark holds who wrote the present text, and the text before it: undo puts that back, or deletes the
    comment that this step has made, even where no outcome was recorded. Outputs: none.
    """

    kind: ClassVar[str] = "forge.living_comment"

    repository: RepositoryName
    number: int = Field(ge=1)
    preview: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")
    """Its name: one comment for each."""
    told: Told

    def describe(self) -> str:
        return f"Say below {self.repository}#{self.number} how the preview {self.preview} is doing"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        repository = known(self.repository)
        try:
            async with ports.turns(turn_of(repository, self.number, self.preview)):
                found = await find_comment(ports.forge, repository, self.number, self.preview)
                made = await self._write(ports.forge, run, found)
        except PlatformError as error:
            return _not_told(error, run)
        return Outcome(
            seen=f"comment on {repository}#{self.number} {'edited' if made is None else 'written'}",
            links={} if made is None else {"Comment": made.web_url},
        )

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        if outcome is not None and not outcome.changed:
            return Undone(how=Undo.NOTHING, seen="the pull request was not told")
        repository = known(self.repository)
        try:
            async with ports.turns(turn_of(repository, self.number, self.preview)):
                return await self._take_back(ports.forge, run)
        except NotFound:
            return Undone(how=Undo.UNDONE, seen=f"{repository}#{self.number} has no comment of this step")
        except Refused as error:
            if outcome is None:
                return Undone(how=Undo.NOTHING, seen=error.message)
            return Undone(how=Undo.KEPT, seen=error.message, command=self.manual())

    async def _take_back(self, forge: Forge, run: Run) -> Undone:
        found, place = await self._ours(forge, run), f"{self.repository}#{self.number}"
        if found is None:
            return Undone(how=Undo.UNDONE, seen=f"{place} has no comment of this step")
        comment, step = found
        if step.before == FORGOTTEN:
            seen = f"What the comment on {place} said before is not known any more."
            return Undone(how=Undo.KEPT, seen=seen, command=self.manual())
        if step.before is not None:
            await forge.update_comment(known(self.repository), comment.id, step.before)
            return Undone(how=Undo.UNDONE, seen=f"comment on {place} says what it said before")
        await forge.delete_comment(known(self.repository), comment.id)
        return Undone(how=Undo.UNDONE, seen=f"comment on {place} deleted")

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        if outcome is not None and not outcome.changed:
            return Proof(absent=True, seen="the pull request was not told")
        try:
            found = await self._ours(ports.forge, run)
        except NotFound:
            return Proof(absent=True, seen=f"{self.repository}#{self.number}: not found")
        except Refused as error:
            return Proof(absent=outcome is None, seen=error.message)
        told = "says what this step has written" if found else "no comment of this step"
        return Proof(absent=found is None, seen=f"{self.repository}#{self.number}: {told}")

    def manual(self) -> str:
        return f"gh pr view {self.number} --repo {self.repository} --comments  # then delete that of {self.preview}"

    async def _write(self, forge: Forge, run: Run, found: Comment | None) -> Comment | None:
        """Write or edit the comment; return it where it is new."""
        text, repository = written(self.preview, self.told), known(self.repository)
        step = Step(run.operation, run.effect, None) if found is None else _next(run, found.body)
        body = composed(self.preview, text, step)
        if found is None:
            return await forge.create_comment(repository, self.number, body)
        if found.body != body:
            await forge.update_comment(repository, found.id, body)
        return None

    async def _ours(self, forge: Forge, run: Run) -> tuple[Comment, Step] | None:
        """Return the comment, where its present text is this step's."""
        found = await find_comment(forge, known(self.repository), self.number, self.preview)
        step = Step.of(found.body) if found is not None else None
        if found is None or step is None or (step.operation, step.effect) != (run.operation, run.effect):
            return None
        return found, step


@dataclass(frozen=True, slots=True)
class Step:
    """Who wrote the present text, and what stood there before."""

    operation: str
    effect: str
    before: str | None
    """None where nothing did, `FORGOTTEN` where that was not kept."""

    @classmethod
    def of(cls, body: str) -> Step | None:
        found = _STEP.search(body)
        if found is None:
            return None
        operation, effect, before = found.groups()
        return cls(operation, effect, None if before == MADE else _unpacked(before))

    def mark(self) -> str:
        before = MADE if self.before is None else _packed(self.before)
        return f"<!-- causeway:step {self.operation} {self.effect} {before} -->"


def turn_of(repository: str, number: int, preview: str) -> str:
    """Return the name of the turn that writers of one comment take: each puts its words into what stands there."""
    return f"comment:{repository}#{number}/{preview}"


def mark_of(preview: str) -> str:
    return f"<!-- causeway:preview {preview} -->"


def composed(preview: str, text: str, step: Step) -> str:
    """Return the comment with both of its hidden marks."""
    return f"{mark_of(preview)}\n{text}\n\n{step.mark()}"


def with_note(body: str, note: str) -> str:
    """Return the comment with this note above its last mark, in the place of an earlier one; empty: with none."""
    found = _STEP.search(body)
    text, step = (body[: found.start()], found[0].strip()) if found else (body, "")
    text = _NOTE.sub("", text)
    parts = [text, *([f"{NOTE}\n> {plain(note, LONGEST_NOTE)}"] if note else []), *([step] if step else [])]
    return "\n\n".join(parts)


async def find_comment(forge: Forge, repository: str, number: int, preview: str) -> Comment | None:
    """Return our comment of that preview. Raise `NotFound` where there is no such pull request."""
    mark = mark_of(preview)
    comments = await forge.comments(repository, number)
    return next((one for one in comments if one.ours and one.body.startswith(mark)), None)


def _next(run: Run, body: str) -> Step:
    """Return this step's mark over an earlier text, which is kept without its note and without what it remembers of
    other operations."""
    before, body = Step.of(body), with_note(body, "")
    if before is not None and (before.operation, before.effect) == (run.operation, run.effect):
        return before  # an earlier attempt has been here
    if before is not None and before.operation != run.operation and before.before is not None:
        stripped = _STEP.sub("", body)
        body = f"{stripped}\n\n{Step(before.operation, before.effect, FORGOTTEN).mark()}"
    return Step(run.operation, run.effect, body)


def _packed(text: str) -> str:
    if text == FORGOTTEN:
        return FORGOTTEN
    packed = base64.b64encode(zlib.compress(text.encode(), 9)).decode()
    return packed if len(packed) <= LONGEST_COMMENT // 8 else FORGOTTEN


def _unpacked(text: str) -> str:
    if text == FORGOTTEN:
        return FORGOTTEN
    try:
        return zlib.decompress(base64.b64decode(text, validate=True)).decode()
    except (binascii.Error, zlib.error, UnicodeDecodeError):
        return FORGOTTEN


def _not_told(error: PlatformError, run: Run) -> Outcome:
    """Return the outcome of a step that told nothing, as far as we know. Raise what may pass, for a while."""
    away = isinstance(error, UpstreamUnavailable)
    if away and run.attempt < MOST_ATTEMPTS:
        raise error
    # What was asked of a forge that did not answer may have happened, so undo looks.
    return Outcome(seen=f"The pull request was not told: {error.message}", changed=away)
