"""What is wrong with a query, in the words of Prometheus' API."""

from __future__ import annotations


class BadQuery(Exception):
    """The text cannot be read, or asks for something that is not known here: 400 `bad_data`."""


class Unevaluable(Exception):
    """The text is fine, but what it finds cannot be computed: 422 `execution`."""
