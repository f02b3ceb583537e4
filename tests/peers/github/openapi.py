"""GitHub's own OpenAPI description as a witness: is this request one that GitHub accepts?"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from openapi_schema_validator import OAS30Validator

from tests.peers.tools import need

DESCRIPTION = "@octokit/openapi/generated/api.github.com.json"
SLASHES = {"ref", "path", "branch", "basehead", "environment_name", "tree_sha", "commit_sha"}
"""Path parameters whose values may hold a slash."""


@dataclass(frozen=True)
class Operation:
    method: str
    template: str
    pattern: re.Pattern[str]
    description: Mapping[str, Any]

    @property
    def literal(self) -> int:
        """How much of the template is fixed text: `/user/repos` is nearer than `/{owner}/repos`."""
        return len(re.sub(r"\{[^}]*\}", "", self.template))


def check_request(method: str, path: str, body: Any = None) -> list[str]:
    """Return what GitHub's description says against a request, one sentence each; an empty list is a good request.

    `path` is GitHub's (`/repos/acme/shop?per_page=1`), without `/api/v3`; `body` is parsed JSON, None for none.
    Skips the test where the description is not installed.
    """
    plain, _, query = path.partition("?")
    operation = find(method, plain)
    if operation is None:
        return [f"GitHub has no operation {method} {plain}"]
    return [
        f"{method} {operation.template}: {problem}"
        for problem in (*_check_body(operation, body), *_check_query(operation, query))
    ]


def find(method: str, path: str) -> Operation | None:
    found = [op for op in operations() if op.method == method.upper() and op.pattern.fullmatch(unquote(path))]
    return max(found, key=lambda op: op.literal, default=None)


def _check_body(operation: Operation, body: Any) -> list[str]:
    wanted = operation.description.get("requestBody")
    if wanted is None:
        return ["takes no body"] if body not in (None, {}) else []
    wanted = resolved(wanted)
    schema = wanted.get("content", {}).get("application/json", {}).get("schema")
    if body is None:
        return ["needs a body"] if wanted.get("required") else []
    if schema is None:
        return []
    errors = sorted(_validator(operation.method, operation.template).iter_errors(body), key=str)
    return [f"{'/'.join(map(str, error.absolute_path)) or 'body'}: {error.message[:300]}" for error in errors]


def _check_query(operation: Operation, query: str) -> list[str]:
    parameters = [resolved(parameter) for parameter in operation.description.get("parameters", [])]
    known = {parameter["name"]: parameter for parameter in parameters if parameter["in"] == "query"}
    given = dict(parse_qsl(query, keep_blank_values=True))
    problems = [f"query {name} is not known" for name in sorted(given.keys() - known.keys())]
    for name, parameter in known.items():
        if parameter.get("required") and name not in given:
            problems.append(f"query {name} is missing")
        allowed = resolved(parameter["schema"]).get("enum")
        if name in given and allowed and given[name] not in map(str, allowed):
            problems.append(f"query {name} is {given[name]!r}, not one of {allowed}")
    return problems


def resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow `$ref` to its end."""
    while "$ref" in node:
        found: Any = description()
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step.replace("~1", "/").replace("~0", "~")]
        node = found
    return node


@functools.cache
def _validator(method: str, template: str) -> OAS30Validator:
    operation = description()["paths"][template][method.lower()]
    schema = resolved(operation["requestBody"])["content"]["application/json"]["schema"]
    return OAS30Validator({**schema, "components": description()["components"]})


def response_validator(operation: Operation, status: int) -> OAS30Validator | None:
    """Return what checks the body of an answer, None where the description has no schema for that status."""
    answer = operation.description["responses"].get(str(status))
    schema = resolved(answer).get("content", {}).get("application/json", {}).get("schema") if answer else None
    if schema is None:
        return None
    plain = {name: value for name, value in schema.items() if name != "discriminator"}  # it cannot tell a list's kind
    return OAS30Validator({**plain, "components": description()["components"]})


@functools.cache
def operations() -> tuple[Operation, ...]:
    return tuple(
        Operation(method.upper(), template, _pattern(template), operation)
        for template, methods in description()["paths"].items()
        for method, operation in methods.items()
    )


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{([^}]*)\}", template)
    expression = "".join(
        re.escape(part) if place % 2 == 0 else "(?:.+)" if part in SLASHES else "[^/]+"
        for place, part in enumerate(parts)
    )
    return re.compile(expression)


@functools.cache
def description() -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads((need("node_modules") / DESCRIPTION).read_text())
    return parsed
