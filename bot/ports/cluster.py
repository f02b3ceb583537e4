"""One Kubernetes cluster."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bot.model.canonical import JSON

Object = Mapping[str, JSON]
"""A Kubernetes object as the API server tells it."""

FIELD_MANAGER = "causeway"
"""The one name under which we own fields in server-side apply."""


@dataclass(frozen=True, slots=True, order=True)
class ObjectRef:
    """Names one object. `namespace` is empty for what stands in none."""

    api_version: str
    """`apps/v1`, `v1`, `argoproj.io/v1alpha1`."""
    kind: str
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{self.kind} {self.name}{where}"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a watch tells.

    First every object that is there (`present`), then one `synced`, then what changes: `present` again for what is
    new or different, `deleted`. A watch that breaks goes on by itself; while it cannot, it tells one `lost` with the
    sentence for people, and after that `present` for everything, `deleted` for what has gone meanwhile, and `synced`.
    """

    what: Literal["present", "deleted", "synced", "lost"]
    object: Object | None = None
    problem: str = ""


class Cluster(Protocol):
    """Reads, server-side apply, watch.

    Raises `Conflict` where another field manager owns a field (the text names the manager and the field) or the
    object is not the expected one, `Refused` where our rights do not suffice (the text names verb and resource),
    `NotFound` for an unknown kind or a missing namespace, `Invalid` for an object that the server refuses, with the
    path of each wrong field, `UpstreamUnavailable` and `OutcomeUnknown` as every port.
    """

    @property
    def name(self) -> str:
        """The name that the platform configuration gives it."""

    async def get(self, ref: ObjectRef) -> Object | None: ...

    async def exists(self, ref: ObjectRef) -> bool:
        """Say whether it is there. Only its metadata is asked for, so that no value of a Secret passes; the right is
        that of `get` all the same."""

    async def list(
        self, api_version: str, kind: str, *, namespace: str = "", labels: Mapping[str, str] | None = None
    ) -> Sequence[Object]:
        """Return all that fit, read page by page; of all namespaces when `namespace` is empty."""

    def scan(
        self, api_version: str, kind: str, *, namespace: str = "", labels: Mapping[str, str] | None = None
    ) -> AsyncIterator[Object]:
        """Tell the metadata, and nothing else, of all that fit: what is held does not grow with their number. Where
        the server's list has to begin anew, one may be told twice."""

    async def apply(self, obj: Object, *, dry_run: bool = False, over: Collection[str] = ()) -> Object:
        """Server-side apply with strict field validation as `FIELD_MANAGER`; return what it became.

        It is forced only where every field in conflict belongs to one of the managers in `over`."""

    async def delete(self, ref: ObjectRef, *, uid: str | None = None) -> bool:
        """Delete it with its dependents, in the background; return False where there is none.
        With `uid` only that one: raise `Conflict` when another object has the name now."""

    def watch(
        self,
        api_version: str,
        kind: str,
        *,
        namespace: str = "",
        labels: Mapping[str, str] | None = None,
        name: str = "",
    ) -> AsyncIterator[Change]:
        """Follow what fits, for as long as one iterates. One connection serves all who follow the same."""

    async def log_tail(
        self, namespace: str, pod: str, container: str = "", *, lines: int = 20, previous: bool = False
    ) -> tuple[str, ...]:
        """Return the last lines that the container wrote; none where it has not started."""

    async def may(self, verb: str, api_version: str, resource: str, *, namespace: str = "") -> bool:
        """Say whether our own account may do that (`create`, `apps/v1`, `deployments`), as the server judges it."""

    async def version(self) -> str:
        """Return the server's version: `v1.37.2`."""
