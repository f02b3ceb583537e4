from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from playground.kubernetes.controllers.containers import Look
from tests.playground.argocd.rig import (
    AUTOMATED,
    FOLDER,
    GITOPS,
    NAME,
    SERVER,
    SPACE,
    Delivery,
    application,
    config,
    delivering,
    project,
    web,
)
from tests.playground.kubernetes.cluster import ABSENT, BETTER, GOOD, LABELS

DEPLOYMENT, CONFIG = f"{FOLDER}/deployment-orders-api.yaml", f"{FOLDER}/configmap-orders-api.yaml"


@pytest.fixture
async def argo() -> AsyncIterator[Delivery]:
    async with delivering() as found:
        found.cluster.store.create(project())
        yield found


async def healthy(argo: Delivery) -> str:
    """Bring an application with two objects to where everything is as it should be; return its commit."""
    sha = argo.push({DEPLOYMENT: web(), CONFIG: config()})
    argo.cluster.store.create(application())
    await argo.settled(sha)
    return sha


def tried(argo: Delivery, attempt: int) -> bool:
    return bool(argo.status().get("operationState", {}).get("retryCount") == attempt)


async def test_an_application_is_synced_and_becomes_healthy(argo: Delivery) -> None:
    sha = await healthy(argo)
    status = argo.status()
    assert [(one["kind"], one["status"]) for one in status["resources"]] == [
        ("ConfigMap", "Synced"),
        ("Deployment", "Synced"),
    ]
    assert not any("health" in one for one in status["resources"])
    assert status["resourceHealthSource"] == "appTree"
    assert status["summary"] == {"images": [GOOD]}
    assert status["sourceType"] == "Directory"
    state = status["operationState"]
    assert (state["phase"], state["message"]) == ("Succeeded", "successfully synced (all tasks run)")
    assert state["syncResult"]["revision"] == sha
    assert state["operation"]["initiatedBy"] == {"automated": True}
    (entry,) = status["history"]
    assert (entry["id"], entry["revision"]) == (0, sha)
    made = argo.cluster.store.get("apps", "Deployment", SPACE, "orders-api")
    assert made is not None
    tracking = made["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"]
    assert tracking == f"{NAME}:apps/Deployment:{SPACE}/orders-api"
    assert "argocd-controller" in {entry["manager"] for entry in made["metadata"]["managedFields"]}


async def test_a_push_is_synced_and_what_left_git_is_pruned(argo: Delivery) -> None:
    await healthy(argo)
    sha = argo.push({DEPLOYMENT: web(BETTER), CONFIG: None})
    status = await argo.settled(sha)
    assert [entry["id"] for entry in status["history"]] == [0, 1]
    assert argo.cluster.store.get("", "ConfigMap", SPACE, "orders-api") is None
    results = {one["kind"]: one["message"] for one in status["operationState"]["syncResult"]["resources"]}
    assert results == {"ConfigMap": "pruned", "Deployment": "deployment.apps/orders-api serverside-applied"}


async def test_what_people_change_or_delete_by_hand_comes_back(argo: Delivery) -> None:
    await healthy(argo)
    store = argo.cluster.store
    changed = store.get("", "ConfigMap", SPACE, "orders-api")
    assert changed is not None
    changed["data"]["LEVEL"] = "debug"
    store.update(changed, manager="kubectl-edit")
    await argo.until(lambda: (store.get("", "ConfigMap", SPACE, "orders-api") or {})["data"]["LEVEL"] == "info")
    store.delete("apps", "Deployment", SPACE, "orders-api")
    await argo.until(lambda: store.get("apps", "Deployment", SPACE, "orders-api"))


async def test_without_self_heal_a_change_by_hand_is_only_told(argo: Delivery) -> None:
    policy = {"automated": {"prune": True}, "syncOptions": ["CreateNamespace=true"]}
    sha = argo.push({CONFIG: config()})
    argo.cluster.store.create(application(syncPolicy=policy))
    await argo.settled(sha)
    changed = argo.cluster.store.get("", "ConfigMap", SPACE, "orders-api")
    assert changed is not None
    argo.cluster.store.update({**changed, "data": {"LEVEL": "debug"}}, manager="kubectl-edit")
    await argo.settled(sha, "OutOfSync")
    found = argo.cluster.store.get("", "ConfigMap", SPACE, "orders-api")
    assert found is not None
    assert found["data"]["LEVEL"] == "debug"


async def test_a_version_that_cannot_start_is_degraded_once_its_deadline_has_passed(argo: Delivery) -> None:
    await healthy(argo)
    sha = argo.push({DEPLOYMENT: web(ABSENT)})
    await argo.settled(sha, "Synced", "Progressing")
    await argo.until(
        lambda: [one for one in argo.cluster.told("Failed") if one["message"] == "Error: ImagePullBackOff"]
    )
    argo.cluster.clock.advance(seconds=601)
    await argo.settled(sha, "Synced", "Degraded")


