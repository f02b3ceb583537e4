from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from playground.kubernetes.controllers.containers import Look
from tests.playground.argocd.rig import (
    FOLDER,
    NAME,
    SPACE,
    TOKEN,
    Delivery,
    application,
    config,
    delivering,
    project,
    web,
)
from tests.playground.github.running import served
from tests.playground.kubernetes.cluster import GOOD, LABELS

PATH = f"/api/v1/applications/{NAME}"
STREAM = "/api/v1/stream/applications"
DEPLOYMENT, CONFIG = f"{FOLDER}/deployment.yaml", f"{FOLDER}/config.yaml"


@dataclass
class Rest:
    argo: Delivery
    url: str
    session: aiohttp.ClientSession
    sha: str

    async def call(self, method: str, path: str, body: Any = None, *, token: str = TOKEN) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self.session.request(method, self.url + path, json=body, headers=headers) as response:
            text = await response.text()
            return response.status, json.loads(text) if text else None

    async def get(self, path: str) -> Any:
        status, body = await self.call("GET", path)
        assert status == 200, body
        return body

    @asynccontextmanager
    async def follow(self, query: str = "", accept: str = "*/*") -> AsyncIterator[aiohttp.ClientResponse]:
        headers = {"Authorization": f"Bearer {TOKEN}", "Accept": accept}
        async with self.session.get(f"{self.url}{STREAM}{query}", headers=headers) as response:
            yield response


@pytest.fixture
async def rest() -> AsyncIterator[Rest]:
    async with delivering() as argo, served(argo.peer.application()) as url, aiohttp.ClientSession() as session:
        argo.cluster.store.create(project())
        sha = argo.push({DEPLOYMENT: web(), CONFIG: config()})
        wanted = application()
        wanted["metadata"]["labels"] = {"causeway.io/service": "orders-api"}
        argo.cluster.store.create(wanted)
        await argo.settled(sha)
        yield Rest(argo, url, session, sha)


async def result(response: aiohttp.ClientResponse) -> Any:
    async with asyncio.timeout(30):
        return json.loads(await response.content.readline())["result"]


async def test_the_version_is_open_and_all_else_needs_the_token(rest: Rest) -> None:
    assert (await rest.call("GET", "/api/version", token=""))[0] == 200
    status, body = await rest.call("GET", PATH, token="")
    assert (status, body) == (401, {"error": "no session information", "code": 16, "message": "no session information"})
    assert (await rest.call("GET", PATH, token="another"))[0] == 401


async def test_an_application_carries_the_health_of_its_resources_only_here(rest: Rest) -> None:
    shown = await rest.get(PATH)
    assert "kind" not in shown
    assert {one["kind"]: one.get("health") for one in shown["status"]["resources"]} == {
        "ConfigMap": None,
        "Deployment": {"status": "Healthy"},
    }


async def test_an_unknown_application_is_denied_and_with_its_project_not_found(rest: Rest) -> None:
    status, body = await rest.call("GET", "/api/v1/applications/absent")
    assert (status, body) == (403, {"error": "permission denied", "code": 7, "message": "permission denied"})
    status, body = await rest.call("GET", "/api/v1/applications/absent?project=team-orders")
    assert (status, body["message"]) == (404, 'applications.argoproj.io "absent" not found')


async def test_a_list_is_chosen_by_labels_and_projects(rest: Rest) -> None:
    async def names(query: str) -> list[str]:
        return [one["metadata"]["name"] for one in (await rest.get(f"/api/v1/applications{query}"))["items"]]

    assert await names("") == [NAME]
    assert await names("?selector=causeway.io/service%3Dorders-api") == [NAME]
    assert await names("?selector=causeway.io/service%3Dother") == []
    assert await names("?projects=team-checkout") == []
    assert (await rest.call("GET", "/api/v1/applications?selector=%3D%3D"))[0] == 400


