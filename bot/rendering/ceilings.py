"""What the platform allows a document: sizes and environments that exist, and how much may run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.errors import Invalid, Mistake
from bot.model.databases import RequestedDatabase
from bot.model.platform import Environment, Platform, Size
from bot.model.web_service import WebService
from bot.model.web_service.rules import DATABASE_VARIABLES, TWICE
from bot.rendering.mistakes import unknown
from bot.rendering.quantities import cpu_m, memory_bytes
from bot.rendering.rollout import Rollout
from bot.rendering.scaling import scale_of
from bot.rendering.stores import store_for
from bot.rendering.stores.wanted import wanted
from bot.rendering.values import host_of


def beyond(
    document: WebService,
    *,
    environment: str,
    platform: Platform,
    rollout: Rollout,
    requested: RequestedDatabase | None = None,
) -> list[Mistake]:
    """Return what of a document the platform does not have or does not allow in an environment.

    `requested` is the database that a person asked for beside.
    """
    here = platform.environment(environment)
    return [
        *_environments(document, platform),
        *_sizes(document, here, environment, platform),
        *_database(document, environment, platform, (requested, rollout.team)),
        *_replicas(document, here, environment, rollout),
        *_image(document, rollout),
        *_host(document, here, environment),
    ]


def _environments(document: WebService, platform: Platform) -> Iterator[Mistake]:
    for name in document.spec.environments:
        if name not in platform.environments:
            yield Mistake(f"spec.environments.{name}", unknown(name, list(platform.environments), "known environment"))


def _sizes(document: WebService, here: Environment, environment: str, platform: Platform) -> Iterator[Mistake]:
    spec = document.spec
    asked = [("spec.size", spec.size), ("spec.cache.size", spec.cache.size if spec.cache else None)]
    for path, name in asked:
        if name is not None and name not in platform.sizes:
            yield Mistake(path, f"`{name}` {unknown(name, list(platform.sizes), 'size')}")
        elif (
            name is not None and here.largest_size and _larger(platform.sizes[name], platform.sizes[here.largest_size])
        ):
            yield Mistake(
                path, f"`{name}` is more than {environment} allows; `{here.largest_size}` is the largest there"
            )


def _database(
    document: WebService, environment: str, platform: Platform, asked: tuple[RequestedDatabase | None, str]
) -> Iterator[Mistake]:
    spec = document.spec
    requested, team = asked
    found = wanted(spec.database, requested, platform)
    if found is None:
        return
    try:
        store_for(
            service=document.name,
            team=team,
            environment=environment,
            platform=platform,
            document=spec.database,
            requested=requested,
        )
    except Invalid as invalid:
        yield from invalid.mistakes
    if requested is None:
        return  # what the document contradicts in itself was told when it was read
    if found.engine == "valkey" and spec.cache is not None:
        yield Mistake("spec.cache", TWICE)
    named = [(f"spec.env.{name}", name) for name in spec.env]
    named += [(f"spec.secrets[{number}].env", part.env) for number, part in enumerate(spec.secrets) if part.env]
    for path, name in named:
        if name in DATABASE_VARIABLES:
            told = f"`{name}` is set by the platform, because a database was requested; choose another name"
            yield Mistake(path, told)


def _larger(size: Size, limit: Size) -> bool:
    return cpu_m(size.cpu) > cpu_m(limit.cpu) or memory_bytes(size.memory) > memory_bytes(limit.memory)


def _replicas(document: WebService, here: Environment, environment: str, rollout: Rollout) -> Iterator[Mistake]:
    if document.spec.schedule is not None:
        return
    scale = scale_of(document, ceiling=here.max_replicas, asked=rollout.replicas)
    if scale.high <= here.max_replicas:
        return
    if rollout.replicas is not None:
        path = "replicas"
    elif document.spec.autoscaling is None:
        path = "spec.replicas"
    else:
        path = "spec.autoscaling.min" if document.spec.autoscaling.max is None else "spec.autoscaling.max"
    yield Mistake(path, f"{scale.high} is more than {environment} allows; {here.max_replicas} is the most there")


def _host(document: WebService, here: Environment, environment: str) -> Iterable[Mistake]:
    ingress = document.spec.ingress
    if ingress is not None and ingress.enabled and not host_of(document, here):
        told = f"is missing, and {environment} has no domain to make one of; write a host name"
        yield Mistake("spec.ingress.host", told)


def _image(document: WebService, rollout: Rollout) -> Iterable[Mistake]:
    if not document.spec.image and not rollout.image:
        told = "is missing, and no version is given whose image could be taken; write `name:tag`"
        yield Mistake("spec.image", told)
