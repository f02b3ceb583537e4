"""From a push to a running service, through the playground's own Git, Argo CD, cluster and registry, all over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from playground.server import Playground
from tests.playground.argocd.rig import application, config, project, web
from tests.playground.github.running import git
from tests.playground.kubernetes.cluster import LABELS

LONGEST_S = 60.0
MANIFEST: dict[str, Any] = {"oauth_config": {"scopes": {"bot": []}}, "features": {"slash_commands": []}}
STREAM = "/api/v1/stream/applications"


@dataclass
class Town:
    ready: dict[str, Any]
    http: aiohttp.ClientSession

    @property
    def argocd(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.ready['env']['CAUSEWAY_ARGOCD_TOKEN']}"}

    @property
    def cluster(self) -> dict[str, str]:
        user = json.loads(Path(self.ready["env"]["CAUSEWAY_KUBECONFIG"]).read_text())["users"][0]["user"]
        return {"Authorization": f"Bearer {user['token']}"}

    async def seen(self, name: str, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Follow an application until it fits."""
        url = f"{self.ready['argocd']}{STREAM}?name={name}"
        async with asyncio.timeout(LONGEST_S), self.http.get(url, headers=self.argocd) as response:
            async for line in response.content:
                found: dict[str, Any] = json.loads(line)["result"]["application"]
                if fits(found):
                    return found
        raise AssertionError("the stream has ended")

    async def objects(self, path: str) -> tuple[int, list[dict[str, Any]]]:
        async with self.http.get(f"{self.ready['kubernetes']}{path}", headers=self.cluster) as response:
            return response.status, (await response.json()).get("items", [])

    async def force(self, state: str) -> None:
        body = {"namespace": "orders-api-staging", "selector": LABELS, "state": state}
        async with self.http.post(f"{self.ready['kubernetes']}/sim/pods", json=body) as response:
            assert response.status == 200


@asynccontextmanager
async def town(folder: Path) -> AsyncIterator[Town]:
    playground = Playground(data_dir=folder, manifest=MANIFEST, port=0, bot_urls=["http://127.0.0.1:9"])
    try:
        await playground.start()
        async with aiohttp.ClientSession() as session:
            yield Town(playground.ready(), session)
    finally:
        await playground.close()


def is_so(sha: str, health: str, sync: str = "Synced") -> Callable[[dict[str, Any]], bool]:
    def fits(found: dict[str, Any]) -> bool:
        status = found.get("status", {})
        compared = status.get("sync", {})
        seen = (compared.get("revision"), compared.get("status"), status.get("health", {}).get("status"))
        return seen == (sha, sync, health) and "operation" not in found

    return fits


async def pushed(folder: Path, files: dict[str, Any], message: str = "Change") -> str:
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    await git("add", "-A", cwd=folder)
    await git("commit", "-qm", message, cwd=folder)
    await git("push", "-q", "origin", "HEAD:main", cwd=folder)
    return await git("rev-parse", "HEAD", cwd=folder)


async def cloned(where: Town, name: str, into: Path) -> Path:
    await git("clone", "-q", f"{where.ready['github']}/acme/{name}.git", str(into / name), cwd=into)
    return into / name


def delivered(where: Town, image: str) -> dict[str, Any]:
    """Return the files of the GitOps repository that deliver an image."""
    repo_url = f"{where.ready['github']}/acme/gitops.git"
    wanted = application()
    wanted["spec"]["source"]["repoURL"] = repo_url
    return {
        "argocd/projects/team-orders.yaml": project(sourceRepos=[repo_url]),
        "argocd/applications/orders-api-staging.yaml": wanted,
        "apps/orders-api/staging/deployment-orders-api.yaml": web(image),
        "apps/orders-api/staging/configmap-orders-api.yaml": config(),
    }


async def test_a_pushed_version_runs_once_its_image_is_built(tmp_path: Path) -> None:
    async with town(tmp_path / "data") as here:
        gitops, source = await cloned(here, "gitops", tmp_path), await cloned(here, "orders-api", tmp_path)
        (source / "app.py").write_text("print('hello')\n")
        await git("commit", "-qam", "Say hello", cwd=source)
        image = f"ghcr.io/acme/orders-api:{await git('rev-parse', 'HEAD', cwd=source)}"

        sha = await pushed(gitops, delivered(here, image))
        await here.seen("orders-api-staging", is_so(sha, "Progressing"))
        await git("push", "-q", "origin", "HEAD:main", cwd=source)
        found = await here.seen("orders-api-staging", is_so(sha, "Healthy"))
        assert found["status"]["summary"]["images"] == [image]

        status, pods = await here.objects("/api/v1/namespaces/orders-api-staging/pods")
        assert (status, [pod["status"]["phase"] for pod in pods]) == (200, ["Running", "Running"])
        assert (await here.objects("/api/v1/namespaces/orders-api-staging/secrets"))[0] == 403


async def test_what_was_running_runs_on_after_a_restart(tmp_path: Path) -> None:
    image = "ghcr.io/acme/orders-api:main"
    async with town(tmp_path / "data") as before:
        gitops = await cloned(before, "gitops", tmp_path)
        sha = await pushed(gitops, delivered(before, image))
        await before.seen("orders-api-staging", is_so(sha, "Healthy"))
        await before.force("crashloop")
        await before.seen("orders-api-staging", is_so(sha, "Progressing"))
    async with town(tmp_path / "data") as after:
        assert after.ready == before.ready
        await after.seen("orders-api-staging", is_so(sha, "Progressing"))
        await after.force("ready")
        await after.seen("orders-api-staging", is_so(sha, "Healthy"))
        sha = await pushed(gitops, {"apps/orders-api/staging/configmap-orders-api.yaml": config("debug")})
        await after.seen("orders-api-staging", is_so(sha, "Healthy"))
