"""What an object's health is, what a project permits, when a window is open, which files count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from playground.argocd.health import Health, health_of, worst
from playground.argocd.projects import destination_permitted, kind_permitted, source_permitted
from playground.argocd.sources import SourceError, manifests, read
from playground.argocd.sync import retry_at
from playground.argocd.windows import go_duration, may_sync

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def obj(api_version: str, kind: str, **parts: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "web", "generation": 1}, **parts}


def rollout(**status: Any) -> dict[str, Any]:
    return obj("apps/v1", "Deployment", spec={"replicas": 2}, status={"observedGeneration": 1, **status})


ALL = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
EXCEEDED = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}


@pytest.mark.parametrize(
    ("found", "health"),
    [
        (rollout(**ALL), Health("Healthy")),
        (rollout(conditions=[EXCEEDED]), Health("Degraded", 'Deployment "web" exceeded its progress deadline')),
        (
            rollout(updatedReplicas=1),
            Health("Progressing", "Waiting for rollout to finish: 1 out of 2 new replicas have been updated..."),
        ),
        (
            rollout(**{**ALL, "replicas": 3}),
            Health("Progressing", "Waiting for rollout to finish: 1 old replicas are pending termination..."),
        ),
        (
            rollout(**{**ALL, "availableReplicas": 1}),
            Health("Progressing", "Waiting for rollout to finish: 1 of 2 updated replicas are available..."),
        ),
        (obj("apps/v1", "Deployment", spec={"paused": True}), Health("Suspended", "Deployment is paused")),
        (obj("v1", "Service", spec={"type": "LoadBalancer"}), Health("Progressing")),
        (obj("v1", "Service", spec={}), Health("Healthy")),
        (obj("networking.k8s.io/v1", "Ingress"), Health("Progressing")),
        (obj("v1", "PersistentVolumeClaim", status={"phase": "Bound"}), Health("Healthy")),
        (obj("batch/v1", "CronJob", spec={}, status={}), Health("Healthy", "CronJob has not been scheduled yet")),
        (obj("autoscaling/v2", "HorizontalPodAutoscaler"), Health("Progressing", "Waiting to Autoscale")),
        (obj("v1", "ConfigMap"), None),
        (obj("argoproj.io/v1alpha1", "Application", status={"health": {"status": "Degraded"}}), None),
        (
            obj("postgresql.cnpg.io/v1", "Cluster", status={"phase": "Setting up primary", "conditions": []}),
            Health("Progressing"),
        ),
    ],
)
def test_health_is_told_in_argo_cds_words(found: dict[str, Any], health: Health | None) -> None:
    assert health_of(found) == health


def test_a_generation_that_nobody_has_seen_is_progressing() -> None:
    found = rollout(**ALL)
    found["metadata"]["generation"] = 2
    health = health_of(found)
    assert health is not None
    assert health.message.endswith("observed deployment generation less than desired generation")


def test_an_object_that_is_going_is_progressing() -> None:
    found = obj("v1", "ConfigMap")
    found["metadata"]["deletionTimestamp"] = "2026-03-02T09:00:00Z"
    assert health_of(found) == Health("Progressing", "Pending deletion")


def test_the_whole_is_as_healthy_as_its_worst_part() -> None:
    assert worst([]) == "Healthy"
    assert worst(["Healthy", "Degraded", "Progressing"]) == "Degraded"
    assert worst(["Missing", "Suspended"]) == "Missing"


def project(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "team-orders"}, "spec": spec}


@pytest.mark.parametrize(
    ("patterns", "url", "permitted"),
    [
        (["*"], "https://github.com/acme/gitops.git", True),
        (["https://github.com/acme/gitops"], "https://github.com/acme/gitops.git", True),
        (["https://github.com/acme/*"], "https://github.com/acme/gitops.git", True),
        (["https://github.com/*"], "https://github.com/acme/gitops.git", False),
        (["*", "!https://github.com/acme/gitops.git"], "https://github.com/acme/gitops.git", False),
        ([], "https://github.com/acme/gitops.git", False),
    ],
)
def test_a_source_is_permitted_by_its_address(patterns: list[str], url: str, *, permitted: bool) -> None:
    assert source_permitted(project(sourceRepos=patterns), url) is permitted


def test_a_destination_is_permitted_by_cluster_and_namespace() -> None:
    here = {"server": "https://kubernetes.default.svc", "namespace": "orders-*"}
    assert destination_permitted(project(destinations=[here]), "orders-staging")
    assert not destination_permitted(project(destinations=[here]), "kube-system")
    assert not destination_permitted(project(destinations=[{**here, "server": "https://other"}]), "orders-staging")
    assert not destination_permitted(project(destinations=[here, {**here, "namespace": "!orders-x"}]), "orders-x")


def test_kinds_outside_of_namespaces_are_permitted_only_by_name() -> None:
    assert kind_permitted(project(), "apps", "Deployment", namespaced=True)
    assert not kind_permitted(project(), "", "Namespace", namespaced=False)
    assert kind_permitted(
        project(clusterResourceWhitelist=[{"group": "", "kind": "*"}]), "", "Namespace", namespaced=False
    )
    assert not kind_permitted(
        project(namespaceResourceBlacklist=[{"group": "", "kind": "Secret"}]), "", "Secret", namespaced=True
    )


def window(kind: str, schedule: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "schedule": schedule, "duration": "1h", **more}


@pytest.mark.parametrize(
    ("windows", "by_itself", "by_hand"),
    [
        ([], True, True),
        ([window("deny", "0 9 * * *")], False, False),
        ([window("deny", "0 9 * * *", manualSync=True)], False, True),
        ([window("deny", "1 9 * * *")], True, True),
        ([window("deny", "0 8 * * *")], True, True),
        ([window("allow", "0 9 * * *")], True, True),
        ([window("allow", "0 12 * * *")], False, False),
        ([window("allow", "0 12 * * *", manualSync=True)], False, True),
        ([window("allow", "0 9 * * *"), window("deny", "30 8 * * *")], False, False),
        ([window("deny", "0 10 * * *", timeZone="Europe/Berlin")], False, False),
    ],
)
def test_windows_let_a_sync_begin_or_not(windows: list[dict[str, Any]], *, by_itself: bool, by_hand: bool) -> None:
    assert may_sync(windows, MONDAY, by_hand=False) is by_itself
    assert may_sync(windows, MONDAY, by_hand=True) is by_hand


def test_durations_are_read_as_go_writes_them() -> None:
    assert go_duration("1h30m") == timedelta(minutes=90)
    assert go_duration("45") == timedelta(seconds=45)
    with pytest.raises(ValueError, match="invalid duration"):
        go_duration("soon")


def test_attempts_lie_further_and_further_apart_up_to_a_limit() -> None:
    retry = {"backoff": {"duration": "5s", "factor": 2, "maxDuration": "1m"}}
    pauses = [(retry_at(retry, count, MONDAY) - MONDAY).total_seconds() for count in (0, 1, 2, 10)]
    assert pauses == [5, 10, 20, 60]


CONFIG = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n"


@pytest.mark.parametrize(
    ("directory", "count"),
    [
        ({}, 1),
        ({"recurse": True}, 3),
        ({"recurse": True, "include": "inner/*.yaml"}, 1),
        ({"recurse": True, "include": "{*.yaml,*.json}"}, 3),
        ({"recurse": True, "exclude": "inner/*"}, 1),
    ],
)
def test_the_files_of_a_folder_count_as_its_directory_says(directory: dict[str, Any], count: int) -> None:
    files = {
        "apps/web/config.yaml": CONFIG,
        "apps/web/README.md": b"Words.",
        "apps/web/inner/config.yaml": CONFIG,
        "apps/web/inner/one.json": b'{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}}',
        "apps/other/config.yaml": CONFIG,
    }
    assert len(manifests(files, {"path": "apps/web", "directory": directory})) == count


def test_a_file_holds_several_objects_lists_and_dates_as_text() -> None:
    listed = b"apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret}\n"
    text = CONFIG + b"data: {since: 2026-03-02, on: x}\n---\n---\n" + listed
    first, second = read("all.yaml", text)
    assert first["data"] == {"since": "2026-03-02", "true": "x"}
    assert second["kind"] == "Secret"


def test_yaml_that_is_no_manifest_is_passed_over_and_what_looks_like_one_is_not() -> None:
    assert read("values.yaml", b"a: [1\n") == []
    assert read("values.yaml", b"replicas: 2\n") == []
    with pytest.raises(SourceError, match="Object 'Kind' is missing"):
        read("half.yaml", b"apiVersion: v1\nmetadata: {name: a}\nspec: {kind: b}\n")
    with pytest.raises(SourceError, match="Object 'Kind' is missing"):
        read("both.yaml", b"{apiVersion: v1, kind: ConfigMap}\n---\nreplicas: 2\n")
