"""A form, free of Slack: pages of fields, which of them show for given answers, and what is wrong with an answer."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

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
    LINES = "lines"
    """A list of free texts, typed one a line."""
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
    one_of: tuple[JSON, ...] = ()
    present: bool = False
    """True: any answer will do, and `one_of` is not asked."""

    def holds(self, values: Mapping[str, JSON]) -> bool:
        value = values.get(self.field)
        return value not in (None, "", []) if self.present else value in self.one_of


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
    required_when: tuple[When, ...] = ()
    """Required also while any of these holds."""
    multiple: bool = False
    """For OWNER and ENTITY: the value is a list of references."""
    multiple_of: float | None = None
    widget: Literal["", "radio", "checkboxes"] = ""
    """How a CHOICE, CHOICES or BOOLEAN would like to look."""
    fixed: bool = False
    """The value is the default and cannot be changed; shown as text."""
    hidden: bool = False
    """Never shown; the value is the default."""
    autofocus: bool = False
    path: tuple[str, ...] = ()
    """Where the value stands in the parameters when that is inside an object; empty: at the top, under `name`."""
    catalog_filter: JSON = None
    """For pickers: Backstage's `catalogFilter` (kind, spec.type …), already checked."""
    picker: Mapping[str, JSON] = Field(default_factory=dict)
    """Other checked `ui:options` of the picker: `allowedOwners`, `allowedHosts`, `defaultKind`, …"""

    def shown(self, values: Mapping[str, JSON]) -> bool:
        return all(when.holds(values) for when in self.when)

    def needed(self, values: Mapping[str, JSON]) -> bool:
        """Return whether an answer is required beside these values."""
        return self.required or any(when.holds(values) for when in self.required_when)


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
