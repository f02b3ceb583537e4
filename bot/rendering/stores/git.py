"""A file in the GitOps repository that something else picks up, such as Terraform."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from bot.errors import Invalid, Mistake
from bot.model.databases import ENGINES, GitFile
from bot.model.platform import Platform
from bot.rendering.stores import claim
from bot.rendering.stores.seeds import SeedByJob
from bot.rendering.stores.store import Store
from bot.rendering.stores.variables import binding
from bot.rendering.texts import render_text

Values = dict[str, Any]


def bound(store: Store) -> Store:
    file = _file(store)
    path = file.path.format(name=store.service, environment=store.environment, team=store.team, engine=store.engine)
    keys, fixed = binding(store.engine, file.keys)
    return replace(store, secret=store.name, file=path, keys=keys, fixed=fixed)


def _file(store: Store) -> GitFile:
    file = store.settings.file
    assert file is not None  # noqa: S101 - held when the configuration was read
    return file


MARK = "causeway"
"""Stands somewhere in every file that we write, in capitals or not: what has it not is somebody else's."""


def text_of(store: Store, platform: Platform) -> str:
    """Return what the file says. Raise `Invalid` for a template that cannot be used."""
    name = _file(store).template
    text = render_text(name, facts_of_file(store), platform.templates)
    if MARK not in text.lower():
        mistake = Mistake(name, "must say in a comment that the file is written by Causeway: by that it is known again")
        raise Invalid(f"The template {name} cannot be used.", [mistake], hint="Tell the platform team.")
    return text


def facts_of_file(store: Store) -> Mapping[str, str | int | bool]:
    """Return what the template of a file sees."""
    found: dict[str, str | int | bool] = {**claim.facts(store)}
    return found | {"secret": store.secret, "namespace": store.namespace, "protected": store.protected}


def paths_at(service: str, team: str, environment: str, platform: Platform) -> tuple[str, ...]:
    """Return where files of a service's database would stand in the GitOps repository, whichever engine it has."""
    here = platform.environment(environment)
    found = {
        settings.file.path.format(name=service, environment=environment, team=team, engine=engine)
        for engine in ENGINES
        if (settings := here.provider(engine)) is not None and settings.provider == "git" and settings.file is not None
    }
    return tuple(sorted(found))


def values(store: Store) -> Values:
    return {}


def templates(store: Store, values: Mapping[str, Any]) -> Iterator[tuple[str, Values]]:
    yield from ()


def reach(store: Store) -> Iterable[Values]:
    return claim.reach(store)


def refused(store: Store, platform: Platform) -> Iterator[str]:
    if store.passing:
        yield "is a file in Git, and nothing tells when such a database is there or gone: no preview can have one"
    elif platform.environment(store.environment).delivery != "gitops":
        yield "is a file in Git, and this environment is delivered straight to its cluster"
    elif not platform.gitops.repository:
        yield "is a file in Git, and there is no `platform.gitops.repository`"
    for room in (platform.gitops.apps, platform.gitops.root):
        if store.file.startswith(f"{room}/"):
            yield f"would be written to {store.file}, among what Argo CD applies; the platform team moves `file.path`"
    if store.seed is not None and not isinstance(store.seed, SeedByJob):
        yield "can be filled by a job only"