async def test_pods_that_crash_make_the_application_progress_again(argo: Delivery) -> None:
    sha = await healthy(argo)
    argo.cluster.controllers.force(SPACE, LABELS, Look.CRASHLOOP)
    await argo.settled(sha, "Synced", "Progressing")
    argo.cluster.controllers.force(SPACE, LABELS, Look.READY)
    await argo.settled(sha)


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ({CONFIG: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [}\n"}, 'Failed to unmarshal "configmap-'),
        ({DEPLOYMENT: None, CONFIG: None, "README.md": "Nothing here.\n"}, f"{FOLDER}: app path does not exist"),
    ],
    ids=["yaml", "path"],
)
async def test_what_cannot_be_read_is_a_comparison_error(argo: Delivery, files: dict[str, Any], text: str) -> None:
    await healthy(argo)
    argo.push(files)
    told = await argo.condition("ComparisonError")
    assert told.startswith("Failed to load target state: failed to generate manifest for source 1 of 1: rpc error:")
    assert text in told
    assert argo.status()["sync"]["status"] == "Unknown"
    assert argo.cluster.store.get("apps", "Deployment", SPACE, "orders-api") is not None


async def test_a_branch_that_does_not_exist_is_a_comparison_error(argo: Delivery) -> None:
    argo.push({CONFIG: config()})
    source = {"repoURL": GITOPS, "path": FOLDER, "targetRevision": "later"}
    argo.cluster.store.create(application(source=source))
    assert (await argo.condition("ComparisonError")).endswith("unable to resolve 'later' to a commit SHA")


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"project": "absent"}, "Application referencing project absent which does not exist"),
        (
            {"destination": {"server": SERVER, "namespace": "kube-system"}},
            (
                f"application destination server '{SERVER}' and namespace 'kube-system' do not match any of the "
                "allowed destinations in project 'team-orders'"
            ),
        ),
        (
            {"source": {"repoURL": "http://127.0.0.1/acme/other.git", "path": "."}},
            "application repo http://127.0.0.1/acme/other.git is not permitted in project 'team-orders'",
        ),
        (
            {"destination": {"name": "other", "namespace": SPACE}},
            "there are no clusters with this name: other",
        ),
    ],
    ids=["project", "namespace", "repository", "cluster"],
)
async def test_what_the_project_does_not_permit_is_an_invalid_spec(
    argo: Delivery, spec: dict[str, Any], told: str
) -> None:
    argo.push({CONFIG: config()})
    argo.cluster.store.create(application(**spec))
    assert await argo.condition("InvalidSpecError") == told
    assert (argo.status()["sync"]["status"], argo.status()["health"]["status"]) == ("Unknown", "Unknown")


async def test_a_kind_that_the_project_does_not_permit_is_not_synced(argo: Delivery) -> None:
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "all"},
        "rules": [],
    }
    argo.push({CONFIG: config(), f"{FOLDER}/role.yaml": role})
    argo.cluster.store.create(application())
    state = await argo.until(lambda: argo.status().get("operationState"))
    results = {one["kind"]: one["message"] for one in state["syncResult"]["resources"]}
    assert results == {
        "ClusterRole": "resource rbac.authorization.k8s.io:ClusterRole is not permitted in project team-orders"
    }
    assert argo.cluster.store.get("rbac.authorization.k8s.io", "ClusterRole", "", "all") is None


async def test_a_failed_sync_is_tried_again_and_then_told(argo: Delivery) -> None:
    wrong = web()
    wrong["spec"]["template"]["metadata"]["labels"] = {"app.kubernetes.io/name": "another"}
    sha = argo.push({DEPLOYMENT: wrong})
    argo.cluster.store.create(application())
    for attempt in (1, 2):
        await argo.until(partial(tried, argo, attempt))
        state = argo.status()["operationState"]
        assert (state["phase"], f"Retrying attempt #{attempt} at " in state["message"]) == ("Running", True)
        argo.cluster.clock.advance(seconds=30)
    told = await argo.condition("SyncError")
    assert told == f"Failed last sync attempt to [{sha}]: {argo.status()['operationState']['message']}"
    assert told.endswith("(retried 2 times).")
    fixed = argo.push({DEPLOYMENT: web()})
    await argo.settled(fixed)
    assert "conditions" not in argo.status()


async def test_waves_wait_for_the_health_of_those_before(argo: Delivery) -> None:
    first, second = web(), config()
    second["metadata"]["annotations"] = {"argocd.argoproj.io/sync-wave": "1"}
    argo.cluster.controllers.force(SPACE, LABELS, Look.PENDING)
    sha = argo.push({DEPLOYMENT: first, CONFIG: second})
    argo.cluster.store.create(application())
    waits = "waiting for healthy state of apps/Deployment/orders-api"
    await argo.until(lambda: argo.status().get("operationState", {}).get("message") == waits)
    assert argo.cluster.store.get("", "ConfigMap", SPACE, "orders-api") is None
    argo.cluster.controllers.force(SPACE, LABELS, Look.READY)
    await argo.settled(sha)


