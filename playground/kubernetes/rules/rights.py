"""RBAC's own kinds."""

from __future__ import annotations

from collections.abc import Iterator

from playground.kubernetes.objects import Object
from playground.kubernetes.rules.workloads import IMMUTABLE, in_go_order
from playground.kubernetes.status import Cause, invalid_value, not_supported, required

SUBJECTS = ("ServiceAccount", "User", "Group")


def role(obj: Object) -> Iterator[Cause]:
    rules = obj.get("rules") or ()
    for index, rule in enumerate(rules):
        if rule.get("nonResourceURLs"):
            continue
        if not rule.get("apiGroups"):
            yield required(f"rules[{index}].apiGroups", "resource rules must supply at least one api group")
        if not rule.get("resources"):
            yield required(f"rules[{index}].resources", "resource rules must supply at least one resource")
    for index, rule in enumerate(rules):
        if not rule.get("verbs"):
            yield required(f"rules[{index}].verbs")


def binding(obj: Object) -> Iterator[Cause]:
    reference = obj.get("roleRef", {})
    kinds = ("ClusterRole",) if obj["kind"] == "ClusterRoleBinding" else ("ClusterRole", "Role")
    if reference.get("kind") not in kinds:
        yield not_supported("roleRef.kind", reference.get("kind", ""), kinds)
    if not reference.get("name"):
        yield required("roleRef.name")
    for index, subject in enumerate(obj.get("subjects", ())):
        path = f"subjects[{index}]"
        if not subject.get("name"):
            yield required(f"{path}.name")
        if subject.get("kind") not in SUBJECTS:
            yield not_supported(f"{path}.kind", subject.get("kind", ""), SUBJECTS)


def binding_change(old: Object, new: Object) -> Iterator[Cause]:
    if old.get("roleRef") != new.get("roleRef"):
        reference = new.get("roleRef", {})
        shown = {
            name: reference.get(key, "") for name, key in (("APIGroup", "apiGroup"), ("Kind", "kind"), ("Name", "name"))
        }
        yield in_go_order(invalid_value("roleRef", "", IMMUTABLE), shown)
