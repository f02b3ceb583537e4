"""What is told when something does not become healthy."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is stuck: one sentence, one next step, and the chain that leads to it."""

    sentence: str
    next_step: str
    evidence: tuple[str, ...] = ()
    """From the Application down to the last log line, one short line each."""
    final: bool = False
    """Whether waiting cannot help (the image does not exist, the container has crashed again): tell it at once.
    Otherwise it may pass by itself, and is told when the patience is over."""
    ask: str = ""
    """Who can help, as people know them: `#databases`; empty: the next step names somebody, or nobody is needed."""

    def of_a_first(self) -> Reason:
        """Return it for what has never run before: there is nothing to roll back to, but it can be undone."""
        step = self.next_step.replace("or roll back", "or undo it").replace("Or roll back", "Or undo it")
        return replace(self, next_step=step)

    def __str__(self) -> str:
        return f"{self.sentence} {self.next_step}{f' Ask {self.ask}.' if self.ask else ''}"
