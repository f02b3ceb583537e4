"""How many replicas run, and who decides: the document, the load, or a person for now."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model.web_service import Spec, WebService

USUAL = 2
"""Replicas of a service whose document says nothing: one may go while the other serves."""


@dataclass(frozen=True, slots=True)
class Scale:
    """`low` replicas run, and up to `high` when the load asks for them."""

    low: int
    high: int
    cpu: int = 70
    """Percent of the requested CPU above which replicas are added."""
    memory: int | None = None

    @property
    def fixed(self) -> bool:
        """Whether the number stands still. Otherwise a Deployment says no number, or delivery would fight the load."""
        return self.low == self.high


def scale_of(document: WebService, *, ceiling: int, asked: int | None) -> Scale:
    """Return the scale of a service where at most `ceiling` replicas may run and a person may have `asked` for some."""
    spec = document.spec
    if asked is not None:
        return Scale(asked, asked)
    if spec.autoscaling is not None:
        low = spec.autoscaling.min
        high = spec.autoscaling.max or min(2 * low, max(ceiling, low))
        return Scale(low, high, spec.autoscaling.cpu, spec.autoscaling.memory)
    low = min(USUAL, ceiling) if spec.replicas is None else spec.replicas
    if low < 2 or keeps_alone(spec):  # one may mean that there must not be two
        return Scale(low, low)
    return Scale(low, max(low, min(2 * low, ceiling)))


def keeps_alone(spec: Spec) -> bool:
    """Say whether a volume of it can be mounted by one pod only."""
    return any(volume.persistent and not volume.shared for volume in spec.volumes)
