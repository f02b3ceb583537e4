"""How a Deployment goes from old ReplicaSets to a new one: numbers in, numbers out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a rolling update may leave the wanted number of pods, upwards and downwards."""

    surge: int
    unavailable: int


@dataclass(frozen=True, slots=True)
class Sized:
    """One ReplicaSet: how many pods it is told to have, how many it has, and how many of them are available."""

    name: str
    wanted: int
    pods: int
    available: int


def limits(spec: Mapping[str, Any]) -> Limits:
    """Return a Deployment's limits as numbers; percentages are rounded so that the rollout can move."""
    rolling = (spec.get("strategy") or {}).get("rollingUpdate") or {}
    replicas = replicas_of(spec)
    surge = _absolute(rolling.get("maxSurge", "25%"), replicas, up=True)
    unavailable = _absolute(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    return Limits(surge, unavailable if surge or unavailable else 1)


def replicas_of(spec: Mapping[str, Any]) -> int:
    """Return how many pods are wanted; nothing said means one."""
    found = spec.get("replicas")
    return 1 if found is None else int(found)


def _absolute(value: int | str, whole: int, *, up: bool) -> int:
    if isinstance(value, int):
        return value
    share = int(value.removesuffix("%")) * whole / 100
    return math.ceil(share) if up else math.floor(share)


def rolling(desired: int, allowed: Limits, new: Sized, olds: Sequence[Sized]) -> dict[str, int]:
    """Return the ReplicaSets whose wanted number changes now, by name. `olds` stand oldest first.

    The new set grows while the surge allows; old sets shrink by their broken pods first, then by as many as the
    available pods of all sets allow. What follows from that is decided when it has happened.
    """
    grown = _grown(desired, allowed, new, olds)
    if grown != new.wanted:
        return {new.name: grown}
    return _shrunk(desired - allowed.unavailable, new, olds)


def recreate(desired: int, new: Sized, olds: Sequence[Sized]) -> dict[str, int]:
    """As `rolling`, for the strategy that ends every old pod before the first new one starts."""
    ending = {old.name: 0 for old in olds if old.wanted}
    if ending or any(old.pods for old in olds):
        return ending
    return {new.name: desired} if new.wanted != desired else {}


def _grown(desired: int, allowed: Limits, new: Sized, olds: Sequence[Sized]) -> int:
    if new.wanted >= desired:
        return desired
    room = desired + allowed.surge - new.wanted - sum(old.wanted for old in olds)
    return min(desired, new.wanted + max(room, 0))


def _shrunk(least_available: int, new: Sized, olds: Sequence[Sized]) -> dict[str, int]:
    wanted = {old.name: old.wanted for old in olds}
    total = new.wanted + sum(wanted.values())
    room = total - least_available - (new.wanted - new.available)
    if room <= 0:
        return {}
    for old in olds:  # what does not work anyway goes first
        gone = min(room, max(wanted[old.name] - old.available, 0))
        wanted[old.name] -= gone
        room -= gone
    spare = new.available + sum(old.available for old in olds) - least_available
    for old in olds:
        gone = max(min(spare, wanted[old.name]), 0)
        wanted[old.name] -= gone
        spare -= gone
    return {old.name: wanted[old.name] for old in olds if wanted[old.name] != old.wanted}
