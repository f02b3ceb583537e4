"""Databases of a preview: whose, how large, filled from what, masked by what; and what is refused."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.errors import Invalid
from bot.model.platform import Platform
from bot.model.web_service import WebService
from bot.rendering.environments import read_environment
from bot.rendering.kinds import model_of
from bot.rendering.previews import Outline, outline, render_preview
from bot.rendering.stores import store_for
from tests.rendering.environment_examples import documents

HEAD = "apiVersion: environments.platform.io/v1\nkind: Environment\nmetadata: {name: pr-1}\n"
SERVICE = "apiVersion: platform.company.io/v1\nkind: WebService\nmetadata: {name: %s}\nspec: %s\n"
WITH = "{image: 'a:b', database: {size: small}}"
WITHOUT = "{image: 'a:b'}"
BOTH = documents(SERVICE % ("a", WITH), SERVICE % ("b", WITHOUT))
PLUGIN = {"method": "plugin", "parameters": {"barmanObjectName": "backups"}}
MASKING = {"image": "ghcr.io/acme/mask:4", "version": "4"}


def platform(staging: Mapping[str, Any] | None = None, **previews: Any) -> Platform:
    environments = {"test": {}, "staging": {"database": {"seeding": {"method": "backup"}, "backups": PLUGIN}}}
    environments["staging"] |= staging or {}
    return Platform.model_validate(
        {"environments": environments, "previews": {"base": "test", "quota": {"storage": "999Gi"}, **previews}}
    )


def looked_at(
    databases: str,
    services: Mapping[str, WebService] = BOTH,
    where: Platform | None = None,
    named: str = "[{name: a}, {name: b}]",
    **options: Any,
) -> Outline:
    document = read_environment(f"{HEAD}spec: {{services: {named}, databases: {databases}}}\n")
    return outline(document, services, where or platform(), **options)


def told(databases: str, **options: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as wrong:
        looked_at(databases, **options)
    return {mistake.path: mistake.message for mistake in wrong.value.mistakes}


def made(databases: str, **options: Any) -> dict[tuple[str, str], Any]:
    document = read_environment(f"{HEAD}spec: {{services: [{{name: a}}, {{name: b}}], databases: {databases}}}\n")
    where = options.pop("where", None) or platform()
    objects = render_preview(document, options.pop("services", BOTH), where, **options)
    for obj in objects:
        model = model_of(str(obj["apiVersion"]), str(obj["kind"]))
        assert model is not None
        model.model_validate(obj)
    found: tuple[Any, ...] = objects
    return {(str(obj["kind"]), obj["metadata"]["name"]): obj for obj in found}


def owners(found: Outline) -> list[str]:
    return [store.service for store in found.stores]


def test_a_service_gets_the_database_that_its_document_asks_for() -> None:
    assert owners(looked_at("[]")) == ["a"]
    (store,) = looked_at("[]").stores
    assert (store.name, store.namespace, store.passing, store.protected) == ("a-db", "pr-1", True, False)


def test_an_entry_counts_for_those_that_ask_for_one_else_for_those_that_nobody_knows_else_for_the_only_one() -> None:
    assert owners(looked_at("[{size: medium}]")) == ["a"]
    assert owners(looked_at("[{service: b}]")) == ["a", "b"]
    assert owners(
        looked_at("[{}]", documents(SERVICE % ("b", WITHOUT)), named="[{name: a, image: 'a:b'}, {name: b}]")
    ) == ["a"]
    assert owners(looked_at("[{}]", {}, named="[{name: a, image: 'a:b'}, {name: b, image: 'a:b'}]")) == ["a", "b"]
    assert owners(looked_at("[{}]", documents(SERVICE % ("b", WITHOUT)), named="[{name: b}]")) == ["b"]


def test_an_entry_that_is_nobody_s_is_told() -> None:
    nobody = documents(SERVICE % ("a", WITHOUT), SERVICE % ("b", WITHOUT))
    assert told("[{}]", services=nobody) == {
        "spec.databases[0]": "none of its services asks for a database; say whose it is with `service`"
    }


def test_the_size_is_what_is_written_else_the_source_s_else_the_document_s() -> None:
    services = documents(
        SERVICE % ("a", "{image: 'a:b', database: {size: small}, environments: {staging: {database: {size: medium}}}}")
    )
    one = "[{name: a}]"
    assert looked_at("[{}]", services, named=one).stores[0].size_name == "small"
    assert looked_at("[{seedFrom: staging}]", services, named=one).stores[0].size_name == "medium"
    assert looked_at("[{seedFrom: staging, size: large}]", services, named=one).stores[0].size_name == "large"


def test_it_has_one_instance_and_no_backups() -> None:
    sizes = {"small": {"cpu": "1", "memory": "1Gi", "storage": "1Gi", "instances": 3, "pooler": 2}}
    where = platform().model_copy(
        update={"database_sizes": Platform.model_validate({"database_sizes": sizes}).database_sizes}
    )
    found = made("[]", where=where)
    assert found["Cluster", "a-db"]["spec"]["instances"] == 1
    assert {"Pooler", "ScheduledBackup"}.isdisjoint(kind for kind, _ in found)
    assert "backup" not in found["Cluster", "a-db"]["spec"]


# --- filled


def test_it_is_filled_from_the_newest_backup() -> None:
    spec = made("[{seedFrom: staging}]")["Cluster", "a-db"]["spec"]
    assert spec["bootstrap"] == {"recovery": {"source": "source", "database": "app", "owner": "app"}}
    assert spec["externalClusters"][0]["plugin"]["parameters"] == {"barmanObjectName": "backups", "serverName": "a-db"}
    assert "plugins" not in spec, "nothing of a preview is written to where the source keeps its backups"


def test_it_is_filled_over_the_network() -> None:
    where = platform({"database": {"seeding": {"method": "import", "secret": "staging-reader"}}})
    spec = made("[{seedFrom: staging}]", where=where)["Cluster", "a-db"]["spec"]
    assert spec["bootstrap"]["initdb"]["import"]["databases"] == ["app"]
    source = spec["externalClusters"][0]
    assert source["connectionParameters"]["host"] == "a-db-rw.a-staging.svc"
    assert source["password"] == {"name": "staging-reader", "key": "password"}


BY_JOB = {"database": {"seeding": {"method": "job", "image": "ghcr.io/acme/copy:2", "secret": "copy"}}}


def prepare(found: Mapping[tuple[str, str], Any]) -> Any:
    (job,) = [obj for (kind, _), obj in found.items() if kind == "Job"]
    return job


def test_it_is_filled_by_a_job_and_its_service_waits() -> None:
    found = made("[{seedFrom: staging}]", where=platform(BY_JOB))
    pod = prepare(found)["spec"]["template"]["spec"]
    assert [(one["name"], one["image"]) for one in pod["initContainers"]] == [
        ("await-database", "ghcr.io/cloudnative-pg/postgresql:17"),
        ("step-1", "ghcr.io/acme/copy:2"),
    ]
    assert pod["initContainers"][1]["envFrom"] == [{"secretRef": {"name": "copy"}}]
    assert {"name": "SEED_FROM", "value": "staging"} in pod["initContainers"][1]["env"]
    assert pod["containers"][0]["name"] == "mark"
    gate = found["Deployment", "a"]["spec"]["template"]["spec"]["initContainers"][0]
    assert gate["name"] == "await-database"
    assert token(gate) == token(pod["containers"][0])
    assert "initContainers" not in found["Deployment", "b"]["spec"]["template"]["spec"], "it has no database"
    assert found["NetworkPolicy", "a-db.visitors"]["spec"]["egress"] == [{}], "its data has to come from somewhere"


def token(container: Any) -> str:
    return str(next(one["value"] for one in container["env"] if one["name"] == "TOKEN"))


PERSONAL = {"personal_data": True}


def test_personal_data_is_masked_before_its_service_starts() -> None:
    where = platform(PERSONAL, masking=MASKING)
    found = made("[{seedFrom: staging}]", where=where)
    pod = prepare(found)["spec"]["template"]["spec"]
    assert [one["image"] for one in pod["initContainers"]][1:] == ["ghcr.io/acme/mask:4"]
    assert {"name": "MASKING_VERSION", "value": "4"} in pod["initContainers"][1]["env"]
    assert found["Deployment", "a"]["spec"]["template"]["spec"]["initContainers"][0]["name"] == "await-database"
    egress = found["NetworkPolicy", "a-db.visitors"]["spec"]["egress"]
    assert [rule["ports"] for rule in egress][1:] == [[{"protocol": "TCP", "port": 5432}]], "it reaches nothing else"
    seen = looked_at("[{seedFrom: staging}]", where=where)
    assert seen.masked == "4"
    assert seen.notes[0] == "The database of a is filled from staging, masked by version 4."


def test_one_job_fills_and_then_masks() -> None:
    found = made("[{seedFrom: staging}]", where=platform(BY_JOB | PERSONAL, masking=MASKING))
    pod = prepare(found)["spec"]["template"]["spec"]
    assert [one["image"] for one in pod["initContainers"]][1:] == ["ghcr.io/acme/copy:2", "ghcr.io/acme/mask:4"]


def test_other_rules_are_another_job_and_pods_wait_for_that_one() -> None:
    jobs, waits = [], []
    for version in ("4", "5"):
        found = made("[{seedFrom: staging}]", where=platform(PERSONAL, masking=MASKING | {"version": version}))
        jobs.append(prepare(found)["metadata"]["name"])
        waits.append(token(found["Deployment", "a"]["spec"]["template"]["spec"]["initContainers"][0]))
    assert len(set(jobs)) == len(set(waits)) == 2


def test_what_changes_around_a_job_changes_nothing_of_its_pods() -> None:
    """Kubernetes refuses another pod template of a Job that is there."""
    text = f"{HEAD.replace('name: pr-1', 'name: pr-1, labels: {acme.com/a: b}')}"
    document = read_environment(f"{text}spec: {{services: [{{name: a}}], databases: [{{seedFrom: staging}}]}}\n")
    jobs = [
        prepare({("Job", ""): obj})
        for team in ("team-a", "team-b")
        for asleep in (True, False)
        for obj in render_preview(document, BOTH, platform(BY_JOB), team=team, asleep=asleep)
        if obj["kind"] == "Job"
    ]
    plain = prepare(made("[{seedFrom: staging}]", where=platform(BY_JOB)))
    assert len(jobs) == 4
    assert all(job["spec"]["template"] == plain["spec"]["template"] for job in jobs)
    assert {job["metadata"]["name"] for job in jobs} == {plain["metadata"]["name"]}


def test_what_is_not_personal_is_masked_where_somebody_wishes() -> None:
    where = platform(masking=MASKING)
    assert looked_at("[{seedFrom: staging}]", where=where).masked == ""
    assert looked_at("[{seedFrom: staging, mask: true}]", where=where).masked == "4"


def test_no_preview_is_filled_unmasked() -> None:
    found = told("[{seedFrom: staging}]", where=platform(PERSONAL))
    assert found["spec.databases[0].seedFrom"].startswith(
        "staging holds personal data, and nothing masks it: no preview is filled unmasked."
    )
    assert "platform.previews.masking" in found["spec.databases[0].seedFrom"]
    assert "unmasked" in told("[{seedFrom: staging, mask: true}]")["spec.databases[0].seedFrom"]


def test_a_job_that_sleeps_is_suspended() -> None:
    document = read_environment(f"{HEAD}spec: {{services: [{{name: a}}], databases: [{{seedFrom: staging}}]}}\n")
    objects = render_preview(document, BOTH, platform(BY_JOB), asleep=True)
    (job,) = [obj for obj in objects if obj["kind"] == "Job"]
    assert job["spec"]["suspend"] is True  # type: ignore[index,call-overload]  # our objects are maps


@pytest.mark.parametrize("kind", ["Deployment", "CronJob"])
def test_every_pod_of_a_service_waits(kind: str) -> None:
    spec = "{image: 'a:b', database: {}, %s}" % ("schedule: '0 3 * * *'" if kind == "CronJob" else "worker: true")
    found = made("[{seedFrom: staging}]", services=BOTH | documents(SERVICE % ("a", spec)), where=platform(BY_JOB))
    spec_of = found[kind, "a"]["spec"]
    pod = (spec_of["jobTemplate"]["spec"] if kind == "CronJob" else spec_of)["template"]["spec"]
    assert pod["initContainers"][0]["name"] == "await-database"


def test_the_scripts_are_right_in_a_shell(tmp_path: Path) -> None:
    """`psql` is played: it notes what it is asked, and answers as a database that is marked at the second look."""
    psql = tmp_path / "psql"
    psql.write_text('#!/bin/sh\necho "$@" >>"$LOG"\n[ "$(grep -c prepared.where "$LOG")" != 1 ] && echo 1 || exit 2\n')
    psql.chmod(0o755)
    found = made("[{seedFrom: staging}]", where=platform(PERSONAL, masking=MASKING))
    pod = prepare(found)["spec"]["template"]["spec"]
    gate = found["Deployment", "a"]["spec"]["template"]["spec"]["initContainers"][0]
    log = tmp_path / "log"
    (tmp_path / "sleep").symlink_to("/bin/true")
    for container in (pod["initContainers"][0], pod["containers"][0], gate):
        env = {
            "PATH": f"{tmp_path}:/usr/bin:/bin",
            "LOG": str(log),
            "DATABASE_URL": "postgresql://u:p@h/app",
            "TOKEN": "t",
        }
        subprocess.run(container["command"], check=True, env=env, timeout=30)
    asked = log.read_text()
    assert "insert into causeway.prepared values ('t') on conflict do nothing" in asked
    assert asked.count("select 1 from causeway.prepared where token = 't'") == 2, "it looked again"


# --- refused


def test_a_seed_that_does_not_exist_is_told_with_those_there_are() -> None:
    assert told("[{seedFrom: stagin}]")["spec.databases[0].seedFrom"].endswith("did you mean `staging`?")
    assert "test, staging" in told("[{seedFrom: nowhere}]")["spec.databases[0].seedFrom"]


def test_a_service_without_a_database_there_is_told() -> None:
    assert told("[{service: b, seedFrom: staging}]") == {
        "spec.databases[0].seedFrom": "b has no database in staging; leave it out, or say `service`"
    }


@pytest.mark.parametrize("forgotten", [{"database": {}}, PERSONAL])
def test_what_the_platform_has_forgotten_keeps_nobody_from_sleeping(forgotten: Mapping[str, Any]) -> None:
    """It was filled when it was made, and masked by the rules of then."""
    where = platform(forgotten)
    assert told("[{seedFrom: staging}]", where=where)
    (store,) = looked_at("[{seedFrom: staging}]", where=where, standing=True).stores
    assert (store.service, store.seed, store.masking) == ("a", None, None)


def test_a_term_that_was_allowed_once_is_no_mistake_of_what_stands() -> None:
    document = read_environment(f"{HEAD}spec: {{ttl: 60d, services: [{{name: a}}]}}\n")
    assert outline(document, BOTH, platform(), standing=True)
    with pytest.raises(Invalid):
        outline(document, BOTH, platform())


def test_an_environment_that_nothing_is_filled_from_is_told_with_who_could_allow_it() -> None:
    found = told("[{seedFrom: staging}]", where=platform({"database": {}}))["spec.databases[0].seedFrom"]
    assert found == (
        "Nothing is filled from the databases of staging. The platform team says how with "
        "`platform.environments.staging.database.seeding`."
    )


def test_a_seed_larger_than_its_target_is_refused() -> None:
    services = documents(SERVICE % ("a", "{image: 'a:b', database: {size: medium}}"))
    found = told("[{seedFrom: staging, size: small}]", services=services, named="[{name: a}]")
    assert found == {
        "spec.databases[0].size": "`small` has room for 10Gi, and the database of a in staging has 50Gi; "
        "write `medium`, or leave it out"
    }


def test_what_was_read_of_the_source_wins_over_its_document() -> None:
    where = platform()
    database = documents(SERVICE % ("b", "{database: {size: large, version: 15}}"))["b"].spec.database
    source = store_for(service="b", team="t", environment="staging", platform=where, document=database)
    assert source is not None
    found = looked_at("[{service: b, seedFrom: staging}]", where=where, sources={"b": source})
    (store,) = [store for store in found.stores if store.service == "b"]
    assert (store.size_name, store.version) == ("large", 15)


def test_a_size_that_the_platform_has_not_is_told_where_it_is_written() -> None:
    assert set(told("[{size: hug}]")) == {"spec.databases[0].size"}
    services = documents(SERVICE % ("a", "{image: 'a:b', database: {size: hug}}"))
    assert set(told("[]", services=services, named="[{name: a}]")) == {"a: spec.database.size"}


def test_an_engine_that_nobody_makes_is_told() -> None:
    assert "nobody makes MySQL" in told("[{type: mysql}]")["spec.databases[0].type"]


def test_the_password_of_a_source_is_nobody_s() -> None:
    services = documents(SERVICE % ("a", "{image: 'a:b', secrets: [{secret: copy}]}"))
    found = told("[]", services=services, named="[{name: a}]", where=platform(BY_JOB, secrets=True))
    assert found == {"a: spec.secrets[0].secret": "`copy` is what databases are filled with; no service may read it"}


def test_no_value_of_a_document_reaches_a_script() -> None:
    found = made("[{seedFrom: staging}]", where=platform(PERSONAL, masking=MASKING))
    scripts = [one["command"][2] for one in prepare(found)["spec"]["template"]["spec"]["containers"]]
    assert scripts
    assert all(re.fullmatch(r"[^`]*", script) and "a-db" not in script for script in scripts)


def test_a_cloud_s_database_goes_with_its_preview() -> None:
    where = Platform.model_validate(
        {"environments": {"test": {"database": {"provider": "crossplane"}}}, "previews": {"base": "test"}}
    )
    (instance,) = [obj for (kind, _), obj in made("[]", where=where).items() if kind == "RDSInstance"]
    assert instance["metadata"]["name"] == "a-pr-1"
    told_aws = instance["spec"]["forProvider"]
    assert (told_aws["deletionProtection"], told_aws["skipFinalSnapshotBeforeDeletion"]) == (False, True)
    assert "finalDBSnapshotIdentifier" not in told_aws


def test_a_database_that_is_a_file_in_git_would_outlive_its_preview() -> None:
    where = Platform.model_validate(
        {
            "environments": {"test": {"database": {"provider": "git", "file": {"template": "database.tf.j2"}}}},
            "previews": {"base": "test", "delivery": "gitops"},
            "gitops": {"repository": "acme/gitops"},
        }
    )
    assert "no preview can have one" in told("[]", where=where)["a: spec.database"]
    assert "no preview can have one" in told("[{}]", where=where)["spec.databases[0]"]
