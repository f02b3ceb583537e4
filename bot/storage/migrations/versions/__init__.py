"""The revisions, oldest first: `0001_….py`, `0002_….py`."""
