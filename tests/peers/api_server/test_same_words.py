"""What both say to the same request. A difference is a mistake of the simulator, never of the table."""

from __future__ import annotations

from typing import Any

import pytest

from tests.peers.api_server.objects import (
    CRONS,
    DEPLOYMENTS,
    MAPS,
    SERVICES,
    changed,
    config_map,
    cron_job,
    deployment,
    service,
)
from tests.peers.api_server.twins import APPLY, JSON_PATCH, MERGE, STRATEGIC, Ask, Twins
from tests.peers.control_plane.fixtures import CONTROL_PLANE

pytestmark = CONTROL_PLANE
STRICT = f"{DEPLOYMENTS}?fieldValidation=Strict&dryRun=All"
CONTAINER = "spec.template.spec.containers.0"

WRONG_DEPLOYMENTS: dict[str, Any] = {
    "valid": deployment(),
    "unknown fields": changed(deployment(), **{"spec.foo": 1, "spec.bar": 2}),
    "unknown field of a container": changed(deployment(), **{f"{CONTAINER}.imagePull": "x"}),
    "unknown fields at all depths": changed(
        deployment(), **{"foo": 1, "metadata.zz": 1, f"{CONTAINER}.imagePull": "x"}
    ),
    "text for a number": changed(deployment(), **{"spec.replicas": "three"}),
    "text for a list": changed(deployment(), **{"spec.template.spec.containers": "x"}),
    "number for a text": changed(deployment(), **{f"{CONTAINER}.image": 5}),
    "number as label": changed(deployment(), **{"metadata.labels": {"a": 1}}),
    "fraction for a number": changed(deployment(), **{"spec.replicas": 1.5}),
    "text for a truth": changed(deployment(), **{"spec.paused": "yes"}),
    "no quantity": changed(deployment(), **{f"{CONTAINER}.resources": {"requests": {"cpu": "abc"}}}),
    "no selector": changed(deployment(), **{"spec.selector": None}),
    "selector of others": changed(deployment(), **{"spec.template.metadata.labels": {"app": "b"}}),
    "no template": changed(deployment(), **{"spec.template": None}),
    "no spec": changed(deployment(), spec=None),
    "no containers": changed(deployment(), **{"spec.template.spec.containers": []}),
    "no image": changed(deployment(), **{f"{CONTAINER}.image": None}),
    "no name of a container": changed(deployment(), **{f"{CONTAINER}.name": None}),
    "bad name of a container": changed(deployment(), **{f"{CONTAINER}.name": "A_b"}),
    "bad name": changed(deployment(), **{"metadata.name": "A_b"}),
    "no name": changed(deployment(), **{"metadata.name": None}),
    "bad labels": changed(deployment(), **{"metadata.labels": {"a b": "x y"}}),
    "negative": changed(deployment(), **{"spec.replicas": -1}),
    "unknown word": changed(deployment(), **{f"{CONTAINER}.imagePullPolicy": "Sometimes"}),
    "wrong restart policy": changed(deployment(), **{"spec.template.spec.restartPolicy": "Never"}),
    "unknown restart policy": changed(deployment(), **{"spec.template.spec.restartPolicy": "Foo"}),
    "unknown strategy": changed(deployment(), **{"spec.strategy": {"type": "Foo"}}),
    "port out of range": changed(deployment(), **{f"{CONTAINER}.ports": [{"containerPort": 70000}]}),
    "bad name of a port": changed(
        deployment(), **{f"{CONTAINER}.ports": [{"containerPort": 80, "name": "a_very_long_port_name"}]}
    ),
    "unknown protocol": changed(deployment(), **{f"{CONTAINER}.ports": [{"containerPort": 80, "protocol": "X"}]}),
    "variable without name": changed(deployment(), **{f"{CONTAINER}.env": [{"value": "x"}]}),
    "bad variable": changed(deployment(), **{f"{CONTAINER}.env": [{"name": "a=b"}]}),
    "no key of a secret": changed(
        deployment(), **{f"{CONTAINER}.env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "x"}}}]}
    ),
    "mount of nothing": changed(deployment(), **{f"{CONTAINER}.volumeMounts": [{"name": "a", "mountPath": "/x"}]}),
    "more asked than allowed": changed(
        deployment(), **{f"{CONTAINER}.resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}
    ),
    "empty probe": changed(deployment(), **{f"{CONTAINER}.readinessProbe": {}}),
    "probe without port": changed(deployment(), **{f"{CONTAINER}.readinessProbe": {"httpGet": {"path": "/"}}}),
    "namespace of others": changed(deployment(), **{"metadata.namespace": "other"}),
    "another kind": changed(deployment(), kind="ReplicaSet"),
}


@pytest.mark.parametrize("obj", WRONG_DEPLOYMENTS.values(), ids=WRONG_DEPLOYMENTS.keys())
async def test_a_deployment_is_judged_alike(twins: Twins, obj: Any) -> None:
    await twins.agree([Ask("POST", STRICT, obj)])


async def test_warnings_are_given_alike(twins: Twins) -> None:
    obj = changed(deployment(), **{"spec.foo": 1})
    await twins.agree(
        [
            Ask("POST", f"{DEPLOYMENTS}?dryRun=All", obj),
            Ask("POST", f"{DEPLOYMENTS}?dryRun=All&fieldValidation=Ignore", obj),
        ]
    )


async def test_requests_that_make_no_sense_are_refused_alike(twins: Twins) -> None:
    await twins.agree(
        [
            Ask("POST", MAPS, b"{"),
            Ask("POST", MAPS, b""),
            Ask("POST", MAPS, b"x", "text/plain"),
            Ask("POST", f"{MAPS}?dryRun=Foo", config_map()),
            Ask("POST", f"{MAPS}?fieldValidation=Foo", config_map()),
            Ask("POST", f"{MAPS}?fieldValidation=Strict", b'{"metadata":{"name":"a","name":"b"}}'),
            Ask("POST", MAPS, changed(config_map(), **{"metadata.resourceVersion": "5"})),
            Ask("POST", "/api/v1/namespaces/nowhere/configmaps", config_map()),
            Ask("POST", "/api/v1/configmaps", config_map()),
            Ask("PUT", MAPS, config_map()),
            Ask("GET", "/api/v1/namespaces/{ns}/gadgets"),
            Ask("GET", "/api/v1/configmaps/one"),
            Ask("GET", "/apis/example.io/v1/gadgets"),
            Ask("GET", MAPS, headers={"Accept": "text/html"}),
            Ask("GET", MAPS, headers={"Authorization": "Bearer nobody"}),
            Ask("PATCH", f"{DEPLOYMENTS}/a", {}, "application/json"),
            Ask("PATCH", f"{MAPS}/a", config_map(), APPLY),
            Ask("PATCH", f"{MAPS}/a?force=true", {}, MERGE),
            Ask("PATCH", f"{MAPS}/a?fieldManager={'x' * 129}", config_map(), APPLY),
        ]
    )


async def test_replacing_goes_alike(twins: Twins) -> None:
    await twins.agree(
        [
            Ask("POST", MAPS, config_map()),
            Ask("POST", MAPS, config_map()),
            Ask("GET", f"{MAPS}/one"),
            Ask("PUT", f"{MAPS}/one", config_map(a="2")),
            Ask("PUT", f"{MAPS}/one", config_map(a="2")),
            Ask("PUT", f"{MAPS}/two", config_map()),
            Ask("PUT", f"{MAPS}/two", changed(config_map(), **{"metadata.name": "two"})),
            Ask("PUT", f"{MAPS}/one", changed(config_map(), **{"metadata.resourceVersion": "1"})),
            Ask("PATCH", f"{MAPS}/one", {"metadata": {"uid": "other"}}, MERGE),
            Ask("PATCH", f"{MAPS}/one", {"metadata": {"resourceVersion": "1"}}, MERGE),
            Ask("PATCH", f"{MAPS}/one", {"metadata": {"name": "two"}}, MERGE),
            Ask("PATCH", f"{MAPS}/none", {}, MERGE),
        ]
    )


async def test_patches_go_alike(twins: Twins) -> None:
    container = "spec.jobTemplate.spec.template.spec.containers"
    pod = "/spec/jobTemplate/spec/template/spec"
    await twins.agree(
        [
            Ask("POST", CRONS, cron_job()),
            Ask("PATCH", f"{CRONS}/one", {"spec": {"successfulJobsHistoryLimit": 5}}, MERGE),
            Ask("PATCH", f"{CRONS}/one", {"spec": {"successfulJobsHistoryLimit": None}}, MERGE),
            Ask("PATCH", f"{CRONS}/one", {"spec": {}}, MERGE),
            Ask(
                "PATCH",
                f"{CRONS}/one",
                [{"op": "replace", "path": "/spec/failedJobsHistoryLimit", "value": 2}],
                JSON_PATCH,
            ),
            Ask("PATCH", f"{CRONS}/one", [{"op": "test", "path": "/spec/suspend", "value": False}], JSON_PATCH),
            Ask("PATCH", f"{CRONS}/one", [{"op": "remove", "path": "/spec/timeZone"}], JSON_PATCH),
            Ask("PATCH", f"{CRONS}/one", [{"op": "add", "path": f"{pod}/hostAliases", "value": []}], JSON_PATCH),
            Ask("PATCH", f"{CRONS}/one", [{"op": "foo", "path": "/a"}], JSON_PATCH),
            Ask("PATCH", f"{CRONS}/one", {"a": 1}, JSON_PATCH),
            Ask("PATCH", f"{CRONS}/one", b"[", JSON_PATCH),
            Ask("PATCH", f"{CRONS}/one", [1], MERGE),
            Ask("PATCH", f"{CRONS}/one", b"[", MERGE),
            *(
                Ask("PATCH", f"{CRONS}/one", changed({}, **{container: containers}), STRATEGIC)
                for containers in (
                    [{"name": "job", "env": [{"name": "A", "value": "1"}]}],
                    [{"name": "job", "env": [{"name": "B", "value": "1"}]}, {"name": "side", "image": "x"}],
                    [{"name": "side", "$patch": "delete"}],
                    [{"image": "nameless"}],
                    [{"name": "other", "image": "z"}, {"$patch": "replace"}],
                )
            ),
            Ask("GET", f"{CRONS}/one"),
        ]
    )


async def test_fields_are_owned_alike(twins: Twins) -> None:
    container = "spec.jobTemplate.spec.template.spec.containers.0"
    ours, theirs = f"{CRONS}/one?fieldManager=causeway", f"{CRONS}/one?fieldManager=kubectl"
    partial = changed(cron_job(), spec={"failedJobsHistoryLimit": 3})
    with_more = changed(
        cron_job(),
        **{
            "metadata.labels": {"a": "1", "b": "2"},
            f"{container}.ports": [{"containerPort": 80}, {"containerPort": 81, "name": "x"}],
            f"{container}.resources": {"requests": {"cpu": "1000m", "memory": "1024Mi"}},
        },
    )
    with_less = changed(
        cron_job(),
        **{"metadata.labels": {"b": "2"}, f"{container}.ports": [{"containerPort": 81, "name": "x"}]},
    )
    await twins.agree(
        [
            Ask("PATCH", ours, cron_job(), APPLY),
            Ask("PATCH", ours, cron_job(), APPLY),
            Ask("PATCH", theirs, partial, APPLY),
            Ask("PATCH", f"{theirs}&force=true", partial, APPLY),
            Ask("PATCH", ours, changed(cron_job(), **{"spec.failedJobsHistoryLimit": 1}), APPLY),
            Ask("PATCH", ours, with_more, APPLY),
            Ask("PATCH", ours, with_more, APPLY),
            Ask("PATCH", ours, with_less, APPLY),
            Ask("PATCH", f"{CRONS}/one?fieldManager=editor", {"spec": {"schedule": "1 1 * * *"}}, MERGE),
            Ask("PATCH", ours, with_less, APPLY),
            Ask("PATCH", f"{ours}&dryRun=All&force=true", with_less, APPLY),
            Ask("PATCH", f"{ours}&force=true", with_less, APPLY),
            Ask("PATCH", ours, changed(cron_job(), spec=None), APPLY),
            Ask("GET", f"{CRONS}/one"),
        ]
    )


async def test_a_shared_list_keeps_what_others_added(twins: Twins) -> None:
    path = f"{SERVICES}/one?fieldManager="
    web, metrics = {"name": "web", "port": 80}, {"name": "metrics", "port": 9090}
    await twins.agree(
        [
            Ask("PATCH", path + "causeway", service([web]), APPLY),
            Ask("PATCH", path + "mesh", service([metrics]), APPLY),
            Ask("PATCH", path + "causeway", service([web, {"name": "admin", "port": 8080}]), APPLY),
            Ask("PATCH", path + "causeway", service([web]), APPLY),
            Ask("PATCH", path + "mesh", service([{**metrics, "targetPort": 1}, web]), APPLY),
            Ask("PATCH", path + "mesh", service([]), APPLY),
            Ask("PATCH", path + "causeway", service([{**web, "name": "http"}]), APPLY),
        ]
    )


WRONG_CONFIGURATIONS: dict[str, Any] = {
    "unknown": changed(deployment(), **{"spec.foo": 1}),
    "text for a number": changed(deployment(), **{"spec.replicas": "x"}),
    "text for a list": changed(deployment(), **{"spec.template.spec.containers": "x"}),
    "list for an object": changed(deployment(), spec=[1]),
    "text for a truth": changed(deployment(), **{"spec.paused": "a"}),
    "number as image": changed(deployment(), **{f"{CONTAINER}.image": 5}),
    "number as argument": changed(deployment(), **{f"{CONTAINER}.args": [1]}),
    "item that is no object": changed(deployment(), **{"spec.template.spec.containers": ["c"]}),
    "item without key": changed(deployment(), **{f"{CONTAINER}.name": None}),
    "the same key twice": changed(
        deployment(), **{"spec.template.spec.containers": [{"name": "c", "image": "a"}, {"name": "c", "image": "b"}]}
    ),
    "no quantity": changed(deployment(), **{f"{CONTAINER}.resources": {"requests": {"cpu": "abc"}}}),
    "fields of the server": changed(deployment(), **{"metadata.managedFields": []}),
    "another name": changed(deployment(), **{"metadata.name": "other"}),
    "another namespace": changed(deployment(), **{"metadata.namespace": "other"}),
    "another uid": changed(deployment(), **{"metadata.uid": "other"}),
    "another kind": changed(deployment(), kind="ReplicaSet"),
    "no kind": changed(deployment(), kind=None),
    "no version": changed(deployment(), apiVersion=None),
    "a list": [1],
}


@pytest.mark.parametrize("obj", WRONG_CONFIGURATIONS.values(), ids=WRONG_CONFIGURATIONS.keys())
async def test_a_configuration_is_judged_alike(twins: Twins, obj: Any) -> None:
    query = "?fieldManager=causeway&fieldValidation=Strict&dryRun=All"
    await twins.agree([Ask("PATCH", f"{DEPLOYMENTS}/web{query}", obj, APPLY)])
