"""The playground's API server beside the real one: the same requests, and the answers word for word."""
