"""From the release that is to be to the effects that bring it about. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from bot.effects import AwaitBuild, AwaitHealthy, ConcludeDeployment, RecordDeployment, RetireApplication
from bot.errors import Conflict
from bot.model.effect import Effect
from bot.model.late import Late, OutputRef, holes_of_asking, with_holes
from bot.model.plan import Offer
from bot.model.release import MOST_HISTORY, Deployed, Release, Version
from bot.model.web_service import WebService
from bot.ports import Object
from bot.releases.versions import is_own
from bot.rendering.delivery import Change, Place, Standing, deliver
from bot.rendering.delivery.change import release_file
from bot.rendering.delivery.gitops import application_file
from bot.rendering.delivery.reading import not_ours
from bot.rendering.printing import files
from bot.rendering.render import render, render_files, render_store
from bot.rendering.rollout import Rollout, label_value
from bot.rendering.stores import Store, store_of
from bot.rendering.stores.git import MARK

PATIENCE_S = 300
"""How long a deploy may make no progress before its card says so, in seconds; what is plainly broken shows at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """In whose name a release changes, and by which operation."""

    user: str
    operation: str
    now: datetime

    def late(self, effects: Iterable[Effect]) -> Iterator[Effect]:
        """Yield the effects with id and time of the operation left open: they make no other plan of it."""
        holes = holes_of_asking(self.operation, self.now)
        for effect in effects:
            yield type(effect).model_validate(with_holes(effect.model_dump(mode="json", by_alias=True), holes))


def deployed(
    release: Release | None, place: Place, repository: str, what: tuple[Version, WebService], asker: Asker
) -> Release:
    """Return the release in which a version runs: the one of now becomes history, a pin that held it ends."""
    version, document = what
    before = release or undeployed(place, repository)
    history = (before.current, *before.history) if before.current else before.history
    scaled = before.scaled
    return before.model_copy(
        update={
            "team": place.team,
            "repository": repository,
            "current": Deployed(version=version, at=asker.now, by=asker.user, operation=asker.operation),
            "document": document.written(),
            "pin": None,
            # Its term may be over although nothing has taken it back, as where that was refused.
            "scaled": scaled if scaled is None or scaled.until is None or scaled.until > asker.now else None,
            "history": history[:MOST_HISTORY],
        }
    )


def undeployed(place: Place, repository: str) -> Release:
    return Release(service=place.service, environment=place.environment, team=place.team, repository=repository)


def document_of(release: Release, place: Place) -> WebService:
    """Return the document that a release was rendered from. Raise `Invalid` where somebody has edited it."""
    try:
        document = WebService.model_validate(dict(release.document), by_alias=True, by_name=False)
        document.for_environment(place.environment)
    except ValidationError:
        document = None
    if document is None or document.name != place.service:
        raise not_ours(release_file(place))
    return document


def change_to(place: Place, release: Release, summary: str) -> Change:
    """Return the change that makes a place hold what `release` says: a service with its database, or a database alone
    where no version runs. Raise `Invalid` where the platform refuses it."""
    document = document_of(release, place) if release.current is not None else None
    store = store_of(release, place)
    objects = _rendered(place, release, document, store)
    beside = render_files(store, place.platform)
    return Change(place=place, release=release, files=files(objects), objects=objects, summary=summary, beside=beside)


def _rendered(place: Place, release: Release, document: WebService | None, store: Store | None) -> tuple[Object, ...]:
    if release.current is None or document is None:
        return render_store(store, platform=place.platform) if store is not None else ()
    version = release.current.version
    return render(
        document,
        environment=place.environment,
        platform=place.platform,
        rollout=Rollout(
            version=version.name,
            image=version.image,
            team=place.team,
            repository=release.repository,
            replicas=release.scaled.replicas if release.scaled else None,
            restarted_at=release.restarted_at,
        ),
        requested=release.database,
    )


