"""Each cluster: whether it answers, lets us do what we must, and has the kinds that the configuration asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.errors import NotFound, Refused
from bot.model.databases import DatabaseProvider
from bot.model.platform import Environment, Platform
from bot.ports import Cluster, ObjectRef
from bot.terminal.doctor.findings import Finding, Installation, fine, mend
from bot.terminal.doctor.rights import (
    ARGOCD_READ,
    ARGOCD_WRITE,
    DATABASES_AND_PREVIEWS,
    DIRECT,
    DIRECT_CROSSPLANE,
    PREVIEWS,
    READ,
    granted,
    missing,
    spoken,
    within,
)

PROBE = "causeway-doctor"
"""Name of an object that nobody makes: asking for it tells whether its kind is known."""
IN_NO_NAMESPACE = frozenset({"ClusterIssuer", "RDSInstance"})


async def connected(installation: Installation) -> Sequence[Finding]:
    """Tell why there is no cluster; each one that is there has a check of its own."""
    if installation.clusters:
        return []
    if installation.clusters_trouble:
        return installation.clusters_trouble
    if installation.settings.configuration.platform == Platform():
        return [fine("none is configured: services get a repository, and nothing is deployed.")]
    told = "none can be reached from here. Run this in Causeway's pod, or set CAUSEWAY_KUBECONFIG to a kubeconfig."
    return [mend(told)]


async def cluster(name: str, installation: Installation) -> Sequence[Finding]:
    """Raise what the cluster answers instead."""
    asked = installation.clusters[name]
    version = await asked.version()
    wrong = [
        *await _reads(installation, name, asked),
        *await _writes(installation, name, asked),
        *await _kinds(installation, name, asked),
    ]
    return [fine(f"Kubernetes {version} answers{'' if wrong else ', and gives every right that is needed'}."), *wrong]


def environments_of(installation: Installation, cluster_name: str) -> dict[str, Environment]:
    environments = installation.settings.configuration.platform.environments
    return {name: one for name, one in environments.items() if one.cluster == cluster_name}


def has_argocd(platform: Platform, cluster_name: str) -> bool:
    """Argo CD is needed where anything is delivered by Git, in the one cluster that it runs in."""
    by_git = any(one.delivery == "gitops" for one in platform.environments.values())
    return by_git and cluster_name == (platform.argocd.cluster or next(iter(platform.clusters)))


async def _reads(installation: Installation, name: str, asked: Cluster) -> list[Finding]:
    platform = installation.settings.configuration.platform
    findings = []
    if lacking := await missing(asked, granted(READ)):
        told_of = f"we may not {spoken(lacking)}"
        findings.append(mend(f"{told_of}. Apply manifests/install/account there: `kubectl apply -k`."))
    if has_argocd(platform, name):
        findings += await _argocd(platform, asked)
    previews = platform.previews
    if previews is not None and name == (previews.cluster or platform.environment(previews.base).cluster):
        for file in (DATABASES_AND_PREVIEWS, PREVIEWS):
            if lacking := await missing(asked, granted(file)):
                where = f"manifests/install/{file.rpartition('/')[0]}"
                findings.append(mend(f"previews need more: we may not {spoken(lacking)}. Add {where} to your overlay."))
    return findings


async def _argocd(platform: Platform, asked: Cluster) -> list[Finding]:
    namespace = platform.argocd.namespace
    findings = []
    if lacking := await missing(asked, within(granted(ARGOCD_READ), namespace)):
        told = f"we may not {spoken(lacking)} in {namespace}"
        findings.append(mend(f"{told}. Apply manifests/install/{ARGOCD_READ}."))
    if platform.argocd.write_applications and (
        lacking := await missing(asked, within(granted(ARGOCD_WRITE), namespace))
    ):
        told = f"`platform.argocd.write_applications` is set, and we may not {spoken(lacking)} in {namespace}"
        findings.append(mend(f"{told}. Add manifests/install/components/argocd-write to your overlay."))
    return findings


async def _writes(installation: Installation, name: str, asked: Cluster) -> list[Finding]:
    """For direct delivery: in the whole cluster, or in the namespace of each service that we know of."""
    direct = {env: one for env, one in environments_of(installation, name).items() if one.delivery == "direct"}
    if not direct:
        return []
    findings = []
    crossplane = any(
        made.provider == "crossplane" for one in direct.values() for made in (one.database, *one.databases.values())
    )
    if crossplane and (lacking := await missing(asked, granted(DIRECT_CROSSPLANE))):
        where = "manifests/install/components/direct-delivery-crossplane"
        findings.append(mend(f"we may not {spoken(lacking)}. Add {where} to your overlay."))
    rights = [right for right in granted(DIRECT) if _is_asked_for(right.group, direct)]
    if await missing(asked, within(rights, "")):
        for namespace in namespaces_of(installation, direct) or ("default",):
            if lacking := await missing(asked, within(rights, namespace)):
                told_of = f"we may not {spoken(lacking)} in {namespace}"
                findings.append(mend(f"{told_of}. Bind manifests/install/components/direct-delivery/namespace there."))
    return findings


def _is_asked_for(group: str, environments: dict[str, Environment]) -> bool:
    match group:
        case "monitoring.coreos.com":
            return any(one.monitoring.enabled for one in environments.values())
        case "postgresql.cnpg.io":
            return any(made.provider == "cloudnativepg" for one in environments.values() for _, made in _providers(one))
        case _:
            return True


def namespaces_of(installation: Installation, environments: dict[str, Environment]) -> tuple[str, ...]:
    """Return the namespaces of the known services there."""
    platform = installation.settings.configuration.platform
    found = [
        platform.namespace(service.name, service.team, environment)
        for environment in environments
        for service in installation.services
    ]
    return tuple(sorted(set(found)))


async def _kinds(installation: Installation, name: str, asked: Cluster) -> list[Finding]:
    findings = []
    for (api_version, kind), why in dict(_wanted(installation, name)).items():
        namespace = "" if kind in IN_NO_NAMESPACE else "default"
        try:
            await asked.get(ObjectRef(api_version, kind, PROBE, namespace))
        except NotFound:
            findings.append(mend(f"it does not know the kind {kind} ({api_version}). {why}"))
        except Refused:
            continue  # we may not look at its objects, so the kind is there
    return findings


def _wanted(installation: Installation, name: str) -> Iterator[tuple[tuple[str, str], str]]:
    """Kinds that the configuration asks for, and how to mend that one is not there."""
    if has_argocd(installation.settings.configuration.platform, name):
        yield ("argoproj.io/v1alpha1", "Application"), "Install Argo CD, or set `delivery: direct`."
        yield ("argoproj.io/v1alpha1", "AppProject"), "Install Argo CD, or set `delivery: direct`."
    for environment, one in environments_of(installation, name).items():
        here = f"platform.environments.{environment}"
        if one.monitoring.enabled:
            for kind in ("ServiceMonitor", "PrometheusRule"):
                why = f"Install the Prometheus operator, or set `{here}.monitoring.enabled: false`."
                yield ("monitoring.coreos.com/v1", kind), why
        for setting, made in _providers(one):
            yield from _kinds_of(made, f"{here}.{setting}")
        if one.tls.issuer:
            yield ("cert-manager.io/v1", "ClusterIssuer"), f"Install cert-manager, or leave out `{here}.tls.issuer`."


def _kinds_of(made: DatabaseProvider, setting: str) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield the kind that tells whether a provider of databases is there."""
    if made.provider == "cloudnativepg":
        yield ("postgresql.cnpg.io/v1", "Cluster"), f"Install CloudNativePG, or name another provider in `{setting}`."
    if made.provider == "crossplane":
        why = f"Install Crossplane's provider for AWS, or name another provider in `{setting}`."
        yield ("database.aws.crossplane.io/v1beta1", "RDSInstance"), why
    if made.claim is not None:
        why = f"Install the composite type and offer it for claims, or mend `{setting}.claim`."
        yield (made.claim.api_version, made.claim.kind), why


def _providers(environment: Environment) -> Iterator[tuple[str, DatabaseProvider]]:
    """Yield who makes databases, where the configuration says so itself: the default alone asks for nothing."""
    if "database" in environment.model_fields_set:
        yield "database", environment.database
    for engine, made in environment.databases.items():
        yield f"databases.{engine}", made
