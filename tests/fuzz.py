"""How many examples property tests try: few and the same ones in the suite, many and new ones with `make fuzz`."""

from __future__ import annotations

import os

FUZZ = int(os.environ.get("FUZZ", "0"))


def examples(few: int) -> int:
    """Return `few`, or what FUZZ demands."""
    return FUZZ or few
