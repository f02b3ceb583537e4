"""Why a database is not ready, in one sentence, one next step and one person to ask; pure but for reading it."""

from bot.health.databases.diagnosis import looks_stuck, why_not_ready
from bot.health.databases.facts import Database, DatabaseFacts
from bot.health.databases.readiness import has_secret, is_ready, main_is_ready, progress
from bot.health.databases.reading import read_database_facts

__all__ = [
    "Database",
    "DatabaseFacts",
    "has_secret",
    "is_ready",
    "looks_stuck",
    "main_is_ready",
    "progress",
    "read_database_facts",
    "why_not_ready",
]
