"""The traffic port on Prometheus."""

from integrations.prometheus.traffic import PrometheusTraffic, connect

__all__ = ["PrometheusTraffic", "connect"]