async def test_what_was_made_first_is_pruned_last(argo: Delivery) -> None:
    first, last = config(name="first"), config(name="last")
    first["metadata"]["annotations"] = {"argocd.argoproj.io/sync-wave": "-1"}
    argo.push({DEPLOYMENT: web(), f"{FOLDER}/first.yaml": first, f"{FOLDER}/last.yaml": last})
    argo.cluster.store.create(application())
    await argo.until(lambda: argo.status().get("health", {}).get("status") == "Healthy" or None)
    sha = argo.push({f"{FOLDER}/first.yaml": None, f"{FOLDER}/last.yaml": None})
    status = await argo.settled(sha)
    pruned = [one["name"] for one in status["operationState"]["syncResult"]["resources"] if one["status"] == "Pruned"]
    assert pruned == ["last", "first"]


async def test_a_project_that_comes_late_is_noticed_minutes_later(argo: Delivery) -> None:
    sha = argo.push({CONFIG: config()})
    argo.cluster.store.create(application(project="late"))
    told = "Application referencing project late which does not exist"
    assert await argo.condition("InvalidSpecError") == told
    argo.cluster.store.create(project("late"))
    argo.cluster.store.create(application("another", destination={"server": SERVER, "namespace": f"{SPACE}-2"}))
    await argo.settled(sha, name="another")  # what is looked at meanwhile does not help
    assert argo.status()["conditions"][0]["message"] == told
    argo.cluster.clock.advance(seconds=121)
    await argo.settled(sha)


async def test_a_namespace_is_made_only_where_the_project_permits_it(argo: Delivery) -> None:
    argo.cluster.store.create(project("narrow", clusterResourceWhitelist=[]))
    argo.push({CONFIG: config()})
    argo.cluster.store.create(application(project="narrow", syncPolicy={**AUTOMATED, "retry": {"limit": 0}}))
    assert (await argo.condition("SyncError")).endswith(": one or more synchronization tasks are not valid")
    (refused,) = argo.status()["operationState"]["syncResult"]["resources"]
    assert refused["message"] == "resource :Namespace is not permitted in project narrow"
    assert argo.cluster.store.get("", "Namespace", "", SPACE) is None


async def test_an_application_of_applications_makes_projects_and_applications(argo: Delivery) -> None:
    sha = argo.push(
        {
            "argocd/projects/team-orders.yaml": project(),
            f"argocd/applications/{NAME}.yaml": application(),
            DEPLOYMENT: web(),
        }
    )
    kinds = [{"group": "*", "kind": "*"}]
    everywhere = [{"server": "*", "namespace": "*"}]
    argo.cluster.store.create(
        project("default", sourceRepos=["*"], destinations=everywhere, clusterResourceWhitelist=kinds)
    )
    source = {"repoURL": GITOPS, "path": "argocd", "targetRevision": "main", "directory": {"recurse": True}}
    root = application("root", project="default", source=source, destination={"server": SERVER, "namespace": "argocd"})
    argo.cluster.store.create(root)
    await argo.until(lambda: argo.controller.application(NAME))
    await argo.settled(sha)
    await argo.settled(sha, name="root")
    argo.push({f"argocd/applications/{NAME}.yaml": None})
    await argo.until(lambda: argo.controller.application(NAME) is None)
    assert argo.cluster.store.get("apps", "Deployment", SPACE, "orders-api") is None


async def test_deleting_an_application_deletes_its_objects_first(argo: Delivery) -> None:
    await healthy(argo)
    argo.cluster.store.delete("argoproj.io", "Application", "argocd", NAME)
    await argo.until(lambda: argo.controller.application(NAME) is None)
    assert argo.cluster.store.get("apps", "Deployment", SPACE, "orders-api") is None
    assert argo.cluster.store.get("", "ConfigMap", SPACE, "orders-api") is None


async def test_a_closed_window_holds_syncs_back_until_it_has_passed(argo: Delivery) -> None:
    held = project(syncWindows=[{"kind": "deny", "schedule": "0 8 * * *", "duration": "2h", "applications": ["*"]}])
    found = argo.cluster.store.get("argoproj.io", "AppProject", "argocd", "team-orders")
    assert found is not None
    argo.cluster.store.update({**found, "spec": held["spec"]})
    sha = argo.push({CONFIG: config()})
    argo.cluster.store.create(application())
    await argo.settled(sha, "OutOfSync", "Healthy")
    assert "operationState" not in argo.status()
    argo.cluster.clock.advance(hours=2)
    await argo.settled(sha)


async def test_a_refresh_reads_what_no_webhook_told_of(argo: Delivery) -> None:
    await healthy(argo)
    argo.files[CONFIG] = argo.files[CONFIG].replace("info", "debug")
    sha = argo.folders.commit_files(argo.files)
    found = argo.application()
    found["metadata"].setdefault("annotations", {})["argocd.argoproj.io/refresh"] = "normal"
    argo.cluster.store.update(found)
    await argo.settled(sha)
    assert "argocd.argoproj.io/refresh" not in argo.application()["metadata"].get("annotations", {})
