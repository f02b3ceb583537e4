"""The ports Metrics and Traffic on Prometheus, and on whatever answers as it does."""

from integrations.prometheus.metrics import PrometheusMetrics, connect
from integrations.prometheus.traffic import PrometheusTraffic

__all__ = ["PrometheusMetrics", "PrometheusTraffic", "connect"]
