"""The living catalog: loads what was known, reads folders and repositories, registers what operations make."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.catalog.documents import Document, Read, read
from bot.catalog.holders import Holders
from bot.catalog.index import Index
from bot.errors import Conflict, Invalid, Mistake, NotFound, PlatformError, UsageError
from bot.model.canonical import JSON
from bot.model.entities import Group, User
from bot.model.principal import Principal
from bot.ports import Clock, Forge
from bot.storage.catalog import catalog_documents, catalog_locations
from bot.storage.database import Database

log = logging.getLogger(__name__)

MAX_TARGETS = 200
"""Files that the Locations of one file may name."""
FILE_NAMES = ("catalog-info.yaml", "catalog-info.yml")


@dataclass(frozen=True, slots=True)
class Place:
    """What a location URL names: one file of one repository."""

    repository: str
    path: str

    @property
    def source(self) -> str:
        return f"github:{self.repository}" if self.path in FILE_NAMES else f"github:{self.repository}/{self.path}"


def place_of(location: str) -> Place:
    """Read `https://HOST/OWNER/NAME/blob/REF/PATH`. Raise `UsageError` for anything else."""
    match urlsplit(location).path.strip("/").split("/"):
        case [owner, name, "blob" | "tree", _ref, *path] if path:
            return Place(f"{owner}/{name}", "/".join(path))
    raise UsageError(
        f"`{location}` does not name a file of a repository.",
        hint="A location looks like https://github.com/acme/orders/blob/main/catalog-info.yaml.",
    )


class Catalog:
    """Satisfies `CatalogRegistry`; answers everything else from `index`, in memory."""

    def __init__(
        self,
        database: Database,
        forge: Forge | None,
        clock: Clock,
        *,
        folders: Sequence[Path] = (),
        repositories: Sequence[str] = (),
    ) -> None:
        self._database = database
        self._forge = forge
        self._clock = clock
        self._folders = tuple(folders)
        self._patterns = tuple(repositories)
        self._documents: dict[str, Document] = {}
        self._trouble: dict[str, Mistake] = {}
        self._named_by: dict[str, str] = {}
        """Source of a file → the source whose Location names it (or itself)."""
        self._seen: tuple[Any, ...] = ()
        """How many documents were stored, and when the last one was, when we last looked."""
        self._holders = Holders(database, clock)
        self._refreshing = asyncio.Lock()
        self.index = Index()

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """Everything broken, with its place: unreadable sources and wrong entities."""
        return (*self._trouble.values(), *self.index.mistakes)

    @property
    def is_empty(self) -> bool:
        return not self._documents

    def principal_by_email(self, email: str) -> Principal | None:
        return self.index.principal_by_email(email)

    def principal(self, ref: str) -> Principal | None:
        return self.index.principal(ref)

    async def entity(self, reference: str) -> Mapping[str, JSON] | None:
        """The entity in Backstage's JSON form, for a full reference in lower case."""
        found = self.index.get(reference)
        return found.entity.model_dump(mode="json") if found else None

    async def load(self) -> None:
        """Take up what the last run knew and what lies in local folders. Needs no network."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(catalog_documents))).all()
        self._documents = {row.source: Document(row.source, row.revision, row.text, row.web_url) for row in rows}
        await self._holders.load()
        await self._swap(await asyncio.to_thread(self._read_folders))

    async def catch_up(self) -> None:
        """Take up what other replicas have read or registered since: they write to the same tables."""
        stamp = select(func.count(), func.max(catalog_documents.c.read_at)).select_from(catalog_documents)
        async with self._database.read() as connection:
            seen = tuple((await connection.execute(stamp)).one())
            if seen == self._seen:
                return
            rows = (await connection.execute(select(catalog_documents))).all()
        self._seen = seen
        stored = {row.source: Document(row.source, row.revision, row.text, row.web_url) for row in rows}
        local = {source: known for source, known in self._documents.items() if not _shared(source)}
        if local | stored != self._documents:
            self._documents = local | stored
            await self._holders.load()
            await self._swap([])

    async def refresh(self, repository: str | None = None) -> None:
        """Read one repository anew (after a push), or every configured and registered one (the sweep)."""
        async with self._refreshing:
            if repository is None:
                await self._swap(await asyncio.to_thread(self._read_folders))
            for name in [repository] if repository else await self._repositories():
                await self._refresh_one(name)

    def watches(self, repository: str) -> bool:
        """Return whether a push to `repository` can concern the catalog."""
        source = f"github:{repository}"
        return source in self._documents or any(fnmatchcase(repository, pattern) for pattern in self._patterns)

    async def registered(self, location: str) -> str | None:
        statement = select(catalog_locations.c.operation).where(catalog_locations.c.location == location)
        async with self._database.read() as connection:
            return (await connection.execute(statement)).scalar_one_or_none()

    async def register(self, location: str, *, operation: str) -> tuple[str, ...]:
        place = place_of(location)
        document = await self._fetch(place)
        if document is None:
            raise NotFound(f"There is no file behind {location}.", hint="Check the path and the branch.")
        result = self._believed(document)
        if result.mistakes or not result.entities:
            problems = result.mistakes or (Mistake(place.path, "declares no entity"),)
            raise Invalid(f"The catalog cannot take {location}.", problems, hint=f"{problems[0]}")
        for entity in result.entities:
            known = self.index.get(entity.ref)
            if known is not None and known.source != document.source:
                raise Conflict(f"`{entity.ref}` is already declared by {known.source}.", hint="Choose another name.")
        await self._remember([document], location=location, operation=operation)
        await self._swap([document])
        return tuple(entity.ref for entity in result.entities)

    async def unregister(self, location: str, *, operation: str) -> bool:
        source = place_of(location).source
        mine = (catalog_locations.c.location == location) & (catalog_locations.c.operation == operation)
        async with self._database.write() as connection:
            removed = (await connection.execute(delete(catalog_locations).where(mine))).rowcount > 0
            if removed:
                await connection.execute(delete(catalog_documents).where(catalog_documents.c.source == source))
        if removed:
            self._documents.pop(source, None)
            await self._swap([])
        return removed

    async def _refresh_one(self, repository: str) -> None:
        """Read a repository's file and the files that its Locations name; what is not there any more is forgotten."""
        source = f"github:{repository}"
        try:
            document = await self._fetch(Place(repository, FILE_NAMES[0]))
            found = [] if document is None else [document, *await self._targets(document, repository)]
        except PlatformError as error:
            self._trouble[source] = Mistake(source, str(error))
            log.warning("catalog_source_unreadable", extra={"source": source})
            return
        self._trouble.pop(source, None)
        sources = {one.source for one in found}
        before = {known for known in self._documents if known == source or self._named_by.get(known) == source}
        for gone in before - sources:
            await self._forget(gone)
        self._named_by |= {one.source: source for one in found}
        changed = [one for one in found if self._revision(one.source) != one.revision]
        if changed:
            await self._remember(changed)
            await self._swap(changed)

    def _revision(self, source: str) -> str | None:
        known = self._documents.get(source)
        return known.revision if known else None

    async def _targets(self, document: Document, repository: str) -> list[Document]:
        """Read what Location entities name: a path beside the file, or the URL of a file elsewhere. One level deep."""
        found: dict[str, Document] = {}
        for target in read(document).targets[:MAX_TARGETS]:
            try:
                place = place_of(target) if "://" in target else Place(repository, posixpath.normpath(target))
                fetched = await self._fetch(place)
            except PlatformError as error:
                self._trouble[target] = Mistake(document.source, f"`{target[:200]}` cannot be read: {error.message}")
                continue
            self._trouble.pop(target, None)
            if fetched is not None and fetched.source != document.source:
                found[fetched.source] = fetched
            elif fetched is None:
                self._trouble[target] = Mistake(document.source, f"`{target[:200]}` does not exist")
        return list(found.values())

    async def _repositories(self) -> list[str]:
        """Every repository to read: named ones, owners' patterns (`acme/*`), and registered ones."""
        if self._forge is None:
            return []
        names = {_repository_of(source) for source in self._github_sources()}
        names |= {pattern for pattern in self._patterns if "*" not in pattern}
        for pattern in self._patterns:
            if "*" in pattern:
                try:
                    found = await self._forge.repositories(pattern.split("/")[0])
                except PlatformError as error:
                    self._trouble[pattern] = Mistake(f"github:{pattern}", str(error))
                    continue
                self._trouble.pop(pattern, None)
                names |= {repository.full_name for repository in found if fnmatchcase(repository.full_name, pattern)}
        return sorted(names)

    def _github_sources(self) -> list[str]:
        """Sources read for their own sake, not because a Location elsewhere names them."""
        return [
            source
            for source in self._documents
            if source.startswith("github:") and self._named_by.get(source, source) == source
        ]

    async def _fetch(self, place: Place) -> Document | None:
        if self._forge is None:
            raise UsageError("No GitHub is configured, so repositories cannot be read.")
        repository = await self._forge.repository(place.repository)
        if repository is None or repository.archived:
            return None
        head = await self._forge.branch_head(place.repository, repository.default_branch)
        if head is None:
            return None
        for path in dict.fromkeys([place.path, *(FILE_NAMES if place.path in FILE_NAMES else ())]):
            content = await self._forge.file(place.repository, head.sha, path)
            if content is not None:
                url = f"{repository.web_url}/blob/{repository.default_branch}/{path}"
                return _document(place.source, content, url)
        return None

    def _read_folders(self) -> list[Document]:
        """Every YAML file of the local folders; a folder that is not there is a mistake, not an end."""
        documents: list[Document] = []
        for folder in self._folders:
            if not folder.is_dir():
                self._trouble[str(folder)] = Mistake(str(folder), "is not a folder; see `catalog.folders`")
                continue
            self._trouble.pop(str(folder), None)
            files = sorted(folder.rglob("*.y*ml"))
            documents += [_document(f"folder:{file}", file.read_bytes(), "") for file in files]
        present = {document.source for document in documents}
        for gone in [s for s in self._documents if s.startswith("folder:") and s not in present]:
            del self._documents[gone]
        return documents

    async def _swap(self, documents: Iterable[Document]) -> None:
        self._documents |= {document.source: document for document in documents}
        # Folders are the platform team's own word: where two declare one entity, theirs is read first and stands.
        ordered = sorted(
            self._documents.values(),
            key=lambda d: (not d.source.startswith("folder:"), not self._may_name_people(d.source), d.source),
        )
        reads = [self._believed(document) for document in ordered]
        firm = frozenset(document.source for document in ordered if self._may_name_people(document.source))
        self.index = Index(reads, held=self._holders.held, firm=firm)
        shared = {ref: source for ref, source in self.index.sources.items() if _shared(source)}
        if await self._holders.settle(shared, self._documents):
            self.index = Index(reads, held=self._holders.held, firm=firm)

    def _may_name_people(self, source: str) -> bool:
        """Who is in which group decides who may approve: not for whoever can push to some service's repository."""
        named = {pattern.lower() for pattern in self._patterns if "*" not in pattern}
        return source.startswith("folder:") or _repository_of(source).lower() in named

    def _believed(self, document: Document) -> Read:
        result = read(document)
        people = [entity for entity in result.entities if isinstance(entity, User | Group)]
        if not people or self._may_name_people(document.source):
            return result
        why = "is not taken: people and groups are read only where `catalog.repositories` names the repository in full"
        mistakes = [Mistake(document.source, f"`{entity.ref}` {why}") for entity in people]
        rest = tuple(entity for entity in result.entities if entity not in people)
        return replace(result, entities=rest, mistakes=(*result.mistakes, *mistakes))

    async def _remember(
        self, documents: Iterable[Document], *, location: str | None = None, operation: str = ""
    ) -> None:
        now = self._clock()
        async with self._database.write() as connection:
            for document in documents:
                same = catalog_documents.c.source == document.source
                await connection.execute(delete(catalog_documents).where(same))
                await connection.execute(
                    insert(catalog_documents).values(
                        source=document.source,
                        revision=document.revision,
                        text=document.text,
                        web_url=document.web_url,
                        read_at=now,
                    )
                )
                if location is not None:
                    await _note_location(connection, location, document.source, operation, now)

    async def _forget(self, source: str) -> None:
        if self._documents.pop(source, None) is not None:
            async with self._database.write() as connection:
                await connection.execute(delete(catalog_documents).where(catalog_documents.c.source == source))
            await self._swap([])


def _repository_of(source: str) -> str:
    return "/".join(source.removeprefix("github:").split("/")[:2])


def _shared(source: str) -> bool:
    """Folders belong to one machine; all else is shared through the database."""
    return not source.startswith("folder:")


def _document(source: str, content: bytes, web_url: str) -> Document:
    text = content.decode("utf-8", errors="replace").removeprefix("\ufeff")
    return Document(source, hashlib.sha256(content).hexdigest(), text, web_url)


async def _note_location(
    connection: AsyncConnection, location: str, source: str, operation: str, now: datetime
) -> None:
    """Whoever registered a location first keeps it: undo of a later operation must not take it away."""
    same = select(catalog_locations.c.operation).where(catalog_locations.c.location == location)
    if (await connection.execute(same)).first() is None:
        row = {"location": location, "source": source, "operation": operation, "registered_at": now}
        await connection.execute(insert(catalog_locations).values(row))
