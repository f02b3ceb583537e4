"""Plans that put a version where it runs: deploy, promote, roll back. Pure, but for reading the facts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.deps import Deps
from bot.errors import Conflict, Refused
from bot.model.effect import Effect
from bot.model.plan import Plan, Revision
from bot.model.release import Pin, Release, Version
from bot.model.web_service import WebService
from bot.ports import Comparison
from bot.releases import differences
from bot.releases.changes import address, change_to, deployed, document_of, roll_back_offer, rollout
from bot.releases.reading import Here, compared, refuse_taken_hosts, shared_hosts
from bot.releases.versions import document_at, version_of


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployFacts:
    """A place, and the version that is to run there."""

    here: Here
    version: Version
    document: WebService
    since: Comparison | None
    """From what runs now to the version."""
    mends: bool | None = None
    """Whether the version holds the commit that the pin has left, and at least one more; None without a pin."""
    warnings: tuple[str, ...] = ()
    """What an approver should read before all else."""


async def read_deploy(here: Here, name: str, commit: str, deps: Deps) -> DeployFacts:
    """Raise `PlatformError` where the version has no platform document, or a wrong one."""
    document = await document_at(here.service, commit, deps)
    version = version_of(name, commit, document, here.service.repository, here.place.platform)
    release = here.release
    since = mends = None
    if release is not None and release.current is not None:
        since = await compared(deps, here.service.repository, release.current.version.commit, commit)
    if release is not None and release.pin is not None:
        after_bad = await compared(deps, here.service.repository, release.pin.bad.commit, commit)
        mends = after_bad is not None and after_bad.ahead > 0 and after_bad.behind == 0
    return DeployFacts(here=here, version=version, document=document, since=since, mends=mends)


def deploy_plan(facts: DeployFacts, summary: str) -> Plan:
    """Raise `Conflict` where nothing would change, `Refused` where a pin holds the place."""
    here = facts.here
    _refuse_pinned(facts)
    release = deployed(here.release, here.place, here.service.repository, (facts.version, facts.document), here.asker)
    if here.release is not None and _same(here.release, release):
        raise Conflict(
            f"{facts.version.name} of {here.service.name} runs in {here.place.environment} already.",
            hint=f"To start it anew: `/service restart {here.service.name} {here.place.environment}`.",
        )
    return release_plan(facts, release, summary)


def release_plan(
    facts: DeployFacts, release: Release, summary: str, *, more: Iterable[Effect] = (), notes: Iterable[str] = ()
) -> Plan:
    """Return the plan by which a place comes to hold `release`, with what an approver reads first."""
    here = facts.here
    change = change_to(here.place, release, summary)
    refuse_taken_hosts(here, change)
    url = address(change)
    return Plan.of(
        summary,
        [*here.asker.late(rollout(change, here.standing, here.repo_url)), *more],
        revisions=[here.standing.revision, Revision(of=f"github:{here.service.repository}", at=facts.version.commit)],
        owner=here.service.owner,
        details=differences.delivered(here.standing, change),
        links={"Open the service": url} if url else {},
        notes=notes,
        highlights=[*_highlights(facts, release), *shared_hosts(here, change)],
        environment=here.place.environment,
        lane=here.place.lane,
        offers=[roll_back_offer(here.place, release)] if release.history else [],
    )


def _highlights(facts: DeployFacts, release: Release) -> Iterable[str]:
    before = facts.here.release
    yield from facts.warnings
    if before is None or before.current is None:
        yield f"The first version of {facts.here.service.name} in {facts.here.place.environment}."
    yield from differences.commits(facts.since)
    if before is not None and before.current is not None:
        place = facts.here.place
        old, new = (document_of(one, place).for_environment(place.environment).written() for one in (before, release))
        yield from differences.settings(old, new)
    yield from differences.migrations(facts.since)
    if before is not None and before.pin is not None and release.pin is None:
        yield f"The pin by {_person(before.pin.by)} ends: this version mends what it was set for."


def _refuse_pinned(facts: DeployFacts) -> None:
    pin = facts.here.release.pin if facts.here.release else None
    if pin is None or facts.mends or pin.until <= facts.here.asker.now:
        return
    service, environment = facts.here.service.name, facts.here.place.environment
    bad = facts.version.commit == pin.bad.commit
    why = "is what was rolled back" if bad else f"is not newer than {pin.bad.name}, which was rolled back"
    raise Refused(
        f"{service} in {environment} is held by {_person(pin.by)} until {_until(pin)}: {pin.reason.rstrip('.')}. "
        f"{facts.version.name} {why}.",
        hint=f"Merge a fix, or let go first: `/service unpin {service} {environment}`.",
    )


def _until(pin: Pin) -> str:
    return f"{pin.until:%d %B, %H:%M} UTC"


def _person(reference: str) -> str:
    return reference.rpartition("/")[2]


def _same(before: Release, after: Release) -> bool:
    assert after.current is not None  # noqa: S101  # it is about to be deployed
    return (
        before.current is not None
        and before.current.version == after.current.version
        and before.document == after.document
        and before.pin == after.pin
    )