async def test_the_resource_tree_reaches_down_to_the_pods(rest: Rest) -> None:
    nodes = (await rest.get(f"{PATH}/resource-tree"))["nodes"]
    assert sorted(node["kind"] for node in nodes) == ["ConfigMap", "Deployment", "Pod", "Pod", "ReplicaSet"]
    pod = next(node for node in nodes if node["kind"] == "Pod")
    assert pod["images"] == [GOOD]
    assert pod["health"] == {"status": "Healthy"}
    assert pod["parentRefs"][0]["kind"] == "ReplicaSet"


async def test_a_stuck_pod_tells_its_reason_in_the_tree(rest: Rest) -> None:
    rest.argo.cluster.controllers.force(SPACE, LABELS, Look.IMAGEPULL)
    await rest.argo.settled(rest.sha, "Synced", "Progressing")
    nodes = (await rest.get(f"{PATH}/resource-tree"))["nodes"]
    health = [node["health"] for node in nodes if node["kind"] == "Pod"]
    assert {found["status"] for found in health} == {"Degraded"}
    assert all(GOOD in found["message"] for found in health)


async def test_a_refresh_is_answered_when_it_is_over(rest: Rest) -> None:
    rest.argo.files[CONFIG] = rest.argo.files[CONFIG].replace("info", "debug")
    sha = rest.argo.folders.commit_files(rest.argo.files)
    shown = await rest.get(f"{PATH}?refresh=normal")
    assert shown["status"]["sync"]["revision"] == sha
    assert "argocd.argoproj.io/refresh" not in shown["metadata"].get("annotations", {})


async def test_a_sync_by_hand_follows_only_the_revision_of_automated_sync(rest: Rest) -> None:
    status, body = await rest.call("POST", f"{PATH}/sync", {"revision": rest.sha})
    assert (status, body["code"]) == (400, 9)
    assert body["message"] == f"Cannot sync to {rest.sha}: auto-sync currently set to main"
    status, body = await rest.call("POST", f"{PATH}/sync", {"prune": True})
    assert (status, body["operation"]["initiatedBy"]) == (200, {"username": "causeway"})
    status, body = await rest.call("POST", f"{PATH}/sync", {})
    assert (status, body["message"]) == (400, "another operation is already in progress")
    await rest.argo.until(lambda: len(rest.argo.status()["history"]) == 2)


async def test_a_running_operation_can_be_ended_and_no_other(rest: Rest) -> None:
    status, body = await rest.call("DELETE", f"{PATH}/operation")
    assert (status, body["message"]) == (400, "Unable to terminate operation. No operation is in progress")
    late = config(name="late")
    late["metadata"]["annotations"] = {"argocd.argoproj.io/sync-wave": "1"}
    rest.argo.cluster.controllers.force(SPACE, LABELS, Look.PENDING)
    await rest.argo.settled(rest.sha, "Synced", "Progressing")
    rest.argo.push({f"{FOLDER}/late.yaml": late})
    await rest.argo.until(lambda: "waiting for healthy" in rest.argo.status()["operationState"]["message"])
    assert (await rest.call("DELETE", f"{PATH}/operation"))[0] == 200
    await rest.argo.until(lambda: rest.argo.status()["operationState"]["message"] == "Operation terminated")


async def test_a_closed_window_refuses_a_sync_and_is_told(rest: Rest) -> None:
    window = {"kind": "deny", "schedule": "0 8 * * *", "duration": "2h", "applications": ["*-staging"]}
    found = rest.argo.cluster.store.get("argoproj.io", "AppProject", "argocd", "team-orders")
    assert found is not None
    found["spec"]["syncWindows"] = [window]
    rest.argo.cluster.store.update(found)
    told = await rest.get(f"{PATH}/syncwindows")
    shown = {"kind": "deny", "schedule": "0 8 * * *", "duration": "2h", "manualSync": False}
    assert told == {"canSync": False, "assignedWindows": [shown], "activeWindows": [shown]}
    status, body = await rest.call("POST", f"{PATH}/sync", {})
    assert (status, body["message"]) == (403, "cannot sync: blocked by sync window")


