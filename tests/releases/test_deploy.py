"""Deploys and promotions, from the request to what stands in Git."""

from __future__ import annotations

import pytest
import yaml

from bot.effects import AwaitBuild, AwaitHealthy, CommitFiles, RecordDeployment
from bot.errors import Conflict, Invalid, NotFound, Refused, UsageError
from bot.model.release import Freeze
from tests.releases.house import GITOPS, SOURCE, House, document, effects, ids


async def test_a_first_deploy_makes_project_application_and_objects_in_one_commit(house: House) -> None:
    plan = await house.do("service.deploy", service="orders-api")
    assert ids(plan) == [
        *("await-build", "record", "join-project", "retire", "deliver", "refresh-root", "refresh"),
        *("await-healthy", "conclude"),
    ]
    assert next(effect for effect in effects(plan) if isinstance(effect, AwaitHealthy)).first
    assert (plan.environment, plan.lane, plan.owner) == (
        "staging",
        "deploy:orders-api/staging",
        "group:default/team-orders",
    )
    application = yaml.safe_load(house.files()["argocd/applications/orders-api-staging.yaml"])
    assert application["spec"]["source"] == {
        "repoURL": (await house.forge.repository(GITOPS)).clone_url,  # type: ignore[union-attr]  # it is there
        "path": "apps/orders-api/staging",
        "targetRevision": "main",
    }
    assert application["spec"]["destination"] == {
        "server": "https://kubernetes.default.svc",
        "namespace": "orders-api-staging",
    }
    assert application["spec"]["syncPolicy"]["automated"] == {"prune": True, "selfHeal": True}
    project = yaml.safe_load(house.files()["argocd/projects/team-orders.yaml"])
    assert [one["namespace"] for one in project["spec"]["destinations"]] == ["orders-api-staging"]
    assert house.object("Deployment")["kind"] == "Deployment"


async def test_the_commit_is_the_requesters_and_the_release_says_who_and_which(house: House) -> None:
    commit = house.push("Add orders", replicas=3)
    await house.do("service.deploy", service="orders-api")
    release = house.release()
    assert release.current is not None
    assert (release.current.version.commit, release.current.by) == (commit, "user:default/author")
    assert release.current.version.image == f"ghcr.io/acme/orders-api:{commit}"
    head = await house.forge.branch_head(GITOPS, "main")
    assert head is not None
    assert head.author == "Sample Author"
    assert head.message.startswith(f"Deploy orders-api {commit[:7]} to staging")


async def test_the_same_facts_give_the_same_digest(house: House) -> None:
    one = await house.plan("service.deploy", service="orders-api")
    house.asked -= 1
    assert (await house.plan("service.deploy", service="orders-api")).digest == one.digest


async def test_a_second_deploy_tells_commits_settings_and_migrations(house: House) -> None:
    await house.do("service.deploy", service="orders-api")
    house.push("Keep two decimals", replicas=4, env={"LOG_LEVEL": "debug"})
    house.push(
        "Add a column",
        replicas=4,
        env={"LOG_LEVEL": "debug"},
        files={"app/migrations/0007_column.py": b"# one column more"},
    )
    plan = await house.plan("service.deploy", service="orders-api")
    told = "\n".join(plan.highlights)
    assert "Brings 2 commits:" in told
    assert "Keep two decimals" in told
    assert "• replicas: 2 → 4" in told
    assert "• env.LOG_LEVEL: (not set) → debug" in told
    assert "Database migrations are touched: app/migrations/0007_column.py." in told
    assert any(detail.title == "deployment-orders-api.yaml" and "+" in detail.text for detail in plan.details)
    assert "join-project" not in ids(plan)
    assert "retire" not in ids(plan)


async def test_what_runs_already_is_not_deployed_again(house: House) -> None:
    await house.do("service.deploy", service="orders-api")
    with pytest.raises(Conflict, match="runs in staging already"):
        await house.plan("service.deploy", service="orders-api")


async def test_an_unknown_version_is_answered_with_the_newest(house: House) -> None:
    with pytest.raises(NotFound, match="The newest are `"):
        await house.plan("service.deploy", service="orders-api", version="v9")


