"""A real API server takes what we render, word for word, and our models know no field that it does not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache, partial
from typing import Any
from urllib.error import HTTPError

import pytest
import yaml

from bot.rendering.kinds import KINDS, model_of
from bot.rendering.printing import to_yaml
from tests.peers.control_plane.fixtures import CONTROL_PLANE, need_real_crds
from tests.peers.control_plane.programs import await_true
from tests.peers.control_plane.rig import ControlPlane, path_of
from tests.peers.rendering.schemas import differences
from tests.peers.tools import need
from tests.rendering.examples import CASES, objects
from tests.rendering.test_dashboard import objects as dashboard_and_more

pytestmark = CONTROL_PLANE

OTHERS = {"Cluster", "Database", "Backup", "ScheduledBackup", "Pooler", "RDSInstance"}
"""Kinds whose CRDs belong to other projects."""
MONITORING = "monitoring.coreos.com/v1"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


def group_path(api_version: str) -> str:
    return f"apis/{api_version}" if "/" in api_version else f"api/{api_version}"


@pytest.fixture(scope="module")
def with_operator(control_plane: ControlPlane) -> ControlPlane:
    """The control plane with the kinds of the Prometheus operator."""
    for name in ("servicemonitors", "prometheusrules"):
        file = need("prometheus-operator-crds") / f"monitoring.coreos.com_{name}.yaml"
        control_plane.apply(yaml.load(file.read_text(), Loader=yaml.CSafeLoader))  # the safe one, in C
        await_true(f"{name} are served", partial(_served, control_plane, name))
    return control_plane


def _served(plane: ControlPlane, plural: str) -> bool:
    try:
        resources = plane.call("GET", f"/apis/{MONITORING}")["resources"]
        schemas = plane.call("GET", f"/openapi/v3/apis/{MONITORING}")["components"]["schemas"]
    except HTTPError as missing:
        missing.close()
        return False
    kind = {"servicemonitors": "ServiceMonitor", "prometheusrules": "PrometheusRule"}[plural]
    return any(one["name"] == plural for one in resources) and any(name.endswith(f".{kind}") for name in schemas)


def send(plane: ControlPlane, obj: Mapping[str, Any]) -> Any:
    """Server-side apply that changes nothing, with strict field validation, as `Cluster.apply` does."""
    query = "?fieldManager=causeway&fieldValidation=Strict&dryRun=All"
    return plane.call("PATCH", path_of(obj) + query, to_yaml(obj), kind="application/apply-patch+yaml")


def refused(plane: ControlPlane, obj: Mapping[str, Any]) -> bool:
    """Say whether the server refuses an object."""
    try:
        send(plane, obj)
    except HTTPError as refusal:
        refusal.close()
        return True
    return False


def restricted(plane: ControlPlane) -> str:
    name = plane.namespace("rendering")
    plane.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": RESTRICTED}})
    return name


MADE = {case: partial(objects, case) for case in CASES} | {"dashboard": dashboard_and_more}


@pytest.mark.parametrize("case", MADE)
def test_a_dry_run_takes_every_object(with_operator: ControlPlane, case: str) -> None:
    need_real_crds()
    namespace = restricted(with_operator)
    for obj in MADE[case]():
        here: dict[str, Any] = json.loads(json.dumps(obj))
        if "namespace" in here["metadata"]:
            here["metadata"]["namespace"] = namespace
        answer = send(with_operator, here)
        assert answer["kind"] == obj["kind"]


@pytest.mark.parametrize("case", CASES)
def test_pods_are_let_into_a_restricted_namespace(control_plane: ControlPlane, case: str) -> None:
    namespace = restricted(control_plane)
    for number, template in enumerate(templates(case)):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"pod-{number}", "namespace": namespace}}
        spec = {key: value for key, value in template["spec"].items() if key != "topologySpreadConstraints"}
        send(control_plane, pod | {"spec": spec})


def test_a_restricted_namespace_would_refuse_a_pod_that_is_less_careful(control_plane: ControlPlane) -> None:
    namespace = restricted(control_plane)
    (template,) = templates("smallest")
    template["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod", "namespace": namespace}}
    spec = {key: value for key, value in template["spec"].items() if key != "topologySpreadConstraints"}
    with pytest.raises(HTTPError) as refusal:
        send(control_plane, pod | {"spec": spec})
    assert refusal.value.code == 403
    refusal.value.close()


def templates(case: str) -> list[Any]:
    found = []
    for obj in json.loads(json.dumps(objects(case))):
        if obj["kind"] == "Deployment":
            found.append(obj["spec"]["template"])
        elif obj["kind"] == "CronJob":
            found.append(obj["spec"]["jobTemplate"]["spec"]["template"])
    return found


@pytest.mark.parametrize(("api_version", "kind"), list(KINDS), ids=lambda value: value.replace("/", "-"))
def test_our_models_know_no_field_that_the_server_does_not(
    with_operator: ControlPlane, api_version: str, kind: str
) -> None:
    if kind in OTHERS:
        need_real_crds()
    definitions = openapi(with_operator, api_version)
    group, _, version = api_version.rpartition("/")
    meant = {"group": group, "version": version, "kind": kind}
    (theirs,) = [schema for schema in definitions.values() if schema.get("x-kubernetes-group-version-kind") == [meant]]
    model = model_of(api_version, kind)
    assert model is not None
    assert differences(model, theirs, definitions) == []


@cache
def openapi(plane: ControlPlane, api_version: str) -> dict[str, Any]:
    found: dict[str, Any] = plane.call("GET", f"/openapi/v3/{group_path(api_version)}")["components"]["schemas"]
    return found


@pytest.mark.parametrize("case", CASES)
def test_the_server_keeps_a_document_as_it_was_written(control_plane: ControlPlane, case: str) -> None:
    namespace = control_plane.namespace("documents")
    written = yaml.safe_load(CASES[case][0])
    written["metadata"]["namespace"] = namespace
    answer = send(control_plane, written)
    assert answer["spec"] == written["spec"]


@pytest.mark.parametrize(
    "spec",
    [
        {"repicas": 1},
        {"replicas": "3"},
        {"replicas": 2, "autoscaling": {"min": 2}},
        {"schedule": "0 3 * * *", "worker": True},
        {"ports": [{"name": "http"}]},
        {"image": "No Image"},
        {"database": {"type": "oracle"}},
        {"environments": {"production": {"replcas": 5}}},
        {"slo": {"availability": 100}},
        {"slo": {"latency": {"below": "soon"}}},
        {"slo": {"latency": {"target": 99}}},
        {"runbook": "read it"},
    ],
    ids=str,
)
def test_the_server_refuses_a_wrong_document(control_plane: ControlPlane, spec: dict[str, Any]) -> None:
    namespace = control_plane.namespace("documents")
    document = {
        "apiVersion": "platform.company.io/v1",
        "kind": "WebService",
        "metadata": {"name": "wrong", "namespace": namespace},
        "spec": spec,
    }
    assert refused(control_plane, document)
    assert not refused(control_plane, {**document, "spec": {}})


def test_kubectl_can_explain_every_field(control_plane: ControlPlane) -> None:
    definitions = openapi(control_plane, "platform.company.io/v1")
    (theirs,) = [one for name, one in definitions.items() if name.endswith(".WebService")]
    fields = theirs["properties"]["spec"]["properties"]
    assert [name for name, field in fields.items() if not field.get("description")] == []
    assert "probes" in fields
    assert fields["database"]["properties"]["size"]["description"]


def test_the_crd_is_structural(control_plane: ControlPlane) -> None:
    crd = control_plane.call(
        "GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/webservices.platform.company.io"
    )
    conditions = {condition["type"]: condition["status"] for condition in crd["status"]["conditions"]}
    assert conditions["Established"] == "True"
    assert conditions.get("NonStructuralSchema", "False") == "False"
