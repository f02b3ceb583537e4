"""The formats of our documents for other programs: JSON Schemas for editors, and CustomResourceDefinitions.

All are made from the models, so that nobody keeps two formats alike by hand; a test compares the files in
`manifests/crds/` with what stands here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from bot.model.environment import Environment
from bot.model.environment.parts import EnvironmentName
from bot.model.web_service import WebService
from bot.model.web_service.shapes import ServiceName
from bot.rendering.printing import to_yaml

Schema = dict[str, Any]
_KEPT = (
    *("type", "description", "enum", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"),
    *("maxProperties", "required"),
)
"""What a structural schema may say, of all that pydantic says. Defaults stay out: a document is kept as it was
written, and a default that changes later changes for everybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One kind of document, and what a model cannot tell of it."""

    model: type[BaseModel]
    name: Any
    """The shape of `metadata.name`."""
    group: str
    plural: str
    file: str
    """Of its JSON Schema."""
    made_from: str
    """Folder of the model."""
    short: tuple[str, ...]
    """What `kubectl get` takes for it as well."""
    columns: Mapping[str, tuple[str, str]]
    """What `kubectl get` shows: column → type and path."""
    rules: Mapping[str, str] = field(default_factory=dict)
    """What fields must not do together (CEL, of `spec`) → sentence."""

    @property
    def kind(self) -> str:
        return self.model.__name__

    @property
    def crd_name(self) -> str:
        return f"{self.plural}.{self.group}"

    @property
    def crd_file(self) -> str:
        return f"{self.crd_name}.yaml"


VERSION = "v1"
WEB_SERVICE = Format(
    model=WebService,
    name=ServiceName,
    group="platform.company.io",
    plural="webservices",
    file="web_service.schema.json",
    made_from="bot/model/web_service/",
    short=("ws",),
    columns={
        "Image": ("string", ".spec.image"),
        "Replicas": ("integer", ".spec.replicas"),
        "Host": ("string", ".spec.ingress.host"),
        "Age": ("date", ".metadata.creationTimestamp"),
    },
    rules={
        "!(has(self.replicas) && has(self.autoscaling))": "replicas and autoscaling: keep one of the two",
        "!(has(self.schedule) && has(self.worker) && self.worker)": "schedule and worker: keep one of the two",
    },
)
ENVIRONMENT = Format(
    model=Environment,
    name=EnvironmentName,
    group="environments.platform.io",
    plural="environments",
    file="environment.schema.json",
    made_from="bot/model/environment/",
    short=("envs",),
    columns={"TTL": ("string", ".spec.ttl"), "Age": ("date", ".metadata.creationTimestamp")},
    rules={
        "!has(self.databases) || self.databases.all(d, !has(d.service) || "
        "self.services.exists(s, s.name == d.service))": "databases: service names one of services",
    },
)
FORMATS = (WEB_SERVICE, ENVIRONMENT)


def json_schema(of: Format = WEB_SERVICE) -> Schema:
    """Return the JSON Schema (2020-12) of a document."""
    found = of.model.model_json_schema(by_alias=True)
    found["required"] = ["apiVersion", "kind", "metadata", "spec"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_without_titles(found)}


def json_schema_text(of: Format = WEB_SERVICE) -> str:
    return json.dumps(json_schema(of), indent=2, ensure_ascii=False) + "\n"


def crd(of: Format = WEB_SERVICE) -> Schema:
    """Return the CustomResourceDefinition, with a structural schema."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": of.crd_name},
        "spec": {
            "group": of.group,
            "scope": "Namespaced",
            "names": {
                "kind": of.kind,
                "listKind": f"{of.kind}List",
                "plural": of.plural,
                "singular": of.kind.lower(),
                "shortNames": list(of.short),
                "categories": ["causeway"],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "additionalPrinterColumns": [
                        {"name": name, "type": kind, "jsonPath": path} for name, (kind, path) in of.columns.items()
                    ],
                    "schema": {"openAPIV3Schema": _root(of)},
                }
            ],
        },
    }


def crd_text(of: Format = WEB_SERVICE) -> str:
    return f"# Made from {of.made_from}; see docs/guides/platform-documents.md.\n{to_yaml(crd(of))}"


def _root(of: Format) -> Schema:
    whole = of.model.model_json_schema(by_alias=True)
    spec = _structural(whole["properties"]["spec"], whole["$defs"])
    spec["x-kubernetes-validations"] = [{"rule": rule, "message": told} for rule, told in of.rules.items()]
    name = next(part for part in of.name.__metadata__ if hasattr(part, "pattern"))
    return {
        "type": "object",
        "description": _line(of.model.__doc__ or ""),
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
