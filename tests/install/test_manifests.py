"""What is installed: it can be built, runs with little, and is told settings that Causeway takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from prometheus_client import CollectorRegistry

from bot.http.probes import Probes
from bot.model.platform import Platform
from bot.settings import Environment, load
from tests.install.built import COMPONENTS, EXAMPLE, INSTALL, ROOT, build, one, overlay, source_documents

ENVIRONMENT = {f"CAUSEWAY_{name.upper()}" for name in Environment.model_fields} | {"CAUSEWAY_GITHUB_APP_KEY_FILE"}
FOLDERS = sorted(file.parent for file in INSTALL.rglob("kustomization.yaml"))


@pytest.fixture
def deployment() -> dict[str, Any]:
    return one(build(EXAMPLE), "Deployment", "causeway")


@pytest.fixture
def container(deployment: dict[str, Any]) -> dict[str, Any]:
    (only,) = deployment["spec"]["template"]["spec"]["containers"]
    assert isinstance(only, dict)
    return only


@pytest.mark.parametrize(
    "folder", [one for one in FOLDERS if one.parent.name != "components"], ids=lambda one: one.name
)
def test_every_kustomization_builds(folder: Path) -> None:
    assert build(folder)


@pytest.mark.parametrize("name", COMPONENTS)
def test_every_component_adds_to_the_base(name: str, tmp_path: Path) -> None:
    assert list(overlay(tmp_path, name)) != list(overlay(tmp_path))


def test_without_argocd_nothing_is_asked_of_its_namespace(tmp_path: Path) -> None:
    objects = overlay(tmp_path, "without-argocd")
    assert not [obj for obj in objects if obj["metadata"].get("namespace") == "argocd"]


def test_all_objects_of_the_base_stand_in_our_namespace_or_say_why_not(tmp_path: Path) -> None:
    elsewhere = {
        (obj["kind"], obj["metadata"].get("namespace")): obj["metadata"]["name"]
        for obj in overlay(tmp_path)
        if obj["metadata"].get("namespace") != "causeway"
    }
    assert elsewhere == {
        ("Namespace", None): "causeway",
        ("ClusterRole", None): "causeway-read",
        ("ClusterRoleBinding", None): "causeway-read",
        ("Role", "argocd"): "causeway-read",
        ("RoleBinding", "argocd"): "causeway-read",
    }


def test_no_secret_value_stands_in_any_file() -> None:
    for file, document in source_documents():
        assert "data" not in document or document["kind"] != "Secret", file
        assert "stringData" not in document, file


# --- how it runs


def test_it_runs_with_as_little_as_it_can(deployment: dict[str, Any], container: dict[str, Any]) -> None:
    pod = deployment["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    writable = [mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")]
    assert writable == ["/tmp"]  # noqa: S108  # the only place that it may write to
    assert container["resources"]["limits"].keys() == {"memory"}


def test_one_replica_may_go_at_any_time(deployment: dict[str, Any]) -> None:
    assert deployment["spec"]["replicas"] == 2
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    budget = one(build(EXAMPLE), "PodDisruptionBudget", "causeway")["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["selector"] == deployment["spec"]["selector"]
    assert (
        one(build(EXAMPLE), "Service", "causeway")["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"]
    )


def test_the_probes_ask_what_causeway_answers(container: dict[str, Any]) -> None:
    answered = {route.path for route in Probes({}, CollectorRegistry()).routes()}
    asked = {container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    assert asked == {"/livez", "/readyz"}
    assert asked < answered


def test_the_pod_has_time_to_stop(deployment: dict[str, Any], container: dict[str, Any]) -> None:
    pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] >= pause + 30


def test_the_outside_reaches_the_doors_and_nothing_else() -> None:
    rules = one(build(EXAMPLE), "Ingress", "causeway")["spec"]["rules"]
    paths = {path["path"] for rule in rules for path in rule["http"]["paths"]}
    assert paths == {"/slack/events", "/webhooks", "/api/v1"}
    told = yaml.safe_load((ROOT / "app-manifest.yml").read_text())["settings"]["interactivity"]["request_url"]
    assert urlsplit(told).path in paths


def test_nothing_passes_that_is_not_named(tmp_path: Path) -> None:
    policy = one(overlay(tmp_path), "NetworkPolicy", "default-deny")["spec"]
    assert policy == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


# --- what it is told


def test_every_variable_of_the_pod_is_a_setting(deployment: dict[str, Any], container: dict[str, Any]) -> None:
    assert {entry["name"] for entry in container["env"]} <= ENVIRONMENT
    # With them Kubernetes would add CAUSEWAY_SERVICE_HOST and others, which Causeway refuses as mistyped settings.
    assert deployment["spec"]["template"]["spec"]["enableServiceLinks"] is False


def test_every_secret_of_the_template_is_a_setting_and_empty(container: dict[str, Any]) -> None:
    lines = (EXAMPLE / "secret.env.example").read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert set(values) <= ENVIRONMENT
    assert not set(values) & {entry["name"] for entry in container["env"]}
    mounted = "/etc/causeway-keys/github-app.pem"
    assert {name: value for name, value in values.items() if value} == {"CAUSEWAY_GITHUB_APP_KEY_FILE": mounted}


def test_the_sample_configuration_is_taken_and_names_every_part_of_the_platform() -> None:
    file = EXAMPLE / "causeway.yaml"
    read = load({"CAUSEWAY_CONFIG": str(file)}).configuration
    assert list(read.platform.environments) == ["staging", "production"]
    left_out = set(Platform.model_fields) - set(yaml.safe_load(file.read_text())["platform"])
    assert left_out == {"templates", "queries"}


def test_a_change_of_the_configuration_replaces_the_pods(deployment: dict[str, Any]) -> None:
    volumes = {volume["name"]: volume for volume in deployment["spec"]["template"]["spec"]["volumes"]}
    name = volumes["configuration"]["configMap"]["name"]
    assert name != "causeway"
    assert "causeway.yaml" in one(build(EXAMPLE), "ConfigMap", name)["data"]


def test_the_root_application_is_the_one_that_the_configuration_names() -> None:
    platform = load({"CAUSEWAY_CONFIG": str(EXAMPLE / "causeway.yaml")}).configuration.platform
    root = one(build(INSTALL / "argocd"), "Application", platform.argocd.root_application)
    assert root["metadata"]["namespace"] == platform.argocd.namespace
    assert (root["spec"]["source"]["path"], root["spec"]["source"]["targetRevision"]) == (
        platform.gitops.root,
        platform.gitops.branch,
    )
    assert f"/{platform.gitops.repository}.git" in root["spec"]["source"]["repoURL"]
    assert root["spec"]["syncPolicy"]["automated"] == {"prune": True, "selfHeal": True}
    project = one(build(INSTALL / "argocd"), "AppProject", root["spec"]["project"])["spec"]
    assert project["sourceRepos"] == [root["spec"]["source"]["repoURL"]]
    assert project["destinations"] == [root["spec"]["destination"]]
    assert {kind["kind"] for kind in project["namespaceResourceWhitelist"]} == {"Application", "AppProject"}
