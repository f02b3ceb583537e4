"""A form, free of Slack: pages of fields, which of them show for given answers, and what is wrong with an answer."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pydantic import BaseModel, Field

from bot.model.canonical import JSON


class Kind(StrEnum):
    TEXT = "text"
    MULTILINE = "multiline"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    CHOICES = "choices"
    DATE = "date"
    EMAIL = "email"
    URL = "url"
    OWNER = "owner"
    """Backstage OwnerPicker: a group (or user) of the catalog; the value is an entity reference."""
    ENTITY = "entity"
    """Backstage EntityPicker."""
    REPOSITORY = "repository"
    """Backstage RepoUrlPicker: shown as the repository's name; the value is `github.com?owner=…&repo=…`."""


class Option(BaseModel, frozen=True, extra="forbid"):
    value: JSON
    label: str
    description: str = ""


class When(BaseModel, frozen=True, extra="forbid"):
    """The field shows only while another field holds one of these values."""

    field: str
    one_of: tuple[JSON, ...]


class FormField(BaseModel, frozen=True, extra="forbid"):
    name: str
    kind: Kind
    title: str
    help: str = ""
    required: bool = False
    default: JSON = None
    options: tuple[Option, ...] = ()
    """For CHOICE and CHOICES. Pickers ask an option source instead."""
    pattern: str | None = None
    pattern_help: str = ""
    min_length: int | None = None
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    min_items: int | None = None
    max_items: int | None = None
    placeholder: str = ""
    when: tuple[When, ...] = ()
    """All must hold."""
    catalog_filter: JSON = None
    """For pickers: Backstage's `catalogFilter` (kind, spec.type …), already checked."""
    picker: Mapping[str, JSON] = Field(default_factory=dict)
    """Other checked `ui:options` of the picker: `allowedOwners`, `allowedHosts`, `defaultKind`, …"""

    def shown(self, values: Mapping[str, JSON]) -> bool:
        return all(values.get(when.field) in when.one_of for when in self.when)


class Page(BaseModel, frozen=True, extra="forbid"):
    title: str
    description: str = ""
    fields: tuple[FormField, ...]


class FieldError(BaseModel, frozen=True, extra="forbid"):
    field: str
    message: str
    """What is wrong and how to mend it, under 150 characters; shown beside the field."""


class Form(BaseModel, frozen=True, extra="forbid"):
    pages: tuple[Page, ...]

    def fields(self) -> tuple[FormField, ...]:
        return tuple(field for page in self.pages for field in page.fields)
