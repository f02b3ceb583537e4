"""Where a preview stands: the platform with one environment more, named like the preview."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.errors import Invalid, Mistake, Refused
from bot.model.databases import Backups, Budget, DatabaseProvider, DatabaseSize
from bot.model.environment import LONGEST_NAME
from bot.model.platform import Environment, Platform
from bot.model.previews import RESERVED, Previews

SERVICE = "preview"
"""The whole preview is one place, of a service of this name in the preview's environment."""
MOST_REPLICAS = 3
"""Of one service in a preview: it is looked at, not relied on."""
_NAME = re.compile(rf"[a-z0-9]([a-z0-9-]{{0,{LONGEST_NAME - 2}}}[a-z0-9])?")
_OTHERS = re.compile(r"(default|kube-.*|causeway|cnpg-system|crossplane-system|cert-manager)\Z")
"""Namespaces that are somebody's home in most clusters."""


def previews_of(platform: Platform) -> Previews:
    """Return what the platform says about previews. Raise `Refused` where it has none."""
    if platform.previews is None:
        raise Refused(
            "This platform has no previews.",
            hint="The platform team allows them in causeway.yaml: `platform.previews`.",
        )
    return platform.previews


def platform_for(platform: Platform, name: str) -> Platform:
    """Return the platform with one environment more: `name`, which takes after the base of previews.

    Its namespace is called as it is; it holds no personal data, nothing is deployed to it by itself, its databases
    stand alone and keep no backups. Raise `Refused` where there are no previews, `Invalid` for a name that is
    somebody else's.
    """
    previews = previews_of(platform)
    here = _environment(platform, previews, name)
    if platform.environments.get(name) == here:
        return platform  # it is the preview's already
    _refuse_taken(name, platform)
    sizes = {word: _alone(size) for word, size in platform.database_sizes.items()}
    environments = {**platform.environments, name: here}
    return platform.model_copy(update={"environments": environments, "database_sizes": sizes})


def _environment(platform: Platform, previews: Previews, name: str) -> Environment:
    base = platform.environment(previews.base)
    return base.model_copy(
        update={
            "cluster": previews.cluster or base.cluster,
            "namespace": "{environment}",
            "domain": f"{name}.{previews.domain}" if previews.domain else "",
            "delivery": previews.delivery,
            "max_replicas": min(base.max_replicas, MOST_REPLICAS),
            "may_deploy": previews.may_ask,
            "approve": previews.approve,
            "automatic": False,
            "database": _without_backups(base.database),
            "databases": {engine: _without_backups(provider) for engine, provider in base.databases.items()},
            "budget": Budget(),  # counted in the base
            "personal_data": False,
        }
    )


def _without_backups(provider: DatabaseProvider) -> DatabaseProvider:
    return provider.model_copy(update={"backups": Backups()})


def _alone(size: DatabaseSize) -> DatabaseSize:
    return size.model_copy(update={"instances": 1, "pooler": 0})


def _homes(platform: Platform) -> Iterator[str]:
    """Yield the namespaces of what the platform itself runs on. Not every cluster lets us look for them."""
    yield platform.argocd.namespace
    for here in platform.environments.values():
        yield from (here.ingress_namespace, here.monitoring_namespace)


def _refuse_taken(name: str, platform: Platform) -> None:
    told = ""
    if _NAME.fullmatch(name) is None:
        told = f"`{name[:60]}` is not a name: at most {LONGEST_NAME} small letters, digits and dashes, such as `pr-123`"
    elif name in platform.environments:
        told = f"`{name}` is an environment of the platform; choose another"
    elif name in (*RESERVED, *_homes(platform)) or _OTHERS.match(name):
        told = f"`{name}` is kept for something else; choose another"
    if told:
        raise Invalid("The preview cannot have this name.", [Mistake("metadata.name", told)], hint="Choose another.")
