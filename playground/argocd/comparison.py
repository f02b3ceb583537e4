"""What should be against what is: sync status and health of an application and of each of its objects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from playground.argocd.health import MISSING, UNKNOWN, Health, health_of, knows, worst
from playground.argocd.live import TRACKING, Key, Live, key_of, tracked_to
from playground.argocd.projects import kind_permitted
from playground.kubernetes.controllers.objects import Object, annotations_of, name_of, spec_of

SYNCED, OUT_OF_SYNC = "Synced", "OutOfSync"
WAVE = "argocd.argoproj.io/sync-wave"
COMPARE_OPTIONS = "argocd.argoproj.io/compare-options"
IGNORES_HEALTH = "argocd.argoproj.io/ignore-healthcheck"


@dataclass(frozen=True, slots=True)
class Managed:
    """One object of an application. Without a target it is to be pruned; without a live one it is missing."""

    key: Key
    version: str
    target: Object | None
    live: Object | None
    status: str
    """`Synced`, `OutOfSync`, `Unknown`; empty for an object that belongs to another application."""
    health: Health | None

    @property
    def prunes(self) -> bool:
        return self.target is None

    @property
    def is_extraneous(self) -> bool:
        """Whether it is not in Git, and says of itself that nobody is to miss it there."""
        if self.target is not None or self.live is None:
            return False
        return "IgnoreExtraneous" in annotations_of(self.live).get(COMPARE_OPTIONS, "").replace(" ", "").split(",")

    @property
    def wave(self) -> int:
        return wave_of(self.target or self.live or {"metadata": {}})

    def body(self) -> Object:
        """Return its line in `status.resources`."""
        key = self.key
        body: Object = {"version": self.version, "kind": key.kind, "name": key.name}
        body |= {"group": key.group} if key.group else {}
        body |= {"namespace": key.namespace} if key.namespace else {}
        body |= {"status": self.status} if self.status else {}
        body |= {"requiresPruning": True} if self.prunes else {}
        return {**body, **({"syncWave": self.wave} if self.target and self.wave else {})}


@dataclass(frozen=True, slots=True)
class Comparison:
    revision: str
    status: str
    health: str
    managed: tuple[Managed, ...] = ()
    conditions: tuple[tuple[str, str], ...] = ()
    """Type and message of what is wrong or strange."""
    problem: str = field(default="")
    """Why the target could not be read; empty when it could."""


def wave_of(obj: Object) -> int:
    text = annotations_of(obj).get(WAVE, "0")
    return int(text) if text.removeprefix("-").isdecimal() else 0


def compare(application: Object, project: Object, live: Live, targets: Sequence[Object], revision: str) -> Comparison:
    """Compare an application's targets, as they stand in Git at a revision, with the cluster."""
    name = name_of(application)
    namespace = spec_of(application)["destination"].get("namespace", "")
    placed: dict[Key, Object] = {}
    conditions: list[tuple[str, str]] = []
    for target in (live.placed(target, name, namespace) for target in targets):
        key = key_of(target)
        if key in placed:
            place = f"{key.group}/{key.kind}/{key.namespace}/{key.name}"
            text = f"Resource {place} appeared 2 times among application resources."
            conditions.append(("RepeatedResourceWarning", text))
        placed[key] = target
    managed = [_with_target(project, live, key, target) for key, target in placed.items()]
    managed += [_extra(project, live, obj) for obj in live.tracked(name) if key_of(obj) not in placed]
    for one in managed:
        if not one.status and one.live:
            other = tracked_to(one.live)
            text = f"{one.key.kind}/{one.key.name} is part of applications argocd/{name} and {other}"
            conditions.append(("SharedResourceWarning", text))
    managed.sort(key=lambda one: one.key)
    out = any(one.status in {OUT_OF_SYNC, UNKNOWN} and not one.is_extraneous for one in managed)
    return Comparison(
        revision, OUT_OF_SYNC if out else SYNCED, overall(application, managed), tuple(managed), tuple(conditions)
    )


def unreadable(application: Object, live: Live, problem: str) -> Comparison:
    """Return the comparison with a target that could not be read: nothing can be said of anybody's sync.

    Its revision is what the source follows, as nobody knows which commit that is.
    """
    found = [
        Managed(key_of(obj), version_of(obj), None, obj, UNKNOWN, health_of(obj))
        for obj in live.tracked(name_of(application))
    ]
    text = f"Failed to load target state: failed to generate manifest for source 1 of 1: {problem}"
    conditions = (("ComparisonError", text),)
    followed = (spec_of(application).get("source") or {}).get("targetRevision", "")
    return Comparison(followed, UNKNOWN, overall(application, found), tuple(found), conditions, text)


def overall(application: Object, managed: Iterable[Managed]) -> str:
    """Return the health of the whole: that of its worst object that counts."""
    own = ("argoproj.io", "Application")
    counted = []
    for one in managed:
        ignored = one.live is not None and annotations_of(one.live).get(IGNORES_HEALTH) == "true"
        if one.health is None or ignored or (one.key.group, one.key.kind) == own:
            continue
        if one.health.status != MISSING or knows(one.key.group, one.key.kind):
            counted.append(one.health.status)
    return worst(counted)


def version_of(obj: Object) -> str:
    return str(obj["apiVersion"]).rpartition("/")[2]


def _with_target(project: Object, live: Live, key: Key, target: Object) -> Managed:
    found = live.get(key)
    if found is None:
        status = _permitted(project, live, key, OUT_OF_SYNC)
        return Managed(key, version_of(target), target, None, status, Health(MISSING))
    foreign = annotations_of(found).get(TRACKING) and tracked_to(found) not in {"", tracked_to(target)}
    status = "" if foreign else OUT_OF_SYNC if live.differs(target, found) else SYNCED
    return Managed(key, version_of(target), target, found, _permitted(project, live, key, status), health_of(found))


def _extra(project: Object, live: Live, obj: Object) -> Managed:
    key = key_of(obj)
    return Managed(key, version_of(obj), None, obj, _permitted(project, live, key, OUT_OF_SYNC), health_of(obj))


def _permitted(project: Object, live: Live, key: Key, status: str) -> str:
    """Nothing is said of an object whose kind the project does not permit, or the cluster does not know."""
    resource = live.resource(key.group, key.kind)
    namespaced = resource is not None and resource.namespaced
    return status if kind_permitted(project, key.group, key.kind, namespaced=namespaced) else UNKNOWN
