"""Every recorded database is told of in exactly these words; how far it is, and whether it is ready."""

from __future__ import annotations

from typing import Any

import pytest

from bot.errors import UpstreamUnavailable
from bot.health.databases import (
    Database,
    DatabaseFacts,
    is_ready,
    looks_stuck,
    progress,
    read_database_facts,
    why_not_ready,
)
from bot.ports import ObjectRef
from tests.fakes.cluster import FakeCluster
from tests.health.databases import CLAIM, CLUSTER, NAMESPACE, RDS, SECRET, Case, database, facts_of, put
from tests.health.trees import recorded

LEVELS = ("databases", "clouds")
CASES = [(level, case) for level in LEVELS for case in recorded(level)]
every_case = pytest.mark.parametrize("case", [case for _, case in CASES], ids=[f"{a}: {c['name']}" for a, c in CASES])


@every_case
async def test_a_case_is_told_in_one_sentence_with_one_next_step_and_one_person_to_ask(case: Case) -> None:
    facts = await facts_of(case)
    reason = why_not_ready(facts)
    assert is_ready(facts) is (reason is None)
    if case.get("none"):
        assert reason is None
        assert progress(facts) == "It is ready."
        return
    assert reason is not None
    assert reason.sentence == case["sentence"]
    assert reason.next_step == case["next_step"]
    assert reason.final is case["final"] is looks_stuck(facts)
    assert reason.ask == "#databases"
    assert str(reason) == f"{case['sentence']} {case['next_step']} Ask #databases."
    assert why_not_ready(await facts_of(case)) == reason, "the same facts give the same words"


@every_case
async def test_what_is_told_is_fit_to_be_read(case: Case) -> None:
    facts = await facts_of(case)
    reason = why_not_ready(facts)
    for text in (progress(facts), *(() if reason is None else (reason.sentence, reason.next_step))):
        assert text.endswith(".")
        assert "\n" not in text
        assert "  " not in text
        assert len(text) < 600
        assert text[0].isupper() or text[0].isdigit()
        for secret in ("hunter2", "123456789012", "RequestID", "request id"):
            assert secret not in text
    for line in () if reason is None else reason.evidence:
        assert line
        assert "\n" not in line
        assert "123456789012" not in line
        assert len(line) < 330


def test_names_of_cases_are_their_own_and_each_is_told_otherwise() -> None:
    names = [case["name"] for _, case in CASES]
    assert len(names) == len(set(names)) >= 60
    assert len({case["sentence"] for _, case in CASES if "sentence" in case}) >= 45


async def test_without_a_contact_the_platform_team_is_asked() -> None:
    facts = await read_database_facts(FakeCluster(), Database(name="a", namespace=NAMESPACE, main=CLUSTER))
    reason = why_not_ready(facts)
    assert reason is not None
    assert reason.ask == "the platform team"


async def of(status: dict[str, Any], *, main: ObjectRef = CLUSTER, **spec: Any) -> DatabaseFacts:
    cluster = FakeCluster(namespaces=[NAMESPACE])
    put(cluster, main, {"spec": {"instances": 3, **spec}, "status": status})
    return await read_database_facts(cluster, database(main))


@pytest.mark.parametrize(
    ("status", "spec", "told"),
    [
        ({}, {}, "Waiting for the database operator to take it up."),
        ({"phase": "Setting up primary"}, {}, "Setting up the first of 3 instances."),
        ({"phase": "Setting up primary"}, {"instances": 1}, "Setting it up."),
        (
            {"phase": "Setting up primary"},
            {"bootstrap": {"recovery": {"backup": {"name": "monday"}}}},
            "Restoring the first of 3 instances from monday.",
        ),
        (
            {"phase": "Setting up primary"},
            {"bootstrap": {"recovery": {"source": "base"}}},
            "Restoring the first of 3 instances from a backup.",
        ),
        (
            {"phase": "Setting up primary"},
            {"instances": 1, "bootstrap": {"initdb": {"import": {"type": "microservice"}}}},
            "Importing what it begins with.",
        ),
        (
            {"phase": "Creating a new replica", "readyInstances": 1},
            {},
            "1 of 3 instances is ready; setting up instance 2.",
        ),
        (
            {"phase": "Creating a new replica", "readyInstances": 2},
            {},
            "2 of 3 instances are ready; setting up instance 3.",
        ),
        (
            {"phase": "Applying configuration", "readyInstances": 3},
            {},
            "Its instances are ready; the operator is finishing its work.",
        ),
        (
            {"phase": "Cluster in healthy state", "readyInstances": 3},
            {},
            f"It runs; waiting for its Secret {SECRET}.",
        ),
    ],
)
async def test_how_far_instances_are(status: dict[str, Any], spec: dict[str, Any], told: str) -> None:
    assert progress(await of(status, **spec)) == told


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("creating", "The cloud is creating it."),
        ("backing-up", "It runs; the cloud is making its first backup."),
        ("strange", "The cloud calls it strange."),
        ("", "Waiting for the cloud to create it."),
    ],
)
async def test_how_far_the_cloud_is(state: str, told: str) -> None:
    waiting = [{"type": "Synced", "status": "True"}, {"type": "Ready", "status": "False", "reason": "Creating"}]
    facts = await of({"atProvider": {"dbInstanceStatus": state}, "conditions": waiting}, main=RDS, forProvider={})
    assert progress(facts) == told


async def test_no_more_than_the_status_is_asked_where_all_is_well() -> None:
    ready = [{"type": "Synced", "status": "True"}, {"type": "Ready", "status": "True"}]
    cluster = FakeCluster(namespaces=[NAMESPACE])
    put(cluster, RDS, {"spec": {"forProvider": {}}, "status": {"conditions": ready}})
    put(cluster, ObjectRef("v1", "Secret", SECRET, NAMESPACE), {})
    assert is_ready(await read_database_facts(cluster, database(RDS)))
    assert cluster.calls == ["exists", "get"]


async def test_the_second_release_of_crossplane_keeps_its_references_deeper() -> None:
    cluster = FakeCluster(namespaces=[NAMESPACE])
    below = {"apiVersion": "cache.aws.crossplane.io/v1beta1", "kind": "ReplicationGroup", "name": "cart-x"}
    put(cluster, CLAIM, {"spec": {"crossplane": {"resourceRefs": [below]}}, "status": {}})
    facts = await read_database_facts(cluster, database(CLAIM))
    assert [one.ref.kind for one in facts.chain] == ["CacheInstance", "ReplicationGroup"]


async def test_a_cluster_that_is_away_is_no_reason() -> None:
    cluster = FakeCluster(namespaces=[NAMESPACE])
    cluster.refuse("get", UpstreamUnavailable("The cluster is away."))
    with pytest.raises(UpstreamUnavailable):
        await read_database_facts(cluster, database(CLUSTER))


async def test_odd_objects_hide_nothing() -> None:
    facts = await of({"phase": 7, "conditions": "none", "readyInstances": "two"}, bootstrap=[])
    assert progress(facts) == "Waiting for the database operator to take it up."
