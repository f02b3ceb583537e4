"""The API server's HTTP side."""
