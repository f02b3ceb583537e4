"""Who makes databases, as the platform team writes it: a mistake stops the start, and says what to write."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bot.model.databases import DEFAULT_VERSION, ENGINES, FACTS, VERSIONS, Claim, DatabaseProvider

CLAIM = {"api_version": "platform.acme.example/v1alpha1", "kind": "SQLInstance"}


def told(settings: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as wrong:
        DatabaseProvider.model_validate(settings)
    return "\n".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in wrong.value.errors())


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"provider": "claim"}, "claim: is missing; say `api_version` and `kind` of your composite type"),
        ({"provider": "git"}, "file: is missing; say which `template` the file is made of"),
        ({"backups": {"method": "plugin"}}, "backups.parameters: is missing"),
        ({"backups": {"schedule": "0 2 * * *"}}, "has not six fields, seconds first"),
        ({"seeding": {"method": "job"}}, "image: is missing; `job` runs one"),
        ({"seeding": {"method": "import"}}, "secret: is missing; `import` logs in with it"),
        ({"cloud_name": "{environment}"}, "must hold `{name}`, so that no two become one"),
        ({"cloud_name": "{nme}"}, "`{nme}` is not known; there are {name}, {environment}, {team}"),
    ],
)
def test_what_is_missing_is_named(settings: dict[str, Any], sentence: str) -> None:
    assert sentence in told(settings)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"spec.size": "{siz}"}, "`spec.size`: `{siz}` is not known; there are {name}, {engine}"),
        ({"spec.size": "{size"}, "`spec.size`: has a brace that is not closed"),
        ({"spec.size": "{size:>9}"}, "`{size}` may have no format; only `{size!s}` is known"),
        ({"spec.size": "{size.__class__}"}, "is not known"),
        ({"metadata.name": "{name}"}, "`metadata.name` is not a path; write it as `spec.parameters.size`"),
        ({"spec..size": "x"}, "is not a path"),
        ({"spec": "x"}, "is not a path"),
        ({"spec.a b": "x"}, "is not a path"),
        ({"spec.writeConnectionSecretToRef.name": "x"}, "is set by Causeway"),
        ({"spec.a": "x", "spec.a.b": "y"}, "`spec.a` cannot be a value and hold `spec.a.b` as well"),
    ],
)
def test_a_field_of_a_claim_that_leads_nowhere_is_told(fields: dict[str, str], sentence: str) -> None:
    assert sentence in told({"provider": "claim", "claim": {**CLAIM, "fields": fields}})


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("databases/{name}.tf", "must hold `{environment}`"),
        ("../{name}-{environment}.tf", "is not the path of a file in the repository"),
        ("/etc/{name}-{environment}", "is not the path of a file in the repository"),
        ("a//{name}-{environment}", "is not the path of a file in the repository"),
        (".git/{name}-{environment}", "is not the path of a file in the repository"),
        ("{name}-{environment}-{secret}", "`{secret}` is not known"),
    ],
)
def test_a_path_that_is_none_is_told(path: str, sentence: str) -> None:
    assert sentence in told({"provider": "git", "file": {"template": "database.tf.j2", "path": path}})


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [({"hots": "a"}, "`hots` is not one of host, port"), ({"password": ""}, "`password` cannot be empty")],
)
def test_a_secret_without_what_it_takes_is_told(keys: dict[str, str], sentence: str) -> None:
    assert sentence in told({"provider": "claim", "claim": {**CLAIM, "keys": keys}})
    assert sentence in told({"provider": "git", "file": {"template": "database.tf.j2", "keys": keys}})


def test_what_may_be_written_into_a_claim_is_what_the_guide_lists() -> None:
    fields = {f"spec.{name}": f"{{{name}}}" for name in FACTS}
    assert Claim.model_validate({**CLAIM, "fields": fields}).fields == fields


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_has_a_version_that_can_be_had(engine: Any) -> None:
    assert DEFAULT_VERSION[engine] in VERSIONS[engine]
