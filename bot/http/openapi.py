"""`/api/v1/openapi.json`, made from the registered commands and our own models."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from bot.command import AnyCommand, Query
from bot.intake import Registry
from bot.model.operation import Decided, OperationView
from bot.model.plan import Plan

_SCHEMAS = "#/components/schemas/"
DECISIONS = {
    "approve": "Approve the plan",
    "reject": "Reject the plan",
    "undo": "Take it back",
    "wait": "Say that one has seen why a step is stuck, and waits",
    "keep": "Leave what is stuck as it is",
}
"""What can be decided about an operation → what that means."""


def describe(registry: Registry) -> dict[str, Any]:
    """Return an OpenAPI 3.1 document."""
    commands = sorted(registry.commands.values(), key=lambda command: command.name)
    models: list[type[BaseModel]] = [*{command.request for command in commands}, OperationView, Decided, Plan]
    _, schemas = models_json_schema(
        [(model, "validation") for model in sorted(models, key=lambda model: model.__name__)],
        ref_template=_SCHEMAS + "{model}",
    )
    paths: dict[str, Any] = {f"/requests/{command.name}": {"post": _command(command)} for command in commands}
    paths["/operations"] = {"get": _read("List operations, newest first", [_query("state"), _query("limit")])}
    one = [{"name": "operation", "in": "path", "required": True, "schema": {"type": "string"}}]
    paths["/operations/{operation}"] = {"get": _read("Read one operation", [*one, _query("wait_s")], "OperationView")}
    for verb, told in DECISIONS.items():
        paths[f"/operations/{{operation}}/{verb}"] = {"post": _decision(told, one)}
    if "service.deploy" in registry.commands:
        deploy = _command(registry.commands["service.deploy"])
        paths["/deployments"] = {"post": {**deploy, "operationId": "deployments"}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Causeway", "version": "1", "description": "The HTTP door of the developer platform."},
        "servers": [{"url": "/api/v1"}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas["$defs"],
        },
    }


def _command(command: AnyCommand) -> dict[str, Any]:
    body = {"application/json": {"schema": {"$ref": _SCHEMAS + command.request.__name__}}}
    done = (
        {"200": _json("The answer")}
        if isinstance(command, Query)
        else {
            "200": _json("The plan (dry run)"),
            "202": _json("The operation, stored and under way", "OperationView"),
        }
    )
    parameters = [] if isinstance(command, Query) else [_query("dry_run"), _query("wait_s")]
    return {
        "summary": command.summary,
        "operationId": command.name,
        "parameters": parameters,
        "requestBody": {"content": body, "required": True},
        "responses": done | _refusals(),
    }


def _decision(summary: str, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    properties = {"digest": {"type": "string"}, "reason": {"type": "string", "maxLength": 500}}
    content = {"application/json": {"schema": {"type": "object", "properties": properties}}}
    return {
        "summary": summary,
        "parameters": parameters,
        "requestBody": {"content": content},
        "responses": {"200": _json("Decided", "Decided"), "409": _json("Too late, or another plan", "Decided")}
        | _refusals(),
    }


def _read(summary: str, parameters: list[dict[str, Any]], schema: str = "") -> dict[str, Any]:
    return {"summary": summary, "parameters": parameters, "responses": {"200": _json("Found", schema)} | _refusals()}


def _query(name: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": "string"}}


def _json(description: str, schema: str = "") -> dict[str, Any]:
    content = {"schema": {"$ref": _SCHEMAS + schema} if schema else {"type": "object"}}
    return {"description": description, "content": {"application/json": content}}


def _refusals() -> dict[str, Any]:
    told = {
        "401": "No bearer token, or an unknown one",
        "403": "Refused by policy",
        "404": "Not found",
        "422": "A wrong request",
        "503": "A system is not reachable",
    }
    return {status: _json(text) for status, text in told.items()}
