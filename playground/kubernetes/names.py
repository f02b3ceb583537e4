"""How objects, labels and keys may be called, in the API server's sentences (`k8s.io/apimachinery/.../validation`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from playground.kubernetes.status import Cause, invalid_value, required

LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    f"an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{LABEL}')"
)
SUBDOMAIN = rf"{LABEL}(\.{LABEL})*"
SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    f"end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{SUBDOMAIN}')"
)
NAME_PART = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
NAME_PART_TEXT = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    f"character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{NAME_PART}')"
)
VALUE = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    f"'{VALUE}')"
)
CONFIG_KEY = "[-._a-zA-Z0-9]+"
CONFIG_KEY_TEXT = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
    f"'key-name', regex used for validation is '{CONFIG_KEY}')"
)
FINALIZERS = frozenset({"kubernetes", "orphan", "foregroundDeletion"})


def label_name(text: str) -> Iterator[str]:
    """Yield what is wrong with a name that becomes a DNS label (Namespace, Service, container)."""
    if "." in text:
        yield "must not contain dots"
        return
    if len(text) > 63:
        yield "must be no more than 63 characters"
    if not re.fullmatch(LABEL, text):
        yield LABEL_TEXT


def container_name(text: str) -> Iterator[str]:
    if len(text) > 63:
        yield "must be no more than 63 bytes"
    if not re.fullmatch(LABEL, text):
        yield LABEL_TEXT


def subdomain_name(text: str) -> Iterator[str]:
    if len(text) > 253:
        yield "must be no more than 253 characters"
    if not re.fullmatch(SUBDOMAIN, text):
        yield SUBDOMAIN_TEXT


def cron_job_name(text: str) -> Iterator[str]:
    yield from subdomain_name(text)
    if len(text) > 52:
        yield "must be no more than 52 characters"


def path_segment(text: str) -> Iterator[str]:
    """RBAC's names may hold anything that fits into one segment of a path."""
    if text in {".", ".."}:
        yield f"may not be '{text}'"
    for letter in ("/", "%"):
        if letter in text:
            yield f"may not contain '{letter}'"


BY_KIND: dict[str, Callable[[str], Iterator[str]]] = {
    "Namespace": label_name,
    "Service": label_name,
    "CronJob": cron_job_name,
    "Role": path_segment,
    "RoleBinding": path_segment,
    "ClusterRole": path_segment,
    "ClusterRoleBinding": path_segment,
}


def metadata_causes(kind: str, metadata: Mapping[str, Any], *, custom: bool = False) -> Iterator[Cause]:
    """Yield what is wrong with an object's metadata. Of a custom resource's finalizers less is asked."""
    name = metadata.get("name", "")
    if not name:
        yield required("metadata.name", "name or generateName is required")
    else:
        for text in BY_KIND.get(kind, subdomain_name)(name):
            yield invalid_value("metadata.name", name, text)
    yield from label_causes("metadata.labels", metadata.get("labels", {}))
    for key in metadata.get("annotations", {}):
        for text in qualified_name(key.lower()):
            yield invalid_value("metadata.annotations", key, text)
    for index, owner in enumerate(metadata.get("ownerReferences", ())):
        for field in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(field):
                yield required(f"metadata.ownerReferences[{index}].{field}", "must not be empty")
    for index, word in enumerate(metadata.get("finalizers", ())):
        if not custom and "/" not in word and word not in FINALIZERS:
            text = "name is neither a standard finalizer name nor is it fully qualified"
            yield invalid_value(f"metadata.finalizers[{index}]", word, text)


def label_causes(field: str, labels: Mapping[str, Any]) -> Iterator[Cause]:
    for key, value in labels.items():
        for text in qualified_name(key):
            yield invalid_value(field, key, text)
        for text in label_value(value):
            yield invalid_value(field, value, text)


def qualified_name(text: str) -> Iterator[str]:
    """Yield what is wrong with the key of a label or an annotation: `prefix/name` or `name`."""
    prefix, slash, name = text.rpartition("/")
    if slash and not prefix:
        yield "prefix part must be non-empty"
    elif slash and not re.fullmatch(SUBDOMAIN, prefix):
        yield f"prefix part {SUBDOMAIN_TEXT}"
    if not name:
        yield "name part must be non-empty"
    elif len(name) > 63:
        yield "name part must be no more than 63 bytes"
    if not re.fullmatch(NAME_PART, name):
        yield NAME_PART_TEXT


def label_value(text: str) -> Iterator[str]:
    if len(text) > 63:
        yield "must be no more than 63 bytes"
    if not re.fullmatch(VALUE, text):
        yield VALUE_TEXT


def config_key(text: str) -> Iterator[str]:
    if not re.fullmatch(CONFIG_KEY, text):
        yield CONFIG_KEY_TEXT
