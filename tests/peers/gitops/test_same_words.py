"""The playground's Argo CD makes of a commit what a real one makes of it, in the same words.

One commit brings applications of every kind, right and wrong. Both read it, and what they say of each must be the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import pytest_asyncio

from bot.ports import Application
from tests.peers.gitops.broken import application, project
from tests.peers.gitops.site import ON_SITE, Site, until
from tests.scenario.test_day_two import STAGING
from tests.scenario.world import Json

pytestmark = ON_SITE
RBAC = "rbac.authorization.k8s.io"
MANAGED = {"managedNamespaceMetadata": {"labels": {"team": "x"}}}


def config(name: str = "settings", **parts: Any) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"level": "info"}, **parts}


def deployment(**spec: Any) -> Json:
    labels, containers = {"app": "web"}, [{"name": "web", "image": "registry.example/acme/web:1"}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    whole = {"selector": {"matchLabels": labels}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": whole}


def service(port: int) -> Json:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": port}]}}


def role(kind: str) -> Json:
    return {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": {"name": "x"}, "rules": []}


CASES: Mapping[str, tuple[Json, list[Any]]] = {
    "x-good": ({}, [config(), deployment(replicas=2), service(80)]),
    "x-labelled": ({"sync": MANAGED}, [config()]),
    "x-by-hand": ({"sync": {"automated": None}}, [config()]),
    "x-empty": ({}, ["no manifest at all"]),
    "x-no-project": ({"project": "nobody"}, [config()]),
    "x-no-branch": ({"source": {"targetRevision": "gone"}}, [config()]),
    "x-no-folder": ({}, []),
    "x-no-repository": ({"source": {"repoURL": "http://127.0.0.1:9/acme/none.git"}}, [config()]),
    "not-permitted": ({}, [config()]),
    "x-bad-yaml": ({}, ["apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a\n"]),
    "x-half-manifest": ({}, ["apiVersion: v1\nmetadata: {name: a}\n"]),
    "x-no-kind": ({}, ["apiVersion: v1\nmetadata: {name: a}\nspec: {kind: a}\n"]),
    "x-one-is-none": ({}, ["apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\nreplicas: 2\n"]),
    "x-role": ({}, [config(), role("Role")]),
    "x-cluster-role": ({}, [role("ClusterRole")]),
    "x-other-namespace": ({}, [config(metadata={"name": "settings", "namespace": "elsewhere"})]),
    "x-unknown-kind": ({}, [{"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "a"}}]),
    "x-bad-value": ({}, [config(), service(99999)]),
    "x-bad-type": ({}, [deployment(replicas="three")]),
    "x-no-namespace": ({"sync": {"syncOptions": None}}, [config()]),
    "x-namespace-refused": ({"project": "narrow"}, [config()]),
}
"""Name of the application → what is special about it, and the documents of its folder."""
REPORTED = ("conditions", "health", "history", "operationState", "resources", "sourceType", "sync")


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def commit(site: Site) -> str:
    """Bring all of them by one commit, and wait until both have done with each."""
    narrow = project("narrow", site, clusterResourceWhitelist=[])
    usual = project("usual", site, namespaceResourceBlacklist=[{"group": RBAC, "kind": "Role"}])
    files: dict[str, Any] = {"argocd/projects/x.yaml": usual, "argocd/projects/narrow.yaml": narrow}
    for name, (special, documents) in CASES.items():
        files[f"argocd/applications/{name}.yaml"] = _application(name, site, **special)
        files |= {f"apps/{name}/{number}.yaml": document for number, document in enumerate(documents)}
    sha = await site.push(files)
    await site.api.refresh("root")
    for way in (site.resources, site.simulated):
        for name in CASES:
            await until(way, name, _done)
    return sha


def _application(name: str, site: Site, *, sync: Json | None = None, project: str = "usual", **spec: Any) -> Json:
    found = application(name, site, project=project, **spec)
    policy = {**found["spec"]["syncPolicy"], **(sync or {})}
    found["spec"]["syncPolicy"] = {part: value for part, value in policy.items() if value is not None}
    return found


def _done(found: Application) -> bool:
    by_hand = not found.automated and found.sync == "OutOfSync"
    return bool(found.conditions) or by_hand or (found.sync, found.health) == ("Synced", "Healthy")


@pytest.mark.parametrize("name", CASES)
async def test_of_each_the_same_is_said(site: Site, commit: str, name: str) -> None:
    real, simulated = await site.application(name), await site.world.application(name)
    assert reported(simulated) == reported(real)


async def test_of_a_service_of_ours_the_same_is_said(site: Site, receipt: Json) -> None:
    sha = await site.push({"apps/note.md": "Read this."})
    await site.api.refresh(STAGING)
    await site.settled(STAGING, sha)
    await until(site.simulated, STAGING, lambda one: (one.health, one.revision) == ("Healthy", sha))
    real, simulated = await site.application(STAGING), await site.world.application(STAGING)
    assert reported(simulated)["resources"] == reported(real)["resources"]
    assert reported(simulated)["sync"] == reported(real)["sync"]
    assert simulated["spec"] == real["spec"]
    assert simulated["status"]["summary"] == real["status"]["summary"]


async def test_with_the_api_the_health_of_each_object_is_the_same(site: Site, receipt: Json) -> None:
    told = [await way.application(STAGING) for way in (site.api, site.simulated)]
    health = [{str(one.ref): one.health for one in found.resources} for found in told if found is not None]
    assert health[0] == health[1]


def reported(found: Json) -> Json:
    """Return what an application tells, without times, and without what a real one writes in more than one way."""
    status = found["status"]
    told: Json = {part: _bare(status[part]) for part in REPORTED if status.get(part)}
    if "operationState" in told:
        result = told["operationState"].get("syncResult", {})
        result["resources"] = [_placed(one) for one in result.get("resources", ())]
    return told


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _bare(part) for key, part in value.items() if not _is_time(key)}
    return [_bare(one) for one in value] if isinstance(value, list) else value


def _is_time(key: str) -> bool:
    return key.endswith(("At", "Time"))


def _placed(result: Json) -> Json:
    """Leave out the namespace that Argo CD notes of a refused object that stands in none."""
    return {part: value for part, value in result.items() if part != "namespace"}
