"""One database as everything but its provider sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from bot.model.databases import DatabaseProvider, DatabaseSize, Engine, RequestedDatabase
from bot.model.previews import Masking
from bot.rendering.stores.seeds import Seed

if TYPE_CHECKING:  # rendering needs no ports, and starting must be quick
    from bot.ports.cluster import ObjectRef

VISITOR = "causeway.io/database-visitor"
"""Label of a pod that may reach a database beside its service; the value is the store's name."""
SEEDS_FROM = "causeway.io/database-source"
"""Label of a pod that reads a database to fill another one; the value is the source's name."""
PROTECTED = "causeway.io/protected"
"""Annotation: as long as it is `true`, nothing of ours deletes the object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A database of a service, or one that stands alone, in one environment."""

    name: str
    """Of its main object, and of everything around it: `orders-api-db`."""
    service: str
    """Whose it is; of one that stands alone, its own name."""
    team: str
    environment: str
    cluster: str
    """One of `Platform.clusters`."""
    namespace: str
    engine: Engine
    version: int
    """Major version."""
    size_name: str
    size: DatabaseSize
    settings: DatabaseProvider
    """Of whoever makes it."""
    secret: str = ""
    """Holds what it takes to connect. The provider writes it; nobody else reads it but pods."""
    keys: Mapping[str, str]
    """Part of the connection (`host`, `port`, `name`, `user`, `password`, `url`) → key in the Secret."""
    fixed: Mapping[str, str]
    """Parts that the Secret does not hold, and that are known."""
    external_name: str = ""
    """What a cloud calls it; empty where none does."""
    file: str = ""
    """Path in the GitOps repository of the file that describes it; empty where there is none."""
    requested: RequestedDatabase | None = None
    """What a person asked for; it wins over the document."""
    in_document: bool = False
    """Whether the service's document asks for one as well."""
    retention_days: int
    protected: bool
    passing: bool = False
    """Of a preview: one instance, no backups, and nothing is kept of it."""
    clients: tuple[str, ...] = ()
    """Services of the same environment whose pods may reach it."""
    seed: Seed | None = None
    masking: Masking | None = None
    """What makes its data harmless once it is filled."""
    main_kind: tuple[str, str] | None = None
    """apiVersion and kind of the object that tells whether it is ready."""
    main_name: str = ""
    main_namespace: str = ""

    @property
    def monthly_cost(self) -> Decimal:
        """In `Platform.currency`."""
        return self.size.monthly_cost

    @property
    def main(self) -> ObjectRef | None:
        """The object that tells whether it is ready; None where no cluster knows of the database."""
        from bot.ports.cluster import ObjectRef  # noqa: PLC0415 - see above

        if self.main_kind is None:
            return None
        return ObjectRef(*self.main_kind, self.main_name, self.main_namespace)

    @property
    def alone(self) -> bool:
        """Whether no service of ours belongs to it."""
        return not self.clients