def delivery(change: Change, standing: Standing, repo_url: str) -> tuple[Effect, ...]:
    """Return the effects that bring the objects to their place; a first one can be taken back to the last object.

    Raise `Conflict` where a database's file would be written over somebody else's.
    """
    _refuse_strange_files(change, standing)
    effects = deliver(change, standing, repo_url)
    if standing.application is None and change.place.is_gitops and change.files:
        # Undone in reverse: Argo CD must have removed the objects before its project forgets the namespace.
        platform = change.place.platform
        retire = RetireApplication(
            id="retire",
            application=change.place.application,
            root=platform.argocd.root_application,
            repository=platform.gitops.repository,
            branch=platform.gitops.branch,
            file=application_file(change.place),
        )
        place = next((n for n, effect in enumerate(effects) if effect.id == "deliver"), 0)
        return (*effects[:place], retire, *effects[place:])
    return effects


def _refuse_strange_files(change: Change, standing: Standing) -> None:
    for path in change.beside:
        if MARK not in standing.beside.get(path, MARK).lower():
            raise Conflict(
                f"{path} is in {change.place.platform.gitops.repository} already, and was not written by Causeway.",
                hint="Choose another name for the database, or take that file away first.",
            )


def healthy(change: Change) -> AwaitHealthy:
    """Return the wait for what was delivered to run: its pods are told by label, image and time of restart.

    Only of a change in which a version runs. A database that stands alone has no pods of ours: `AwaitDatabase` waits
    for it.
    """
    place, gitops = change.place, change.place.platform.gitops
    workload = next((one for one in change.objects if one.get("kind") in ("Deployment", "CronJob")), None)
    current = change.release.current
    return AwaitHealthy.model_validate(
        {
            "id": "await-healthy",
            "service": place.service,
            "environment": place.environment,
            "cluster": place.settings.cluster,
            "namespace": place.namespace,
            "patience_s": PATIENCE_S,
            "first": not change.release.history,
            **({"workload": workload["kind"]} if workload else {}),
            **({"image": current.version.image, "version_label": label_value(current.version.name)} if current else {}),
            **_restarted(change.release),
            **(
                {
                    "application": place.application,
                    "repository": gitops.repository,
                    "revision": Late(parts=(OutputRef(effect="deliver", output="commitHash"),)),
                }
                if place.is_gitops
                else {}
            ),
        }
    )


def _restarted(release: Release) -> dict[str, str]:
    return {"restarted_at": release.restarted_at.isoformat()} if release.restarted_at else {}


def rollout(change: Change, standing: Standing, repo_url: str) -> tuple[Effect, ...]:
    """Return the effects of deploying a version: its build, what GitHub is told, delivery, health."""
    place, release = change.place, change.release
    assert release.current is not None  # noqa: S101  # whoever deploys has put it there
    version = release.current.version
    return (
        *_build(version, release.repository),
        RecordDeployment(
            id="record",
            repository=release.repository,
            commit=version.commit,
            environment=place.environment,
            description=change.summary[:140],
        ),
        *delivery(change, standing, repo_url),
        healthy(change),
        ConcludeDeployment(
            id="conclude",
            repository=release.repository,
            environment=place.environment,
            deployment=Late(parts=(OutputRef(effect="record", output="deployment"),)),
            ended=Late(parts=(OutputRef(effect="await-healthy", output="state"),)),
            url=address(change) or "",
        ),
    )


def _build(version: Version, repository: str) -> Iterable[Effect]:
    if is_own(version.image, repository):
        yield AwaitBuild(id="await-build", repository=repository, commit=version.commit, image=version.image)


def address(change: Change) -> str | None:
    """Return where the service answers from outside: its first Ingress, as it was rendered."""
    for obj in change.objects:
        spec = obj.get("spec")
        if obj.get("kind") != "Ingress" or not isinstance(spec, dict):
            continue
        rules = spec.get("rules")
        first = rules[0] if isinstance(rules, list) and rules else None
        if isinstance(first, dict) and first.get("host"):
            return f"{'https' if spec.get('tls') else 'http'}://{first['host']}"
    return None


def roll_back_offer(place: Place, release: Release) -> Offer:
    """Return the button that goes back to the version before, and stays there: only as long as this one runs."""
    leaves = {"leaves": release.current.version.commit} if release.current is not None else {}
    return Offer(
        action="rollback",
        label="Roll back",
        command="service.rollback",
        request={"service": place.service, "environment": place.environment, **leaves},
        confirm=f"{place.service} in {place.environment} goes back to the version before, and stays there until a fix "
        "is merged.",
        ends_wait=True,
    )
