"""The services of a preview: each one's own document, as it counts there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from bot.errors import Mistake
from bot.model.environment import Environment, Service
from bot.model.platform import Platform
from bot.model.web_service import WebService
from bot.model.web_service.spec import merged
from bot.rendering.mistakes import mistakes_of
from bot.rendering.previews.places import previews_of
from bot.rendering.rollout import Rollout
from bot.rendering.stores import Store

UNOWNED = Rollout().team


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One service of a preview."""

    number: int
    """Its place in `spec.services`."""
    document: WebService
    """What counts in the preview. Of its database it says only whether there is one."""
    own: WebService | None
    """Its document for all environments; None where nobody knows one."""
    rollout: Rollout

    @property
    def name(self) -> str:
        return self.document.name

    def mistake(self, path: str, message: str) -> Mistake:
        """Return a mistake in its own document, told with its name."""
        return Mistake(f"{self.name}: {path}", message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What counts for every service of a preview."""

    document: Environment
    services: Mapping[str, WebService]
    rollouts: Mapping[str, Rollout]
    platform: Platform
    """With the preview's environment in it."""
    team: str
    owners: Mapping[str, str]
    """Service → team, of those that are another team's."""
    sources: Mapping[str, Store] | None
    """Service → its database in the environment that it is filled from, where releases have been read. None: nobody has
    looked, and what its document says of that environment is taken."""
    fork: bool
    asleep: bool
    standing: bool
    """Whether it is made already: what its databases were filled from, and how long it was to stand, is decided."""


def members_of(around: Around) -> tuple[list[Member], list[Mistake]]:
    """Return the services, and every mistake of those that cannot be there as their documents say."""
    members, mistakes = [], []
    for number, entry in enumerate(around.document.spec.services):
        own = around.services.get(entry.name)
        made = _document(entry, own, around)
        if isinstance(made, list):
            mistakes += [Mistake(f"{entry.name}: {one.path}", one.message) for one in made]
            continue
        rollout = _rollout(entry, made, around)
        if not (rollout.image or made.spec.image):
            told = "is missing, and no version is given whose image could be taken; write `name:tag`"
            mistakes.append(Mistake(f"spec.services[{number}].image", told))
            continue
        members.append(Member(number=number, document=made, own=own, rollout=rollout))
    return members, mistakes


def _rollout(entry: Service, document: WebService, around: Around) -> Rollout:
    given = around.rollouts.get(entry.name, Rollout())
    tag = (given.image or document.spec.image).partition("@")[0].rpartition("/")[2].partition(":")[2]
    update: dict[str, Any] = {"replicas": 0 if around.asleep or document.spec.schedule else entry.replicas or 1}
    if entry.replicas == 0:
        update["replicas"] = 0
    if given.team == UNOWNED:
        update["team"] = around.team
    if given.version == Rollout().version and tag:
        update["version"] = tag
    return given.model_copy(update=update)


def _document(entry: Service, own: WebService | None, around: Around) -> WebService | list[Mistake]:
    base = previews_of(around.platform).base
    try:
        taken = own.for_environment(base) if own is not None else _usual(entry, around.document)
    except ValidationError as error:
        found = mistakes_of(error, WebService, {})
        return [Mistake(f"spec.environments.{base}.{one.path.removeprefix('spec.')}", one.message) for one in found]
    written = taken.written()
    # Labels and annotations speak to programs of the cluster, such as those that give pods secrets or roles in a cloud.
    metadata = {"name": taken.name} if around.fork else _map(written["metadata"])
    written["metadata"] = merged(metadata, {"labels": around.document.metadata.labels})
    written["spec"] = _spec(entry, taken, _map(written["spec"]), around)
    try:
        made = WebService.model_validate(written, by_alias=True, by_name=False)
    except ValidationError as error:
        return mistakes_of(error, WebService, written)
    return list(_reserved(made, around)) or made


def _usual(entry: Service, document: Environment) -> WebService:
    """Return what is taken for the document of a service that nobody knows: it may call the others of its preview."""
    others = [{"service": other.name} for other in document.spec.services if other.name != entry.name]
    return WebService.model_validate({"metadata": {"name": entry.name}, "spec": {"egress": others}})


def _spec(entry: Service, taken: WebService, spec: dict[str, Any], around: Around) -> dict[str, Any]:
    left_out = ("environments", "autoscaling", "replicas")
    spec = {key: value for key, value in spec.items() if key not in left_out}
    if taken.spec.schedule is None or entry.replicas is not None:
        spec["replicas"] = 1 if entry.replicas is None else entry.replicas
    if entry.image:
        spec["image"] = entry.image
    if entry.size is not None:
        spec["size"] = entry.size
    if entry.env:
        spec["env"] = {**_map(spec.get("env")), **entry.env}
    if taken.spec.ingress is not None:
        spec["ingress"] = _ingress(_map(spec["ingress"]), around)
    spec["secrets"] = _secrets(spec.get("secrets", []), around)
    spec["egress"] = [rule for rule in spec.get("egress", []) if not around.fork or _is_harmless(_map(rule))]
    return spec


def _ingress(ingress: dict[str, Any], around: Around) -> dict[str, Any]:
    """Its own host is that of a real environment: here it answers below the domain of previews, or nowhere."""
    found = {key: value for key, value in ingress.items() if key != "host"}
    here = around.platform.environment(around.document.name)
    return found if here.domain else found | {"enabled": False}


def _secrets(secrets: list[Any], around: Around) -> list[Any]:
    if around.fork:
        return []  # a stranger's program gets none, whoever provides them
    if previews_of(around.platform).secrets:
        return secrets
    return [_map(part) | {"optional": True} for part in secrets]


def _is_harmless(rule: dict[str, Any]) -> bool:
    """Whether a stranger's program may call it: the services beside it, and what anybody can call."""
    return "service" in rule or bool(rule.get("internet"))


def _reserved(document: WebService, around: Around) -> Iterator[Mistake]:
    """Yield a mistake for each Secret that no service may read there: a database's is its service's alone, and only
    once its data is masked; and what fills databases knows the source's password."""
    names = [service.name for service in around.document.spec.services]
    sources = set(_of_sources(around.platform))
    for number, part in enumerate(document.spec.secrets):
        told = ""
        if any(part.secret == f"{name}-db" or part.secret.startswith(f"{name}-db-") for name in names):
            told = f"`{part.secret}` belongs to a database of the preview; whose it is gets it as `DATABASE_URL`"
        elif part.secret in sources:
            told = f"`{part.secret}` is what databases are filled with; no service may read it"
        if told:
            yield Mistake(f"spec.secrets[{number}].secret", told)


def _of_sources(platform: Platform) -> Iterator[str]:
    for here in platform.environments.values():
        for provider in (here.database, *here.databases.values()):
            if provider.seeding is not None and provider.seeding.secret:
                yield provider.seeding.secret


def _map(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}
