"""The command that a runbook advises (annotation `runbook_step`)."""

from __future__ import annotations

import hashlib
import re

LONGEST = 200
_STEP = re.compile(r"/[a-z][a-z0-9-]*(?: [A-Za-z0-9][A-Za-z0-9._:/@=-]*){1,10}")


def runbook_step(text: str) -> str:
    """Return a command as it is typed (`/service restart orders-api production`), or nothing where it is none.

    Whether there is such a command, and whether the person may run it, is asked when its button is pressed.
    """
    words = " ".join(text.split())
    return words if len(words) <= LONGEST and _STEP.fullmatch(words) else ""


def fingerprint(step: str) -> str:
    """Return by what a button knows the step that it showed: by the time it is pressed there may be another."""
    return hashlib.sha256(step.encode()).hexdigest()[:16]
