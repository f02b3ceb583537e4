"""From a commit of ours to running pods, by a real Argo CD on the real control plane."""
