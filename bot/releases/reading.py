"""Reads what every change of a release is planned from."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.command import Context
from bot.deps import Deps
from bot.errors import Conflict, Invalid, Mistake, NotFound, Refused
from bot.model.platform import Platform
from bot.model.release import Release
from bot.ports import Comparison
from bot.releases.changes import Asker
from bot.releases.services import Service, service_and_environment
from bot.rendering.delivery import Change, Place, Standing, read_standing, refuse_without_rights
from bot.rendering.delivery.change import release_file
from bot.rendering.stores import stands_alone
from bot.rendering.text import Unreadable, parse

SERVICE, ENVIRONMENT = "causeway.io/service", "causeway.io/environment"
"""Labels of everything that a platform document becomes."""
AT_ONCE = 8
"""Most files that are read at the same time to see which hosts are taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """One service in one environment, as it is before the change."""

    service: Service
    place: Place
    standing: Standing
    repo_url: str
    """Where Argo CD finds the GitOps repository; empty in direct delivery."""
    asker: Asker
    hosts: Mapping[str, str]
    """Host name → who else answers there: `orders-api in staging`."""
    own_hosts: Mapping[str, str] = field(default_factory=dict)
    """Host name → another environment of the same cluster in which this service answers there."""

    @property
    def release(self) -> Release | None:
        return self.standing.release

    def running(self) -> Release:
        """Raise `Conflict` where nothing has been deployed yet."""
        if self.release is None or self.release.current is None:
            raise Conflict(
                f"{self.service.name} has never been deployed to {self.place.environment}.",
                hint=f"Try `/service deploy {self.service.name} to {self.place.environment}`.",
            )
        return self.release


async def read_here(service: str, environment: str, context: Context, deps: Deps) -> Here:
    """Raise `PlatformError` for an unknown service or environment, or a platform that cannot be asked."""
    found, where = await service_and_environment(service, environment, context, deps)
    here = await read_place(found, found.place(deps, where), context, deps)
    await _refuse_namesake(here, deps)
    return here


async def read_place(service: Service, place: Place, context: Context, deps: Deps) -> Here:
    """The same for a service that the catalog need not know yet."""
    await refuse_without_rights(place, deps.clusters)
    standing, repo_url, hosts = await asyncio.gather(
        read_standing(place, deps.forge, deps.clusters), _repo_url(place, deps), _hosts(place, deps)
    )
    _refuse_taken_application(place, standing)
    await _refuse_namespace_of_preview(place, deps)
    return Here(
        service=service,
        place=place,
        standing=standing,
        repo_url=repo_url,
        asker=Asker(user=context.principal.user, operation=context.operation, now=context.now),
        hosts={host: " in ".join(filter(None, whose)) for host, whose in hosts.items() if whose[0] != service.name},
        own_hosts={host: where for host, (who, where) in hosts.items() if who == service.name},
    )


async def _refuse_namesake(here: Here, deps: Deps) -> None:
    """Raise `Conflict` where what runs under this name came from another repository, unless that one is gone or was
    renamed: whoever can push a catalog-info.yaml can give a component any name."""
    release, mine = here.release, here.service.repository
    if release is not None and stands_alone(release) and release.team != here.place.team:
        raise Conflict(
            f"{here.service.name} in {here.place.environment} is a database of {release.team}, and stood there first.",
            hint="Choose another name for the service.",
        )
    if release is None or not release.repository or release.repository.lower() == mine.lower():
        return
    other = await deps.forge.repository(release.repository)
    if other is not None and other.full_name.lower() != mine.lower():
        raise Conflict(
            f"{here.service.name} in {here.place.environment} belongs to {release.repository}, and not to {mine}.",
            hint="Choose another name. If the service has moved, the platform team changes `repository` in "
            f"{release_file(here.place)}.",
        )


def _refuse_taken_application(place: Place, standing: Standing) -> None:
    """Raise `Conflict` where names run together: `orders` in `api-staging` and `orders-api` in `staging`."""
    try:
        documents = parse(standing.application or "").documents
    except Unreadable:
        return  # nobody's any more: it is written anew
    metadata = documents[0].get("metadata") if documents and isinstance(documents[0], dict) else None
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    whose = (labels.get(SERVICE), labels.get(ENVIRONMENT)) if isinstance(labels, dict) else (None, None)
    if None not in whose and whose != (place.service, place.environment):
        raise Conflict(
            f"{place.application} is the Argo CD Application of {whose[0]} in {whose[1]} already.",
            hint="Choose another name for the service: together with its environment it must be the only one.",
        )


async def _refuse_namespace_of_preview(place: Place, deps: Deps) -> None:
    """Raise `Conflict` where what is delivered would stand in a preview's namespace, and be deleted with it."""
    if deps.environments is None:
        return
    line = await deps.environments.get("preview", place.settings.cluster, place.namespace)
    if line is None or line.ended_at is not None or (place.service, place.environment) == ("preview", line.name):
        return
    raise Conflict(
        f"The namespace {place.namespace} belongs to the preview `{line.name}` of {line.team}: what is put there "
        "would be deleted with it.",
        hint=f"End the preview first: `/preview down {line.name}`.",
    )


