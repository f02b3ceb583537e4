"""Why the API server refused an object, from its own words: told of a sync, of a direct apply and of a pod alike."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.health.words import kind_word, said


@dataclass(frozen=True, slots=True)
class Refusal:
    cause: str
    """Continues “… could not be applied: ”; no capital, no full stop."""
    next_step: str
    final: bool = True


Told = Callable[[re.Match[str]], Refusal]

_HOST_TAKEN = (
    r"admission webhook \\?\"(?P<hook>[^\"\\]+)\\?\" denied the request: .*?"
    r"host \\?\"(?P<host>[^\"\\]+)\\?\".*already defined in ingress (?P<other>[\w./-]+)"
)
_QUOTA = (
    r"exceeded quota: (?P<quota>[\w.-]+), requested: (?P<asked>[^,]+(?:,[^,:]+=[^,]+)*), used: "
    r".*?limited: (?P<limited>.+)"
)
_OBJECT = r"(?P<kind>[A-Za-z][\w.]*) \\?\"(?P<name>[^\"\\]+)\\?\""


_HOLDS_DATA = ("PersistentVolumeClaim", "StatefulSet", "Cluster", "RDSInstance")


def _immutable(found: re.Match[str]) -> Refusal:
    kind = kind_word(found["kind"])
    what = f"{kind} {found['name']}"
    anew = f"Delete {what} so that it is made anew (it is away meanwhile), or take the change back."
    keep = f"Take the change back; deleting {what} would delete what is stored there."
    return Refusal(f"{found['path']} of {what} cannot be changed once it exists", keep if kind in _HOLDS_DATA else anew)


def _quota(found: re.Match[str]) -> Refusal:
    return Refusal(
        f"the quota {found['quota']} of the namespace is used up "
        f"(asked for {said(found['asked'])}; {said(found['limited'])} is the limit)",
        "Choose a smaller size or fewer replicas, or ask the platform team to raise the quota.",
        final=False,
    )


def _project(found: re.Match[str]) -> Refusal:
    return Refusal(
        f"the Argo CD project {found['project']} does not allow {said(found['what'])}",
        f"Ask the platform team to allow it in the project {found['project']}.",
    )


_CASES: tuple[tuple[str, Told], ...] = (
    (rf"{_OBJECT} is invalid: .*?(?P<path>(?:spec|data|type|roleRef)[\w.\[\]]*): .*immutable", _immutable),
    (_QUOTA, _quota),
    (
        r"violates PodSecurity \\?\"(?P<level>[\w.:-]+)\\?\": (?P<what>.+)",
        lambda found: Refusal(
            f"the namespace admits only pods of the level {found['level'].partition(':')[0]}: {said(found['what'])}",
            "Take out of platform.yaml what asks for more rights, or talk to the platform team.",
        ),
    ),
    (
        _HOST_TAKEN,
        lambda found: Refusal(
            f"the host {found['host']} belongs to the Ingress {found['other']} already",
            "Choose another host under `ingress` in platform.yaml, or have the other one given up.",
        ),
    ),
    (
        r"admission webhook \\?\"(?P<hook>[^\"\\]+)\\?\" denied the request:? ?(?P<why>.*)",
        lambda found: Refusal(
            f"the cluster's rule {found['hook']} says no: {said(found['why']) or 'it gives no reason'}",
            "Change platform.yaml so that it keeps the rule, or ask the platform team for an exception.",
        ),
    ),
    (
        r"failed calling webhook \\?\"(?P<hook>[^\"\\]+)\\?\"",
        lambda found: Refusal(
            f"the cluster's admission webhook {found['hook']} does not answer",
            "Tell the platform team; it goes on by itself once the webhook answers.",
            final=False,
        ),
    ),
    (
        r"because it is being terminated",
        lambda _: Refusal(
            "its namespace is being deleted",
            "Wait until the namespace is gone; if it never goes, ask the platform team what holds it.",
            final=False,
        ),
    ),
    (
        r"Make sure the \\?\"(?P<kind>\w+)\\?\" CRD is installed|no matches for kind \\?\"(?P<other>\w+)\\?\"",
        lambda found: Refusal(
            f"the cluster does not know the kind {found['kind'] or found['other']}",
            "Ask the platform team to install its CRD, or take out of platform.yaml what needs it.",
        ),
    ),
    (
        r"the server could not find the requested resource",
        lambda _: Refusal(
            "the cluster does not know one of its kinds",
            "Ask the platform team which CRD is missing, or take out of platform.yaml what needs it.",
        ),
    ),
    (r"(?:resource )?:?(?P<what>[\w.:/-]+) is not permitted in project:? '?(?P<project>[\w.-]+)", _project),
    (
        r"User \\?\"(?P<user>[^\"\\]+)\\?\" cannot (?P<verb>\w+) resource \\?\"(?P<resource>[\w./-]+)\\?\"",
        lambda found: Refusal(
            f"the account {found['user'].rpartition(':')[2]} may not {found['verb']} {found['resource']}",
            "Ask the platform team to grant it that right.",
        ),
    ),
    (
        r"error looking up service account [^:]+: serviceaccount \\?\"(?P<name>[^\"\\]+)\\?\" not found",
        lambda found: Refusal(
            f"the service account {found['name']} does not exist", "Create it, or name another one.", final=False
        ),
    ),
    (
        r"namespaces \\?\"(?P<name>[^\"\\]+)\\?\" not found",
        lambda found: Refusal(
            f"the namespace {found['name']} does not exist",
            "See that the Application has the sync option CreateNamespace=true, or create the namespace.",
            final=False,
        ),
    ),
    (
        r"conflicts? with \\?\"(?P<owner>[^\"\\]+)\\?\"[^:]*: (?P<fields>.+)",
        lambda found: Refusal(
            f"the field manager {found['owner']} owns {said(found['fields'])}",
            f"Take the field out of what {found['owner']} applies, or out of ours.",
        ),
    ),
    (
        r"unknown field \\?\"(?P<path>[^\"\\]+)\\?\"",
        lambda found: Refusal(f"the field {found['path']} is unknown to the cluster", "Take it out and deploy again."),
    ),
    (
        rf"{_OBJECT} is (?:invalid|forbidden): (?P<why>.+)",
        lambda found: Refusal(
            f"{kind_word(found['kind'])} {found['name']} is refused: {said(found['why'])}",
            "Mend what it names in platform.yaml and deploy again, or roll back.",
        ),
    ),
    (
        r"dial tcp|i/o timeout|context deadline exceeded|connection refused|no route to host|TLS handshake timeout",
        lambda _: Refusal(
            "the cluster's API server does not answer", "Wait, or tell the platform team if it lasts.", final=False
        ),
    ),
)
_COMPILED = tuple((re.compile(pattern, re.DOTALL), told) for pattern, told in _CASES)


def explained(message: str) -> Refusal | None:
    """Return what a message of the API server means, or None where we do not know the words."""
    for pattern, told in _COMPILED:
        found = pattern.search(message)
        if found is not None:
            return told(found)
    return None
