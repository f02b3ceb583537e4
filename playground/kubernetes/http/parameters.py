"""Query parameters and their refusals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playground.kubernetes.status import ApiError, Cause, bad_request, forbidden_value, required

Query = Mapping[str, str]
META = "meta.k8s.io"
VALIDATIONS = frozenset({"", "Ignore", "Strict", "Warn"})
TRUE = frozenset({"true", "1", "t", "T", "TRUE", "True"})


def options_invalid(kind: str, causes: Sequence[Cause]) -> ApiError:
    """Return a 422 about the parameters of a request (`CreateOptions`, `PatchOptions`, `ListOptions` …)."""
    lines = [f"{cause['field']}: {cause['message']}" for cause in causes]
    text = lines[0] if len(lines) == 1 else "[" + ", ".join(lines) + "]"
    found = {"group": META, "kind": kind, "causes": [dict(cause) for cause in causes]}
    return ApiError(422, "Invalid", f'{kind}.{META} "" is invalid: {text}', found)


def whole_number(query: Query, name: str) -> int | None:
    text = query.get(name, "")
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def is_set(query: Query, name: str) -> bool:
    return query.get(name, "") in TRUE


def dry_run(query: Query, kind: str) -> bool:
    """Say whether nothing is to be kept. Raise a 422 for anything but `All`."""
    wanted = query.get("dryRun")
    if wanted is None:
        return False
    if wanted != "All":
        text = f'Unsupported value: ["{wanted}"]: supported values: "All"'
        raise options_invalid(kind, [Cause("FieldValueNotSupported", text, "dryRun")])
    return True


def field_validation(query: Query, kind: str) -> str:
    """Return `Ignore`, `Warn` (which is the default) or `Strict`."""
    wanted = query.get("fieldValidation", "")
    if wanted not in VALIDATIONS:
        text = f'Unsupported value: "{wanted}": supported values: "", "Ignore", "Strict", "Warn"'
        raise options_invalid(kind, [Cause("FieldValueNotSupported", text, "fieldValidation")])
    return wanted or "Warn"


def field_manager(query: Query, user_agent: str, kind: str, *, applies: bool = False) -> str:
    """Return who is to own the fields: as said, or by the name that the client goes by."""
    given = query.get("fieldManager", "")
    if len(given.encode()) > 128:
        raise options_invalid(
            kind, [Cause("FieldValueTooLong", "Too long: may not be more than 128 bytes", "fieldManager")]
        )
    if applies and not given:
        raise options_invalid(kind, [required("fieldManager", "is required for apply patch")])
    if not applies and "force" in query:
        raise options_invalid(kind, [forbidden_value("force", "may not be specified for non-apply patch")])
    return given or user_agent.partition("/")[0][:128] or "unknown"
