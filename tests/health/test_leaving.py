"""Why something that is being deleted is not gone, in the words of a real server."""

from __future__ import annotations

from typing import Any

import pytest

from bot.health.leaving import Held, finalizers, held, remaining, why_namespace_stays, why_object_stays
from bot.ports import ObjectRef

PLATFORM = "the platform team"


def namespace(*conditions: tuple[str, str], **metadata: Any) -> dict[str, Any]:
    said = [{"type": kind, "status": "True", "message": message} for kind, message in conditions]
    return {"metadata": {"name": "preview-pr-7", **metadata}, "status": {"phase": "Terminating", "conditions": said}}


LEFT = (
    "NamespaceContentRemaining",
    (
        "Some resources are remaining: clusters.postgresql.cnpg.io has 1 resource instances, pods. has 3 resource "
        "instances"
    ),
)
HOLDING = (
    "NamespaceFinalizersRemaining",
    "Some content in the namespace has finalizers remaining: example.com/held in 1 resource instances",
)


def test_what_is_left_is_counted_by_resource() -> None:
    found = namespace(LEFT, HOLDING)
    assert remaining(found) == {"clusters.postgresql.cnpg.io": 1, "pods": 3}
    assert finalizers(found) == {"example.com/held": 1}
    quiet = {**found, "status": {"conditions": [{"type": LEFT[0], "status": "False", "message": LEFT[1]}]}}
    assert remaining(quiet) == {}


def test_who_has_set_a_finalizer_stands_in_the_managed_fields() -> None:
    fields: Any = {"f:metadata": {"f:finalizers": {".": {}, 'v:"example.com/held"': {}}}}
    managed = [{"manager": "kubectl", "fieldsV1": {"f:data": {}}}, {"manager": "billing-operator", "fieldsV1": fields}]
    metadata = {"name": "held", "namespace": "preview-pr-7", "finalizers": ["example.com/held"]}
    obj: Any = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**metadata, "managedFields": managed}}
    found = held(obj)
    assert found.set_by == {"example.com/held": "billing-operator"}
    reason = why_namespace_stays(namespace(LEFT, HOLDING), [found])
    assert str(reason) == (
        "ConfigMap held in preview-pr-7 (3 more objects are left with it) is not gone: it is held by the finalizer "
        "example.com/held, which billing-operator has set. Ask whoever runs billing-operator why it does not finish. "
        "Causeway takes off no finalizer: what it guards might be lost."
    )


@pytest.mark.parametrize(
    ("condition", "sentence", "step", "final"),
    [
        (
            (
                "NamespaceDeletionDiscoveryFailure",
                (
                    "Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: "
                    "metrics.k8s.io/v1beta1: stale GroupVersion discovery: metrics.k8s.io/v1beta1"
                ),
            ),
            (
                "The namespace preview-pr-7 cannot be emptied: the part of the cluster that serves "
                "metrics.k8s.io/v1beta1 does not answer, so nobody knows what else is in it."
            ),
            "Ask #platform to mend or remove that APIService; the deletion goes on by itself then.",
            True,
        ),
        (
            (
                "NamespaceDeletionContentFailure",
                (
                    "Failed to delete all resource types, 1 remaining: Internal error occurred: failed calling webhook "
                    '"guard.example.com": failed to call webhook: Post "https://guard.svc:443/": connection refused'
                ),
            ),
            (
                "The namespace preview-pr-7 cannot be emptied: the webhook guard.example.com, which has to agree, does "
                "not answer."
            ),
            "Ask #platform to mend or remove it; the deletion goes on by itself then.",
            True,
        ),
        (
            ("NamespaceDeletionContentFailure", "Failed to delete all resource types, 1 remaining: etcd is full."),
            (
                "The namespace preview-pr-7 cannot be emptied: Failed to delete all resource types, 1 remaining: etcd "
                "is full."
            ),
            "Ask #platform to look at it; the cluster tries again by itself.",
            False,
        ),
    ],
    ids=["an API service", "a webhook", "anything else"],
)
def test_what_keeps_a_whole_namespace(condition: tuple[str, str], sentence: str, step: str, final: bool) -> None:
    reason = why_namespace_stays(namespace(LEFT, condition), [], contact="#platform")
    assert reason is not None
    assert (reason.sentence, reason.next_step, reason.final) == (sentence, step, final)


def test_without_a_look_at_the_objects_their_finalizers_are_told() -> None:
    reason = why_namespace_stays(namespace(LEFT, HOLDING), [])
    assert str(reason) == (
        "The namespace preview-pr-7 is not gone: what is left in it (clusters.postgresql.cnpg.io, pods) is held by the "
        "finalizers example.com/held (1). Ask the platform team which program they belong to and why it does not "
        "finish."
    )


def test_what_is_merely_slow_is_told_as_that() -> None:
    reason = why_namespace_stays(namespace(LEFT), [])
    assert str(reason) == (
        "The namespace preview-pr-7 is not gone: 1 clusters.postgresql.cnpg.io, 3 pods are still being deleted. It "
        "goes on by itself; ask the platform team where it takes longer than usual."
    )


def test_its_own_finalizer_is_told_last_and_nothing_where_nothing_is_said() -> None:
    reason = why_namespace_stays(namespace(finalizers=["example.com/own"]), [])
    assert reason is not None
    assert reason.sentence == "The namespace preview-pr-7 is not gone: it is held by its own finalizer example.com/own."
    assert why_namespace_stays(namespace(), []) is None


def test_well_known_finalizers_are_told_by_what_they_wait_for() -> None:
    claim = ObjectRef("v1", "PersistentVolumeClaim", "data", "preview-pr-7")
    reason = why_object_stays(Held(ref=claim, finalizers=("kubernetes.io/pvc-protection",)))
    assert reason.sentence == (
        "PersistentVolumeClaim data in preview-pr-7 is not gone: a pod still uses it (finalizer "
        "kubernetes.io/pvc-protection)."
    )
    assert "goes on by itself" in reason.next_step
    assert why_object_stays(Held(ref=claim, finalizers=())).sentence.endswith("is still being deleted.")
