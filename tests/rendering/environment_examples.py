"""Environment documents that many tests use."""

from __future__ import annotations

DESIGN = """\
apiVersion: environments.platform.io/v1
kind: Environment
metadata: {name: pr-123-preview}
spec:
  ttl: 7d
  services:
    - {name: frontend, image: frontend:pr-123}
    - {name: backend, image: backend:pr-123}
  databases:
    - {type: postgresql, seedFrom: staging}
"""
"""The very document of design.md."""
