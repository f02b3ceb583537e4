"""What a release decides about a service in an environment, beside what its document says."""

from __future__ import annotations

import re
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class Rollout(BaseModel):
    """Everything that rendering needs and the document does not hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str = "latest"
    """What people call it: `v1.4.2` or `1a2b3c4`. Becomes a label."""
    image: str | None = None
    """Complete: `ghcr.io/acme/orders-api:1a2b3c…`. None: the document's own, completed with the platform's registry."""
    team: str = "unowned"
    """Name of the owning group: `team-orders`."""
    repository: str = ""
    """Where its source is: `acme/orders-api`."""
    replicas: int | None = Field(default=None, ge=0)
    """Asked for by a person; wins over the document, and nothing scales it by itself then."""
    restarted_at: datetime | None = None
    """Another time than before starts every pod anew."""


def label_value(text: str) -> str:
    """Return the text as Kubernetes takes it for a label's value: at most 63 characters, few signs."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)[:63].strip("-._")
