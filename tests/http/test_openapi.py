"""`/api/v1/openapi.json` is a description that tools can use, and the API keeps to it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from commands import COMMANDS
from tests.scenario.world import Json, World

pytestmark = pytest.mark.asyncio(loop_scope="module")

METHODS = {"get", "post", "put", "patch", "delete"}


async def described(here: World) -> Json:
    async with here.http.get(f"{here.ready['bot']}/api/v1/openapi.json") as response:
        assert response.status == 200
        document: Json = await response.json()
        return document


def operations(document: Json) -> list[tuple[str, Json]]:
    return [(path, one) for path, item in document["paths"].items() for verb, one in item.items() if verb in METHODS]


def inside(part: Any) -> list[Any]:
    below = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return [part, *(found for one in below for found in inside(one))]


async def test_it_describes_exactly_the_registered_commands(here: World) -> None:
    document = await described(here)
    assert document["openapi"] == "3.1.0"
    assert {"title", "version"} <= document["info"].keys()
    commands = {path.removeprefix("/requests/") for path in document["paths"] if path.startswith("/requests/")}
    assert commands == {command.name for command in COMMANDS}


async def test_its_schemas_are_schemas_and_its_references_lead_somewhere(here: World) -> None:
    document = await described(here)
    for schema in document["components"]["schemas"].values():
        OAS31Validator.check_schema(schema)
    for part in inside(document):
        if isinstance(part, dict) and isinstance(part.get("$ref"), str):
            name = part["$ref"].removeprefix("#/components/schemas/")
            assert name in document["components"]["schemas"], part


async def test_each_operation_is_complete(here: World) -> None:
    document = await described(here)
    named = [one["operationId"] for _, one in operations(document) if "operationId" in one]
    assert len(named) == len(set(named))
    for path, one in operations(document):
        given = {p["name"] for p in one["parameters"] if p["in"] == "path"}
        assert given == set(re.findall(r"{(\w+)}", path)), path
        assert all(p["required"] for p in one["parameters"] if p["in"] == "path")
        assert all(p["in"] in ("path", "query") and p["schema"] for p in one["parameters"])
        assert one["summary"]
        assert one["responses"]
        for status, answer in one["responses"].items():
            assert re.fullmatch(r"[1-5]\d\d", status)
            assert answer["description"]


async def test_answers_are_what_is_described(here: World) -> None:
    document = await described(here)
    resource = DRAFT202012.create_resource(document)
    registry: Registry[Any] = Registry().with_resource("urn:api", resource)
    schema = {"$ref": "urn:api#/components/schemas/OperationView"}
    body = {"template": "python-service", "name": "described", "owner": "group:default/team-orders"}
    status, view = await here.api("POST", "/requests/service.create?wait_s=60", by="author", body=body)
    assert str(status) in document["paths"]["/requests/service.create"]["post"]["responses"]
    OAS31Validator(schema, registry=registry).validate(view)
    status, decided = await here.api("POST", f"/operations/{view['id']}/approve", by="stranger")
    assert str(status) in document["paths"]["/operations/{operation}/approve"]["post"]["responses"]
    OAS31Validator({"$ref": "urn:api#/components/schemas/Decided"}, registry=registry).validate(decided)
