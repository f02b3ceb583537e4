"""Which database is wanted: what a person asked for, laid over what the document says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.errors import Mistake
from bot.model.databases import (
    DEFAULT_VERSION,
    ENGINES,
    RETENTION_DAYS,
    VERSIONS,
    DatabaseProvider,
    Engine,
    RequestedDatabase,
)
from bot.model.platform import Platform
from bot.model.web_service.parts import Database
from bot.rendering.mistakes import unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A database before anybody knows who makes it."""

    engine: Engine
    version: int
    size: str
    """One of `Platform.database_sizes`, or what somebody took for one."""
    retention_days: int = RETENTION_DAYS
    protected: bool = True
    requested: RequestedDatabase | None = None
    in_document: bool = False

    @property
    def path(self) -> str:
        """Where a mistake about it stands."""
        return "database" if self.requested else "spec.database"


def wanted(document: Database | None, requested: RequestedDatabase | None, platform: Platform) -> Wanted | None:
    """Return None where neither wants any. What a person asked for wins, and only its version may come from the
    document: it would be odd to lower that by saying nothing."""
    if requested is not None:
        written = document.version if document and document.type == requested.engine else None
        return Wanted(
            engine=requested.engine,
            version=requested.version or written or DEFAULT_VERSION[requested.engine],
            size=requested.size,
            retention_days=requested.retention_days,
            protected=requested.protected,
            requested=requested,
            in_document=document is not None,
        )
    if document is None:
        return None
    return Wanted(
        engine=document.type,
        version=document.version or DEFAULT_VERSION[document.type],
        size=document.size or next(iter(platform.database_sizes)),
        in_document=True,
    )


def mistakes_in(wanted: Wanted, environment: str, platform: Platform) -> Iterator[Mistake]:
    """Yield what of it the platform does not have here, and who could help."""
    engine = wanted.engine
    if wanted.size not in platform.database_sizes:
        told = f"`{wanted.size}` {unknown(wanted.size, list(platform.database_sizes), 'database size')}"
        yield Mistake(f"{wanted.path}.size", told)
    if wanted.version not in VERSIONS[engine]:
        there = ", ".join(str(version) for version in VERSIONS[engine])
        yield Mistake(f"{wanted.path}.version", f"{wanted.version} is no version of {ENGINES[engine]}; write {there}")
    if platform.environment(environment).provider(engine) is None:
        yield Mistake(_kind_path(wanted), _nobody(engine, environment, platform))


def _kind_path(wanted: Wanted) -> str:
    return f"{wanted.path}.{'engine' if wanted.requested else 'type'}"


def _nobody(engine: Engine, environment: str, platform: Platform) -> str:
    others = [name for name, other in platform.environments.items() if other.provider(engine) is not None]
    where = f"it can be had in {', '.join(others)}; " if others else ""
    return (
        f"nobody makes {ENGINES[engine]} in {environment}; {where}"
        f"the platform team names who does with `platform.environments.{environment}.databases.{engine}`"
    )


def provider_for(wanted: Wanted, environment: str, platform: Platform) -> DatabaseProvider:
    """Return who makes it; only for what `mistakes_in` finds nothing in."""
    found = platform.environment(environment).provider(wanted.engine)
    assert found is not None  # noqa: S101 - see above
    return found
