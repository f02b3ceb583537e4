"""Where the app delivers: Slack and GitHub are the playground's, Argo CD and the cluster are real.

The app has the rights that `manifests/install/` grants it there, and no others. The playground's own Argo CD and
cluster stand aside and read the same repository, so that what they make of a commit can be held against what the real
ones do.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from bot.clock import machine_clock
from bot.ports import Application, Cluster, Deployments
from bot.settings import load
from bot.terminal.serve import running
from integrations.argocd import ApplicationResources, ArgoCDApi
from integrations.kubernetes import connect
from playground.sample import GITOPS
from playground.server import CONTEXT
from tests.peers.control_plane.argocd import ArgoCD, argocd
from tests.peers.control_plane.fixtures import CONTROL_PLANE
from tests.peers.control_plane.rig import ControlPlane
from tests.scenario.world import Json, World, peers

ON_SITE = [CONTROL_PLANE, pytest.mark.asyncio(loop_scope="package")]
NAMESPACE, SERVER = "argocd", "https://kubernetes.default.svc"
APPLICATIONS = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/applications"
PROJECTS = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/appprojects"
PATIENCE_S = 90.0
"""Longest wait for something that a busy machine does in its own time."""
Look = Callable[[Application], bool]


@dataclass(frozen=True)
class Site:
    world: World
    argocd: ArgoCD
    cluster: Cluster
    """The real one, with the app's rights."""
    resources: ApplicationResources
    """Our adapter on the real Application resources, with the app's rights."""
    api: ArgoCDApi
    """Our adapter on the real API server, with the app's account."""
    simulated: ArgoCDApi
    """The same on the playground's Argo CD."""

    @property
    def gitops_url(self) -> str:
        return f"{self.world.ready['github']}/{GITOPS}.git"

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """Ask the real cluster as a tool of its administrator would."""
        return await asyncio.to_thread(lambda: self.argocd.plane.call(method, path, body, **options))

    async def application(self, name: str) -> Json:
        """The Application as the real cluster has it."""
        found: Json = await self.call("GET", f"{APPLICATIONS}/{name}")
        return found

    async def push(self, files: Mapping[str, Any]) -> str:
        """Put objects (None: nothing any more) at paths of the GitOps repository, in one commit; return it."""
        repo = f"/repos/{GITOPS}"
        head = (await self._github("GET", f"{repo}/git/ref/heads/main"))["object"]["sha"]
        tree = {
            "base_tree": (await self._github("GET", f"{repo}/git/commits/{head}"))["tree"]["sha"],
            "tree": [_line(path, content) for path, content in files.items()],
        }
        made = await self._github("POST", f"{repo}/git/trees", tree)
        commit = {"message": "Change it by hand", "tree": made["sha"], "parents": [head]}
        sha: str = (await self._github("POST", f"{repo}/git/commits", commit))["sha"]
        await self._github("PATCH", f"{repo}/git/refs/heads/main", {"sha": sha})
        return sha

    async def _github(self, method: str, path: str, body: Json | None = None) -> Any:
        status, answer = await self.world.github(method, path, body)
        assert status < 300, answer
        return answer

    async def settled(self, name: str, revision: str) -> Application:
        """Wait until the real Argo CD has synced a commit, and calls it healthy."""
        wanted = ("Synced", "Healthy", revision)
        return await until(self.resources, name, lambda one: (one.sync, one.health, one.revision) == wanted)


def _line(path: str, content: Any) -> Json:
    line: Json = {"path": path, "mode": "100644", "type": "blob"}
    if content is None:
        return {**line, "sha": None}
    return {**line, "content": content if isinstance(content, str) else yaml.safe_dump(content)}


async def until(deployments: Deployments, name: str, found: Look) -> Application:
    """Follow an application until it is as wanted."""
    seen: Application | None = None
    try:
        async with asyncio.timeout(PATIENCE_S), aclosing(deployments.follow(name)) as following:  # type: ignore[type-var]
            async for news in following:
                seen = news.application or seen
                if news.application is not None and found(news.application):
                    return news.application
    except TimeoutError:
        pass
    raise AssertionError(f"{name} did not come to be as wanted; the last that was seen of it: {seen}")


@asynccontextmanager
async def site_on(plane: ControlPlane, folder: Path) -> AsyncIterator[Site]:
    config = folder / "causeway.yaml"
    platform = {"clusters": {CONTEXT: {"context": "rig"}}, "previews": {"delivery": "gitops"}}
    config.write_text(json.dumps({"platform": platform}))
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(peers(folder / "playground", config=config))
        stack.callback(_tidy, plane)
        url = f"{world.ready['github']}/{GITOPS}.git"
        real = stack.enter_context(argocd(plane, folder, NAMESPACE, syncs=True, gitops_url=url))
        theirs = {
            "CAUSEWAY_KUBECONFIG": str(plane.bot),
            "CAUSEWAY_ARGOCD_URL": real.url,
            "CAUSEWAY_ARGOCD_TOKEN": real.token().get_secret_value(),
        }
        await stack.enter_async_context(running(load({**world.ready["env"], **theirs})))
        cluster = connect(str(plane.bot), {CONTEXT: "rig"})[CONTEXT]
        resources = ApplicationResources(cluster, namespace=NAMESPACE, clock=machine_clock)
        api = ArgoCDApi(real.url, real.token())
        simulated = ArgoCDApi(world.ready["argocd"], SecretStr(world.ready["env"]["CAUSEWAY_ARGOCD_TOKEN"]))
        for one in (cluster, resources, api, simulated):
            stack.push_async_callback(one.close)
        yield Site(world, real, cluster, resources, api, simulated)


def _tidy(plane: ControlPlane) -> None:
    """Take away what Argo CD was told, now that it does not run and so would hold on to it for ever."""
    for kind in (APPLICATIONS, PROJECTS):
        for one in plane.call("GET", kind)["items"]:
            path = f"{kind}/{one['metadata']['name']}"
            plane.call("PATCH", path, {"metadata": {"finalizers": None}}, kind="application/merge-patch+json")
            plane.call("DELETE", path)
    for space in plane.call("GET", "/api/v1/namespaces?labelSelector=app.kubernetes.io/managed-by=causeway")["items"]:
        plane.call("DELETE", f"/api/v1/namespaces/{space['metadata']['name']}")
