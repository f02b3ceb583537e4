"""What a server may answer, and what becomes of it: each fault ends in an error of the port with a clear sentence."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bot.errors import Conflict, OutcomeUnknown, PlatformError, Refused, UpstreamUnavailable
from bot.ports import ObjectRef
from integrations.kubernetes import KubernetesCluster, connect
from tests.integrations.kubernetes.server import TOKEN, Say, Server, config_map, kubeconfig, listed, refusal
from tests.peers.control_plane.programs import free_ports

ONE = ObjectRef("v1", "ConfigMap", "one", "x")
HTML = "<html><body>Bad gateway</body></html>"
BROKEN = {
    "500": refusal(500, "etcdserver: request timed out"),
    "502 with a page": Say(502, HTML),
    "503 without a body": Say(503, ""),
    "200 with a page": Say(200, HTML),
    "404 with a page": Say(404, HTML),
    "dropped": Say(drop=True),
    "cut off": Say(cut=True, lines=("{",)),
}
WRITES: dict[str, Callable[[KubernetesCluster], Awaitable[object]]] = {
    "apply": lambda cluster: cluster.apply(config_map("one")),
    "delete": lambda cluster: cluster.delete(ONE),
}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("fault", BROKEN)
async def test_a_write_without_an_answer_is_not_repeated(
    server: Server, cluster: KubernetesCluster, fault: str, write: str
) -> None:
    server.otherwise = lambda _: BROKEN[fault]
    with pytest.raises(OutcomeUnknown, match="may or may not have happened") as unknown:
        await WRITES[write](cluster)
    assert "ConfigMap one in x" in str(unknown.value)
    assert server.pauses == []
    if write == "apply" or fault != "dropped":  # aiohttp repeats a DELETE on a connection that was kept from before
        assert len(server.asked) == 1


@pytest.mark.parametrize("fault", [name for name in BROKEN if "with a page" not in name])
async def test_a_read_is_repeated_after_a_pause(server: Server, cluster: KubernetesCluster, fault: str) -> None:
    server.script = [BROKEN[fault], BROKEN[fault]]
    server.otherwise = lambda _: Say(body=config_map("one"))
    assert await cluster.get(ONE) == config_map("one")
    assert len(server.asked) == 3
    assert server.pauses


async def test_a_read_is_given_up_in_the_end(server: Server, cluster: KubernetesCluster) -> None:
    server.otherwise = lambda _: BROKEN["503 without a body"]
    with pytest.raises(UpstreamUnavailable) as given_up:
        await cluster.get(ONE)
    assert not isinstance(given_up.value, OutcomeUnknown)
    assert len(server.asked) == 3


async def test_a_page_that_is_not_the_servers_proves_nothing(server: Server, cluster: KubernetesCluster) -> None:
    server.otherwise = lambda _: BROKEN["404 with a page"]
    with pytest.raises(UpstreamUnavailable):
        await cluster.get(ONE)
    with pytest.raises(OutcomeUnknown):
        await cluster.delete(ONE)


async def test_a_busy_server_is_left_alone_for_as_long_as_it_asks(server: Server, cluster: KubernetesCluster) -> None:
    busy = Say(429, {"kind": "Status", "message": "too many requests"}, {"Retry-After": "3"})
    server.script = [busy]
    server.otherwise = lambda _: Say(body=config_map("one"))
    assert await cluster.get(ONE) is not None
    assert server.pauses == [3.0]
    server.script = [busy]
    with pytest.raises(UpstreamUnavailable) as refused:
        await cluster.apply(config_map("one"))
    assert refused.value.retry_after_s == 3.0
    assert not isinstance(refused.value, OutcomeUnknown)


async def test_a_server_that_is_not_there_was_asked_nothing(tmp_path: Path, server: Server) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps(kubeconfig(f"http://127.0.0.1:{free_ports(1)[0]}")))
    cluster = connect(str(file), {"staging": ""}, sleep=server.sleep)["staging"]
    try:
        with pytest.raises(UpstreamUnavailable, match="`staging` could not be asked") as unreachable:
            await cluster.may("get", "v1", "pods")
        assert not isinstance(unreachable.value, OutcomeUnknown)
    finally:
        await cluster.close()


async def test_a_server_that_says_nothing_is_given_up(tmp_path: Path, server: Server) -> None:
    server.otherwise = lambda _: Say(hang=True)
    async with server.cluster(tmp_path, timeout_s=0.2) as cluster:
        with pytest.raises(OutcomeUnknown, match="no answer came in time"):
            await cluster.apply(config_map("one"))


async def test_a_list_that_expires_between_its_pages_is_begun_anew(server: Server, cluster: KubernetesCluster) -> None:
    gone = refusal(410, "The provided continue parameter is too old", "Expired")
    server.script = [listed(config_map("one"), more="2"), gone, listed(config_map("one"), more="2")]
    server.otherwise = lambda _: listed(config_map("two"))
    assert [one["metadata"]["name"] for one in await cluster.list("v1", "ConfigMap")] == ["one", "two"]  # type: ignore[index,call-overload]


async def test_a_list_that_always_expires_is_given_up(server: Server, cluster: KubernetesCluster) -> None:
    gone = refusal(410, "The provided continue parameter is too old", "Expired")
    server.otherwise = lambda asked: gone if "continue" in asked.query else listed(config_map("one"), more="2")
    with pytest.raises(UpstreamUnavailable, match="changes faster"):
        await cluster.list("v1", "ConfigMap")


async def test_what_an_admission_rule_refuses_is_told_in_its_words(server: Server, cluster: KubernetesCluster) -> None:
    said = 'pods "one" is forbidden: exceeded quota: compute, requested: pods=1, used: pods=10, limited: pods=10'
    server.otherwise = lambda _: refusal(403, said, "Forbidden", name="one", kind="pods")
    with pytest.raises(Refused, match="does not admit ConfigMap one in x: exceeded quota: compute"):
        await cluster.apply(config_map("one"))


async def test_a_conflict_lists_each_owner_with_its_fields(server: Server, cluster: KubernetesCluster) -> None:
    causes = [
        {"reason": "FieldManagerConflict", "message": 'conflict with "kubectl" using v1', "field": ".data.a"},
        {"reason": "FieldManagerConflict", "message": 'conflict with "helm"', "field": ".data.b"},
        {"reason": "FieldManagerConflict", "message": 'conflict with "kubectl" using v1', "field": ".data.c"},
    ]
    server.otherwise = lambda _: refusal(409, "Apply failed with 3 conflicts", "Conflict", causes=causes)
    with pytest.raises(Conflict, match=r"`kubectl` owns \.data\.a, \.data\.c; `helm` owns \.data\.b"):
        await cluster.apply(config_map("one"))


CALLS: dict[str, Callable[[KubernetesCluster], Awaitable[object]]] = {
    **WRITES,
    "get": lambda cluster: cluster.get(ONE),
    "list": lambda cluster: cluster.list("v1", "ConfigMap"),
    "may": lambda cluster: cluster.may("get", "v1", "pods"),
    "log": lambda cluster: cluster.log_tail("x", "one"),
    "version": lambda cluster: cluster.version(),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("said", [*BROKEN, "echo", "odd", "array", "null"])
async def test_nothing_but_sentences_leaves_the_adapter_and_no_token(
    server: Server, cluster: KubernetesCluster, call: str, said: str
) -> None:
    odd = {
        "echo": refusal(400, f"bad header: Authorization: Bearer {TOKEN}"),
        "odd": Say(200, {"kind": "Odd", "items": None, "status": None}),
        "array": Say(200, []),
        "null": Say(200, "null"),
    }
    server.otherwise = lambda _: odd.get(said) or BROKEN[said]
    told: list[PlatformError] = []
    try:
        await CALLS[call](cluster)
    except PlatformError as error:
        told.append(error)
    for one in told:
        sentence, *problems = str(one).splitlines()  # what the server said of it stands below, each in a line
        assert sentence.endswith(".")
        assert all(problem.startswith("• ") for problem in problems)
        assert TOKEN not in f"{one!r} {one} {vars(one)}"
