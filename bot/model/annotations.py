"""Annotations of Kubernetes objects by which several of our rooms, and Argo CD, understand one another."""

SYNC_OPTIONS = "argocd.argoproj.io/sync-options"
KEPT = "Prune=false"
"""Argo CD's word for what must not go just because a line went from the document: databases and disks. Direct delivery
heeds it as well."""
COMPARE_OPTIONS = "argocd.argoproj.io/compare-options"
UNMISSED = "IgnoreExtraneous"
"""Argo CD's word for what stands and is not in Git, and does not make its Application OutOfSync by that. Whatever is
kept needs it as well: a deploy that lets go of its database would never be healthy otherwise."""
STAYS = {SYNC_OPTIONS: KEPT, COMPARE_OPTIONS: UNMISSED}
