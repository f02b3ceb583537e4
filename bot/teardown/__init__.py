"""Teardown with proof: what a place holds is read, deleted, and looked for until it is seen to be gone."""

from bot.teardown.planning import proofs_of, teardown_effects
from bot.teardown.reading import Contents, read_contents

__all__ = ["Contents", "proofs_of", "read_contents", "teardown_effects"]
