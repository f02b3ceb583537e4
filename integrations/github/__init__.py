"""The forge port on GitHub, and its webhooks."""

from integrations.github.forge import GitHubForge, Limits, connect
from integrations.github.limiter import Pace

__all__ = ["GitHubForge", "Limits", "Pace", "connect"]
