"""Argo CD: the adapters of `bot.ports.Deployments`."""

from __future__ import annotations

from pydantic import SecretStr

from bot.ports import Clock, Cluster
from integrations.argocd.api import ArgoCDApi
from integrations.argocd.combination import ResourcesAndApi
from integrations.argocd.resources import ApplicationResources


def connect(
    *,
    url: str = "",
    token: SecretStr | None = None,
    cluster: Cluster | None = None,
    namespace: str = "argocd",
    web_url: str = "",
    may_write: bool = False,
    clock: Clock,
) -> ArgoCDApi | ApplicationResources | ResourcesAndApi | None:
    """Return what the given ways reach, or None without any. Nothing is sent before the first call; close it at last.

    `url` and `token` are Argo CD's own API; `cluster` is where its resources stand. With both, it reads the resources
    and acts through the API. `may_write` lets it write Application resources where there is no API.
    """
    api = ArgoCDApi(url, token or SecretStr(""), namespace=namespace, web_url=web_url) if url else None
    if cluster is None:
        return api
    resources = ApplicationResources(
        cluster, namespace=namespace, web_url=web_url or url, may_write=may_write, clock=clock
    )
    return resources if api is None else ResourcesAndApi(resources, api)


__all__ = ["ApplicationResources", "ArgoCDApi", "ResourcesAndApi", "connect"]