async def test_a_short_commit_and_a_tag_name_the_same_version(house: House) -> None:
    commit = house.push("Tagged", replicas=2)
    house.forge.change(SOURCE, tags={"v1.4.2": commit})
    for wanted in ("v1.4.2", "1.4.2", commit[:7], commit):
        plan = await house.plan("service.deploy", service="orders-api", version=wanted)
        assert plan.summary == "Deploy orders-api v1.4.2 to staging"


async def test_objects_that_are_no_longer_rendered_are_deleted(house: House) -> None:
    house.push(replicas=2, ingress={"host": "orders.acme.example"})
    await house.do("service.deploy", service="orders-api")
    assert "apps/orders-api/staging/ingress-orders-api.yaml" in house.files()
    house.push("A worker now", worker=True)
    plan = await house.do("service.deploy", service="orders-api")
    commit = next(effect for effect in effects(plan) if isinstance(effect, CommitFiles))
    assert "apps/orders-api/staging/ingress-orders-api.yaml" in commit.deleted
    assert "apps/orders-api/staging/ingress-orders-api.yaml" not in house.files()


@pytest.mark.parametrize("command", ["service.deploy", "service.restart"])
async def test_the_same_request_is_the_same_plan_whenever_it_is_asked(house: House, command: str) -> None:
    if command == "service.restart":
        await house.do("service.deploy", service="orders-api")
    house.later(minutes=1)
    shown = await house.plan(command, service="orders-api")
    house.later(minutes=1)
    assert (await house.plan(command, service="orders-api")).digest == shown.digest


async def test_a_host_of_another_service_is_refused_before_anything_happens(house: House) -> None:
    house.forge.push(
        GITOPS,
        {
            "apps/shop/staging/ingress-shop.yaml": yaml.safe_dump(
                {"kind": "Ingress", "spec": {"rules": [{"host": "orders.acme.example"}]}}
            ).encode()
        },
    )
    house.push(replicas=2, ingress={"host": "orders.acme.example"})
    with pytest.raises(Conflict, match=r"orders\.acme\.example belongs to shop in staging"):
        await house.plan("service.deploy", service="orders-api")


async def test_the_card_warns_of_a_host_that_the_service_has_in_another_environment_of_the_cluster(
    house: House,
) -> None:
    house.push(replicas=2, ingress={"host": "orders.acme.example"})
    first = await house.do("service.deploy", service="orders-api")
    assert first.highlights == ("The first version of orders-api in staging.",)
    plan = await house.plan("service.promote", service="orders-api")
    assert plan.highlights[0] == "The first version of orders-api in production."
    assert plan.highlights[1].startswith("orders.acme.example is its address in staging too")
    own = {"production": {"ingress": {"host": "shop.acme.example"}}}
    house.push(replicas=2, ingress={"host": "orders.acme.example"}, environments=own)
    await house.do("service.deploy", service="orders-api")
    assert len((await house.plan("service.promote", service="orders-api")).highlights) == 1


async def test_in_a_channel_an_environment_may_stand_alone(house: House) -> None:
    await house.do("service.deploy", service="orders-api")
    plan = await house.plan("service.freeze", channel="C-ORDERS", service="staging", reason="because of the sale")
    assert plan.summary == "Freeze orders-api in staging: because of the sale"
    with pytest.raises(UsageError, match="Which service"):
        await house.plan("service.freeze", channel="C-OTHER", service="staging", reason="x")


async def test_a_wrong_document_is_refused_with_every_mistake(house: House) -> None:
    house.push(replicas="many", size="gigantic")
    with pytest.raises(Invalid) as refused:
        await house.plan("service.deploy", service="orders-api")
    assert any(mistake.path == "spec.replicas" for mistake in refused.value.mistakes)


async def test_a_repository_without_a_document_says_what_to_add(house: House) -> None:
    house.forge.push(SOURCE, {"platform.yaml": document("other", replicas=1)})
    with pytest.raises(Invalid, match="does not describe orders-api"):
        await house.plan("service.deploy", service="orders-api")


