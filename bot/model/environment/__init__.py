"""The platform document `Environment`: several services and databases that stand together for a while."""

from __future__ import annotations

from bot.model.environment.document import API_VERSION, KIND, Environment, Metadata, Spec
from bot.model.environment.parts import LONGEST, LONGEST_NAME, SHORTEST, Database, Service

__all__ = [
    "API_VERSION",
    "KIND",
    "LONGEST",
    "LONGEST_NAME",
    "SHORTEST",
    "Database",
    "Environment",
    "Metadata",
    "Service",
    "Spec",
]
