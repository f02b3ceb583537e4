"""What is wrong with one pod, in pieces that become a sentence about all pods of which the same is true."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    rank: int
    """Lower tells more: a crash explains why a probe fails, not the other way round."""
    key: tuple[str, ...]
    """Equal for pods of which the same is to be told."""
    one: str
    """After the subject `1 of 2 pods`: `crashes at start (exit code 1, 4 restarts)`."""
    many: str
    """After the subject `2 of 2 pods`."""
    rest: str = ""
    """What follows, its joint included: `; its last line is …`."""
    next_step: str
    final: bool = False
    evidence: tuple[str, ...] = ()
