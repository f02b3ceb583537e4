"""Application resources become our type, whatever is missing, odd or new in them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.ports import HistoryEntry, ObjectRef, ResourceStatus, SyncOperation
from integrations.argocd import shapes
from tests.integrations.argocd.documents import FORMER, HEAD, IMAGE, document, operation, resource

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_a_whole_application() -> None:
    found = shapes.application(document())
    assert (found.name, found.project, found.path) == ("orders-api-staging", "team-orders", "apps/orders-api/staging")
    assert (found.repo_url, found.target_revision) == ("https://forge.example/acme/gitops.git", "main")
    assert (found.server, found.namespace) == ("https://kubernetes.default.svc", "orders-api-staging")
    assert (found.sync, found.revision, found.health, found.automated) == ("Synced", HEAD, "Healthy", True)
    assert found.images == (IMAGE,)
    assert found.reconciled_at == NINE.replace(minute=5)
    assert found.history == (HistoryEntry(0, FORMER, NINE.replace(day=1)), HistoryEntry(1, HEAD, NINE))
    assert found.operation == SyncOperation(
        "Succeeded", "successfully synced (all tasks run)", HEAD, NINE, NINE.replace(second=5)
    )
    assert found.resources == (
        ResourceStatus(ObjectRef("v1", "Service", "orders-api", "orders-api-staging"), "Synced"),
        ResourceStatus(ObjectRef("apps/v1", "Deployment", "orders-api", "orders-api-staging"), "Synced", "Healthy"),
    )


def test_an_application_that_argo_cd_has_not_looked_at_yet() -> None:
    bare = document()
    del bare["status"]
    found = shapes.application(bare)
    assert (found.sync, found.revision, found.health, found.operation) == ("Unknown", "", "Unknown", None)


def test_of_several_sources_the_first_with_a_path_is_the_one() -> None:
    several = document(sync={"status": "OutOfSync", "revisions": [HEAD, FORMER]})
    spec = several["spec"]
    del spec["source"]
    spec["sources"] = [
        {"repoURL": "oci://charts", "chart": "x"},
        {"repoURL": "https://forge.example/a.git", "path": "p"},
    ]
    found = shapes.application(several)
    assert (found.repo_url, found.path, found.revision) == ("https://forge.example/a.git", "p", HEAD)


def test_a_destination_may_be_a_name_and_a_project_may_be_left_out() -> None:
    odd = document()
    odd["spec"] |= {"destination": {"name": "in-cluster", "namespace": "x"}, "project": ""}
    found = shapes.application(odd)
    assert (found.server, found.project) == ("in-cluster", "default")


def test_automated_sync_may_be_switched_off_in_two_ways() -> None:
    for policy in ({}, {"automated": {"enabled": False, "prune": True}}, {"automated": None}):
        off = document()
        off["spec"]["syncPolicy"] = policy
        assert not shapes.application(off).automated
    on = document()
    on["spec"]["syncPolicy"] = {"automated": {}}
    assert shapes.application(on).automated


def test_a_sync_that_is_asked_for_counts_as_running() -> None:
    asked = document()
    del asked["status"]["operationState"]
    asked["operation"] = {"sync": {"revision": HEAD}}
    assert shapes.application(asked).operation == SyncOperation("Running", "waiting to start", HEAD)


def test_a_message_that_tells_nothing_is_joined_by_the_first_failure() -> None:
    why = "the server could not find the requested resource"
    failed = resource("ServiceMonitor", group="monitoring.coreos.com", status="SyncFailed", message=why)
    good = resource("Service", message="service/orders-api unchanged")
    state = operation("Failed", "one or more synchronization tasks are not valid", good, failed)
    monitor = resource("ServiceMonitor", group="monitoring.coreos.com", status="OutOfSync")
    found = shapes.application(document(operationState=state, resources=[monitor]))
    assert found.operation is not None
    assert found.operation.message == f"one or more synchronization tasks are not valid, reason: {why}"
    assert [one.message for one in found.resources] == [why]


def test_a_message_with_its_reason_stays_as_it_is() -> None:
    message = 'one or more objects failed to apply, reason: Deployment.apps "x" is invalid (retried 5 times).'
    found = shapes.application(document(operationState=operation("Failed", message)))
    assert found.operation is not None
    assert found.operation.message == message


def test_words_that_argo_cd_may_learn_are_unknown_to_us() -> None:
    new = document(health={"status": "Hibernating"}, sync={"status": "Drifting"})
    new["status"]["operationState"] = operation("Paused", "")
    found = shapes.application(new)
    assert (found.health, found.sync) == ("Unknown", "Unknown")
    assert found.operation is not None
    assert found.operation.phase == "Error"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*found, *(one for key, part in pairs for one in _paths(part, (*path, key)))]


WHOLE = document(conditions=[{"type": "SyncError", "message": "no"}])


@given(path=st.sampled_from(_paths(WHOLE)), value=anything)
def test_whatever_stands_in_a_field_it_can_be_read(path: tuple[Any, ...], value: Any) -> None:
    odd = document(conditions=[{"type": "SyncError", "message": "no"}])
    node: Any = odd
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    shapes.application(odd)
    shapes.version(odd)
