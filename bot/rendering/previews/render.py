"""From what a preview consists of to its objects. Pure: the same input, the same objects in the same order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from bot.errors import Invalid, Mistake
from bot.model.environment import Environment
from bot.model.platform import Platform
from bot.model.web_service import WebService
from bot.rendering import render as services_render
from bot.rendering.kinds import checked
from bot.rendering.network import PREVIEW_LABEL, SOURCE_LABEL, dns
from bot.rendering.previews.databases import Bound
from bot.rendering.previews.fitting import fitted
from bot.rendering.previews.gates import gated
from bot.rendering.previews.limits import exceeded
from bot.rendering.previews.outline import Outline, invalid, outline
from bot.rendering.previews.places import SERVICE
from bot.rendering.rollout import Rollout, label_value
from bot.rendering.stores import SeedByJob, Store
from bot.rendering.stores.providing import provider_of
from bot.rendering.stores.told import labels_of
from bot.rendering.templates import render_template

if TYPE_CHECKING:  # the ports are not needed to run this, and starting must be quick
    from bot.ports.cluster import Object

Values = dict[str, Any]
RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
LABEL = PREVIEW_LABEL
"""Of a preview's namespace; the value is its name."""


def render_preview(
    document: Environment,
    services: Mapping[str, WebService],
    platform: Platform,
    rollouts: Mapping[str, Rollout] | None = None,
    *,
    team: str = "unowned",
    owners: Mapping[str, str] | None = None,
    sources: Mapping[str, Store] | None = None,
    fork: bool = False,
    asleep: bool = False,
) -> tuple[Object, ...]:
    """Return the objects of a preview, its namespace first. The arguments are those of `outline`.

    Raise `Invalid` with every mistake where it cannot be had, `Refused` where the platform has no previews.
    """
    here = outline(
        document, services, platform, rollouts, team=team, owners=owners, sources=sources, fork=fork, asleep=asleep
    )
    return objects_of(here)


def objects_of(here: Outline) -> tuple[Object, ...]:
    """Return the objects of a preview, its namespace first. Raise `Invalid` as `render_preview` does."""
    mistakes: list[Mistake] = []
    found: list[Object] = []
    for bound in here.members:
        try:
            found += fitted(_of_service(bound, here), asleep=here.asleep)
        except Invalid as error:
            mistakes += [bound.member.mistake(one.path, one.message) for one in error.mistakes]
    found = [*_around(here), *found]
    mistakes = mistakes or [*_twice(found), *exceeded(found, here.policy.quota)]
    if mistakes:
        raise invalid(here.document, mistakes)
    return tuple(found)


def _twice(objects: list[Object]) -> Iterator[Mistake]:
    """Yield a mistake for each name that two parts of the preview want: a service may be called as another's cache."""
    seen: set[tuple[str, str]] = set()
    for named in (one for obj in objects for one in _names(obj)):
        if named in seen:
            told = f"`{named[1]}` is what two of them want to be called ({named[0]}); leave one out, or rename it"
            yield Mistake("spec.services", told)
        seen.add(named)


def _names(obj: Object) -> Iterator[tuple[str, str]]:
    """Yield kind and name of an object, and of what CloudNativePG makes beside it."""
    metadata: Any = obj["metadata"]
    kind, name = str(obj["kind"]), str(metadata["name"])
    yield kind, name
    if kind == "Cluster":
        yield from (("Service", f"{name}-{what}") for what in ("rw", "ro", "r"))


def namespace_labels(here: Outline) -> dict[str, str]:
    """Return the labels of its namespace. What provides Secrets goes by `causeway.io/secrets`."""
    secrets = here.policy.secrets and not here.fork
    return {
        "app.kubernetes.io/managed-by": "causeway",
        LABEL: here.name,
        "causeway.io/team": label_value(here.team),
        "causeway.io/secrets": "wanted" if secrets else "none",
        SOURCE_LABEL: "fork" if here.fork else "own",
        **RESTRICTED,
    }


def _of_service(bound: Bound, here: Outline) -> Iterator[Object]:
    objects: Iterator[Object] = iter(
        services_render.render(
            bound.member.document,
            environment=here.name,
            platform=here.platform,
            rollout=bound.member.rollout,
            seed=bound.seed,
            masking=bound.masking,
            passing=True,
        )
    )
    yield from gated(objects, bound.store) if bound.store is not None and bound.is_prepared else objects


def _around(here: Outline) -> Iterator[Object]:
    """Yield what stands around the services."""
    values = template_values(here)
    yield from _made("namespace.yaml.j2", values, here)
    yield from _made("resource_quota.yaml.j2", values, here)
    yield from _made("limit_range.yaml.j2", values, here)
    yield from _made("default_network_policy.yaml.j2", values, here)
    for one in here.borrowed:
        if one.for_fork or not one.reachable:
            continue
        borrowed = {
            "name": one.name,
            "host": one.host,
            "namespace": one.namespace,
            "callers": list(one.callers),
            "ports": [{"protocol": "TCP", "port": port} for port in one.ports] or None,
            "labels": values["labels"] | {"app.kubernetes.io/name": one.name, "causeway.io/from": one.environment},
        }
        yield from _made("borrowed_service.yaml.j2", values | {"borrowed": borrowed}, here)
        yield from _made("borrowed_network_policy.yaml.j2", values | {"borrowed": borrowed}, here)
    for store in here.stores:
        database = {"name": store.name, "labels": labels_of(store), "visitors": _visits(store)}
        yield from _made("visitor_network_policy.yaml.j2", values | {"database": database}, here)


def _visits(store: Store) -> list[Values]:
    """Return where programs that work on a database get out to: it alone, unless one of them has to fetch its data."""
    if isinstance(store.seed, SeedByJob):
        return [{}]
    return [dns(), *provider_of(store).reach(store)]


def template_values(here: Outline) -> Values:
    """Return what every template of a preview sees; `docs/guides/platform-documents.md` lists it."""
    labels = {
        "app.kubernetes.io/name": SERVICE,
        "app.kubernetes.io/managed-by": "causeway",
        "causeway.io/service": SERVICE,
        "causeway.io/environment": here.name,
        "causeway.io/team": label_value(here.team),
    }
    return {
        "name": here.name,
        "namespace": here.name,
        "labels": labels,
        "namespace_labels": namespace_labels(here),
        "quota": here.policy.quota.model_dump(mode="json"),
        "environment": {"name": here.name, **here.platform.environment(here.name).model_dump(mode="json")},
        "document": here.document.model_dump(mode="json", by_alias=True),
        "team": here.team,
    }


def _made(name: str, values: Values, here: Outline) -> Iterator[Object]:
    """Yield the object that a template makes, if it makes one."""
    made = render_template(name, values, here.platform.templates)
    if made is not None:
        yield checked(name, made)
