"""The cluster port on Kubernetes."""

from integrations.kubernetes.cluster import KubernetesCluster, connect

__all__ = ["KubernetesCluster", "connect"]
