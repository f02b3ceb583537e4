"""The format of a WebService for other programs: a JSON Schema for editors, and a CustomResourceDefinition.

Both are made from the model, so that nobody keeps two formats alike by hand; a test compares the files in
`manifests/crds/` with what stands here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot.model.web_service import WebService
from bot.model.web_service.shapes import ServiceName
from bot.rendering.printing import to_yaml

Schema = dict[str, Any]
GROUP, VERSION, PLURAL = "platform.company.io", "v1", "webservices"
CRD_FILE = f"{PLURAL}.{GROUP}.yaml"
JSON_SCHEMA_FILE = "web_service.schema.json"
_KEPT = (
    *("type", "description", "enum", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"),
    *("maxProperties", "required"),
)
"""What a structural schema may say, of all that pydantic says. Defaults stay out: a document is kept as it was
written, and a default that changes later changes for everybody."""
_RULES = [
    {
        "rule": "!(has(self.replicas) && has(self.autoscaling))",
        "message": "replicas and autoscaling: keep one of the two",
    },
    {
        "rule": "!(has(self.schedule) && has(self.worker) && self.worker)",
        "message": "schedule and worker: keep one of the two",
    },
]
_COLUMNS = [
    {"name": "Image", "type": "string", "jsonPath": ".spec.image"},
    {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas"},
    {"name": "Host", "type": "string", "jsonPath": ".spec.ingress.host"},
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
]


def json_schema() -> Schema:
    """Return the JSON Schema (2020-12) of a document."""
    found = WebService.model_json_schema(by_alias=True)
    found["required"] = ["apiVersion", "kind", "metadata", "spec"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_without_titles(found)}


def json_schema_text() -> str:
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def crd() -> Schema:
    """Return the CustomResourceDefinition, with a structural schema."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": "WebService",
                "listKind": "WebServiceList",
                "plural": PLURAL,
                "singular": "webservice",
                "shortNames": ["ws"],
                "categories": ["causeway"],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "additionalPrinterColumns": _COLUMNS,
                    "schema": {"openAPIV3Schema": _root()},
                }
            ],
        },
    }


def crd_text() -> str:
    return f"# Made from bot/model/web_service/; see docs/guides/platform-documents.md.\n{to_yaml(crd())}"


def _root() -> Schema:
    whole = WebService.model_json_schema(by_alias=True)
    spec = _structural(whole["properties"]["spec"], whole["$defs"])
    spec["x-kubernetes-validations"] = _RULES
    name = next(part for part in ServiceName.__metadata__ if hasattr(part, "pattern"))  # type: ignore[attr-defined]
    return {
        "type": "object",
        "description": _line(WebService.__doc__ or ""),
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "pattern": f"^({name.pattern})$", "maxLength": name.longest},
                },
            },
            "spec": spec,
        },
    }


def _structural(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Schema:
    """Return the schema as a CRD may hold it: no references, no unions, no defaults."""
    schema = _resolved(schema, definitions)
    found = {key: schema[key] for key in _KEPT if key in schema}
    if "description" in found:
        found["description"] = _line(found["description"])
    if "const" in schema:
        found["enum"] = [schema["const"]]
    if schema.get("nullable"):
        found["nullable"] = True
    if examples := schema.get("examples"):
        found["example"] = examples[0]
    if "properties" in schema:
        found["properties"] = {key: _structural(part, definitions) for key, part in schema["properties"].items()}
    elif (values := _values(schema)) is not None:
        found["additionalProperties"] = _structural(values, definitions)
    if "items" in schema:
        found["items"] = _structural(schema["items"], definitions)
    return found


def _values(schema: Mapping[str, Any]) -> Schema | None:
    """Return the schema of a map's values. What its keys must be like, a CRD cannot say."""
    for values in (schema.get("additionalProperties"), *schema.get("patternProperties", {}).values()):
        if isinstance(values, Mapping):
            return dict(values)
    return None


def _resolved(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Schema:
    """Return the schema with its reference put in, and `X or null` as a nullable X."""
    beside = {key: value for key, value in schema.items() if key not in ("$ref", "anyOf")}
    if "$ref" in schema:
        return _resolved(definitions[schema["$ref"].rpartition("/")[2]], definitions) | beside
    if "anyOf" in schema:
        (only,) = [part for part in schema["anyOf"] if part.get("type") != "null"]
        return _resolved(only, definitions) | beside | {"nullable": True}
    return beside


def _without_titles(schema: Any) -> Any:
    """Return the schema without pydantic's titles, which repeat the names. A field that is called so is kept."""
    if isinstance(schema, list):
        return [_without_titles(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _without_titles(inner) for name, inner in part.items()}
        if key in ("properties", "$defs")
        else _without_titles(part)
        for key, part in schema.items()
        if key != "title"
    }


def _line(text: str) -> str:
    return " ".join(text.split())
