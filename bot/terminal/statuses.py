"""Exit statuses, which scripts rely on."""

SUCCEEDED, FAILED, WRONG_REQUEST, REFUSED, WAITING = range(5)
"""What `run` ends with; the other commands use the first four."""
