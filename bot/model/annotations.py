"""Annotations of Kubernetes objects by which several of our rooms, and Argo CD, understand one another."""

SYNC_OPTIONS = "argocd.argoproj.io/sync-options"
KEPT = "Prune=false"
"""Argo CD's word for what must not go just because a line went from the document: databases and disks. Direct delivery
heeds it as well."""
