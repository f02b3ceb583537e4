"""Services that a preview calls and has not: they are those of the base environment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bot.model.platform import Platform
from bot.rendering.previews.members import Member
from bot.rendering.previews.places import previews_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Borrowed:
    """One service of the base environment, by its own name in the preview."""

    name: str
    environment: str
    """The base."""
    namespace: str
    callers: tuple[str, ...]
    ports: tuple[int, ...]
    """Empty: any."""
    reachable: bool
    """Whether it runs in the preview's cluster. A name leads nowhere from one cluster into another."""
    for_fork: bool = False
    """A stranger's program reaches nothing of the base."""

    @property
    def host(self) -> str:
        return f"{self.name}.{self.namespace}.svc.cluster.local"

    @property
    def note(self) -> str:
        """What people must know of it."""
        callers = ", ".join(self.callers)
        if not self.reachable:
            return (
                f"{callers} calls {self.name}, which runs in another cluster: name it in the document to have it here."
            )
        if self.for_fork:
            return f"{callers} calls {self.name}, which a fork's preview does not reach: it is not among its services."
        them = "it" if len(self.callers) == 1 else "them"
        return (
            f"{self.name} is the one of {self.environment}. It answers {callers} where its document names {them} under "
            "`callers`."
        )


def borrowed_by(
    members: Iterable[Member], *, name: str, team: str, owners: Mapping[str, str], platform: Platform, fork: bool
) -> Iterator[Borrowed]:
    """Yield what the members call and none of them is, in the order of names. `owners` knows the teams of others."""
    base = previews_of(platform).base
    there, here = platform.environment(base), platform.environment(name)
    members = tuple(members)
    present = {member.name for member in members}
    calls: dict[str, dict[str, tuple[int, ...]]] = {}
    for member in members:
        for rule in member.document.spec.egress:
            if rule.service is not None and rule.service not in present:
                calls.setdefault(rule.service, {})[member.name] = rule.ports
    for service, callers in sorted(calls.items()):
        ports = sorted({port for some in callers.values() for port in some})
        yield Borrowed(
            name=service,
            environment=base,
            namespace=platform.namespace(service, owners.get(service, team), base),
            callers=tuple(sorted(callers)),
            ports=() if () in callers.values() else tuple(ports),
            reachable=there.cluster == here.cluster,
            for_fork=fork,
        )
