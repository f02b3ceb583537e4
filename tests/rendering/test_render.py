"""What a document becomes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.errors import Invalid, NotFound
from bot.model.platform import Environment, Platform
from bot.rendering.documents import read
from bot.rendering.printing import files, to_stream, to_yaml
from bot.rendering.render import render
from bot.rendering.rollout import Rollout
from tests.golden import assert_golden
from tests.rendering.examples import ALONE, CASES, DESIGN, PLATFORM, ROLLOUT, SMALLEST, objects


def made(text: str, *, environment: str = "staging", platform: Platform = PLATFORM, rollout: Rollout = ROLLOUT) -> Any:
    """Return the objects by kind; of several of a kind, the first."""
    (document,) = read(text)
    found: dict[str, Any] = {}
    for obj in render(document, environment=environment, platform=platform, rollout=rollout):
        found.setdefault(str(obj["kind"]), obj)
    return found


def with_spec(text: str) -> str:
    """Return a document with this `spec`, written as one flow map."""
    return f"apiVersion: platform.company.io/v1\nkind: WebService\nmetadata: {{name: hello}}\nspec: {text}\n"


def mistakes(text: str, **how: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        made(text, **how)
    return {mistake.path: mistake.message for mistake in refused.value.mistakes}


@pytest.mark.parametrize("case", CASES)
def test_documents_become_what_was_agreed_on(case: str) -> None:
    assert_golden(f"rendering/{case}.yaml", to_stream(objects(case)))


def test_the_documents_of_the_design_become_every_kind() -> None:
    assert set(made(DESIGN)) == {
        *("Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy", "Ingress"),
        *("ServiceAccount", "Cluster", "Database"),
    }
    assert {"RDSInstance", "ServiceMonitor", "PrometheusRule"} <= set(made(DESIGN, environment="production"))


@pytest.mark.parametrize("case", CASES)
def test_the_same_input_gives_the_same_bytes(case: str) -> None:
    assert files(objects(case)) == files(objects(case))


@pytest.mark.parametrize("case", CASES)
def test_each_object_has_a_file_of_its_own_and_reads_back(case: str) -> None:
    rendered = objects(case)
    written = files(rendered)
    assert len(written) == len(rendered)
    assert [yaml.safe_load(text) for text in written.values()] == [dict(obj) for obj in rendered]


def test_file_names_say_kind_and_name() -> None:
    assert "deployment-user-api.yaml" in files(objects("design"))
    assert "cluster-user-api-db.yaml" in files(objects("design"))


@pytest.mark.parametrize("case", CASES)
def test_every_object_says_whose_it_is(case: str) -> None:
    _, environment, _ = CASES[case]
    for obj in objects(case):
        labels = obj["metadata"]["labels"]
        assert labels["app.kubernetes.io/managed-by"] == "causeway"
        assert labels["causeway.io/environment"] == environment
        assert labels["causeway.io/team"] == "team-orders"
        assert labels["app.kubernetes.io/version"]


def test_an_image_is_completed_with_registry_and_owner() -> None:
    image = made(DESIGN)["Deployment"]["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == "ghcr.io/acme/user-api:latest"


def test_the_image_of_the_release_wins() -> None:
    container = made(DESIGN, rollout=Rollout(image="ghcr.io/acme/user-api@sha256:" + "0" * 64))
    spec = container["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    assert spec["image"].endswith("0" * 64)
    assert spec["imagePullPolicy"] == "IfNotPresent"


def test_a_document_without_image_needs_a_release() -> None:
    assert "spec.image" in mistakes(SMALLEST)


def test_load_may_double_what_is_asked_for_within_the_ceiling() -> None:
    scaler = made(DESIGN)["HorizontalPodAutoscaler"]["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (3, 4)
    assert "replicas" not in made(DESIGN)["Deployment"]["spec"], "delivery would fight the autoscaler"


def test_a_number_that_a_person_asked_for_stands_still() -> None:
    found = made(DESIGN, rollout=Rollout(replicas=4))
    assert found["Deployment"]["spec"]["replicas"] == 4
    assert "HorizontalPodAutoscaler" not in found


@pytest.mark.parametrize("replicas", [0, 1])
def test_one_replica_stays_alone_and_blocks_no_drain(replicas: int) -> None:
    found = made(with_spec(f"{{image: a:b, replicas: {replicas}}}"))
    assert found["Deployment"]["spec"]["replicas"] == replicas
    assert {"HorizontalPodAutoscaler", "PodDisruptionBudget"}.isdisjoint(found)


def test_a_disk_for_one_pod_is_never_mounted_by_two() -> None:
    found = made(ALONE)
    assert found["Deployment"]["spec"]["strategy"] == {"type": "Recreate"}
    assert found["PersistentVolumeClaim"]["spec"]["accessModes"] == ["ReadWriteOnce"]


def test_a_service_without_a_host_answers_below_the_environment_s_domain() -> None:
    found = made(with_spec("{image: a:b}"))
    assert found["Ingress"]["spec"]["rules"][0]["host"] == "hello.staging.acme.example"
    assert "Ingress" not in made(ALONE), "it said that it wants no address"
    assert "Ingress" not in made(with_spec("{image: a:b}"), platform=Platform())


def test_an_address_that_nobody_can_make_is_asked_for() -> None:
    told = mistakes(with_spec("{image: a:b, ingress: {}}"), platform=Platform())
    assert told == {
        "spec.ingress.host": "is missing, and staging has no domain to make one of; write a host name",
    }


def test_workers_and_jobs_take_no_requests() -> None:
    for case in ("worker", "nightly"):
        kinds = {str(obj["kind"]) for obj in objects(case)} - {"Service"}
        assert {"Ingress", "ServiceMonitor"}.isdisjoint(kinds)
    policy = made(with_spec("{image: a:b, worker: true}"))["NetworkPolicy"]["spec"]
    assert "ingress" not in policy or policy["ingress"] == []


def test_secrets_are_named_and_never_written() -> None:
    text = to_stream(objects("everything"))
    assert "secretKeyRef" in text
    assert "kind: Secret\n" not in text


def test_an_environment_s_words_are_laid_over_the_rest() -> None:
    text = with_spec("{image: a:b, env: {A: x, B: w}, environments: {production: {replicas: 6, env: {B: z}}}}")
    env = made(text, environment="production")["Deployment"]["spec"]["template"]["spec"]["containers"][0]["env"]
    assert env == [{"name": "A", "value": "x"}, {"name": "B", "value": "z"}]
    assert made(text, environment="production")["HorizontalPodAutoscaler"]["spec"]["minReplicas"] == 6
    assert made(text)["HorizontalPodAutoscaler"]["spec"]["minReplicas"] == 2


def test_null_takes_away_and_one_way_to_scale_replaces_the_other() -> None:
    text = with_spec(
        "{image: a:b, replicas: 2, database: {}, "
        "environments: {staging: {database: null, autoscaling: {min: 3, max: 4}}}}"
    )
    found = made(text)
    assert "Cluster" not in found
    assert found["HorizontalPodAutoscaler"]["spec"]["minReplicas"] == 3


def test_what_the_platform_does_not_have_or_allow_is_said_all_at_once() -> None:
    text = with_spec(
        "{image: a:b, size: huge, replicas: 9, database: {size: smal}, cache: {size: tiny}, "
        "environments: {prodution: {replicas: 1}}}"
    )
    found = mistakes(text)
    assert found["spec.replicas"] == "9 is more than staging allows; 4 is the most there"
    assert set(found) == {
        *("spec.size", "spec.replicas", "spec.database.size", "spec.cache.size", "spec.environments.prodution"),
    }
    assert "did you mean `production`?" in found["spec.environments.prodution"]
    assert "did you mean `small`?" in found["spec.database.size"]


def test_an_environment_has_a_largest_size() -> None:
    platform = PLATFORM.model_copy(update={"environments": {"staging": Environment(largest_size="small")}})
    assert (
        "is more than staging allows"
        in mistakes(with_spec("{image: a:b, size: medium}"), platform=platform)["spec.size"]
    )
    made(with_spec("{image: a:b, size: small}"), platform=platform)


def test_scaling_by_hand_stays_below_the_ceiling() -> None:
    assert "replicas" in mistakes(DESIGN, rollout=Rollout(replicas=5))


def test_an_unknown_environment_is_named_with_those_there_are() -> None:
    with pytest.raises(NotFound, match="staging, production"):
        made(DESIGN, environment="live")


def test_objects_share_nothing_that_can_be_changed() -> None:
    first, *others = objects("design")
    first["metadata"]["labels"]["causeway.io/team"] = "changed"
    assert "changed" not in to_stream(others)


def test_text_with_every_sign_reads_back() -> None:
    odd = [
        "a: b",
        "- x",
        "#",
        "'",
        '"',
        "\\",
        "\t",
        "\n",
        "é",
        "😀",
        "\x7f",
        "\x85",
        "\u2028",
        "\ufeff",
        "1e3",
        "0x1",
        "012",
    ]
    odd += [
        "yes",
        "No",
        "~",
        "",
        " ",
        "null",
        "12:30",
        "2026-11-25",
        "=",
        "<<",
        "*a",
        "&a",
        "{{",
        "%",
        "@",
        "`",
        "|",
        "1_000",
    ]
    value: Any = {"values": odd, **dict.fromkeys(odd, "x")}
    assert yaml.safe_load(to_yaml(value)) == value


def test_the_shipped_documents_of_the_golden_paths_render() -> None:
    skeletons = Path("manifests/golden_paths").glob("*/skeleton/platform.yaml")
    for skeleton in skeletons:
        text = skeleton.read_text().replace("${{ values.name | dump }}", '"shop"').replace("${{ values.name }}", "shop")
        made(text.replace("${{ values.organisation | lower }}", "acme").replace("${{ values.organisation }}", "acme"))
