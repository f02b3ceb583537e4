"""Databases on request: which one is meant, what it costs, how it changes, who may look into it, how it ends."""
