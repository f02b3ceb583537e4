"""Kinds, pages, logs and access reviews, as they are asked for."""

from __future__ import annotations

import pytest

from bot.errors import Invalid, NotFound, UpstreamUnavailable
from bot.ports import ObjectRef
from integrations.kubernetes import KubernetesCluster
from tests.integrations.kubernetes.server import Asked, Say, Server, config_map, listed, refusal


async def test_kinds_are_asked_for_once_and_again_for_one_that_is_new(
    server: Server, cluster: KubernetesCluster
) -> None:
    server.otherwise = lambda _: listed()
    for _ in range(3):
        await cluster.list("v1", "ConfigMap")
    await cluster.list("v1", "Pod")
    assert server.discovered == ["/api/v1"]
    with pytest.raises(NotFound, match="the kind Secret"):
        await cluster.list("v1", "Secret")
    server.kinds["/api/v1"].append(("Secret", "secrets", True))
    await cluster.list("v1", "Secret")
    assert server.discovered == ["/api/v1"] * 3


async def test_a_kind_that_was_taken_away_is_looked_up_anew(server: Server, cluster: KubernetesCluster) -> None:
    server.script = [listed(), refusal(404, "the server could not find the requested resource", "NotFound")]
    await cluster.list("v1", "ConfigMap")
    with pytest.raises(NotFound):
        await cluster.list("v1", "ConfigMap")
    server.kinds["/api/v1"] = []
    with pytest.raises(NotFound, match="the kind ConfigMap"):
        await cluster.list("v1", "ConfigMap")
    assert len(server.discovered) == 2


async def test_a_kind_cannot_be_said_to_be_missing_while_nobody_answers(
    server: Server, cluster: KubernetesCluster
) -> None:
    server.otherwise = lambda _: Say(503, "")
    with pytest.raises(UpstreamUnavailable):
        await cluster.list("example.io/v1", "Gadget")


async def test_a_list_is_read_page_by_page(server: Server, cluster: KubernetesCluster) -> None:
    bare = {"metadata": {"name": "two", "uid": "2", "managedFields": [{"manager": "x"}]}}
    server.script = [listed(config_map("one"), more="next page"), listed(bare)]
    found = await cluster.list("v1", "ConfigMap", namespace="x", labels={"b": "2", "a": "1"})
    assert found == [
        config_map("one"),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "two", "uid": "2"}},
    ]
    assert [asked.path for asked in server.asked] == ["/api/v1/namespaces/x/configmaps"] * 2
    assert [dict(asked.query) for asked in server.asked] == [
        {"limit": "50", "labelSelector": "a=1,b=2"},
        {"limit": "50", "labelSelector": "a=1,b=2", "continue": "next page"},
    ]


async def test_a_scan_asks_for_metadata_only_and_begins_anew_where_a_list_expires(
    server: Server, cluster: KubernetesCluster
) -> None:
    partial = {"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": {"name": "one"}}
    expired = refusal(410, "The provided continue parameter is too old", "Expired")
    server.script = [listed(partial, more="next page"), expired, listed(partial, partial)]
    found = [obj async for obj in cluster.scan("v1", "ConfigMap", labels={"a": "1"})]
    assert found == [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}}] * 3
    assert [dict(asked.query) for asked in server.asked] == [
        {"limit": "200", "labelSelector": "a=1"},
        {"limit": "200", "labelSelector": "a=1", "continue": "next page"},
        {"limit": "200", "labelSelector": "a=1"},
    ]


async def test_an_object_is_applied_by_our_one_name_and_never_by_force(
    server: Server, cluster: KubernetesCluster
) -> None:
    server.otherwise = lambda asked: Say(body=asked.body)
    await cluster.apply(config_map("one"))
    await cluster.apply(config_map("one"), dry_run=True)
    real, dry = server.asked
    assert (real.method, real.path) == ("PATCH", "/api/v1/namespaces/x/configmaps/one")
    assert real.headers["content-type"] == "application/apply-patch+yaml"
    assert real.query == {"fieldManager": "causeway", "fieldValidation": "Strict", "force": "false"}
    assert dry.query == {**real.query, "dryRun": "All"}


async def test_an_object_that_does_not_say_what_it_is_is_refused_whole(cluster: KubernetesCluster) -> None:
    with pytest.raises(Invalid) as refused:
        await cluster.apply({"kind": "ConfigMap", "metadata": {"namespace": "x"}})
    assert [mistake.path for mistake in refused.value.mistakes] == ["apiVersion", "metadata.name"]


async def test_names_cannot_leave_their_place_in_a_path(server: Server, cluster: KubernetesCluster) -> None:
    server.otherwise = lambda _: refusal(404, "not found", "NotFound", name="x", kind="configmaps")
    assert await cluster.get(ObjectRef("v1", "ConfigMap", "../secrets/one?x=", "a/b")) is None
    assert server.asked[0].path == "/api/v1/namespaces/a/b/configmaps/../secrets/one?x="
    assert server.asked[0].query == {}


async def test_the_last_lines_of_a_container_are_read(server: Server, cluster: KubernetesCluster) -> None:
    server.otherwise = lambda _: Say(body="one\ntwo\nthree\n")
    assert await cluster.log_tail("x", "web", "main", lines=2, previous=True) == ("two", "three")
    (asked,) = server.asked
    assert asked.path == "/api/v1/namespaces/x/pods/web/log"
    assert asked.query == {"tailLines": "2", "limitBytes": "262144", "container": "main", "previous": "true"}


@pytest.mark.parametrize(
    "said",
    [
        'container "main" in pod "web" is waiting to start: ContainerCreating',
        'container "main" in pod "web" is waiting to start: trying and failing to pull image',
        'previous terminated container "main" in pod "web" not found',
    ],
)
async def test_a_container_that_has_not_run_has_written_nothing(
    server: Server, cluster: KubernetesCluster, said: str
) -> None:
    server.otherwise = lambda _: refusal(400, said, "BadRequest")
    assert await cluster.log_tail("x", "web") == ()


async def test_of_several_containers_the_pods_own_choice_is_read(server: Server, cluster: KubernetesCluster) -> None:
    containers = [{"name": "sidecar"}, {"name": "main"}]
    annotations = {"kubectl.kubernetes.io/default-container": "main"}

    def answer(asked: Asked) -> Say:
        if not asked.path.endswith("/log"):
            return Say(body={"metadata": {"annotations": annotations}, "spec": {"containers": containers}})
        if "container" not in asked.query:
            return refusal(400, "a container name must be specified for pod web, choose one of: [sidecar main]")
        return Say(body=f"of {asked.query['container']}")

    server.otherwise = answer
    assert await cluster.log_tail("x", "web") == ("of main",)
    annotations.clear()
    assert await cluster.log_tail("x", "web") == ("of sidecar",)


async def test_the_log_of_a_pod_that_is_not_there_is_not_found(server: Server, cluster: KubernetesCluster) -> None:
    server.otherwise = lambda _: refusal(404, 'pods "web" not found', "NotFound", name="web", kind="pods")
    with pytest.raises(NotFound, match="the log of Pod web in x"):
        await cluster.log_tail("x", "web")


async def test_a_right_is_asked_for_as_the_server_judges_it(server: Server, cluster: KubernetesCluster) -> None:
    server.otherwise = lambda _: Say(201, {"status": {"allowed": True}})
    assert await cluster.may("get", "apps/v1", "deployments/scale", namespace="x")
    assert server.asked[0].body["spec"]["resourceAttributes"] == {
        "verb": "get",
        "group": "apps",
        "version": "v1",
        "resource": "deployments",
        "subresource": "scale",
        "namespace": "x",
    }
