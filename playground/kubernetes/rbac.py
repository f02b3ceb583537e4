"""Who may do what: tokens, and the RBAC objects in the store, evaluated as the real authorizer does.

Not played: the refusal to grant rights that one does not hold, and aggregated ClusterRoles.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from playground.kubernetes.objects import Object
from playground.kubernetes.store import Store

RBAC = "rbac.authorization.k8s.io"
MASTERS, AUTHENTICATED = "system:masters", "system:authenticated"
EVERYBODY_READS = ("/api", "/apis", "/openapi", "/version", "/healthz", "/livez", "/readyz")
"""What `system:discovery` and `system:public-info-viewer` let everybody with a token read."""
EVERYBODY_ASKS = frozenset(
    {
        ("authorization.k8s.io", "selfsubjectaccessreviews"),
        ("authorization.k8s.io", "selfsubjectrulesreviews"),
        ("authentication.k8s.io", "selfsubjectreviews"),
    }
)
"""What `system:basic-user` lets everybody with a token create."""
ADMINISTRATION = {
    "apiVersion": f"{RBAC}/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "cluster-admin"},
    "rules": [
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
        {"nonResourceURLs": ["*"], "verbs": ["*"]},
    ],
}


@dataclass(frozen=True, slots=True)
class User:
    name: str
    groups: frozenset[str] = frozenset()
    uid: str = ""

    @property
    def all_groups(self) -> frozenset[str]:
        return self.groups | {AUTHENTICATED}


def service_account(namespace: str, name: str) -> User:
    groups = frozenset({"system:serviceaccounts", f"system:serviceaccounts:{namespace}"})
    return User(f"system:serviceaccount:{namespace}:{name}", groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What somebody wants to do to a resource. `resource` carries its subresource: `pods/log`."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        where = f'in the namespace "{self.namespace}"' if self.namespace else "at the cluster scope"
        return f'cannot {self.verb} resource "{self.resource}" in API group "{self.group}" {where}'


@dataclass(frozen=True, slots=True)
class Verdict:
    allowed: bool
    reason: str = ""


class Authorizer:
    def __init__(self, store: Store) -> None:
        self._store = store

    def may(self, user: User, attempt: Attempt) -> Verdict:
        if MASTERS in user.groups:
            return Verdict(allowed=True)
        if attempt.verb == "create" and (attempt.group, attempt.resource) in EVERYBODY_ASKS:
            return Verdict(
                allowed=True, reason='RBAC: allowed by ClusterRoleBinding "system:basic-user" of ClusterRole'
            )
        missing: list[str] = []
        for binding, rules in self._granted(user, attempt.namespace, missing):
            if any(_covers(rule, attempt) for rule in rules):
                return Verdict(allowed=True, reason=_reason(binding, user))
        return Verdict(allowed=False, reason=f"RBAC: {', '.join(missing)}" if missing else "")

    def may_read(self, user: User, method: str, path: str) -> bool:
        """Say whether a path that names no resource is open: `/version`, `/metrics`."""
        if MASTERS in user.groups:
            return True
        if method in {"GET", "HEAD"} and (path == "/" or path.startswith(EVERYBODY_READS)):
            return path != "/"
        verb = {"GET": "get", "HEAD": "head"}.get(method, method.lower())
        granted = self._granted(user, "", [])
        return any(_covers_path(rule, verb, path) for _, rules in granted for rule in rules)

    def rules_of(self, user: User, namespace: str) -> list[Mapping[str, Any]]:
        return [rule for _, rules in self._granted(user, namespace, []) for rule in rules]

    def _granted(self, user: User, namespace: str, missing: list[str]) -> Iterator[tuple[Object, list[Any]]]:
        """Yield each binding that names the user with the rules of its role; note roles that do not exist."""
        bindings: Iterable[Object] = self._store.objects.all((RBAC, "clusterrolebindings"))
        if namespace:
            bindings = [*bindings, *self._store.objects.all((RBAC, "rolebindings"), namespace)]
        for binding in bindings:
            if not any(_is(subject, user, binding) for subject in binding.get("subjects") or ()):
                continue
            reference = binding["roleRef"]
            plural = f"{reference['kind'].lower()}s"
            place = namespace if reference["kind"] == "Role" else ""
            role = self._store.objects.get((RBAC, plural), place, reference["name"])
            if role is None:
                missing.append(f'{reference["kind"].lower()}.{RBAC} "{reference["name"]}" not found')
            else:
                yield binding, role.get("rules") or []


def _is(subject: Mapping[str, Any], user: User, binding: Object) -> bool:
    match subject["kind"]:
        case "User":
            return bool(subject["name"] == user.name)
        case "Group":
            return subject["name"] in user.all_groups
        case "ServiceAccount":
            namespace = subject.get("namespace") or binding["metadata"].get("namespace", "")
            return user.name == f"system:serviceaccount:{namespace}:{subject['name']}"
    return False


def _covers(rule: Mapping[str, Any], attempt: Attempt) -> bool:
    if not _one_of(attempt.verb, rule.get("verbs")) or not _one_of(attempt.group, rule.get("apiGroups")):
        return False
    resources = rule.get("resources") or ()
    _, slash, subresource = attempt.resource.partition("/")
    fits = _one_of(attempt.resource, resources) or (slash and f"*/{subresource}" in resources)
    names = rule.get("resourceNames")
    return bool(fits) and (not names or attempt.name in names)


def _covers_path(rule: Mapping[str, Any], verb: str, path: str) -> bool:
    if not _one_of(verb, rule.get("verbs")):
        return False
    urls = rule.get("nonResourceURLs") or ()
    return any(url in {"*", path} or (url.endswith("*") and path.startswith(url[:-1])) for url in urls)


def _one_of(word: str, words: Iterable[str] | None) -> bool:
    return bool(words) and (word in (known := list(words or ())) or "*" in known)


def _reason(binding: Object, user: User) -> str:
    metadata, role = binding["metadata"], binding["roleRef"]
    place = f"{metadata['name']}/{metadata['namespace']}" if metadata.get("namespace") else metadata["name"]
    who = f'User "{user.name}"'
    for subject in binding.get("subjects") or ():
        if _is(subject, user, binding):
            label = f"{subject['name']}/{subject['namespace']}" if subject.get("namespace") else subject["name"]
            who = f'{subject["kind"]} "{label}"'
            break
    return f'RBAC: allowed by {binding["kind"]} "{place}" of {role["kind"]} "{role["name"]}" to {who}'
