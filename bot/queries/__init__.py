"""Questions in PromQL, LogQL and TraceQL: texts of `manifests/queries/` that a platform team can replace."""

from __future__ import annotations

from bot.queries.loading import Queries, load_queries
from bot.queries.questions import QUESTIONS, Language, Question
from bot.queries.quoting import Regex

__all__ = ["QUESTIONS", "Language", "Queries", "Question", "Regex", "load_queries"]
