"""What a database is first filled with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedFromBackup:
    """The state in which a backup has kept another CloudNativePG cluster.

    Names a VolumeSnapshot or a Backup, which stand in the namespace of the new one (Kubernetes reaches no other), or
    neither: then the newest backup is taken from the object storage that the plugin writes to.
    """

    cluster: str
    """Name of the Cluster that it comes from: `orders-api-db`."""
    namespace: str
    """Where that one stands."""
    snapshot: str = ""
    backup: str = ""
    plugin: str = ""
    """Empty: as the new one's own backups."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    """Name of the environment that it comes from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedFromImport:
    """What a running PostgreSQL holds, read over the network while the new one starts."""

    host: str
    """`orders-api-db-rw.orders-api-staging.svc`."""
    secret: str
    """Stands in the namespace of the new one, and holds `password`."""
    database: str = "app"
    user: str = "app"
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedByJob:
    """Whatever a program of the platform team writes into it. Any provider can be filled so."""

    image: str
    command: tuple[str, ...] = ()
    """Empty: the image's own."""
    secret: str = ""
    """Its keys become variables of the program: how to reach the source."""
    database: str = ""
    """Name of the store that the program reads: its network policy lets it in."""
    source: str = ""
    """The program sees it as `SEED_FROM`."""


Seed = SeedFromBackup | SeedFromImport | SeedByJob
