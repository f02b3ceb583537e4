"""A real API server takes every object of a preview, under the bot's own rights, and keeps Environment documents."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError

import pytest
import yaml
from hypothesis import given, settings

from bot.errors import Invalid
from bot.rendering.environments import read_environment
from bot.rendering.previews import render_preview
from bot.rendering.printing import to_yaml
from tests.fuzz import examples
from tests.peers.control_plane.fixtures import CONTROL_PLANE, INSTALL, grant, need_real_crds
from tests.peers.control_plane.rig import BOT_TOKEN, ControlPlane, path_of
from tests.peers.rendering.test_api_server import RESTRICTED, openapi, refused, send, with_operator
from tests.rendering import test_preview_properties as right
from tests.rendering.environment_examples import CASES, DESIGN, SHOP, preview_objects

__all__ = ["with_operator"]
pytestmark = CONTROL_PLANE
APPLY = "application/apply-patch+yaml"
QUERY = "?fieldManager=causeway&fieldValidation=Strict&dryRun=All"


@pytest.fixture(scope="module")
def granted(control_plane: ControlPlane) -> tuple[ControlPlane, str]:
    """A namespace in which the bot may deliver directly, as `manifests/install/` grants it."""
    namespace = control_plane.namespace("previews")
    grant(control_plane, INSTALL / "components" / "direct-delivery", namespace=namespace)
    return control_plane, namespace


def here(obj: Any, namespace: str) -> dict[str, Any]:
    """Return an object as it would be in a namespace that is there."""
    found: dict[str, Any] = json.loads(json.dumps(obj))
    if "namespace" in found["metadata"]:
        found["metadata"]["namespace"] = namespace
    return found


@pytest.mark.parametrize("case", CASES)
def test_a_dry_run_takes_every_object_under_the_bot_s_rights(granted: tuple[ControlPlane, str], case: str) -> None:
    need_real_crds()
    plane, namespace = granted
    for obj in preview_objects(case)[1:]:
        one = here(obj, namespace)
        try:
            plane.call("PATCH", path_of(one) + QUERY, to_yaml(one), kind=APPLY, token=BOT_TOKEN)
        except HTTPError as refusal:
            with refusal:
                pytest.fail(f"{obj['kind']} {one['metadata']['name']}: {refusal.read().decode()}")


@pytest.mark.parametrize("case", CASES)
def test_a_quota_counts_what_runs_and_lets_it_in(control_plane: ControlPlane, case: str) -> None:
    """Pods of every workload, waiting and working ones too, are let into the namespace as it is really made."""
    objects = preview_objects(case)
    name = control_plane.namespace("previews")
    control_plane.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": RESTRICTED}})
    for obj in objects:
        if obj["kind"] in ("ResourceQuota", "LimitRange"):
            control_plane.apply(here(obj, name))
    for number, template in enumerate(templates(objects)):
        spec = {key: value for key, value in template["spec"].items() if key != "topologySpreadConstraints"}
        metadata = {"name": f"pod-{number}", "namespace": name, "labels": template["metadata"].get("labels", {})}
        send(control_plane, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})


def templates(objects: Any) -> list[Any]:
    found = []
    for obj in json.loads(json.dumps(objects)):
        if obj["kind"] in ("Deployment", "Job"):
            found.append(obj["spec"]["template"])
        elif obj["kind"] == "CronJob":
            found.append(obj["spec"]["jobTemplate"]["spec"]["template"])
    return found


def test_beyond_the_quota_a_pod_is_refused(control_plane: ControlPlane) -> None:
    name = control_plane.namespace("previews")
    for obj in preview_objects("shop"):
        if obj["kind"] == "ResourceQuota":
            small = here(obj, name)
            small["spec"]["hard"]["requests.memory"] = "1Mi"
            control_plane.apply(small)
    (template, *_) = templates(preview_objects("shop"))
    spec = {key: value for key, value in template["spec"].items() if key != "topologySpreadConstraints"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod", "namespace": name}, "spec": spec}
    assert refused(control_plane, pod)


@settings(max_examples=examples(25))
@given(name=right.environment_names, spec=right.specs, documents=right.documents)
def test_no_preview_passes_us_and_fails_there(
    with_operator: ControlPlane, name: str, spec: dict[str, Any], documents: dict[int, Any]
) -> None:
    need_real_crds()
    document = read_environment(json.dumps(right.environment(name, spec), ensure_ascii=False))
    objects: tuple[Any, ...] = ()
    try:
        objects = render_preview(document, right.known(spec, documents), right.PLATFORM)
    except Invalid:
        return  # we do not take it
    for obj in objects:
        send(with_operator, here(obj, "default"))


@pytest.mark.parametrize("text", [DESIGN, SHOP], ids=["design", "shop"])
def test_the_server_keeps_an_environment_as_it_was_written(control_plane: ControlPlane, text: str) -> None:
    written = yaml.safe_load(text)
    written["metadata"]["namespace"] = control_plane.namespace("documents")
    assert send(control_plane, written)["spec"] == written["spec"]


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"services": []},
        {"services": [{"nam": "a"}]},
        {"services": [{"name": "A"}]},
        {"ttl": "a week", "services": [{"name": "a"}]},
        {"ttl": 7, "services": [{"name": "a"}]},
        {"services": [{"name": "a"}], "databases": [{"type": "oracle"}]},
        {"services": [{"name": "a"}], "databases": [{"service": "b"}]},
    ],
    ids=str,
)
def test_the_server_refuses_a_wrong_environment(control_plane: ControlPlane, spec: dict[str, Any]) -> None:
    metadata = {"name": "wrong", "namespace": control_plane.namespace("documents")}
    document = {"apiVersion": "environments.platform.io/v1", "kind": "Environment", "metadata": metadata}
    assert refused(control_plane, document | {"spec": spec})
    assert not refused(control_plane, document | {"spec": {"services": [{"name": "a"}]}})


def test_kubectl_can_explain_every_field(control_plane: ControlPlane) -> None:
    definitions = openapi(control_plane, "environments.platform.io/v1")
    (theirs,) = [one for name, one in definitions.items() if name.endswith(".Environment")]
    fields = theirs["properties"]["spec"]["properties"]
    assert [name for name, field in fields.items() if not field.get("description")] == []
    assert fields["databases"]["items"]["properties"]["seedFrom"]["description"]


def test_the_crd_is_structural(control_plane: ControlPlane) -> None:
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/environments.environments.platform.io"
    conditions = {one["type"]: one["status"] for one in control_plane.call("GET", path)["status"]["conditions"]}
    assert conditions["Established"] == "True"
    assert conditions.get("NonStructuralSchema", "False") == "False"
