"""Programs of the platform team that work on a database before anybody uses it: one fills it, one masks its data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.model.canonical import sha256
from bot.model.configured import cut
from bot.rendering.stores.seeds import SeedByJob
from bot.rendering.stores.store import SEEDS_FROM, VISITOR, Store
from bot.rendering.stores.variables import variables

Values = dict[str, Any]
WAVE = "argocd.argoproj.io/sync-wave"
"""Argo CD goes on to the next wave when everything of this one is healthy, and a Job is when it has succeeded."""
STORE_WAVE, SEED_WAVE, MASK_WAVE = "-3", "-2", "-1"


def has_jobs(store: Store) -> bool:
    return store.masking is not None or isinstance(store.seed, SeedByJob)


def jobs(store: Store, labels: dict[str, str]) -> Iterator[Values]:
    """Yield what the template sees of each job. Other work is another job: what a Job runs cannot be changed."""
    seed = store.seed
    if isinstance(seed, SeedByJob):
        env = [*variables(store), {"name": "SEED_FROM", "value": seed.source}]
        found = _job(store, "seed", {"image": seed.image, "command": list(seed.command), "env": env}, labels)
        if seed.secret:
            found["env_from"] = [{"secretRef": {"name": seed.secret}}]
        if seed.database:
            found["labels"] = {**found["labels"], SEEDS_FROM: seed.database}
        yield found | {"wave": SEED_WAVE}
    if store.masking is not None:
        env = [*variables(store), {"name": "MASKING_VERSION", "value": store.masking.version}]
        masking = store.masking
        work: Values = {"image": masking.image, "command": list(masking.command), "env": env}
        yield _job(store, "mask", work, labels) | {"wave": MASK_WAVE}


def _job(store: Store, what: str, work: Values, labels: dict[str, str]) -> Values:
    return {
        "name": cut(f"{store.name}-{what}-{sha256(work)[:8]}"),
        "labels": labels | {"app.kubernetes.io/component": f"database-{what}", VISITOR: store.name},
        "env_from": None,
        **work,
        "command": work["command"] or None,
    }
