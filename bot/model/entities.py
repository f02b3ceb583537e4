"""The catalog's entities, in Backstage's format (`catalog-info.yaml`).

Source of the shapes: Backstage, "Descriptor Format of Catalog Entities". Unknown fields of `spec` are kept, not
refused: a company's own additions are none of our business.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag, TypeAdapter, ValidationError

from bot.errors import Mistake

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$")]
Namespace = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=200)]

API_VERSIONS = ("backstage.io/v1alpha1", "backstage.io/v1beta1", "scaffolder.backstage.io/v1beta3")
SLACK_CHANNEL = "causeway.io/slack-channel"
"""Annotation of a Group: the channel that its cards are posted in."""


class _Open(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")


class Link(_Open):
    url: str
    title: str = ""


class Metadata(_Open):
    name: Name
    namespace: Namespace = "default"
    title: str = ""
    description: str = ""
    annotations: dict[str, str] = Field(default_factory=dict)
    labels: dict[str, str] = Field(default_factory=dict)
    tags: list[str] = Field(default_factory=list)
    links: list[Link] = Field(default_factory=list)


class Profile(_Open):
    displayName: str = ""  # noqa: N815  # Backstage's spelling
    email: str = ""


class ComponentSpec(_Open):
    type: str
    lifecycle: str
    owner: Reference
    system: str = ""
    dependsOn: list[Reference] = Field(default_factory=list)  # noqa: N815  # Backstage's spelling


class APISpec(_Open):
    type: str
    lifecycle: str
    owner: Reference
    definition: Any


class OwnedSpec(_Open):
    owner: Reference


class ResourceSpec(OwnedSpec):
    type: str


class GroupSpec(_Open):
    type: str
    children: list[Reference] = Field(default_factory=list)
    parent: Reference | None = None
    members: list[Reference] = Field(default_factory=list)
    profile: Profile = Profile()


class UserSpec(_Open):
    memberOf: list[Reference] = Field(default_factory=list)  # noqa: N815  # Backstage's spelling
    profile: Profile = Profile()


class LocationSpec(_Open):
    type: str = ""
    target: str = ""
    targets: list[str] = Field(default_factory=list)


class TemplateSpec(_Open):
    type: str
    owner: str = ""
    steps: list[Any]


class _Entity(_Open):
    apiVersion: Literal[API_VERSIONS]  # type: ignore[valid-type]  # noqa: N815  # a constant tuple; Backstage's spelling
    metadata: Metadata

    @property
    def ref(self) -> str:
        """The full reference in lower case: `component:default/orders`."""
        return f"{self.kind}:{self.metadata.namespace}/{self.metadata.name}".lower()  # type: ignore[attr-defined]  # every subclass has a kind

    @property
    def title(self) -> str:
        return self.metadata.title or self.metadata.name


class Component(_Entity):
    kind: Literal["Component"]
    spec: ComponentSpec


class API(_Entity):
    kind: Literal["API"]
    spec: APISpec


class Resource(_Entity):
    kind: Literal["Resource"]
    spec: ResourceSpec


class System(_Entity):
    kind: Literal["System"]
    spec: OwnedSpec


class Domain(_Entity):
    kind: Literal["Domain"]
    spec: OwnedSpec


class Group(_Entity):
    kind: Literal["Group"]
    spec: GroupSpec


class User(_Entity):
    kind: Literal["User"]
    spec: UserSpec


class Location(_Entity):
    kind: Literal["Location"]
    spec: LocationSpec


class Template(_Entity):
    kind: Literal["Template"]
    spec: TemplateSpec


Entity: TypeAlias = Component | API | Resource | System | Domain | Group | User | Location | Template
KINDS = ("Component", "API", "Resource", "System", "Domain", "Group", "User", "Location", "Template")


def _kind(value: Any) -> str | None:
    return value.get("kind") if isinstance(value, dict) else value.kind


_ADAPTER: TypeAdapter[Entity] = TypeAdapter(
    Annotated[
        Annotated[Component, Tag("Component")]
        | Annotated[API, Tag("API")]
        | Annotated[Resource, Tag("Resource")]
        | Annotated[System, Tag("System")]
        | Annotated[Domain, Tag("Domain")]
        | Annotated[Group, Tag("Group")]
        | Annotated[User, Tag("User")]
        | Annotated[Location, Tag("Location")]
        | Annotated[Template, Tag("Template")],
        Discriminator(_kind),
    ]
)


def read_entity(document: Any, where: str) -> Entity | list[Mistake]:
    """Return the entity that a parsed YAML document is, or what is wrong with it; `where` begins each path."""
    if not isinstance(document, dict):
        return [Mistake(where, "is not a mapping; a catalog entity has apiVersion, kind, metadata and spec")]
    if _kind(document) not in KINDS:
        return [Mistake(f"{where}.kind", f"`{_kind(document)}` is not one of {', '.join(KINDS)}")]
    try:
        return _ADAPTER.validate_python(document)
    except ValidationError as error:
        return [
            Mistake(".".join([where, *(str(part) for part in problem["loc"][1:])]), problem["msg"])
            for problem in error.errors(include_url=False, include_input=False, include_context=False)
        ]


def full_ref(text: str, *, kind: str, namespace: str = "default") -> str:
    """Return the full lower-case reference for a short one: `team-orders`, a Group → `group:default/team-orders`."""
    head, colon, rest = text.strip().partition(":")
    if not colon:
        head, rest = kind, text.strip()
    space, slash, name = rest.partition("/")
    if not slash:
        space, name = namespace, rest
    return f"{head}:{space}/{name}".lower()
