"""PromQL: what a query means, computed step by step as Prometheus does.

The text is read by `promql_parser`, which knows the grammar and the types. What is read and not known here is refused
with its name; nothing is guessed.
"""
