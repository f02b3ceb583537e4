"""What each metric is: its type, and what its exporter says of it."""

from __future__ import annotations

METADATA: dict[str, tuple[str, str]] = {
    "http_requests_total": ("counter", "Requests answered."),
    "http_request_duration_seconds": ("histogram", "Time to answer a request."),
    "http_requests_in_progress": ("gauge", "Requests being answered."),
    "container_cpu_usage_seconds_total": ("counter", "Cumulative cpu time consumed in seconds."),
    "container_memory_working_set_bytes": ("gauge", "Current working set in bytes."),
    "container_cpu_cfs_periods_total": ("counter", "Number of elapsed enforcement period intervals."),
    "container_cpu_cfs_throttled_periods_total": ("counter", "Number of throttled period intervals."),
    "kube_deployment_spec_replicas": ("gauge", "Number of desired pods for a deployment."),
    "kube_deployment_status_replicas": ("gauge", "The number of replicas per deployment."),
    "kube_deployment_status_replicas_available": ("gauge", "The number of available replicas per deployment."),
    "kube_deployment_status_replicas_ready": ("gauge", "The number of ready replicas per deployment."),
    "kube_pod_container_info": ("gauge", "Information about a container in a pod."),
    "kube_pod_container_resource_limits": ("gauge", "The number of requested limit resource by a container."),
    "kube_pod_container_resource_requests": ("gauge", "The number of requested request resource by a container."),
    "kube_pod_container_status_restarts_total": ("counter", "The number of container restarts per container."),
    "kube_pod_container_status_ready": ("gauge", "Describes whether the containers readiness check succeeded."),
    "kube_pod_container_status_waiting_reason": ("gauge", "Describes the reason the container is in waiting state."),
    "kube_pod_container_status_last_terminated_reason": (
        "gauge",
        "Describes the last reason the container was in terminated state.",
    ),
    "kube_pod_status_ready": ("gauge", "Describes whether the pod is ready to serve requests."),
    "nginx_ingress_controller_requests": ("counter", "The total number of client requests."),
}
"""Metric → type and help. `up` has none: Prometheus makes it itself."""
