"""The port Alerts on Alertmanager's API v2."""

from integrations.alertmanager.alerts import Alertmanager, connect

__all__ = ["Alertmanager", "connect"]
