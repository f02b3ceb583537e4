"""What a person reads about a defect of ours: a reference. The log gets the rest, without values."""

from __future__ import annotations

import logging
import secrets
import traceback

from bot.errors import PlatformError

log = logging.getLogger("causeway.operations")


def report(error: BaseException, event: str, **fields: str) -> str:
    """Log the defect under a fresh reference and return the reference.

    Only the kind of error and the places in our code are logged: the text of a foreign exception may quote a payload
    or a secret.
    """
    reference = secrets.token_hex(4)
    frames = traceback.extract_tb(error.__traceback__)
    where = [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
    log.error(event, extra={"reference": reference, "error": type(error).__qualname__, "traceback": where, **fields})
    return reference


def sentence(reference: str) -> str:
    return f"That did not work, and it is our fault. Quote `{reference}` to the platform team."


def readable(error: Exception, event: str, **fields: str) -> str:
    """Return the one sentence that a person may read about any error."""
    if isinstance(error, PlatformError):
        return str(error).replace("\x00", "�")  # PostgreSQL has no place for it
    return sentence(report(error, event, **fields))
