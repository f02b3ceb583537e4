"""What an Environment becomes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from bot.errors import Invalid
from bot.model.platform import Platform
from bot.model.previews import Quota
from bot.model.web_service import WebService
from bot.rendering.documents import read
from bot.rendering.environments import read_environment
from bot.rendering.kinds import model_of
from bot.rendering.previews import outline, render_preview
from bot.rendering.printing import to_stream
from bot.rendering.render import render
from tests.golden import assert_golden
from tests.rendering.environment_examples import (
    CASES,
    COMMIT,
    PLATFORM,
    ROLLOUTS,
    documents,
    preview_objects,
)

HEAD = "apiVersion: environments.platform.io/v1\nkind: Environment\nmetadata: {name: pr-1}\n"
SERVICE = "apiVersion: platform.company.io/v1\nkind: WebService\nmetadata: {name: %s}\nspec: %s\n"


def made(case: str, platform: Platform = PLATFORM) -> dict[tuple[str, str], Any]:
    return by_name(preview_objects(case, platform))


def by_name(objects: Any) -> dict[tuple[str, str], Any]:
    return {(str(obj["kind"]), obj["metadata"]["name"]): obj for obj in objects}


def rendered(
    spec: str,
    services: Mapping[str, WebService] | None = None,
    platform: Platform = PLATFORM,
    **options: Any,
) -> dict[tuple[str, str], Any]:
    document = read_environment(f"{HEAD}spec: {spec}\n")
    return by_name(render_preview(document, services or {}, platform, team="team-shop", **options))


def told(spec: str, services: Mapping[str, WebService] | None = None, platform: Platform = PLATFORM) -> dict[str, str]:
    with pytest.raises(Invalid) as wrong:
        rendered(spec, services, platform)
    return {mistake.path: mistake.message for mistake in wrong.value.mistakes}


def platform_with(**previews: Any) -> Platform:
    assert PLATFORM.previews is not None
    return PLATFORM.model_copy(update={"previews": PLATFORM.previews.model_copy(update=previews)})


@pytest.mark.parametrize("case", CASES)
def test_previews_are_what_was_agreed_on(case: str) -> None:
    assert_golden(f"previews/{case}.yaml", to_stream(preview_objects(case)))


@pytest.mark.parametrize("case", CASES)
def test_every_object_is_of_a_kind_that_we_know_in_the_preview_s_namespace(case: str) -> None:
    objects = preview_objects(case)
    name = read_environment(CASES[case][0]).name
    for obj in objects:
        model = model_of(str(obj["apiVersion"]), str(obj["kind"]))
        assert model is not None
        model.model_validate(obj)
        assert obj["metadata"].get("namespace", name) == name
        assert obj["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "causeway"
    assert [obj["kind"] for obj in objects if "namespace" not in obj["metadata"]] == ["Namespace"]


def test_the_namespace_is_restricted_and_says_whose_it_is() -> None:
    labels = made("shop")["Namespace", "new-checkout"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert labels["causeway.io/preview"] == "new-checkout"
    assert (labels["causeway.io/team"], labels["causeway.io/secrets"]) == ("team-shop", "wanted")
    assert made("shop-of-a-fork")["Namespace", "new-checkout"]["metadata"]["labels"]["causeway.io/secrets"] == "none"


def test_the_quota_is_the_platform_s() -> None:
    hard = made("shop")["ResourceQuota", "preview"]["spec"]["hard"]
    assert (hard["requests.cpu"], hard["requests.storage"], hard["pods"]) == ("4", "300Gi", "50")
    assert (hard["services.loadbalancers"], hard["services.nodeports"]) == ("0", "0")


def test_nothing_gets_in_or_out_but_what_a_service_s_own_policy_opens() -> None:
    found = made("design")
    assert found["NetworkPolicy", "preview.causeway"]["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
    }
    assert ("NetworkPolicy", "frontend") in found


def test_services_whose_document_nobody_knows_may_call_each_other() -> None:
    egress = made("design")["NetworkPolicy", "frontend"]["spec"]["egress"]
    assert {"app.kubernetes.io/name": "backend", "causeway.io/environment": "pr-123-preview"} in [
        target.get("podSelector", {}).get("matchLabels") for rule in egress for target in rule["to"]
    ]


def test_a_document_s_own_host_belongs_to_its_real_environment() -> None:
    text = to_stream(preview_objects("shop"))
    assert "acme.example" in text
    assert "shop.acme.example" not in text
    assert "host: api.acme.example" not in text
    rule = made("shop")["Ingress", "backend"]["spec"]["rules"][0]
    assert rule["host"] == "backend.new-checkout.preview.acme.example"
    assert rule["http"]["paths"][0]["path"] == "/api"


def test_without_a_domain_there_is_no_address() -> None:
    assert not [kind for kind, _ in made("shop", platform_with(domain="")) if kind == "Ingress"]


def test_one_of_each_runs_unless_the_document_says_more() -> None:
    found = made("shop")
    assert found["Deployment", "backend"]["spec"]["replicas"] == 1
    assert found["Deployment", "frontend"]["spec"]["replicas"] == 2
    assert not {"HorizontalPodAutoscaler", "PodDisruptionBudget"} & {kind for kind, _ in found}
    ceiling = told("{services: [{name: a, image: 'a:b', replicas: 4}]}")
    assert ceiling == {"spec.services[0].replicas": "4 is more than pr-1 allows; 3 is the most there"}


def test_what_the_document_says_of_the_base_counts_and_what_the_environment_says_wins() -> None:
    container = made("shop")["Deployment", "backend"]["spec"]["template"]["spec"]["containers"][0]
    env = {one["name"]: one.get("value") for one in container["env"]}
    assert (env["PAYMENTS"], env["LOG_LEVEL"]) == ("sandbox", "debug")
    assert container["image"] == f"ghcr.io/acme/backend:{COMMIT}"
    assert made("shop")["Deployment", "frontend"]["spec"]["template"]["spec"]["containers"][0]["image"] == (
        "ghcr.io/acme/frontend:pr-7"
    )


def test_labels_of_both_documents_stand_on_the_objects() -> None:
    labels = made("shop")["Deployment", "backend"]["metadata"]["labels"]
    assert (labels["acme.com/cost-center"], labels["causeway.io/team"]) == ("1", "team-orders")
    assert made("shop")["Deployment", "frontend"]["metadata"]["labels"]["causeway.io/team"] == "team-shop"


def test_no_schedule_runs_by_itself() -> None:
    assert made("shop")["CronJob", "report"]["spec"]["suspend"] is True


def test_a_team_is_not_woken_for_a_preview() -> None:
    monitored = PLATFORM.environment("staging").model_copy(
        update={"monitoring": PLATFORM.environment("production").monitoring}
    )
    platform = PLATFORM.model_copy(update={"environments": {**PLATFORM.environments, "staging": monitored}})
    kinds = {kind for kind, _ in made("shop", platform)}
    assert "ServiceMonitor" in kinds, "the base is monitored"
    assert "PrometheusRule" not in kinds
    assert "ServiceMonitor" not in {kind for kind, _ in made("shop")}


def secrets_of(found: dict[tuple[str, str], Any]) -> list[Any]:
    container = found["Deployment", "backend"]["spec"]["template"]["spec"]["containers"][0]
    named = [one["valueFrom"]["secretKeyRef"] for one in container["env"] if "valueFrom" in one]
    whole = [one["secretRef"] for one in container.get("envFrom", ())]
    return [one for one in (*whole, *named) if not one["name"].startswith("backend-db")]


def test_secrets_are_named_as_they_are_where_the_platform_provides_them() -> None:
    assert secrets_of(made("shop")) == [{"name": "mail"}, {"name": "stripe", "key": "api-key"}]


def test_else_services_start_without() -> None:
    assert secrets_of(made("shop", platform_with(secrets=False))) == [
        {"name": "mail", "optional": True},
        {"name": "stripe", "key": "api-key", "optional": True},
    ]


def test_a_fork_gets_no_secret_and_nobody_else_s_data() -> None:
    found = made("shop-of-a-fork")
    assert secrets_of(found) == []
    assert "initdb" in found["Cluster", "backend-db"]["spec"]["bootstrap"]
    assert not [kind for kind, _ in found if kind == "Job"]
    egress = json.dumps(found["NetworkPolicy", "backend"]["spec"]["egress"])
    assert "kafka" not in egress
    assert "0.0.0.0/0" in egress
    assert set(outlined("shop-of-a-fork").notes) >= {
        "Its databases begin empty: it shows a fork's source.",
        "Its services get no Secrets: it shows a fork's source.",
    }


def outlined(case: str) -> Any:
    text, services, how = CASES[case]
    return outline(read_environment(text), services, PLATFORM, ROLLOUTS, team="team-shop", fork=how.get("fork", False))


def test_a_service_that_is_not_there_is_the_base_s() -> None:
    found = made("shop")
    assert found["Service", "payments"]["spec"] == {
        "type": "ExternalName",
        "externalName": "payments.payments-staging.svc.cluster.local",
    }
    policy = found["NetworkPolicy", "payments.elsewhere"]["spec"]
    assert policy["podSelector"]["matchExpressions"][0]["values"] == ["backend", "report"]
    assert policy["egress"][0]["to"][0]["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "payments-staging"
    }
    assert "ports" not in policy["egress"][0], "one of the two may call any port"
    assert "payments is the one of staging" in " ".join(outlined("shop").notes)


def test_the_base_lets_in_those_of_a_preview_that_it_lets_in_itself() -> None:
    (document,) = documents(SERVICE % ("payments", "{image: 'a:b', callers: [backend]}")).values()
    rules = {}
    for environment in ("staging", "production"):
        objects = render(document, environment=environment, platform=PLATFORM)
        policy: Any = next(obj for obj in objects if obj["kind"] == "NetworkPolicy")
        rules[environment] = policy["spec"]["ingress"]
    (let_in,) = rules["staging"][-1]["from"]
    assert let_in["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "backend"}
    labels = made("shop")["Namespace", "new-checkout"]["metadata"]["labels"]
    (key,) = [one["key"] for one in let_in["namespaceSelector"]["matchExpressions"]]
    assert key in labels
    assert let_in["namespaceSelector"]["matchLabels"].items() <= labels.items()
    of_a_fork = made("shop-of-a-fork")["Namespace", "new-checkout"]["metadata"]["labels"]
    assert not let_in["namespaceSelector"]["matchLabels"].items() <= of_a_fork.items()
    assert "causeway.io/preview" not in json.dumps(rules["production"]), "previews take after staging"


@pytest.mark.parametrize("fork", [False, True])
def test_a_fork_speaks_to_no_program_of_the_cluster(fork: bool) -> None:  # a parameter of the test
    """Annotations of pods ask agents for secrets, or for a role in the cloud."""
    head = "{name: web, labels: {acme.com/use: agent}, annotations: {vault.hashicorp.com/agent-inject: 'true'}}"
    (web,) = read((SERVICE % ("web", "{image: 'web:1'}")).replace("{name: web}", head))
    found = rendered("{services: [{name: web}]}", {"web": web}, fork=fork)
    of_web = json.dumps([obj for (_, name), obj in found.items() if name == "web"])
    assert ("agent-inject" not in of_web, "acme.com/use" not in of_web) == (fork, fork)


def test_a_fork_s_services_reach_nothing_of_the_base() -> None:
    found = made("shop-of-a-fork")
    assert ("Service", "payments") not in found
    assert ("NetworkPolicy", "payments.elsewhere") not in found
    told = "backend, report calls payments, which a fork's preview does not reach: it is not among its services."
    assert told in outlined("shop-of-a-fork").notes


def test_the_base_s_service_of_another_team_is_found_in_that_team_s_namespace() -> None:
    staging = PLATFORM.environment("staging").model_copy(update={"namespace": "{team}-{environment}"})
    platform = PLATFORM.model_copy(update={"environments": {**PLATFORM.environments, "staging": staging}})
    services = documents(SERVICE % ("a", "{image: 'a:b', egress: [{service: payments}]}"))
    found = rendered("{services: [{name: a}]}", services, platform, owners={"payments": "team-money"})
    assert found["Service", "payments"]["spec"]["externalName"] == "payments.team-money-staging.svc.cluster.local"


def test_no_name_leads_into_another_cluster() -> None:
    platform = Platform.model_validate(
        {
            "clusters": {"default": {}, "small": {}},
            "environments": {"staging": {}},
            "previews": {"base": "staging", "cluster": "small"},
        }
    )
    services = documents(SERVICE % ("a", "{image: 'a:b', egress: [{service: payments}]}"))
    assert ("Service", "payments") not in rendered("{services: [{name: a}]}", services, platform)
    document = read_environment(f"{HEAD}spec: {{services: [{{name: a}}]}}\n")
    assert outline(document, services, platform).notes == (
        "a calls payments, which runs in another cluster: name it in the document to have it here.",
    )


def test_asleep_no_pod_is_left_and_nothing_else_changes() -> None:
    awake, asleep = made("shop"), made("shop-asleep")
    assert awake.keys() == asleep.keys()
    for (kind, name), obj in asleep.items():
        if kind == "Deployment":
            assert obj["spec"]["replicas"] == 0, name
        elif kind in ("CronJob", "Job"):
            assert obj["spec"]["suspend"] is True, name
        elif kind == "Cluster":
            assert obj["metadata"]["annotations"]["cnpg.io/hibernation"] == "on"
        else:
            assert obj == awake[kind, name]
    assert "annotations" not in awake["Cluster", "backend-db"]["metadata"]


def test_nothing_of_a_preview_is_kept_when_it_goes() -> None:
    text = to_stream(preview_objects("shop"))
    assert "Prune=false" not in text
    assert "sync-wave" not in text, "a wave waits for a database that sleeps"
    assert "causeway.io/protected" not in text


def test_a_config_map_that_only_real_environments_have_stops_nobody() -> None:
    volumes = made("shop")["Deployment", "backend"]["spec"]["template"]["spec"]["volumes"]
    assert {"name": "backend-settings", "optional": True} in [volume.get("configMap") for volume in volumes]


def test_one_pod_goes_before_the_next_one_comes() -> None:
    assert made("shop")["Deployment", "backend"]["spec"]["strategy"] == {"type": "Recreate"}


# --- what cannot be had


def test_an_image_that_nobody_names_is_asked_for() -> None:
    assert told("{services: [{name: a, image: 'a:b'}, {name: b}]}") == {
        "spec.services[1].image": "is missing, and no version is given whose image could be taken; write `name:tag`"
    }


def test_a_term_beyond_the_platform_s_is_refused_with_the_range() -> None:
    assert told("{ttl: 60d, services: [{name: a, image: 'a:b'}]}")["spec.ttl"] == (
        "`60d` is longer than 30d; write from 10m to 30d, such as `7d`"
    )


def test_all_mistakes_come_at_once() -> None:
    found = told(
        "{ttl: 60d, services: [{name: a}, {name: b, image: 'a:b', size: huge}, {name: c, image: 'a:b'}], "
        "databases: [{service: c, seedFrom: stagng}]}"
    )
    assert set(found) == {
        *("spec.ttl", "spec.services[0].image", "spec.services[1].size", "spec.databases[0].seedFrom"),
    }
    assert "did you mean `staging`?" in found["spec.databases[0].seedFrom"]


def test_what_is_wrong_with_a_service_s_document_is_told_with_its_name() -> None:
    services = documents(SERVICE % ("a", "{size: huge}"))
    assert set(told("{services: [{name: a, image: 'a:b'}]}", services)) == {"a: spec.size"}


def test_a_preview_larger_than_its_quota_is_refused_before_anything_is_made() -> None:
    platform = platform_with(quota=Quota(cpu="200m", memory="128Mi", storage="5Gi", pods=1))
    with pytest.raises(Invalid) as wrong:
        rendered("{services: [{name: a, image: 'a:b', replicas: 3}], databases: [{}]}", platform=platform)
    assert [mistake.message.partition(";")[0] for mistake in wrong.value.mistakes] == [
        "it needs 0.55 CPU, and a preview may have 0.2 CPU",
        "it needs 896Mi of memory, and a preview may have 128Mi of memory",
        "it needs 10Gi of disk, and a preview may have 5Gi of disk",
        "it needs 4 pods, and a preview may have 1",
    ]
    assert "the platform team can raise `platform.previews.quota.cpu`" in wrong.value.mistakes[0].message


def test_a_name_that_two_parts_want_is_told() -> None:
    services = documents(SERVICE % ("shop", "{cache: {}}"))
    found = told("{services: [{name: shop, image: 'a:b'}, {name: shop-cache, image: 'a:b'}]}", services)
    assert "`shop-cache` is what two of them want to be called" in found["spec.services"]


def test_a_name_that_the_database_s_operator_takes_is_told() -> None:
    services = documents(SERVICE % ("a", "{database: {}}"))
    found = told("{services: [{name: a, image: 'a:b'}, {name: a-db-rw, image: 'a:b'}]}", services)
    assert "`a-db-rw` is what two of them want to be called" in found["spec.services"]


def test_a_secret_of_a_preview_s_database_is_nobody_else_s() -> None:
    services = documents(SERVICE % ("thief", "{secrets: [{secret: backend-db-app}]}"))
    found = told("{services: [{name: thief, image: 'a:b'}, {name: backend, image: 'a:b'}]}", services)
    assert "belongs to a database of the preview" in found["thief: spec.secrets[0].secret"]


def test_a_document_that_does_not_fit_together_there_is_told_with_the_service_s_name() -> None:
    services = documents(SERVICE % ("a", "{env: {DATABASE_URL: x}}"))
    found = told("{services: [{name: a, image: 'a:b'}], databases: [{}]}", services)
    assert "is set by the platform" in found["a: spec.env.DATABASE_URL"]


def test_templates_of_the_platform_team_win(tmp_path: Any) -> None:
    (tmp_path / "limit_range.yaml.j2").write_text("# we have our own\n")
    platform = PLATFORM.model_copy(update={"templates": (tmp_path,)})
    assert ("LimitRange", "preview") not in made("design", platform)


def test_objects_share_nothing_with_the_next_rendering() -> None:
    first = preview_objects("shop")
    before = to_stream(preview_objects("shop"))
    for obj in first:
        obj["metadata"]["labels"]["changed"] = "yes"
        obj["metadata"].setdefault("annotations", {})["changed"] = "yes"
    assert to_stream(preview_objects("shop")) == before


def test_the_design_needs_nothing_but_itself() -> None:
    assert {name for kind, name in made("design") if kind == "Deployment"} == {"frontend", "backend"}
    assert made("design")["Ingress", "frontend"]["spec"]["rules"][0]["host"] == (
        "frontend.pr-123-preview.preview.acme.example"
    )
