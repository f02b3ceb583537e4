"""What a silence of a group is about: its alerts, and nobody else's. Pure."""

from __future__ import annotations

from bot.alerting.owning import NAMESPACES, Owners
from bot.model.alerts import AlertGroup, AlertState

WHOSE = ("service", *NAMESPACES, "team")
"""Labels that say whose an alert is, the most telling first."""


def labels_of(group: AlertGroup) -> dict[str, str]:
    """Return what it is grouped by. Where none of that says whose it is, the first label that does and that all that
    fires shares comes on top: tomorrow another team's alert may fall under the same name.
    """
    labels = dict(group.labels)
    if not labels or any(labels.get(name) for name in WHOSE):
        return labels
    firing = [alert.labels for alert in group.alerts if alert.state is AlertState.FIRING]
    for name in WHOSE:
        values = {one.get(name, "") for one in firing}
        if len(values) == 1 and (value := values.pop()):
            return labels | {name: value}
    return labels


def others_of(group: AlertGroup, owners: Owners) -> tuple[str, ...]:
    """Return who else than the group's owner has alerts in it, as far as they are known: full references."""
    firing = [alert.labels for alert in group.alerts if alert.state is AlertState.FIRING]
    found = {owners.of({**group.labels, **labels}).owner for labels in firing}
    return tuple(sorted(one for one in found if one is not None and one != group.owner))
