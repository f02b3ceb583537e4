"""What may go wrong while a golden path is evaluated, as data that crosses from the child process to the bot."""

from __future__ import annotations


class Fault(Exception):
    """A mistake of the template or of the values given to it: one sentence for a person and where it stands."""

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def at(self, where: str) -> Fault:
        """Return the same fault, with `where` in front of the place it already names."""
        joined = ": ".join(part for part in (where, self.where) if part)
        return Fault(self.message, where=joined, hint=self.hint)
