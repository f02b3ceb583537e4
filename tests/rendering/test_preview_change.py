"""From a preview's release to its change, by Git and straight to the cluster."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from bot.effects import ApplyObjects, CommitFiles, JoinProject
from bot.errors import Invalid
from bot.model.canonical import JSON
from bot.model.plan import Revision
from bot.model.previews import PreviewTerms, PullRequestSource
from bot.model.release import Release
from bot.rendering.delivery import Change, Standing, deliver
from bot.rendering.environments import read_environment
from bot.rendering.previews import place_of, preview_change, preview_outline
from tests.rendering.environment_examples import BACKEND, FRONTEND, NIGHTLY, PLATFORM, ROLLOUTS, SHOP, documents

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
TERMS = PreviewTerms(by="user:default/ann", created_at=NOW, expires_at=NOW + timedelta(days=3))
SERVICES = documents(FRONTEND, BACKEND, NIGHTLY)
REPO_URL = "https://github.com/acme/gitops.git"
STANDING = Standing(release=None, revision=Revision(of="x", at="absent"))
SOURCE = PullRequestSource(repository="acme/backend", number=7, head="a" * 40, fork=True)


def release(**terms: Any) -> Release:
    return Release(
        service="preview",
        environment="new-checkout",
        team="team-shop",
        repository="acme/backend",
        document=read_environment(SHOP).written(),
        preview=TERMS.model_copy(update=terms),
    )


def change(kept: Release | None = None, delivery: str = "direct") -> Change:
    assert PLATFORM.previews is not None
    previews = PLATFORM.previews.model_copy(update={"delivery": delivery})
    gitops = PLATFORM.gitops.model_copy(update={"repository": "acme/gitops"})
    platform = PLATFORM.model_copy(update={"previews": previews, "gitops": gitops})
    place = place_of(platform, "new-checkout", "team-shop")
    return preview_change(place, kept or release(), SERVICES, summary="Show it", rollouts=ROLLOUTS)


def kinds(found: Change) -> set[str]:
    return {str(obj["kind"]) for obj in found.objects}


def test_the_release_alone_tells_what_the_preview_becomes() -> None:
    found = change()
    assert {"Deployment", "Cluster", "ResourceQuota", "LimitRange", "NetworkPolicy", "Ingress", "Job"} <= kinds(found)
    assert found.files.keys() == {f"{obj['kind'].lower()}-{obj['metadata']['name']}.yaml" for obj in found.objects}  # type: ignore[union-attr,index,call-overload]  # our objects are maps
    assert change().files == found.files


def replicas(found: Change) -> set[JSON]:
    return {obj["spec"]["replicas"] for obj in found.objects if obj["kind"] == "Deployment"}  # type: ignore[index,call-overload]  # our objects are maps


def test_it_sleeps_where_the_terms_say_so() -> None:
    assert replicas(change(release(asleep_since=NOW))) == {0}
    assert 0 not in replicas(change())
    assert change(release(asleep_since=None)).files == change().files


def test_a_fork_s_preview_is_told_by_its_terms() -> None:
    assert change(release(source=SOURCE)).namespace["causeway.io/secrets"] == "none"
    assert change().namespace["causeway.io/secrets"] == "wanted"


def test_who_extends_it_changes_no_object() -> None:
    assert change(release(expires_at=NOW + timedelta(days=9))).files == change().files


def test_straight_to_the_cluster_the_namespace_is_made_with_its_labels() -> None:
    (effect,) = deliver(change(), STANDING, "")
    assert isinstance(effect, ApplyObjects)
    assert effect.create_namespace
    assert (effect.namespace, effect.inventory) == ("new-checkout", "preview.new-checkout")
    (namespace,) = [obj for obj in effect.objects if obj["kind"] == "Namespace"]
    labels: Any = namespace["metadata"]["labels"]  # type: ignore[index,call-overload]  # our objects are maps
    assert labels["causeway.io/preview"] == "new-checkout"
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_by_git_argo_cd_makes_the_namespace_with_the_same_labels() -> None:
    found = change(delivery="gitops")
    effects = {type(effect): effect for effect in deliver(found, STANDING, REPO_URL)}
    commit = effects[CommitFiles]
    assert isinstance(commit, CommitFiles)
    texts = {str(file.path): str(file.text) for file in commit.files}
    assert not [path for path in texts if "namespace" in path.rpartition("/")[2]]
    application = yaml.safe_load(texts["argocd/applications/preview-new-checkout.yaml"])
    assert application["spec"]["destination"]["namespace"] == "new-checkout"
    labels = application["spec"]["syncPolicy"]["managedNamespaceMetadata"]["labels"]
    (direct,) = deliver(change(), STANDING, "")
    assert isinstance(direct, ApplyObjects)
    assert labels == direct.objects[0]["metadata"]["labels"]  # type: ignore[index,call-overload]  # our objects are maps
    assert "apps/preview/new-checkout/resourcequota-preview.yaml" in texts


def test_the_team_s_project_lets_argo_cd_apply_all_of_it() -> None:
    found = change(delivery="gitops")
    (join,) = [effect for effect in deliver(found, STANDING, REPO_URL) if isinstance(effect, JoinProject)]
    spec: Any = join.project["spec"]
    refused = {(one["group"], one["kind"]) for one in spec["namespaceResourceBlacklist"]}
    for obj in found.objects:
        metadata: Any = obj["metadata"]
        assert metadata["namespace"] == "new-checkout"
        assert (str(obj["apiVersion"]).rpartition("/")[0], obj["kind"]) not in refused
    assert spec["destinations"] == [{"namespace": "new-checkout", "server": "https://kubernetes.default.svc"}]
    assert spec["clusterResourceWhitelist"] == [{"group": "", "kind": "Namespace"}]


def test_every_file_says_that_it_is_ours() -> None:
    assert all("app.kubernetes.io/managed-by: causeway" in text for text in change().files.values())


@pytest.mark.parametrize("document", [{}, {"kind": "Environment"}, {"apiVersion": "v1", "kind": "Secret"}])
def test_a_release_that_somebody_has_edited_is_told(document: dict[str, JSON]) -> None:
    with pytest.raises(Invalid, match="is not what Causeway wrote"):
        change(release().model_copy(update={"document": document}))


def test_a_release_of_another_preview_is_none_of_this_place() -> None:
    text = SHOP.replace("new-checkout", "old-checkout")
    with pytest.raises(Invalid, match="is not what Causeway wrote"):
        change(release().model_copy(update={"document": read_environment(text).written()}))


def test_its_databases_are_known_before_anything_is_made() -> None:
    place = place_of(PLATFORM, "new-checkout", "team-shop")
    (store,) = preview_outline(place, release(), SERVICES, rollouts=ROLLOUTS).stores
    assert store.main is not None
    assert (store.main.kind, store.main.name, store.main.namespace) == ("Cluster", "backend-db", "new-checkout")
    assert (store.secret, store.service) == ("backend-db-app", "backend")
