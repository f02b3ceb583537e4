"""The marks that this operation leaves on what it makes, to tell its own work from other people's after a crash."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator

from bot.errors import Conflict, UsageError
from bot.model.effect import Run
from bot.model.late import Late, Text
from bot.ports import Author, Commit

_FULL_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")


def _named(text: Text) -> Text:
    if isinstance(text, str) and not _FULL_NAME.fullmatch(text):
        shown = text if len(text) <= 80 else f"{text[:80]}…"
        raise UsageError(
            f"“{shown}” is not the name of a repository.",
            hint="Write owner/name with letters, digits, dots, dashes and underscores, the name at most 100 of them.",
        )
    return text


RepositoryName = Annotated[Text, AfterValidator(_named)]
"""`owner/name`. Raises `UsageError` for anything else, also when a late value is bound."""


def known(text: Text) -> str:
    """Return a text whose late parts have been bound. Raise `Conflict` when they have not: an effect ran too early."""
    if isinstance(text, Late):
        raise Conflict(f"A step needs “{text}”, which no earlier step has yielded yet.")
    return text


def setup_description(run: Run) -> str:
    """Return the description a repository carries until it is finished; it names the operation that made it."""
    return f"Being set up by Causeway ({run.operation})"


def signed(message: str, run: Run) -> str:
    """Return a commit message with the trailers that name the human, the operation and the step."""
    return (
        f"{message.strip()}\n\n{_requested_by(run)}\nCauseway-Operation: {run.operation}\nCauseway-Step: {run.effect}\n"
    )


def signed_undo(message: str, run: Run) -> str:
    """Return the message of a commit that takes back one of this step's commits."""
    return f"{message.strip()}\n\n{_requested_by(run)}\nCauseway-Undo: {run.operation}\nCauseway-Step: {run.effect}\n"


def is_ours(message: str, run: Run) -> bool:
    """Return whether a commit message or a pull request's body was signed by this step of this operation."""
    lines = [line.strip() for line in message.splitlines()]
    return f"Causeway-Operation: {run.operation}" in lines and f"Causeway-Step: {run.effect}" in lines


def is_of_operation(message: str, run: Run) -> bool:
    """Return whether any step of this operation signed it."""
    return any(line.strip() == f"Causeway-Operation: {run.operation}" for line in message.splitlines())


def ours_among(commits: Iterable[Commit], run: Run) -> Commit | None:
    """Return this step's commit from a branch, newest first; None where there is none or it was taken back since."""
    for commit in commits:
        lines = [line.strip() for line in commit.message.splitlines()]
        if f"Causeway-Step: {run.effect}" not in lines:
            continue
        if f"Causeway-Undo: {run.operation}" in lines:
            return None
        if f"Causeway-Operation: {run.operation}" in lines:
            return commit
    return None


def requester(run: Run) -> Author:
    """Return whose name a commit carries. Without an address, one that nobody can receive mail at."""
    name = " ".join(run.principal.display_name.split()) or run.principal.handle
    return Author(name, run.principal.email or f"{run.principal.handle}@users.noreply.causeway.invalid")


def _requested_by(run: Run) -> str:
    name = " ".join(run.principal.display_name.split())
    address = run.principal.email or run.principal.user
    return f"Requested-by: {name} <{address}>"
