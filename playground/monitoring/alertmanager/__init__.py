"""An Alertmanager with one route: everything goes to the bots, grouped by alert, service and environment."""
