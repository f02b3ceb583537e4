"""A real API server takes the databases that we render, word for word, by the real CRDs of those who make them."""

from __future__ import annotations

import json
from functools import partial
from typing import Any
from urllib.error import HTTPError

import pytest

from bot.rendering.render import render_backup
from tests.peers.control_plane.fixtures import CONTROL_PLANE, need_real_crds
from tests.peers.control_plane.programs import await_true
from tests.peers.control_plane.rig import ControlPlane
from tests.peers.rendering.test_api_server import refused, restricted, send
from tests.rendering.store_examples import CASES, PLATFORM, objects

pytestmark = CONTROL_PLANE

GROUP, VERSION, KIND, PLURAL = "platform.acme.example", "v1alpha1", "SQLInstance", "sqlinstances"
PARAMETERS = {
    "type": "object",
    "required": ["size"],
    "properties": {
        "size": {"type": "string"},
        "storageGB": {"type": "integer"},
        "version": {"type": "string"},
        "name": {"type": "string"},
    },
}
SPEC = {
    "type": "object",
    "properties": {
        "parameters": PARAMETERS,
        "compositionSelector": {
            "type": "object",
            "properties": {"matchLabels": {"type": "object", "additionalProperties": {"type": "string"}}},
        },
        "writeConnectionSecretToRef": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"type": "string"}},
        },
    },
}


def definition() -> dict[str, Any]:
    """Return what Crossplane makes of a company's composite type: the kind of its claims, with a strict schema."""
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": SPEC}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"kind": KIND, "listKind": f"{KIND}List", "plural": PLURAL, "singular": "sqlinstance"},
            "versions": [{"name": VERSION, "served": True, "storage": True, "schema": schema}],
        },
    }


@pytest.fixture(scope="module")
def with_claims(control_plane: ControlPlane) -> ControlPlane:
    control_plane.apply(definition())
    await_true("claims are served", partial(_served, control_plane))
    return control_plane


def _served(plane: ControlPlane) -> bool:
    try:
        resources = plane.call("GET", f"/apis/{GROUP}/{VERSION}")["resources"]
    except HTTPError as missing:
        missing.close()
        return False
    return any(one["name"] == PLURAL for one in resources)


def placed(obj: Any, namespace: str) -> dict[str, Any]:
    here: dict[str, Any] = json.loads(json.dumps(obj))
    if "namespace" in here["metadata"]:
        here["metadata"]["namespace"] = namespace
    return here


@pytest.mark.parametrize("case", CASES)
def test_a_dry_run_takes_every_object(with_claims: ControlPlane, case: str) -> None:
    need_real_crds()
    namespace = restricted(with_claims)
    for obj in objects(case):
        answer = send(with_claims, placed(obj, namespace))
        assert answer["spec"].items() >= _kept(obj).items(), "what we say stands there, with defaults beside it"


def _kept(obj: Any) -> dict[str, Any]:
    return {key: value for key, value in obj["spec"].items() if not isinstance(value, (dict, list))}


@pytest.mark.parametrize("case", ["snapshots", "object-storage"])
def test_a_last_backup_is_taken_too(control_plane: ControlPlane, case: str) -> None:
    need_real_crds()
    backup = render_backup(CASES[case], "last", platform=PLATFORM)
    assert backup is not None
    assert send(control_plane, placed(backup, restricted(control_plane)))["kind"] == "Backup"


@pytest.mark.parametrize("case", ["from-a-snapshot", "by-a-job"])
def test_jobs_are_let_into_a_restricted_namespace(control_plane: ControlPlane, case: str) -> None:
    namespace = restricted(control_plane)
    (job,) = [obj for obj in objects(case) if obj["kind"] == "Job"]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod", "namespace": namespace}}
    send(control_plane, pod | {"spec": placed(job, namespace)["spec"]["template"]["spec"]})


@pytest.mark.parametrize(("case", "kind"), [("snapshots", "Pooler"), ("plain", "Cluster"), ("claim", KIND)])
def test_a_word_that_is_not_known_there_is_refused(with_claims: ControlPlane, case: str, kind: str) -> None:
    need_real_crds()
    namespace = restricted(with_claims)
    (obj,) = [placed(obj, namespace) for obj in objects(case) if obj["kind"] == kind]
    assert not refused(with_claims, obj)
    obj["spec"]["instancess"] = 2
    assert refused(with_claims, obj)


def test_the_seed_s_own_document_is_taken(control_plane: ControlPlane) -> None:
    need_real_crds()
    given = {
        "apiVersion": "database.aws.crossplane.io/v1beta1",
        "kind": "RDSInstance",
        "metadata": {"name": "my-db"},
        "spec": {"forProvider": {"dbInstanceClass": "db.t3.micro", "engine": "postgres", "masterUsername": "admin"}},
    }
    assert send(control_plane, given)["metadata"]["name"] == "my-db"
