"""A preview gets an environment of its own, which takes after the base."""

from __future__ import annotations

import pytest

from bot.errors import Invalid, Refused
from bot.model.platform import Platform
from bot.rendering.previews import place_of, platform_for
from tests.rendering.environment_examples import PLATFORM


def test_the_preview_s_environment_takes_after_the_base() -> None:
    platform = platform_for(PLATFORM, "pr-7")
    here, base = platform.environment("pr-7"), PLATFORM.environment("staging")
    assert platform.namespace("backend", "team-orders", "pr-7") == "pr-7"
    assert (here.domain, here.delivery, here.cluster) == ("pr-7.preview.acme.example", "direct", base.cluster)
    assert (here.max_replicas, here.automatic, here.personal_data) == (3, False, False)
    assert here.database.backups.method == "none", "nothing of a preview is kept"
    assert here.ingress_class == base.ingress_class
    assert list(platform.environments) == ["staging", "production", "pr-7"]
    assert PLATFORM.environments.keys() == {"staging", "production"}, "the platform itself is as it was"


def test_asked_twice_it_is_the_same() -> None:
    platform = platform_for(PLATFORM, "pr-7")
    assert platform_for(platform, "pr-7") is platform


def test_databases_of_previews_stand_alone() -> None:
    sizes = {"large": {"cpu": "1", "memory": "1Gi", "storage": "10Gi", "instances": 3, "pooler": 2}}
    written = {"environments": {"staging": {}}, "database_sizes": sizes, "previews": {"base": "staging"}}
    platform = platform_for(Platform.model_validate(written), "a")
    assert (platform.database_sizes["large"].instances, platform.database_sizes["large"].pooler) == (1, 0)


def test_without_a_domain_nothing_answers_from_outside() -> None:
    staging = {"staging": {"domain": "x.example"}}
    platform = Platform.model_validate({"environments": staging, "previews": {"base": "staging"}})
    assert platform_for(platform, "pr-7").environment("pr-7").domain == ""


def test_another_cluster_and_another_delivery_are_taken_from_previews() -> None:
    platform = Platform.model_validate(
        {
            "clusters": {"default": {}, "small": {}},
            "environments": {"staging": {}},
            "previews": {"base": "staging", "cluster": "small", "delivery": "gitops"},
            "gitops": {"repository": "acme/gitops"},
        }
    )
    place = place_of(platform, "pr-7", "team-shop")
    assert (place.settings.cluster, place.is_gitops, place.namespace) == ("small", True, "pr-7")
    assert (place.service, place.application, place.lane) == ("preview", "preview-pr-7", "deploy:preview/pr-7")


@pytest.mark.parametrize(
    "name",
    [
        *("staging", "preview", "fork", "default", "kube-system", "argocd", "causeway", "ingress-nginx", "monitoring"),
        *("PR-7", "a_b", "-a", "a" * 51, ""),
    ],
)
def test_a_name_that_is_somebody_else_s_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        platform_for(PLATFORM, name)
    assert [mistake.path for mistake in refused.value.mistakes] == ["metadata.name"]


def test_a_platform_without_previews_has_none() -> None:
    with pytest.raises(Refused, match="has no previews"):
        platform_for(Platform(), "pr-7")
