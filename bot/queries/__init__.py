"""Questions in PromQL, LogQL and TraceQL: texts of `manifests/queries/` that a platform team can replace."""
