"""Databases as objects: what each provider makes of what is asked for, and how a service is bound to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.errors import Invalid, NotFound, Refused
from bot.model.databases import Backups, DatabaseProvider, GitFile, Seeding
from bot.model.platform import Environment, Platform
from bot.model.web_service.parts import Database
from bot.ports import ObjectRef
from bot.rendering.documents import read
from bot.rendering.kinds import checked
from bot.rendering.printing import to_stream
from bot.rendering.render import render, render_backup, render_files, render_store
from bot.rendering.rollout import Rollout
from bot.rendering.stores import PROTECTED, VISITOR, SeedByJob, SeedFromBackup, Store, seed_from, store_for
from bot.rendering.stores.variables import variables
from tests.golden import assert_golden
from tests.rendering.store_examples import CASES, MASKING, PLATFORM, asked, objects, store


def of_kind(found: Any, kind: str) -> Any:
    (only,) = [obj for obj in found if obj["kind"] == kind]
    return only


def made(found: Store) -> Any:
    return render_store(found, platform=PLATFORM)


def kinds(found: Any) -> list[str]:
    return sorted(str(obj["kind"]) for obj in found)


def mistakes(environment: str, *, platform: Platform = PLATFORM, **more: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        store(environment, platform=platform, **more)
    return {mistake.path: mistake.message for mistake in refused.value.mistakes}


def changed(name: str, **fields: Any) -> Platform:
    """Return the platform with another provider in one environment."""
    environments = dict(PLATFORM.environments)
    environments[name] = environments[name].model_copy(update=fields)
    return PLATFORM.model_copy(update={"environments": environments})


def env(found: Store) -> dict[str, Any]:
    return {
        one["name"]: one.get("value") or tuple(one["valueFrom"]["secretKeyRef"].values()) for one in variables(found)
    }


@pytest.mark.parametrize("case", CASES)
def test_a_store_becomes_what_was_agreed_on(case: str) -> None:
    text = to_stream(objects(case))
    files = render_files(CASES[case], PLATFORM)
    assert_golden(f"rendering/stores/{case}.yaml", text + "".join(f"# {path}\n{files[path]}" for path in files))


@pytest.mark.parametrize("case", CASES)
def test_every_object_says_whose_it_is(case: str) -> None:
    found = CASES[case]
    for obj in objects(case):
        labels = obj["metadata"]["labels"]
        assert labels["causeway.io/database"] == found.name
        assert labels["causeway.io/team"] == "team-orders"
        assert obj["metadata"].get("namespace", found.namespace) == found.namespace


@pytest.mark.parametrize("case", CASES)
def test_the_main_object_is_among_what_is_made(case: str) -> None:
    found = CASES[case]
    refs = [
        ObjectRef(o["apiVersion"], o["kind"], o["metadata"]["name"], o["metadata"].get("namespace", ""))
        for o in objects(case)
    ]
    assert found.main in refs if found.main else refs == []


@pytest.mark.parametrize("case", CASES)
def test_six_variables_say_how_to_connect_and_hold_no_password(case: str) -> None:
    found = CASES[case]
    told = env(found)
    assert list(told) == [f"DATABASE_{part}" for part in ("HOST", "PORT", "NAME", "USER", "PASSWORD", "URL")]
    assert told["DATABASE_PASSWORD"][0] == found.secret


def test_what_a_person_asked_for_wins_over_the_document() -> None:
    written = Database(type="postgresql", size="medium", version=16)
    found = store("dev", document=written, requested=asked())
    assert (found.size_name, found.version, found.in_document) == ("small", 16, True)
    assert store("dev", document=written, requested=None).size_name == "medium"
    other = store("production", document=written, requested=asked(engine="mysql"))
    assert (other.engine, other.version) == ("mysql", 8), "a version of PostgreSQL says nothing about MySQL"


def test_without_any_wish_there_is_no_database() -> None:
    assert store_for(service="a", team="t", environment="dev", platform=PLATFORM) is None


def test_with_a_pooler_the_service_is_bound_to_that() -> None:
    told = env(CASES["snapshots"])
    assert told["DATABASE_HOST"] == "orders-api-db-pooler"
    assert told["DATABASE_URL"].startswith("postgresql://$(DATABASE_USER):$(DATABASE_PASSWORD)@$(DATABASE_HOST)")
    assert env(CASES["plain"])["DATABASE_HOST"] == ("orders-api-db-app", "host")
    assert "Pooler" not in kinds(objects("plain"))


def test_a_preview_s_database_leaves_nothing_behind() -> None:
    found = store("staging", requested=asked(size="medium"), passing=True)
    cluster, *others = made(found)
    assert cluster["spec"]["instances"] == 1
    assert "backup" not in cluster["spec"]
    assert kinds(others) == ["NetworkPolicy"]
    assert PROTECTED not in cluster["metadata"].get("annotations", {})
    (cloud,) = made(store("production", passing=True))
    told = cloud["spec"]["forProvider"]
    assert (told["deletionProtection"], told["skipFinalSnapshotBeforeDeletion"]) == (False, True)
    assert "finalDBSnapshotIdentifier" not in told


def test_protection_is_there_by_default_and_can_be_lifted() -> None:
    kept, free = of_kind(objects("object-storage"), "Cluster"), of_kind(objects("unprotected"), "Cluster")
    assert kept["metadata"]["annotations"] == {
        "argocd.argoproj.io/sync-options": "Prune=false",
        "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
        "causeway.io/protected": "true",
    }
    assert "annotations" not in free["metadata"]
    (claim,) = objects("claim")
    assert claim["metadata"]["annotations"][PROTECTED] == "true"
    (cloud,) = objects("cloud")
    assert cloud["spec"]["forProvider"]["deletionProtection"] is True
    assert cloud["spec"]["forProvider"]["finalDBSnapshotIdentifier"] == "orders-api-production-final-20261128"


# --- the network


def test_only_the_service_the_operator_and_visitors_reach_the_database() -> None:
    policy = of_kind(objects("plain"), "NetworkPolicy")["spec"]
    assert policy["podSelector"] == {"matchLabels": {"cnpg.io/cluster": "orders-api-db"}}
    clients, operator = policy["ingress"]
    own = {"podSelector": {"matchLabels": {"cnpg.io/cluster": "orders-api-db"}}}
    service = {"app.kubernetes.io/name": "orders-api", "app.kubernetes.io/instance": "orders-api-dev"}
    assert clients["from"] == [
        {"podSelector": {"matchLabels": service}},
        {"podSelector": {"matchLabels": {VISITOR: "orders-api-db"}}},
        own,
    ]
    assert operator["from"][0] == {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "cnpg-system"}}}
    assert policy["egress"] == [{}], "the operator's own programs need the API server and the object storage"


def test_one_that_stands_alone_has_visitors_from_anywhere_and_no_service() -> None:
    clients = of_kind(objects("alone"), "NetworkPolicy")["spec"]["ingress"][0]["from"]
    assert clients[0] == {"namespaceSelector": {}, "podSelector": {"matchLabels": {VISITOR: "my-db-db"}}}
    assert len(clients) == 2


def test_a_service_gets_out_to_its_pooler_and_the_pooler_to_the_database() -> None:
    found = rendered("{image: a:b, database: {size: medium}}", "staging")
    policies = {obj["metadata"]["name"]: obj["spec"] for obj in found if obj["kind"] == "NetworkPolicy"}
    assert set(policies) == {"hello", "hello-db", "hello-db-pooler"}
    pooler = {"podSelector": {"matchLabels": {"cnpg.io/poolerName": "hello-db-pooler"}}}
    assert {"to": [pooler], "ports": [{"protocol": "TCP", "port": 5432}]} in policies["hello"]["egress"]
    assert pooler in policies["hello-db"]["ingress"][0]["from"]


def test_whoever_fills_another_database_from_here_is_let_in() -> None:
    ingress = of_kind(objects("from-a-backup"), "NetworkPolicy")["spec"]["ingress"]
    reader = {"namespaceSelector": {}, "podSelector": {"matchLabels": {"cnpg.io/jobRole": "import"}}}
    assert {"from": [reader], "ports": [{"protocol": "TCP", "port": 5432}]} in ingress


def rendered(spec: str, environment: str, **more: Any) -> Any:
    text = f"apiVersion: platform.company.io/v1\nkind: WebService\nmetadata: {{name: hello}}\nspec: {spec}\n"
    (document,) = read(text)
    rollout = Rollout(team="team-orders")
    return render(document, environment=environment, platform=PLATFORM, rollout=rollout, **more)


# --- clouds and claims


def test_the_seed_s_own_document_is_an_object_that_we_could_make() -> None:
    given: Any = {
        "apiVersion": "database.aws.crossplane.io/v1beta1",
        "kind": "RDSInstance",
        "metadata": {"name": "my-db"},
        "spec": {"forProvider": {"dbInstanceClass": "db.t3.micro", "engine": "postgres", "masterUsername": "admin"}},
    }
    assert checked("rds_instance.yaml.j2", given) == given
    (cloud,) = objects("my-db")
    told = cloud["spec"]["forProvider"]
    assert cloud["metadata"]["name"] == "my-db"
    assert (told["dbInstanceClass"], told["engine"]) == ("db.t3.micro", "postgres")
    assert told["masterUsername"] == "app", "AWS keeps `admin` for itself"
    assert {"region", "allocatedStorage"} <= set(told)


def test_aws_gets_no_smaller_disk_and_no_longer_retention_than_it_knows() -> None:
    (cloud,) = objects("my-db")
    assert cloud["spec"]["forProvider"]["allocatedStorage"] == 20
    assert "at most 35 days" in mistakes("production", requested=asked(retention_days=36))["database"]
    assert "needs an `instance_class`" in mistakes("production", requested=asked(size="tiny"))["database"]


def test_two_environments_never_share_one_database_of_the_cloud() -> None:
    same = DatabaseProvider(provider="crossplane", cloud_name="{name}")
    platform = changed("production", database=same)
    platform = platform.model_copy(
        update={"environments": {**platform.environments, "twin": platform.environments["production"]}}
    )
    told = mistakes("production", platform=platform)["database"]
    assert "would be called `orders-api` in twin as well" in told
    assert store("lone").external_name == "orders-api"


@pytest.mark.parametrize(
    ("service", "name"), [("a--b", "a-b-production"), ("a" * 45, f"{'a' * 45}-production"), ("a-", "a-production")]
)
def test_names_in_the_cloud_are_as_aws_takes_them(service: str, name: str) -> None:
    assert store("production", service).external_name == name


def test_a_claim_is_filled_by_the_company_s_own_mapping() -> None:
    (claim,) = objects("claim")
    assert (claim["apiVersion"], claim["kind"]) == ("platform.acme.example/v1alpha1", "SQLInstance")
    assert claim["spec"] == {
        "parameters": {"size": "medium", "storageGB": 50, "version": "8", "name": "team-orders-orders-api"},
        "compositionSelector": {"matchLabels": {"engine": "mysql"}},
        "writeConnectionSecretToRef": {"name": "orders-api-db"},
    }
    told = env(CASES["claim"])
    assert told["DATABASE_HOST"] == ("orders-api-db", "endpoint")
    assert told["DATABASE_URL"].startswith("mysql://$(DATABASE_USER)")
    valkey = env(CASES["claim-valkey"])
    assert (valkey["DATABASE_NAME"], valkey["DATABASE_USER"]) == ("0", "default")


def test_a_kind_that_nobody_configured_is_refused() -> None:
    stranger: Any = {"apiVersion": "b.example/v1", "kind": "B", "metadata": {"name": "a", "namespace": "a"}, "spec": {}}
    assert checked("claim.yaml.j2", stranger, claim=("b.example/v1", "B")) == stranger
    with pytest.raises(Invalid):
        checked("claim.yaml.j2", stranger, claim=("c.example/v1", "B"))
    with pytest.raises(Invalid):
        checked("claim.yaml.j2", stranger | {"specs": {}}, claim=("b.example/v1", "B"))


# --- files


def test_a_file_is_text_and_needs_git() -> None:
    ((path, text),) = render_files(CASES["file"], PLATFORM).items()
    assert path == "databases/team-orders/orders-api-staging.tf"
    assert 'engine_version = "8"' in text
    assert CASES["file"].main is None
    told = mistakes("staging", platform=changed("staging", delivery="direct"), requested=asked(engine="mysql"))
    assert told == {"database": "is a file in Git, and this environment is delivered straight to its cluster"}
    told = mistakes("staging", requested=asked(engine="mysql"), passing=True)
    assert "no preview can have one" in told["database"]


def test_a_file_is_never_written_among_what_argo_cd_applies() -> None:
    file = GitFile(template="database.tf.j2", path="apps/{name}/{environment}/database.yaml")
    platform = changed("dev", databases={"mysql": DatabaseProvider(provider="git", file=file)})
    assert (
        "among what Argo CD applies" in mistakes("dev", platform=platform, requested=asked(engine="mysql"))["database"]
    )


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{{ nothing }}", "cannot be rendered"),
        ("{% include 'x' %}", "uses `include`"),
        ("name = {{ name }}", "must say in a comment that the file is written by Causeway"),
    ],
)
def test_a_template_of_a_file_that_cannot_be_used_is_named(tmp_path: Any, template: str, told: str) -> None:
    (tmp_path / "database.tf.j2").write_text(template)
    platform = PLATFORM.model_copy(update={"templates": (tmp_path,)})
    with pytest.raises(Invalid) as refused:
        render_files(CASES["file"], platform)
    assert told in str(refused.value.mistakes[0])


# --- seeds


def test_a_seed_is_had_as_the_platform_team_has_decided() -> None:
    assert seed_from(store("acceptance")) == SeedFromBackup(
        cluster="orders-api-db",
        namespace="orders-api-acceptance",
        plugin="barman-cloud.cloudnative-pg.io",
        parameters={"barmanObjectName": "backups"},
        source="acceptance",
    )
    with pytest.raises(Refused, match="Nothing is filled from the databases of dev"):
        seed_from(store("dev"))
    cloud = changed("production", database=DatabaseProvider(provider="crossplane", seeding=Seeding()))
    with pytest.raises(Refused, match="does not run in a cluster"):
        seed_from(store("production", platform=cloud))
    local = changed("dev", database=DatabaseProvider(backups=Backups(method="volume-snapshot"), seeding=Seeding()))
    with pytest.raises(Refused, match="no other namespace can read them"):
        seed_from(store("dev", platform=local))


def test_what_a_seed_cannot_do_is_told() -> None:
    far = SeedFromBackup(cluster="orders-api-db", namespace="elsewhere", snapshot="nightly")
    assert "only from a backup in its own namespace" in mistakes("staging", seed=far)["database"]
    nowhere = SeedFromBackup(cluster="orders-api-db", namespace="elsewhere")
    assert "nobody says where that is" in mistakes("dev", seed=nowhere)["database"]
    assert mistakes("production", seed=far) == {"database": "can be filled by a job only"}


def test_what_was_filled_once_is_rendered_although_the_source_is_closed_by_now() -> None:
    closed = changed("acceptance", database=DatabaseProvider())
    found = store("dev", platform=closed, requested=asked(seed_from="acceptance"))
    assert found.seed is None


def test_jobs_come_after_the_database_and_before_the_services() -> None:
    found = store("production", seed=SeedByJob(image="a/seed:1"), masking=MASKING, passing=True)
    rds, seed, mask = made(found)
    waves = [obj["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] for obj in (rds, seed, mask)]
    assert waves == ["-3", "-2", "-1"]
    assert seed["spec"]["template"]["metadata"]["labels"][VISITOR] == found.name
    other = store("production", seed=SeedByJob(image="a/seed:2"), passing=True)
    assert made(other)[1]["metadata"]["name"] != seed["metadata"]["name"], "a Job cannot be changed"


# --- what is refused


def test_what_the_platform_has_not_is_said_with_who_could_change_it() -> None:
    assert mistakes("dev", requested=asked(size="smal")) == {
        "database.size": "`smal` is not a database size; did you mean `small`?"
    }
    told = mistakes("dev", requested=asked(engine="valkey"))["database.engine"]
    assert told == (
        "nobody makes Valkey (speaks Redis) in dev; it can be had in staging; the platform team names who does with "
        "`platform.environments.dev.databases.valkey`"
    )
    assert "3 is no version of PostgreSQL" in mistakes("dev", requested=asked(version=3))["database.version"]
    with pytest.raises(NotFound):
        store("live")


def test_a_document_is_told_the_same_at_its_own_path() -> None:
    with pytest.raises(Invalid) as refused:
        rendered("{image: a:b, database: {type: mysql, size: huge}}", "dev")
    assert [mistake.path for mistake in refused.value.mistakes] == ["spec.database.size", "spec.database.type"]


def test_what_a_provider_cannot_do_is_told_with_everything_else() -> None:
    with pytest.raises(Invalid) as refused:
        rendered("{image: a:b, replicas: 50, database: {size: tiny}}", "production")
    assert [mistake.path for mistake in refused.value.mistakes] == ["spec.database", "spec.replicas"]


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ("{image: a:b, database: {type: mysql, version: 17}}", "spec.database.version"),
        ("{image: a:b, database: {type: valkey}, cache: {}}", "spec.cache"),
    ],
)
def test_a_document_that_contradicts_itself_is_not_taken(spec: str, path: str) -> None:
    with pytest.raises(Invalid) as refused:
        rendered(spec, "staging")
    assert [mistake.path for mistake in refused.value.mistakes] == [path]


def test_a_requested_database_and_the_document_s_own_words_must_fit() -> None:
    with pytest.raises(Invalid) as refused:
        rendered("{image: a:b, env: {DATABASE_HOST: x}, cache: {}}", "staging", requested=asked(engine="valkey"))
    assert [mistake.path for mistake in refused.value.mistakes] == ["spec.cache", "spec.env.DATABASE_HOST"]


# --- the last backup


def test_one_more_backup_is_an_object_where_backups_are() -> None:
    backup = render_backup(CASES["snapshots"], "orders-api-db-last", platform=PLATFORM)
    assert backup is not None
    assert backup["spec"] == {"cluster": {"name": "orders-api-db"}, "method": "volumeSnapshot"}
    assert render_backup(CASES["plain"], "x", platform=PLATFORM) is None
    assert render_backup(CASES["cloud"], "x", platform=PLATFORM) is None


@pytest.mark.parametrize("template", sorted(Path("manifests/database").glob("*.j2")), ids=lambda file: file.name)
def test_a_company_s_own_template_takes_the_place_of_each(tmp_path: Path, template: Path) -> None:
    before = sum(len(made(found)) for found in CASES.values())
    (tmp_path / template.name).write_text("{% if false %}{% endif %}")
    platform = PLATFORM.model_copy(update={"templates": (tmp_path, *PLATFORM.templates)})
    after = sum(len(render_store(found, platform=platform)) for found in CASES.values())
    backup = render_backup(CASES["snapshots"], "last", platform=platform)
    assert after < before or backup is None


def test_an_unused_environment_helps_nobody() -> None:
    alone = Platform(environments={"staging": Environment()})
    told = mistakes("staging", platform=alone, requested=asked(engine="mysql"))
    assert told["database.engine"].startswith("nobody makes MySQL in staging; the platform team names")
