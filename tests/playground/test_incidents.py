"""The story that the monitoring peers share: which services live, and what goes wrong with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from playground.kubernetes.objects import Object, Objects
from playground.monitoring.incidents import NOTHING, Incidents
from playground.monitoring.living import LivingServices

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    @property
    def s(self) -> float:
        return self.now.timestamp()

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


def deployment(image: str, *, name: str = "orders-api", environment: str = "production", component: str = "") -> Object:
    labels = {"causeway.io/service": name, "causeway.io/environment": environment, "causeway.io/team": "team-orders"}
    if component:
        labels["app.kubernetes.io/component"] = component
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "namespace": f"{name}-{environment}",
            "labels": labels,
            "creationTimestamp": "2026-11-28T10:00:00Z",
        },
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": name}},
            "template": {"spec": {"containers": [{"name": name, "image": image}]}},
        },
    }


def pod(
    number: int, image: str, *, name: str = "orders-api", environment: str = "production", ready: bool = True
) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{name}-{number}", "namespace": f"{name}-{environment}", "labels": {"app": name}},
        "spec": {"containers": [{"name": name, "image": image}]},
        "status": {"conditions": [{"type": "Ready", "status": "True" if ready else "False"}]},
    }


def cluster(*objects: Object) -> Objects:
    store = Objects(None, history=100)
    for obj in objects:
        put(store, obj)
    return store


def put(store: Objects, obj: Object) -> None:
    store.put(("apps", "deployments") if obj["kind"] == "Deployment" else ("", "pods"), obj)


def story(store: Objects | None = None, file: Path | None = None) -> tuple[Incidents, Clock]:
    clock = Clock()
    return Incidents(LivingServices(store), clock, file), clock


def test_the_sample_services_live_from_the_start_in_both_environments() -> None:
    found = LivingServices().services()
    assert [one.key for one in found] == [
        ("checkout-web", "production"),
        ("checkout-web", "staging"),
        ("orders-api", "production"),
        ("orders-api", "staging"),
    ]
    assert found[0].depends_on == ("orders-api",)
    assert found[2].depends_on == ()
    assert all(len(one.pods) == one.wanted for one in found)
    assert len({name for one in found for name in one.pods}) == 8


def test_a_deployment_lives_once_it_has_ready_pods() -> None:
    store = cluster(deployment("ours/new:1", name="new"), pod(1, "ours/new:1", name="new", ready=False))
    living = LivingServices(store)
    assert living.find("new", "production") is None
    put(store, pod(1, "ours/new:1", name="new"))
    found = living.find("new", "production")
    assert found is not None
    assert (found.namespace, found.team, found.pods, found.wanted) == ("new-production", "team-orders", ("new-1",), 3)
    assert found.since == datetime(2026, 11, 28, 10, tzinfo=UTC).timestamp()


def test_a_deployed_sample_service_takes_the_place_of_the_one_before() -> None:
    living = LivingServices(cluster(deployment("ours/orders:2"), pod(1, "ours/orders:2")))
    found = living.find("orders-api", "production")
    assert found is not None
    assert found.image == "ours/orders:2"
    assert found.pods == ("orders-api-1",)
    staging = living.find("orders-api", "staging")
    assert staging is not None
    assert staging.since == 0.0


def test_what_only_helps_a_service_is_none() -> None:
    living = LivingServices(cluster(deployment("valkey:8", component="cache"), pod(1, "valkey:8")))
    found = living.find("orders-api", "production")
    assert found is not None
    assert found.image.endswith(":1.0.0")


def test_a_service_that_has_lived_and_has_no_ready_pods_is_there_with_none() -> None:
    broken = deployment("ours/orders:2")
    broken["status"] = {"conditions": [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}]}
    found = LivingServices(cluster(broken, pod(1, "ours/orders:2", ready=False))).find("orders-api", "production")
    assert found is not None
    assert found.pods == ()
    assert found.image == "ours/orders:2"


def test_the_version_changes_when_most_pods_are_new() -> None:
    store = cluster(deployment("ours/orders:2"), *(pod(n, "ours/orders:1") for n in (1, 2)), pod(3, "ours/orders:2"))
    living = LivingServices(store)
    assert [one.image for one in living.services() if one.key == ("orders-api", "production")] == ["ours/orders:1"]
    put(store, pod(2, "ours/orders:2"))
    assert [one.image for one in living.services() if one.key == ("orders-api", "production")] == ["ours/orders:2"]


def test_an_incident_is_felt_from_its_begin_until_its_end() -> None:
    incidents, clock = story()
    incidents.begin("orders-api", "latency")
    clock.advance(minutes=10)
    assert incidents.end("orders-api") == 1
    felt = [incidents.effect("orders-api", "production", NOON.timestamp() + s).kind for s in (-0.1, 0, 599, 600)]
    assert felt == ["", "latency", "latency", ""]
    assert incidents.effect("orders-api", "staging", NOON.timestamp()) is NOTHING


@pytest.mark.parametrize(
    ("kind", "worse"),
    [
        ("latency", "extra_latency_s"),
        ("errors", "error_share"),
        ("saturation", "cpu_share"),
    ],
)
def test_who_calls_the_service_feels_it_visibly_less(kind: str, worse: str) -> None:
    incidents, clock = story()
    incidents.begin("orders-api", kind)
    own = incidents.effect("orders-api", "production", clock.s)
    felt = incidents.effect("checkout-web", "production", clock.s)
    assert getattr(felt, worse) < 0.5 * getattr(own, worse)
    assert felt.cause == own.cause == "orders-api"
    assert felt.cpu_share == 0.0
    assert felt.extra_latency_s > 0 or felt.error_share > 0


def test_who_is_called_feels_nothing() -> None:
    incidents, clock = story()
    incidents.begin("checkout-web", "errors")
    assert incidents.effect("orders-api", "production", clock.s) is NOTHING


def test_an_incident_ends_when_another_version_runs() -> None:
    store = cluster(deployment("ours/orders:2"), pod(1, "ours/orders:2"))
    incidents, clock = story(store)
    incidents.begin("orders-api", "errors")
    clock.advance(minutes=5)
    put(store, deployment("ours/orders:1"))
    assert incidents.running()  # what is wished does not run yet
    put(store, pod(1, "ours/orders:1"))
    assert incidents.running() == ()
    assert incidents.effect("orders-api", "production", clock.s - 1).kind == "errors"
    assert incidents.effect("orders-api", "production", clock.s) is NOTHING


def test_another_incident_of_a_service_takes_the_place_of_the_first_and_the_same_is_one() -> None:
    incidents, _ = story()
    first = incidents.begin("orders-api", "errors")
    assert incidents.begin("orders-api", "errors") is first
    incidents.begin("orders-api", "latency")
    assert [one.kind for one in incidents.running()] == ["latency"]


def test_incidents_survive_a_restart_and_history_with_them(tmp_path: Path) -> None:
    before, clock = story(file=tmp_path / "incidents.json")
    before.begin("checkout-web", "saturation")
    before.begin("orders-api", "errors", "staging")
    clock.advance(minutes=1)
    before.end(environment="staging")
    after, _ = story(file=tmp_path / "incidents.json")
    assert after.running() == before.running()
    assert len(after.running()) == 1
    assert after.effect("orders-api", "staging", NOON.timestamp()).kind == "errors"


def test_an_incident_whose_version_changed_while_the_playground_was_down_ends(tmp_path: Path) -> None:
    before, _ = story(file=tmp_path / "incidents.json")
    before.begin("orders-api", "errors")
    store = cluster(deployment("ours/orders:2"), pod(1, "ours/orders:2"))
    after, _ = story(store, tmp_path / "incidents.json")
    assert after.running() == ()


@pytest.mark.parametrize(
    ("service", "kind", "environment", "words"),
    [
        ("orders-api", "flood", "production", "latency, errors, saturation"),
        ("nobody", "errors", "production", "orders-api in production"),
        ("orders-api", "errors", "moon", "'moon'"),
    ],
)
def test_what_cannot_be_begun_says_why(service: str, kind: str, environment: str, words: str) -> None:
    incidents, _ = story()
    with pytest.raises(ValueError, match=words):
        incidents.begin(service, kind, environment)
