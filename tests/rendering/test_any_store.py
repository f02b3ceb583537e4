"""What holds for every database, whatever the platform team has configured and whoever asks for what."""

from __future__ import annotations

import re
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import Invalid
from bot.model.databases import (
    CONNECTION,
    DatabaseProvider,
    DatabaseSize,
    RequestedDatabase,
)
from bot.model.platform import Environment, Monitoring, Platform
from bot.model.previews import Masking
from bot.rendering.kinds import KINDS
from bot.rendering.printing import files, to_stream
from bot.rendering.render import render_store
from bot.rendering.stores import SeedByJob, SeedFromBackup, SeedFromImport, Store, store_for
from bot.rendering.stores.variables import variables
from tests.fuzz import examples
from tests.rendering.store_examples import AT, SQL
from tests.rendering.test_properties import names, some

LONG_NAMES = st.from_regex(r"[a-z]([a-z0-9-]{0,43}[a-z0-9])?", fullmatch=True)
backups = st.sampled_from(
    [
        {"method": "none"},
        {"method": "volume-snapshot", "snapshot_class": "csi"},
        {"method": "plugin", "parameters": {"barmanObjectName": "backups"}},
    ]
)
providers = st.one_of(
    st.builds(
        lambda kept, method, storage: DatabaseProvider.model_validate(
            {
                "backups": kept,
                "storage_class": storage,
                "seeding": method and {"method": method, "secret": "source", "image": "a/seed:1"},
            }
        ),
        backups,
        st.sampled_from([None, "import", "job", "backup"]),
        st.sampled_from(["", "fast"]),
    ),
    st.just(DatabaseProvider(provider="crossplane")),
    st.just(DatabaseProvider(provider="claim", claim=SQL)),
)
sizes = st.builds(
    lambda instances, pooler, storage: DatabaseSize(
        cpu="1", memory="1Gi", storage=storage, instances=instances, instance_class="db.t3.micro", pooler=pooler
    ),
    st.integers(1, 9),
    st.integers(0, 9),
    st.sampled_from(["1Gi", "10Gi", "1Ti", "512Mi"]),
)
seeds = st.sampled_from(
    [
        None,
        SeedFromBackup(cluster="a-db", namespace="here", backup="nightly"),
        SeedFromBackup(cluster="a-db", namespace="far", parameters={"barmanObjectName": "backups"}),
        SeedFromImport(host="a-db-rw.far.svc", secret="source"),
        SeedByJob(image="a/seed:1", command=("seed", "it"), secret="source", database="a-db", source="far"),
    ]
)
requests = some(
    engine=st.sampled_from(["postgresql", "mysql", "valkey"]),
    retention_days=st.integers(1, 365),
    protected=st.booleans(),
    version=st.sampled_from([None, 8, 16, 17]),
)
stores = st.fixed_dictionaries(
    {
        "service": LONG_NAMES,
        "team": names,
        "seed": seeds,
        "masking": st.sampled_from([None, Masking(image="a/mask:1", version="1")]),
        "passing": st.booleans(),
        "clients": st.sampled_from([None, (), ("web", "api")]),
    }
)


def made(
    provider: DatabaseProvider, size: DatabaseSize, request: dict[str, Any], given: dict[str, Any]
) -> Store | None:
    platform = platform_of(provider, size)
    requested = RequestedDatabase.model_validate({"size": "any", "by": "user:default/ada", "at": AT, **request})
    mistakes = []
    try:
        return store_for(environment="here", platform=platform, requested=requested, **given)
    except Invalid as refused:
        mistakes = [str(mistake) for mistake in refused.mistakes]
    assert all(mistake.startswith("database") for mistake in mistakes)
    assert mistakes
    return None


def platform_of(provider: DatabaseProvider, size: DatabaseSize) -> Platform:
    here = Environment(namespace="{environment}", database=provider, monitoring=Monitoring(enabled=True))
    return Platform(environments={"here": here}, database_sizes={"any": size})


@given(providers, sizes, requests, stores)
@settings(max_examples=examples(150))
def test_any_store_can_be_made_or_is_refused_in_sentences(
    provider: DatabaseProvider, size: DatabaseSize, request: dict[str, Any], given: dict[str, Any]
) -> None:
    store = made(provider, size, request, given)
    if store is None:
        return
    platform = platform_of(provider, size)
    found = render_store(store, platform=platform)
    text = to_stream(found)
    assert text == to_stream(render_store(store, platform=platform)), "the same store, the same bytes"
    assert list(yaml.load_all(text, Loader=yaml.CSafeLoader)) == [dict(obj) for obj in found]
    assert len(files(found)) == len(found), "each object has a file of its own"
    main = store.main
    assert main is not None
    assert any(obj["kind"] == main.kind for obj in found)
    for obj in found:
        metadata: Any = obj["metadata"]
        assert len(metadata["name"]) <= 63
        assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", metadata["name"])
        assert (obj["apiVersion"], obj["kind"]) in KINDS or store.settings.claim is not None
        assert all(len(str(value)) <= 63 for value in metadata["labels"].values())
        assert obj["kind"] != "Secret"


@given(providers, sizes, requests, stores)
@settings(max_examples=examples(150))
def test_any_pod_learns_six_things_and_no_value_of_a_secret(
    provider: DatabaseProvider, size: DatabaseSize, request: dict[str, Any], given: dict[str, Any]
) -> None:
    store = made(provider, size, request, given)
    if store is None:
        return
    told = {str(one["name"]): one for one in variables(store)}
    assert list(told) == [f"DATABASE_{part.upper()}" for part in CONNECTION]
    assert told["DATABASE_PASSWORD"]["valueFrom"]["secretKeyRef"]["name"] == store.secret
    before: set[str] = set()
    for name, one in told.items():
        named = set(re.findall(r"\$\(([A-Z_]+)\)", one.get("value", "")))
        assert named <= before, "Kubernetes puts in only what stands above"
        before.add(name)
