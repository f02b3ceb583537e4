"""The platform document `WebService`: ten lines of a developer from which everything else is made."""

from __future__ import annotations

from bot.model.web_service.document import API_VERSION, CONTRADICTION, KIND, Metadata, WebService
from bot.model.web_service.spec import Overrides, Spec

__all__ = ["API_VERSION", "CONTRADICTION", "KIND", "Metadata", "Overrides", "Spec", "WebService"]
