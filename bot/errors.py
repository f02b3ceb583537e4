"""The errors that a person may read.

A `PlatformError` is safe to show: its text says what happened, its hint says what to do next. Every other exception
is ours to explain: the person gets a reference, the log gets the traceback.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


class PlatformError(Exception):
    """Something a person may read: one sentence on what happened, one on what to do."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def while_waiting(self) -> str:
        """Return the text for somebody who watches us wait: we go on by ourselves, and nobody has to try again."""
        return str(self)


class UsageError(PlatformError):
    """The request could not be understood or holds a wrong value."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One wrong value: where it stands (`parameters[0].name`), what is wrong and how to mend it."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


_OF_A_LIBRARY = re.compile(r"^(?:Input|String|Value|List|Tuple|Dictionary) should ")

_IN_WORDS = {"Field required": "is missing", "Extra inputs are not permitted": "is not known here"}


def plainly(message: str) -> str:
    """Return what the checking library says of a value as people say it: `must have at most 200 characters`."""
    return _IN_WORDS.get(message) or _OF_A_LIBRARY.sub("must ", message.removeprefix("Value error, "))


MOST_LINES = 20
"""Mistakes that a person reads at once. Machines are told all of them."""
LONGEST_LINE = 300


def _marked(mistake: Mistake) -> str:
    return f"`{mistake.path}`: {mistake.message}" if mistake.path else mistake.message


class Invalid(UsageError):
    """A document, template, form or configuration with mistakes; all of them, not the first."""

    def __init__(self, message: str, mistakes: Iterable[Mistake], *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.mistakes = tuple(mistakes)

    def __str__(self) -> str:
        """Message and hint, then each mistake that they do not tell, on a line of its own."""
        told = super().__str__()
        lines = [f"• {_marked(one)}"[:LONGEST_LINE] for one in self.mistakes if one.message not in told]
        more = len(lines) - MOST_LINES
        if more > 0:
            lines = [*lines[:MOST_LINES], f"• and {more} more"]
        return "\n".join([told, *lines])


class NotFound(PlatformError):
    """What was asked for does not exist, or may not be seen."""


class Refused(PlatformError):
    """Policy said no. The text names the rule and who could allow it."""


class Conflict(PlatformError):
    """The world is not as the plan needs it: a name is taken, a branch moved, somebody else owns the object."""


class UpstreamUnavailable(PlatformError):
    """An outside system did not answer, or answered that it cannot now. Trying again may help."""

    def __init__(self, message: str, *, hint: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s

    def while_waiting(self) -> str:
        return f"{self.message} Causeway goes on by itself once it answers."


class OutcomeUnknown(UpstreamUnavailable):
    """A write was sent and no answer came: it may or may not have happened. Look before doing it again."""


class TimedOut(UpstreamUnavailable):
    """The other system gave up on a question, or we did."""


class BadQuery(PlatformError):
    """A query that the other system cannot read or evaluate: one of ours, or one that the platform team wrote."""


class TooMuch(PlatformError):
    """The answer is larger than we read. A narrower question has one."""
