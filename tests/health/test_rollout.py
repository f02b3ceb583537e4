"""Whether a workload carries what is wanted and runs it, and how far it has got."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.health import StuckFacts, Wanted, carries, progress
from bot.health.facts import Workload
from tests.fakes.deployments import application

DONE = Workload(
    kind="Deployment",
    name="orders",
    replicas=3,
    generation=4,
    observed_generation=4,
    current_replicas=3,
    updated_replicas=3,
    ready_replicas=3,
    available_replicas=3,
    images=("proxy:1", "orders:2"),
    template_labels={"app.kubernetes.io/version": "v2"},
    template_annotations={"kubectl.kubernetes.io/restartedAt": "then"},
)
FACTS = StuckFacts(service="orders", environment="staging", namespace="shop", workloads=(DONE,))


def test_rolled_out() -> None:
    assert DONE.is_rolled_out
    assert replace(DONE, replicas=0, current_replicas=0, updated_replicas=0, available_replicas=0).is_rolled_out
    assert replace(DONE, kind="CronJob", available_replicas=0, observed_generation=0).is_rolled_out


@pytest.mark.parametrize(
    "fields",
    [
        {"observed_generation": 3},
        {"updated_replicas": 2},
        {"current_replicas": 4},
        {"available_replicas": 2},
        {"paused": True},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_not_rolled_out(fields: dict[str, Any]) -> None:
    assert not replace(DONE, **fields).is_rolled_out


@pytest.mark.parametrize(
    ("wanted", "is_carried"),
    [
        (Wanted(), True),
        (Wanted(image="orders:2", version="v2", restarted_at="then", replicas=3), True),
        (Wanted(image="orders:3"), False),
        (Wanted(version="v3"), False),
        (Wanted(restarted_at="now"), False),
        (Wanted(replicas=2), False),
        (Wanted(replicas=0), False),
    ],
)
def test_what_a_workload_carries(wanted: Wanted, *, is_carried: bool) -> None:
    assert carries(DONE, wanted) is is_carried


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"argocd_problem": "Argo CD is away."}, "Argo CD is away."),
        ({"delivered_by": "orders-staging"}, "Waiting for Argo CD to make the Application orders-staging."),
        ({"workloads": ()}, "Waiting for the cluster to make the workload."),
        ({"workloads": (replace(DONE, generation=5),)}, "The cluster is about to look at the new Deployment orders."),
        ({"workloads": (replace(DONE, updated_replicas=1),)}, "1 of 3 new pods made."),
        ({"workloads": (replace(DONE, available_replicas=2),)}, "2 of 3 pods are ready."),
        (
            {"workloads": (replace(DONE, replicas=1, updated_replicas=1, current_replicas=1, available_replicas=0),)},
            "0 of 1 pod is ready.",
        ),
        ({"workloads": (replace(DONE, current_replicas=5),)}, "The new pods are ready; 2 old pods are leaving."),
        (
            {"application": application("orders-staging", health="Progressing")},
            "The pods are ready; Argo CD calls the rest Progressing.",
        ),
        ({}, "The pods are ready."),
    ],
)
def test_how_far_it_is(facts: dict[str, Any], told: str) -> None:
    assert progress(replace(FACTS, **facts)) == told
