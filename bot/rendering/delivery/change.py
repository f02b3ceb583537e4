"""What a delivery is planned from, and the one question that both ways of delivering answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml

from bot.model.effect import Effect
from bot.model.plan import Revision
from bot.model.platform import Environment, Platform
from bot.model.release import FILE, Release
from bot.ports import Object

NAMESPACE_LABELS = {"app.kubernetes.io/managed-by": "causeway", "pod-security.kubernetes.io/enforce": "restricted"}
"""Of every namespace that a delivery makes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One service in one environment of the platform."""

    platform: Platform
    service: str
    environment: str
    team: str

    @property
    def settings(self) -> Environment:
        return self.platform.environment(self.environment)

    @property
    def namespace(self) -> str:
        return self.platform.namespace(self.service, self.team, self.environment)

    @property
    def application(self) -> str:
        """Name of the Argo CD Application."""
        return f"{self.service}-{self.environment}"

    @property
    def lane(self) -> str:
        """Deploys of one service and environment run one after the other."""
        return f"deploy:{self.service}/{self.environment}"

    @property
    def is_gitops(self) -> bool:
        return self.settings.delivery == "gitops"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a place stands now, as Git or the cluster tells it."""

    release: Release | None
    files: Mapping[str, str] = field(default_factory=dict)
    """File name → text of every object that is delivered; the release itself is not among them."""
    revision: Revision
    """Of exactly what a change here would touch."""
    application: str | None = None
    """Text of the Application's file; None where there is none (or nothing is delivered by Git)."""
    project: str | None = None
    """Text of the team's AppProject's file."""
    beside: Mapping[str, str] = field(default_factory=dict)
    """Path → text of what stands where a database's file of this place would (see `Change.beside`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a place is to become."""

    place: Place
    release: Release
    files: Mapping[str, str]
    """File name → text of every object that is to be there; what is there now and not here goes."""
    objects: tuple[Object, ...]
    """The same as objects, in the order in which they are applied."""
    summary: str
    """First line of the commit: `Deploy orders-api 1a2b3c4 to staging`."""
    beside: Mapping[str, str] = field(default_factory=dict)
    """Path in the GitOps repository → text of what something else picks up: a database's file for Terraform. Unlike
    `files`, what is there now and not here stays: it may stand for data."""
    removed: tuple[str, ...] = ()
    """Such paths that go all the same, because somebody has asked for just that."""
    namespace: Mapping[str, str] = field(default_factory=dict)
    """Labels of the namespace, beside those that every one gets. It is made when it is missing."""

    @property
    def namespace_labels(self) -> dict[str, str]:
        return {**self.namespace, **NAMESPACE_LABELS}


def release_text(release: Release) -> str:
    """Return the release as the text that is kept beside the objects. Same release, same bytes."""
    told = release.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=120)


def folder_of(place: Place) -> str:
    """Return the place's folder in the GitOps repository: `apps/orders-api/staging`."""
    return f"{place.platform.gitops.apps}/{place.service}/{place.environment}"


def release_file(place: Place) -> str:
    return f"{folder_of(place)}/{FILE}"


def deliver(change: Change, standing: Standing, repo_url: str) -> tuple[Effect, ...]:
    """Return the effects that make the change so, without waiting for what comes of it.

    `repo_url` is the address at which Argo CD finds the GitOps repository. Raise `Refused` where the platform is not
    configured for it.
    """
    # Either way knows this module; importing them here keeps the circle open.
    from bot.rendering.delivery import direct, gitops  # noqa: PLC0415

    if change.place.is_gitops:
        return gitops.effects(change, standing, repo_url)
    return direct.effects(change, standing)
