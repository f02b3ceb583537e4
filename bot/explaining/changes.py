"""What people did to a service: from our operations, and from the release where they tell less. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.explaining.facts import Button, Changed, ChangeKind
from bot.model.operation import OperationView, State
from bot.model.release import Deployed, Release
from bot.ports import Comparison
from bot.releases import differences
from bot.releases.versions import DOCUMENT
from bot.rendering.delivery import Place

_HAPPENED = frozenset({State.SUCCEEDED, State.RUNNING, State.FAILED, State.UNDONE})
"""States in which something may have been changed. What was refused or expired has changed nothing."""
_KINDS: dict[str, ChangeKind] = {
    "service.create": "deploy",
    "service.deploy": "deploy",
    "service.promote": "promote",
    "service.rollback": "rollback",
    "service.scale": "scale",
    "service.unscale": "scale",
    "service.restart": "restart",
    "service.freeze": "freeze",
    "service.unfreeze": "freeze",
    "service.unpin": "pin",
}
_WORDS: dict[str, str] = {
    "service.unscale": "the end of its scaling",
    "service.restart": "the restart",
    "service.freeze": "the freeze",
    "service.unfreeze": "the end of the freeze",
    "service.unpin": "the end of the pin",
    "database.request": "the new database",
    "database.resize": "the resizing of its database",
    "database.delete": "the deletion of its database",
}
_VERSIONS = frozenset({"deploy", "promote", "rollback"})
MOST_DETAILS = 8


def changes_of(place: Place, views: Sequence[OperationView], release: Release | None) -> tuple[Changed, ...]:
    """Return what was changed of a service in an environment, newest first, each thing once."""
    here = [one for one in views if _is_here(one, place)]
    found = [_of_operation(one, here, place, release) for one in here]
    found += _of_release(place, release, {one.operation for one in found})
    return tuple(sorted(found, key=lambda one: (-one.at.timestamp(), one.what, one.operation)))


def with_commits(change: Changed, comparison: Comparison | None) -> Changed:
    """Return the deploy with what it brought. One that touches nothing but the platform document is a change of
    settings, whatever it is called."""
    if comparison is None:
        return change
    told = (*differences.commits(comparison), *differences.migrations(comparison))
    settings = tuple(line for line in change.details if "→" in line)
    only_settings = bool(comparison.files) and all(file.path == DOCUMENT for file in comparison.files)
    kind: ChangeKind = "config" if only_settings and change.kind in ("deploy", "promote") else change.kind
    what = change.what.replace("the deploy of", "the new settings of", 1) if kind == "config" else change.what
    return replace(change, kind=kind, what=what, details=(*settings, *told)[:MOST_DETAILS])


def versions_of(change: Changed, release: Release | None) -> tuple[str, str] | None:
    """Return the commits before and after a deploy; None where what ran before is not known."""
    if release is None or release.current is None or not change.commit:
        return None
    every = [release.current, *release.history]
    place = next((n for n, one in enumerate(every) if _is(one, change)), None)
    if place is None or place + 1 >= len(every):
        return None
    return every[place + 1].version.commit, change.commit


def _is_here(view: OperationView, place: Place) -> bool:
    return view.plan is not None and view.plan.lane == place.lane and view.state in _HAPPENED


def _of_operation(
    view: OperationView, every: Sequence[OperationView], place: Place, release: Release | None
) -> Changed:
    kind = _KINDS.get(view.command) or ("database" if view.command.startswith("database.") else "other")
    deployed = _deployed_by(view, release)
    current = release is not None and deployed is not None and deployed is release.current
    return Changed(
        service=place.service,
        kind=kind,
        at=_began(view),
        what=_what(view, kind, deployed),
        by=view.principal.display_name,
        operation=view.id,
        details=tuple(view.plan.highlights[:MOST_DETAILS]) if view.plan is not None else (),
        commit=deployed.version.commit if deployed is not None else "",
        is_current=current,
        fewer=view.command == "service.scale" and _is_fewer(view, every, release),
        button=_button(view.command, place, release, is_current=current),
    )


def _began(view: OperationView) -> datetime:
    """Return when it was allowed to begin: nothing happens while somebody has yet to approve it."""
    return max([view.created_at, *(one.at for one in view.approvals if one.approved)])


def _deployed_by(view: OperationView, release: Release | None) -> Deployed | None:
    every = [*([release.current] if release and release.current else []), *(release.history if release else ())]
    return next((one for one in every if one.operation == view.id), None)


def _what(view: OperationView, kind: ChangeKind, deployed: Deployed | None) -> str:
    if kind in _VERSIONS:
        named = deployed.version.name if deployed is not None else str(view.request.get("version") or "")[:40]
        if kind == "rollback":
            return f"the rollback to {named}" if named else "the rollback"
        return f"the deploy of {named}" if named else "the deploy"
    if view.command == "service.scale":
        number = view.request.get("replicas")
        return f"the scaling to {number} replica{'' if number == 1 else 's'}"
    word = _WORDS.get(view.command)
    return word or (f"“{view.plan.summary[:120]}”" if view.plan is not None else f"/{view.command.replace('.', ' ')}")


def _is_fewer(view: OperationView, every: Sequence[OperationView], release: Release | None) -> bool:
    earlier = [one for one in every if one.command == "service.scale" and one.created_at < view.created_at]
    before = max(earlier, key=lambda one: one.created_at).request.get("replicas") if earlier else _written(release)
    now = view.request.get("replicas")
    return isinstance(before, int) and isinstance(now, int) and now < before


def _written(release: Release | None) -> object:
    """Return the number of replicas that the document says, where it is a number."""
    spec: Any = release.document.get("spec") if release is not None else None
    return spec.get("replicas") if isinstance(spec, dict) else None


def _of_release(place: Place, release: Release | None, known: Collection[str]) -> Iterator[Changed]:
    """Yield what only the release tells: deploys of before our history, or by a Causeway whose history is gone."""
    if release is None:
        return
    for one in (*([release.current] if release.current else []), *release.history):
        if one.operation not in known:
            current = one is release.current
            yield Changed(
                service=place.service,
                kind="deploy",
                at=one.at,
                what=f"the deploy of {one.version.name}",
                by=one.by.rpartition("/")[2],
                operation=one.operation,
                commit=one.version.commit,
                is_current=current,
                button=_button("service.deploy", place, release, is_current=current),
            )


def _button(command: str, place: Place, release: Release | None, *, is_current: bool) -> Button | None:
    """Return what takes it back, where that is one step and still makes sense."""
    where = f"{place.service} in {place.environment}"
    if is_current and release is not None and release.current is not None and release.history and command in _KINDS:
        return Button(
            action="rollback",
            label="Roll back",
            line=f"/service rollback {where} leaving {release.current.version.commit[:7]}",
            confirm=f"{where} goes back to the version before, and stays there until a fix is merged.",
        )
    if command == "service.scale" and release is not None and release.scaled is not None:
        return Button(
            action="unscale",
            label="End the scaling",
            line=f"/service unscale {where}",
            confirm=f"{where} runs as many replicas as its document says.",
        )
    return None


def _is(deployed: Deployed, change: Changed) -> bool:
    return deployed.operation == change.operation and deployed.version.commit == change.commit