async def test_a_stream_tells_what_there_is_and_then_what_changes(rest: Rest) -> None:
    async with rest.follow(f"?name={NAME}") as response:
        first = await result(response)
        assert (first["type"], first["application"]["metadata"]["name"]) == ("ADDED", NAME)
        rest.argo.cluster.store.delete("argoproj.io", "Application", "argocd", NAME)
        kinds: list[str] = []
        while not kinds or kinds[-1] != "DELETED":
            kinds.append((await result(response))["type"])
        assert set(kinds[:-1]) <= {"MODIFIED"}


async def test_a_stream_of_server_sent_events_begins_with_what_happens_next(rest: Rest) -> None:
    begun: list[str] = []

    async def first_line(project: str) -> bytes:
        query = f"?resourceVersion=0&projects={project}"
        async with rest.follow(query, accept="text/event-stream") as response:
            begun.append(project)
            assert response.content_type == "text/event-stream"
            return await response.content.readline()

    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        quiet = tasks.create_task(first_line("nobody"))
        following = tasks.create_task(first_line("team-orders"))
        for number in itertools.count():  # nothing tells when it listens: let things happen until it has told of one
            await rest.argo.settled(rest.argo.push({CONFIG: config(str(number))}))
            if following.done():
                break
        quiet.cancel()
    assert following.result().startswith(b'data: {"result": {"type": "MODIFIED"')
    assert begun == ["team-orders"]


async def test_a_revision_is_described(rest: Rest) -> None:
    told = await rest.get(f"{PATH}/revisions/{rest.sha}/metadata")
    assert told == {
        "author": "Sample Author <author@acme.example>",
        "date": "2026-03-02T09:00:00Z",
        "message": "Change",
    }


async def test_a_webhook_of_a_push_refreshes_who_reads_the_repository(rest: Rest) -> None:
    rest.argo.files[CONFIG] = rest.argo.files[CONFIG].replace("info", "debug")
    sha = rest.argo.folders.commit_files(rest.argo.files)
    payload = {"repository": {"clone_url": "http://127.0.0.1/acme/gitops.git"}}
    headers = {"X-GitHub-Event": "push"}
    async with rest.session.post(f"{rest.url}/api/webhook", json=payload, headers=headers) as response:
        assert response.status == 200
    await rest.argo.settled(sha)


async def test_faults_are_ordered_and_calls_are_logged(rest: Rest) -> None:
    await rest.call("POST", "/sim/faults", {"route": "GET /api/v1/applications/{name}", "status": 503})
    assert (await rest.call("GET", PATH))[0] == 503
    assert (await rest.call("GET", PATH))[0] == 200
    await rest.call("POST", "/sim/faults", {"route": "/sync", "drop": "after"})
    with pytest.raises(aiohttp.ClientError):
        await rest.call("POST", f"{PATH}/sync", {})
    log = await rest.get("/sim/log")
    assert [(line["method"], line["status"]) for line in log] == [("GET", 503), ("GET", 200), ("POST", 200)]
    assert TOKEN not in json.dumps(log)


async def test_a_plain_page_lists_the_applications(rest: Rest) -> None:
    async with rest.session.get(rest.url) as response:
        text = await response.text()
    assert NAME in text
    assert "Healthy" in text


async def test_the_account_may_read_and_sync_and_sees_the_one_cluster(rest: Rest) -> None:
    can = "/api/v1/account/can-i"
    assert await rest.get(f"{can}/applications/sync/*/*") == {"value": "yes"}
    assert await rest.get(f"{can}/applications/get/team-orders/{NAME}") == {"value": "yes"}
    assert await rest.get(f"{can}/applications/delete/*/*") == {"value": "no"}
    assert [one["server"] for one in (await rest.get("/api/v1/clusters"))["items"]] == [
        "https://kubernetes.default.svc"
    ]
    for path in (f"{can}/applications/sync/*/*", "/api/v1/clusters"):
        assert (await rest.call("GET", path, token="wrong"))[0] == 401
