"""The databases of a preview: whose each is, how large, what it is filled from, and what masks that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from bot.errors import Invalid, Mistake, Refused
from bot.model import environment, web_service
from bot.model.databases import ENGINES
from bot.model.previews import Masking
from bot.model.web_service.parts import Database
from bot.model.web_service.spec import merged
from bot.rendering.mistakes import mistakes_of, unknown
from bot.rendering.previews.members import Around, Member
from bot.rendering.previews.places import previews_of
from bot.rendering.quantities import memory_bytes
from bot.rendering.stores import Seed, Store, store_for
from bot.rendering.stores.jobs import has_jobs
from bot.rendering.stores.seeding import seed_from


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A service of the preview with its database, if it has one."""

    member: Member
    """Its document says which database it is."""
    store: Store | None = None
    seed: Seed | None = None
    masking: Masking | None = None

    @property
    def is_prepared(self) -> bool:
        """Whether a program works on the database before its service may start."""
        return self.store is not None and has_jobs(self.store)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a database is to be filled from."""

    store: Store
    seed: Seed


def bind(members: list[Member], around: Around) -> tuple[list[Bound], list[Mistake]]:
    """Return the members with their databases, and every mistake about these."""
    entries, mistakes = _assigned(members, around)
    found = []
    for member in members:
        try:
            found.append(_bound(member, entries.get(member.name), around))
        except _Wrong as wrong:
            mistakes += wrong.mistakes
    return found, mistakes


class _Wrong(Exception):
    def __init__(self, *mistakes: Mistake) -> None:
        super().__init__("; ".join(map(str, mistakes)))
        self.mistakes = mistakes


Entry = tuple[int, environment.Database]


def _assigned(members: list[Member], around: Around) -> tuple[dict[str, Entry], list[Mistake]]:
    """Return which entry counts for which service: the one that names it, else the one that names nobody."""
    found: dict[str, Entry] = {}
    mistakes: list[Mistake] = []
    entries = around.document.spec.databases
    named = {entry.service for entry in entries if entry.service is not None}
    for number, entry in enumerate(entries):
        if entry.service is not None:
            found[entry.service] = (number, entry)
            continue
        left = [member for member in members if member.name not in named]
        takers = _takers(left)
        found |= {member.name: (number, entry) for member in takers}
        if left and not takers:
            told = "none of its services asks for a database; say whose it is with `service`"
            mistakes.append(Mistake(f"spec.databases[{number}]", told))
    return found, mistakes


def _takers(members: list[Member]) -> list[Member]:
    """Return those whose document asks for a database, else those whose document nobody knows, else the only one."""
    asking = [member for member in members if member.document.spec.database is not None]
    return asking or [member for member in members if member.own is None] or (members if len(members) == 1 else [])


def _bound(member: Member, entry: Entry | None, around: Around) -> Bound:
    asked = member.document.spec.database
    if entry is None:
        return Bound(member=member, store=_store(member, around, path=""))
    number, wanted = entry
    path = f"spec.databases[{number}]"
    source, masking = _filled(member, wanted, path, around)
    same = asked if asked is not None and asked.type == wanted.type else None
    version = source.store.version if source else same.version if same else None
    size = wanted.size or (source.store.size_name if source else None) or (same.size if same else None)
    member = _with(member, {"type": wanted.type, "size": size, "version": version})
    store = _store(member, around, path=path, seed=source.seed if source else None, masking=masking)
    if (
        source
        and store
        and not around.standing
        and memory_bytes(source.store.size.storage) > memory_bytes(store.size.storage)
    ):
        raise _Wrong(Mistake(f"{path}.size", _too_small(source.store, store)))
    return Bound(member=member, store=store, seed=source.seed if source else None, masking=masking)


def _filled(
    member: Member, wanted: environment.Database, path: str, around: Around
) -> tuple[Source | None, Masking | None]:
    """Return what a database is filled from, and what masks that. Of one that stands already it is no reason to refuse
    anything that the platform has forgotten it meanwhile."""
    if wanted.seed_from is None or around.fork:
        return None, None
    try:
        return _source(member, wanted, path, around), _masking(wanted, path, around)
    except _Wrong:
        if around.standing:
            return None, None
        raise


def _with(member: Member, database: Mapping[str, Any]) -> Member:
    """Return the member whose document asks for this database."""
    given = {key: value for key, value in database.items() if value is not None}
    written = member.document.written()
    written["spec"] = merged({**_map(written.get("spec")), "database": None}, {"database": given})
    try:
        document = web_service.WebService.model_validate(written, by_alias=True, by_name=False)
    except ValidationError as error:
        found = mistakes_of(error, web_service.WebService, written)
        raise _Wrong(*(member.mistake(one.path, one.message) for one in found)) from None
    return replace(member, document=document)


def _source(member: Member, wanted: environment.Database, path: str, around: Around) -> Source:
    there, platform = str(wanted.seed_from), around.platform
    known = [name for name in platform.environments if name != around.document.name]
    if there not in known:
        told = f"`{there}` {unknown(there, known, 'known environment that it could be filled from')}"
        raise _Wrong(Mistake(f"{path}.seedFrom", told))
    try:
        read = around.sources
        found = _in_document(member, wanted, there, around) if read is None else read.get(member.name)
        if found is None:
            told = f"{member.name} has no database in {there}; leave it out, or say `service`"
            raise _Wrong(Mistake(f"{path}.seedFrom", told))
        if found.engine != wanted.type:
            told = (
                f"is `{wanted.type}`, and {member.name} has {ENGINES[found.engine]} in {there}; write `{found.engine}`"
            )
            raise _Wrong(Mistake(f"{path}.type", told))
        if found.engine != "postgresql":
            told = f"{ENGINES[found.engine]} cannot be filled in a preview yet, only PostgreSQL; leave it out"
            raise _Wrong(Mistake(f"{path}.seedFrom", told))
        return Source(store=found, seed=seed_from(found))
    except Refused as refused:
        raise _Wrong(Mistake(f"{path}.seedFrom", str(refused))) from None
    except Invalid as invalid:
        raise _Wrong(*(Mistake(f"{path}.seedFrom", f"{there}: {one}") for one in invalid.mistakes)) from None


def _in_document(member: Member, wanted: environment.Database, there: str, around: Around) -> Store | None:
    """Return the service's database in another environment, as its document has it. Where nobody knows the document,
    there is one like the one that is wanted."""
    asked = Database(type=wanted.type, size=wanted.size)
    if member.own is not None:
        in_document = member.own.for_environment(there).spec.database
        if in_document is None:
            return None
        asked = in_document
    team = around.owners.get(member.name, member.rollout.team)
    return store_for(service=member.name, team=team, environment=there, platform=around.platform, document=asked)


def _masking(wanted: environment.Database, path: str, around: Around) -> Masking | None:
    there = around.platform.environment(str(wanted.seed_from))
    if not (there.personal_data or wanted.mask):
        return None
    found = previews_of(around.platform).masking
    if found is None:
        why = f"{wanted.seed_from} holds personal data" if there.personal_data else "it shall be masked"
        told = f"{why}, and nothing masks it: no preview is filled unmasked. {_ASK}"
        raise _Wrong(Mistake(f"{path}.seedFrom", told))
    return found


_ASK = "The platform team says what masks it with `platform.previews.masking`; or leave `seedFrom` out"


def _store(
    member: Member, around: Around, *, path: str, seed: Seed | None = None, masking: Masking | None = None
) -> Store | None:
    try:
        return store_for(
            service=member.name,
            team=member.rollout.team,
            environment=around.document.name,
            platform=around.platform,
            document=member.document.spec.database,
            seed=seed,
            masking=masking,
            passing=True,
        )
    except Invalid as invalid:
        raise _Wrong(*_moved(invalid, member, path)) from None


def _moved(invalid: Invalid, member: Member, path: str) -> Iterator[Mistake]:
    """Yield the mistakes where the person has written what they are about."""
    for mistake in invalid.mistakes:
        inside = mistake.path.removeprefix("spec.database").removeprefix(".")
        if path:
            yield Mistake(f"{path}.{inside}" if inside in ("size", "type") else path, mistake.message)
        else:
            yield member.mistake(mistake.path, mistake.message)


def _holds_less(one: Store, other: Store) -> bool:
    return memory_bytes(one.size.storage) < memory_bytes(other.size.storage)


def _too_small(source: Store, store: Store) -> str:
    return (
        f"`{store.size_name}` has room for {store.size.storage}, and the database of {source.service} in "
        f"{source.environment} has {source.size.storage}; write `{source.size_name}`, or leave it out"
    )


def _map(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}
