"""The port Logs on Loki."""

from integrations.loki.logs import Loki, connect

__all__ = ["Loki", "connect"]
