"""What stands and should not, and what should stand and does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.deps import Deps
from bot.errors import NotFound, PlatformError, UpstreamUnavailable
from bot.model.platform import Platform
from bot.ports import EnvironmentRecord, File, NewRepository
from bot.sweeping import Report, sweep
from bot.sweeping.telling import MOST_SHOWN, sentence, shown
from tests.commands.company import deps
from tests.effects.test_absence import put
from tests.fakes.cluster import FakeCluster
from tests.fakes.deployments import FakeDeployments, application
from tests.fakes.environments import FakeEnvironments
from tests.fakes.forge import FakeForge
from tests.slack.checker import message_violations

GITOPS = "acme/gitops"
NOW = datetime(2026, 6, 2, 9, 0, tzinfo=UTC)
"""A day after everything in the fake cluster was made."""
PLATFORM = Platform.model_validate(
    {
        "environments": {
            "staging": {
                "database": {"provider": "crossplane"},
                "delivery": "direct",
                "namespace": "{service}-{environment}",
            },
            "production": {"delivery": "gitops"},
        },
        "gitops": {"repository": GITOPS},
        "previews": {"base": "staging"},
    }
)
MANAGED = {"app.kubernetes.io/managed-by": "causeway"}
LINE = EnvironmentRecord(
    name="pr-7",
    kind="preview",
    cluster="default",
    namespace="pr-7",
    team="team-orders",
    by="user:default/author",
    operation="op_one",
    created_at=NOW - timedelta(days=2),
    expires_at=NOW + timedelta(days=1),
)


class Away(FakeDeployments):
    async def applications(self, **_: Any) -> Any:
        raise UpstreamUnavailable("Argo CD cannot be reached.")


class World:
    def __init__(self, *lines: EnvironmentRecord) -> None:
        self.cluster = FakeCluster()
        self.book = FakeEnvironments()
        self.deployments = FakeDeployments()
        self.forge = FakeForge()
        for line in lines:
            self.book.put(line)

    async def report(self, **more: Any) -> Report:
        if await self.forge.repository(GITOPS) is None:
            await self.forge.create_repository(NewRepository(GITOPS, "What runs where"))
        here: Deps = replace(
            deps(),
            forge=self.forge,
            platform=PLATFORM,
            clusters={"default": self.cluster},
            deployments=self.deployments,
            environments=self.book,
            **more,
        )
        return await sweep(here, NOW)

    def namespace(self, name: str) -> None:
        labels = {**MANAGED, "causeway.io/preview": name, "causeway.io/team": "team-orders"}
        put(self.cluster, "v1", "Namespace", name, metadata={"labels": labels})

    def database(self, name: str, service: str, environment: str) -> None:
        labels = {**MANAGED, "causeway.io/service": service, "causeway.io/environment": environment}
        put(self.cluster, "database.aws.crossplane.io/v1beta1", "RDSInstance", name, metadata={"labels": labels})


async def test_what_is_in_the_book_and_stands_is_no_finding() -> None:
    world = World(LINE)
    world.namespace("pr-7")
    world.database("pr-7-db", "preview", "pr-7")
    world.database("orders-db", "orders-api", "staging")
    put(world.cluster, "v1", "Namespace", "somebody-elses")
    report = await world.report()
    assert report.is_clean, report
    assert sentence(report) == (
        "The sweep found nothing that should not be there. "
        "It looked at 1 preview, 1 entry in Causeway's book, 3 objects."
    )


async def test_a_preview_that_nobody_knows_is_told_once_with_all_its_parts_owner_and_age() -> None:
    world = World()
    world.namespace("pr-9")
    labels = {"causeway.io/service": "preview", "causeway.io/environment": "pr-9"}
    put(world.cluster, "v1", "ConfigMap", "causeway-release-preview", "pr-9", metadata={"labels": labels})
    world.database("pr-9-db", "web", "pr-9")
    world.deployments.put(application("preview-pr-9"))
    world.deployments.labels["preview-pr-9"] = {"causeway.io/service": "preview"}
    await world.forge.create_repository(NewRepository(GITOPS, "What runs where"))
    head = await world.forge.branch_head(GITOPS, "main")
    assert head is not None
    await world.forge.commit(GITOPS, "main", [File("apps/preview/pr-9/a.yaml", b"a\n")], "Up", parent=head.sha)
    (orphan,) = (await world.report()).orphans
    assert (orphan.name, orphan.team, orphan.why) == ("preview pr-9", "team-orders", "is not in Causeway's book")
    assert orphan.parts == (
        "namespace pr-9 on default",
        "release in pr-9 on default",
        "RDSInstance pr-9-db on default",
        "Argo CD application preview-pr-9",
        "folder apps/preview/pr-9 in acme/gitops",
    )
    assert (orphan.preview, orphan.since) == ("pr-9", NOW - timedelta(days=1))


async def test_a_preview_whose_end_has_passed_is_told() -> None:
    world = World(replace(LINE, expires_at=NOW - timedelta(days=1)))
    world.namespace("pr-7")
    (orphan,) = (await world.report()).orphans
    assert orphan.why == "should have ended on 01 June 2026 at 09:00 UTC"
    just_now = World(replace(LINE, expires_at=NOW - timedelta(hours=1)))
    just_now.namespace("pr-7")
    assert (await just_now.report()).is_clean, "it is on its way"


async def test_a_database_of_a_service_that_is_no_more_is_told_and_left_to_a_person() -> None:
    world = World()
    world.database("gone-db", "gone", "staging")
    (orphan,) = (await world.report()).orphans
    assert (orphan.name, orphan.preview) == ("database of gone in staging", "")
    assert orphan.by_hand == "kubectl --context default delete rdsinstance.database.aws.crossplane.io/gone-db"
    alone = World(replace(LINE, kind="database", name="gone.staging", namespace="gone-staging", expires_at=None))
    alone.database("gone-db", "gone", "staging")
    assert (await alone.report()).orphans == ()


async def test_of_a_database_without_a_preview_a_person_is_told_what_to_run() -> None:
    world = World()
    world.database("pr-9-db", "web", "pr-9")
    (orphan,) = (await world.report()).orphans
    assert (orphan.name, orphan.preview) == ("preview pr-9", "")
    assert "kubectl" in orphan.by_hand


async def test_a_line_of_which_nothing_is_left_is_told() -> None:
    alone = replace(LINE, kind="database", name="stock.staging", namespace="stock-staging", expires_at=None)
    by_git = replace(alone, name="stock.production", namespace="stock-production")
    report = await World(LINE, alone, by_git).report()
    assert [(one.name, one.preview, one.by_hand) for one in report.lost] == [
        ("preview pr-7", "pr-7", ""),
        ("database stock in production", "", "/database delete stock in production"),
        ("database stock in staging", "", "/database delete stock in staging"),
    ]
    assert report.orphans == ()


async def test_a_line_whose_release_is_there_is_no_finding() -> None:
    alone = replace(LINE, kind="database", name="stock.staging", namespace="stock-staging", expires_at=None)
    world = World(alone)
    put(world.cluster, "v1", "Namespace", "stock-staging")
    put(world.cluster, "v1", "ConfigMap", "causeway-release-stock", "stock-staging")
    assert (await world.report()).is_clean


async def test_what_is_made_or_ended_while_it_looks_is_no_finding() -> None:
    class Busy(FakeEnvironments):
        looks = 0

        async def standing(self, kind: str = "") -> Any:
            self.looks += 1
            if self.looks == 2:
                self.put(replace(LINE, name="new", namespace="new"))
                await self.end("preview", "default", "pr-7", "op_one", NOW)
            return await super().standing(kind)

    world = World()
    world.book = Busy()
    world.book.put(LINE)
    world.namespace("new")
    report = await world.report()
    assert (report.orphans, report.lost) == ((), ())


async def test_a_namespace_that_only_says_that_it_is_a_previews_is_left_to_a_person() -> None:
    world = World(LINE)
    world.namespace("pr-7")
    labels = {**MANAGED, "causeway.io/preview": "pr-7"}
    put(world.cluster, "v1", "Namespace", "copied", metadata={"labels": labels})
    release = {"causeway.io/service": "preview", "causeway.io/environment": "pr-8"}
    put(world.cluster, "v1", "ConfigMap", "copied", "copied", metadata={"labels": release})
    (orphan,) = (await world.report()).orphans
    assert (orphan.name, orphan.preview) == ("namespace copied on default", "")
    assert orphan.by_hand == "kubectl --context default delete namespace/copied"


async def test_a_database_whose_release_is_there_is_wanted_whatever_the_catalog_has_forgotten() -> None:
    world = World()
    world.database("gone-db", "gone", "staging")
    put(world.cluster, "v1", "Namespace", "gone-staging")
    put(world.cluster, "v1", "ConfigMap", "causeway-release-gone", "gone-staging")
    assert (await world.report()).is_clean
    by_git = World()
    by_git.database("gone-db", "gone", "production")
    assert [one.name for one in (await by_git.report()).orphans] == ["database of gone in production"]
    by_git.forge.refuse("tree", UpstreamUnavailable("GitHub cannot be reached."), times=2)
    report = await by_git.report()
    assert (report.orphans, len(report.unread)) == ((), 2)


@pytest.mark.parametrize("error", [UpstreamUnavailable("GitHub cannot be reached."), NotFound("It is hidden.")])
async def test_without_git_or_argo_cd_no_preview_is_said_to_be_gone(error: PlatformError) -> None:
    world = World(LINE)
    assert [line.name for line in (await world.report()).lost] == ["preview pr-7"]
    world.forge.refuse("tree", error)
    report = await world.report()
    assert (report.lost, report.orphans, len(report.unread)) == ((), (), 1)
    world.deployments = Away()
    report = await world.report()
    assert (report.lost, report.orphans, len(report.unread)) == ((), (), 1)


async def test_a_line_of_which_nobody_can_tell_any_more_is_said_and_not_forgotten() -> None:
    away = replace(LINE, cluster="away")
    old = replace(LINE, kind="database", name="stock.retired", namespace="stock-retired", expires_at=None)
    report = await World(away, old).report()
    assert (report.lost, report.orphans) == ((), ())
    assert "The cluster `away` is not connected." in str(report.unread)
    assert "The platform has no environment `retired` any more." in str(report.unread)


async def test_a_service_that_is_called_preview_is_none() -> None:
    world = World()
    world.deployments.put(application("preview-staging"))
    world.deployments.labels["preview-staging"] = {"causeway.io/service": "preview"}
    await world.forge.create_repository(NewRepository(GITOPS, "What runs where"))
    head = await world.forge.branch_head(GITOPS, "main")
    assert head is not None
    await world.forge.commit(GITOPS, "main", [File("apps/preview/staging/a.yaml", b"a\n")], "Up", parent=head.sha)
    assert (await world.report()).orphans == ()


async def test_where_nobody_can_look_nothing_is_said_to_be_missing() -> None:
    world = World(LINE)
    world.cluster.refuse("list", UpstreamUnavailable("The cluster `default` cannot be reached."), times=9)
    report = await world.report()
    assert report.lost == ()
    assert report.unread[0] == "Namespace on default could not be looked at: The cluster `default` cannot be reached."
    assert not report.is_clean


async def test_a_long_report_keeps_to_slacks_limits_and_counts_the_rest() -> None:
    world = World(*(replace(LINE, name=f"lost-{number}", namespace=f"n-{number}") for number in range(40)))
    for number in range(200):
        world.namespace(f"orphan-{number:03}")
    world.cluster.refuse("list", UpstreamUnavailable("No."), times=1, skip=1)
    report = await world.report()
    body = shown(report)
    assert message_violations(sentence(report), body) == []
    buttons = [block["accessory"]["value"] for block in body if "accessory" in block]
    assert len(buttons) == MOST_SHOWN
    assert buttons[0] == "2026-06-02 orphan-000"
    told = str(body)
    assert "… and 185 more" in told
    assert "24 hours old" in told


async def test_lost_lines_have_buttons_too() -> None:
    body = shown(await World(LINE).report())
    (button,) = [block["accessory"] for block in body if "accessory" in block]
    assert (button["text"]["text"], button["value"], button["action_id"]) == ("Strike out", "2026-06-02 pr-7", "sweep")