async def test_another_image_waits_for_no_build(house: House) -> None:
    house.push(image="docker.io/library/nginx:1.27")
    plan = await house.plan("service.deploy", service="orders-api")
    assert not any(isinstance(effect, AwaitBuild) for effect in effects(plan))
    health = next(effect for effect in effects(plan) if isinstance(effect, AwaitHealthy))
    assert health.image == "docker.io/library/nginx:1.27"


async def test_a_freeze_refuses_a_deploy_and_says_how_it_ends(house: House) -> None:
    await house.do("service.freeze", service="orders-api", reason="The sale begins")
    with pytest.raises(Refused, match=r"frozen by author: The sale begins\..*unfreeze"):
        await house.plan("service.deploy", service="orders-api")
    assert house.release().freeze == Freeze(reason="The sale begins", by="user:default/author", at=house.now)
    assert "argocd/applications/orders-api-staging.yaml" not in house.files(), "a freeze deploys nothing"
    await house.do("service.unfreeze", service="orders-api")
    await house.do("service.deploy", service="orders-api")


async def test_a_freeze_with_a_term_ends_by_itself(house: House) -> None:
    await house.do("service.freeze", service="orders-api", reason="Weekend", span="2d")
    assert house.agenda.appointments["unfreeze:orders-api/staging"]["command"] == "service.unfreeze"
    house.later(days=3)
    await house.plan("service.deploy", service="orders-api")


async def test_without_a_name_the_channels_only_service_is_meant(house: House) -> None:
    plan = await house.plan("service.deploy", channel="C-ORDERS")
    assert plan.summary.startswith("Deploy orders-api ")
    with pytest.raises(UsageError, match="Which service"):
        await house.plan("service.deploy", channel="C-OTHER")
    house.catalog += """
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: orders-mail, annotations: {github.com/project-slug: acme/orders-mail}}
spec: {type: service, lifecycle: production, owner: team-orders}
"""
    with pytest.raises(UsageError, match="`orders-api`, `orders-mail`"):
        await house.plan("service.deploy", channel="C-ORDERS")


async def test_promotion_brings_the_same_version_to_the_next_environment(house: House) -> None:
    await house.do("service.deploy", service="orders-api")
    running = house.release().current
    house.push("Not promoted yet", replicas=2)
    plan = await house.do("service.promote", service="orders-api")
    promoted = house.release("production").current
    assert running is not None
    assert promoted is not None
    assert promoted.version == running.version
    assert (plan.environment, plan.lane) == ("production", "deploy:orders-api/production")
    project = yaml.safe_load(house.files()["argocd/projects/team-orders.yaml"])
    assert [one["namespace"] for one in project["spec"]["destinations"]] == [
        "orders-api-production",
        "orders-api-staging",
    ]
    record = next(effect for effect in effects(plan) if isinstance(effect, RecordDeployment))
    assert record.environment == "production"


async def test_promotion_says_where_it_cannot_go(house: House) -> None:
    with pytest.raises(Conflict, match="never been deployed to staging"):
        await house.plan("service.promote", service="orders-api")
    with pytest.raises(UsageError, match="last environment"):
        await house.plan("service.promote", service="orders-api", source="production")
    with pytest.raises(UsageError, match="Nothing comes before staging"):
        await house.plan("service.promote", service="orders-api", environment="staging")
    with pytest.raises(NotFound, match="There are: staging, production"):
        await house.plan("service.promote", service="orders-api", environment="moon")


async def test_undoing_a_first_deploy_leaves_nothing_of_it(house: House) -> None:
    before = house.files()
    plan = await house.do("service.deploy", service="orders-api")
    assert house.files() != before
    await house.undo(plan)
    assert house.files() == before


async def test_undo_keeps_what_the_teams_other_service_has_added_to_the_project(house: House) -> None:
    plan = await house.do("service.deploy", service="orders-api")
    project = house.files()["argocd/projects/team-orders.yaml"].replace(
        "  destinations:\n",
        "  destinations:\n  - namespace: other-staging\n    server: https://kubernetes.default.svc\n",
    )
    house.forge.push(GITOPS, {"argocd/projects/team-orders.yaml": project.encode()})
    await house.undo(plan)
    left = yaml.safe_load(house.files()["argocd/projects/team-orders.yaml"])
    assert [one["namespace"] for one in left["spec"]["destinations"]] == ["other-staging"]
