"""The wait until a database is ready and can be connected to."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from bot.effects.database_wait import DatabaseWait
from bot.health.databases import Database
from bot.model.effect import Effect, Outcome, Run
from bot.ports import ObjectRef, Ports

NAMES = {"postgresql": "PostgreSQL", "mysql": "MySQL", "valkey": "Valkey"}


class MainObject(BaseModel, frozen=True, extra="forbid"):
    """Names the object that tells whether a database is ready."""

    api_version: str
    kind: str
    name: str
    namespace: str | None = None
    """None: beside the database's Secret, or in none where the kind stands in none."""


class AwaitDatabase(Effect):
    """Waits until a database is ready, and tells why where it is not.

    Ready means that its main object says so and that the Secret which binds it is there; without a main object the
    Secret alone tells. The Secret is looked at by its metadata only; where even that is not allowed, what its maker
    says of it counts. Being stuck is reported and waited through.
    Outputs: `state` (`ready`, or `failure` where a person kept what is not), `host` (its address, no secret),
    `external_name` (its name in the cloud, or empty).
    """

    kind: ClassVar[str] = "database.await_ready"
    undoable: ClassVar[bool] = False
    waits: ClassVar[bool] = True
    keepable: ClassVar[bool] = True

    cluster: str
    namespace: str
    """Of the service: where the Secret is."""
    main: MainObject | None = None
    secret: str
    name: str
    engine: str = "postgresql"
    provider: Literal["cloudnativepg", "crossplane", "claim", "git"] = "cloudnativepg"
    contact: str = ""
    """Whom people ask about databases there; empty: the platform team."""
    patience_s: int = Field(default=300, ge=0)
    """How long nothing may move before the card says so. What waiting cannot mend is told at once."""

    def describe(self) -> str:
        return f"Wait until the {NAMES.get(self.engine, self.engine)} database {self.name} is ready"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        wait = DatabaseWait(self.database(), ports.cluster(self.cluster), ports.waiting, run.report, self.patience_s)
        return await wait.until_ready()

    def database(self) -> Database:
        return Database(
            name=self.name,
            namespace=self.namespace,
            engine=self.engine,
            provider=self.provider,
            main=self._main(),
            secret=self.secret,
            contact=self.contact,
        )

    def _main(self) -> ObjectRef | None:
        if self.main is None:
            return None
        namespace = self.main.namespace
        if namespace is None:
            namespace = "" if self.provider == "crossplane" else self.namespace
        return ObjectRef(self.main.api_version, self.main.kind, self.main.name, namespace)

    def kept(self, progress: str, by: str) -> Outcome:
        """A person has ended the wait: later steps are told that it never became ready."""
        return super().kept(progress, by).model_copy(update={"outputs": {"state": "failure"}})