def refuse_frozen(here: Here) -> None:
    """Raise `Refused` while a freeze is on. It names who froze it, why, and how it ends."""
    freeze = here.release.freeze if here.release else None
    if freeze is None or (freeze.until is not None and freeze.until <= here.asker.now):
        return
    until = f" until {freeze.until:%d %B, %H:%M} UTC" if freeze.until else ""
    raise Refused(
        f"{here.service.name} in {here.place.environment} is frozen by {freeze.by.rpartition('/')[2]}{until}: "
        f"{freeze.reason.rstrip('.')}.",
        hint=f"Let go with `/service unfreeze {here.service.name} {here.place.environment}`, or roll back if it burns.",
    )


def refuse_taken_hosts(here: Here, change: Change) -> None:
    """Raise `Conflict` for a host name at which another service answers already."""
    for obj in change.objects:
        for host in hosts_of(obj):
            if (other := here.hosts.get(host)) is not None:
                raise Conflict(
                    f"The host {host} belongs to {other} already.",
                    hint="Choose another `ingress.host` in platform.yaml.",
                )


def shared_hosts(here: Here, change: Change) -> Iterator[str]:
    """Tell of hosts at which the same service answers from another environment: one of the two gets no request."""
    for host in (host for obj in change.objects for host in hosts_of(obj)):
        if (other := here.own_hosts.get(host)) is not None:
            yield (
                f"{host} is its address in {other} too, and a cluster sends a request to one of them only. Give "
                f"{here.place.environment} a host of its own: environments.{here.place.environment}.ingress.host in "
                "platform.yaml."
            )


async def compared(deps: Deps, repository: str, base: str, head: str) -> Comparison | None:
    """Return what lies between two commits; None where one of them is not known any more (a rewritten history)."""
    if base == head:
        return None
    try:
        return await deps.forge.compare(repository, base, head)
    except NotFound:
        return None


def hosts_of(obj: object) -> Sequence[str]:
    """Return the host names of an Ingress; none of anything else, whatever it is."""
    if not isinstance(obj, dict) or obj.get("kind") != "Ingress" or not isinstance(obj.get("spec"), dict):
        return ()
    rules = obj["spec"].get("rules")
    found = [rule.get("host") for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []
    return [host for host in found if isinstance(host, str) and host]


async def _repo_url(place: Place, deps: Deps) -> str:
    if not place.is_gitops:
        return ""
    platform = place.platform
    if platform.gitops.repo_url:
        return platform.gitops.repo_url
    found = await deps.forge.repository(platform.gitops.repository) if platform.gitops.repository else None
    if found is None:
        mistake = Mistake("platform.gitops.repository", "names no repository that I can read")
        raise Invalid("The GitOps repository is missing.", [mistake], hint="The platform team mends causeway.yaml.")
    return found.clone_url


async def _hosts(place: Place, deps: Deps) -> dict[str, tuple[str, str]]:
    """Return host → service and environment, read from the ingresses of all that the same cluster serves. Blobs that
    did not change are not sent again."""
    platform = place.platform
    if not place.is_gitops:
        return await _hosts_of_cluster(place, deps)
    if not platform.gitops.repository:
        return {}
    repository, branch = platform.gitops.repository, platform.gitops.branch
    tree = await deps.forge.tree(repository, branch, platform.gitops.apps, contents=False)
    paths = [file.path for file in tree.files if _may_clash(file.path, place)]
    turn = asyncio.Semaphore(AT_ONCE)

    async def read(path: str) -> tuple[tuple[str, str], Sequence[str]]:
        async with turn:
            content = await deps.forge.file(repository, tree.commit, path)
        return _whose(path, platform), _hosts_in(content or b"")

    return {host: whose for whose, hosts in await asyncio.gather(*map(read, paths)) for host in hosts}


async def _hosts_of_cluster(place: Place, deps: Deps) -> dict[str, tuple[str, str]]:
    """The same of everything that the cluster serves, whoever made it: what carries no label of ours is told by the
    name and namespace of its Ingress. Empty where the cluster is not connected."""
    cluster = deps.clusters.get(place.settings.cluster)
    ingresses = await cluster.list("networking.k8s.io/v1", "Ingress") if cluster is not None else ()
    found: dict[str, tuple[str, str]] = {}
    for ingress in ingresses:
        metadata: Any = ingress["metadata"]
        labels = metadata.get("labels") or {}
        whose = labels.get(SERVICE, ""), labels.get(ENVIRONMENT, "")
        if not whose[0]:
            whose = f"the Ingress {metadata['name']}", metadata["namespace"]
        if whose != (place.service, place.environment):
            found |= dict.fromkeys(hosts_of(ingress), whose)
    return found


def _may_clash(path: str, place: Place) -> bool:
    """Whatever else the same cluster serves: another service, or this one in another environment."""
    if not path.rpartition("/")[2].startswith("ingress-"):
        return False
    service, environment = _whose(path, place.platform)
    settings = place.platform.environments.get(environment)
    is_here = (service, environment) == (place.service, place.environment)
    return not is_here and settings is not None and settings.cluster == place.settings.cluster


def _whose(path: str, platform: Platform) -> tuple[str, str]:
    """Return service and environment of `apps/orders-api/staging/ingress-orders-api.yaml`."""
    service, _, rest = path.removeprefix(f"{platform.gitops.apps}/").partition("/")
    return service, rest.partition("/")[0]


def _hosts_in(content: bytes) -> Sequence[str]:
    try:
        found = parse(content)
    except Unreadable:
        return ()  # not ours to mend here: whoever broke it hears of it from Argo CD
    return [host for document in found.documents for host in hosts_of(document)]
