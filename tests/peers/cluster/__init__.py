"""One suite for every cluster: what holds on a real control plane holds on the playground's, and on our fake."""
