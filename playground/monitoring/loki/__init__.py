"""A Loki that has the lines of the playground's living services."""
