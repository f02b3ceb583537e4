"""What GitHub says of versions, builds and deployments, and what we make of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.effects import AwaitBuild, ConcludeDeployment, RecordDeployment
from bot.errors import OutcomeUnknown, UpstreamUnavailable
from bot.model.effect import Undo
from bot.ports import File, NewRepository, Ports
from tests.effects.scenes import OPERATION, run
from tests.fakes.catalog import FakeCatalog
from tests.integrations.github.conftest import Rig
from tests.integrations.github.stub import COMMIT, SHA, Say, Stub
from tests.integrations.github.test_credentials import AppStub, pem

NAME = "acme/orders"
MOMENT = "2026-03-02T09:00:00Z"
NOT_FOUND = Say(404, {"message": "Not Found"})
RUN = {
    "id": 5,
    "name": "CI",
    "head_sha": SHA,
    "head_branch": "main",
    "event": "push",
    "status": "completed",
    "conclusion": "success",
    "html_url": "https://github.example/run/5",
    "updated_at": MOMENT,
}


def version(number: int, *tags: str, at: str = MOMENT) -> dict[str, Any]:
    container = {"package_type": "container", "container": {"tags": list(tags)}}
    return {"id": number, "name": f"sha256:{number:064}", "created_at": at, "metadata": container}


async def test_drafts_are_no_releases() -> None:
    release = {"tag_name": "v1", "name": None, "html_url": "u", "published_at": MOMENT, "prerelease": False}
    stub = Stub()
    draft = release | {"tag_name": "v2", "draft": True, "published_at": None}
    later = release | {"tag_name": "v3", "name": "Third", "published_at": "2026-03-02T10:00:00Z"}
    stub.script = [Say(200, [draft, release, later])]
    async with stub.forge() as forge:
        found = await forge.releases(NAME)
    assert [(one.tag, one.name) for one in found] == [("v3", "Third"), ("v1", "v1")]
    assert found[1].published_at == datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("event", ["schedule", "dynamic", "issue_comment", "deployment", "deployment_status"])
async def test_runs_that_the_commit_did_not_begin_are_left_out(event: str) -> None:
    stub = Stub()
    runs = [RUN | {"id": 7, "event": event, "conclusion": "failure"}, RUN]
    stub.script = [Say(200, {"total_count": 2, "workflow_runs": runs})]
    async with stub.forge() as forge:
        assert [found.id for found in await forge.workflow_runs(NAME, SHA)] == [5]
    assert stub.asked[0].query == {"head_sha": SHA, "exclude_pull_requests": "true", "per_page": "100"}


@pytest.mark.parametrize("event", ["push", "pull_request", "workflow_dispatch", "release", "workflow_run", None])
async def test_runs_that_may_build_the_commit_count(event: str | None) -> None:
    stub = Stub()
    run_ = RUN | {"event": event, "status": "completed_in_a_new_way", "conclusion": None}
    stub.script = [Say(200, {"total_count": 1, "workflow_runs": [run_, RUN | {"head_sha": "2" * 40}]})]
    async with stub.forge() as forge:
        (found,) = await forge.workflow_runs(NAME, SHA)
    assert (found.status, found.conclusion) == ("pending", None), "an unknown status is none that has ended"


async def test_untagged_images_are_left_out_and_the_newest_come_first() -> None:
    stub = Stub()
    older = version(1, "v1", at="2026-03-01T09:00:00Z")
    stub.script = [Say(200, [version(3), older, version(2, SHA, "main")])]
    async with stub.forge() as forge:
        found = await forge.images("acme/Orders")
    assert [image.tags for image in found] == [(SHA, "main"), ("v1",)]
    assert stub.asked[0].path == "/orgs/acme/packages/container/orders/versions"


async def test_at_most_five_pages_of_images_are_read_and_a_hundred_told() -> None:
    stub = Stub()
    stub.otherwise = lambda asked: Say(200, [version(int(asked.query["page"]), "x")] * 100)
    async with stub.forge() as forge:
        assert len(await forge.images(NAME)) == 100
    assert len(stub.asked) == 5


async def test_a_persons_images_are_found_too() -> None:
    stub = Stub()
    stub.script = [NOT_FOUND, Say(200, [version(1, "main")])]
    async with stub.forge() as forge:
        assert [image.tags for image in await forge.images("author/notes")] == [("main",)]
    assert stub.asked[1].path == "/users/author/packages/container/notes/versions"
    assert stub.asked[1].query == {}


@pytest.mark.parametrize(
    "script",
    [
        [NOT_FOUND, NOT_FOUND],
        [Say(403, {"message": "You need at least read:packages scope to list package versions."})],
        [NOT_FOUND, Say(403, {"message": "Resource not accessible by integration"})],
    ],
    ids=["no package", "a token without the scope", "an App"],
)
async def test_where_github_shows_no_packages_there_are_none(script: list[Say]) -> None:
    stub = Stub()
    stub.script = script
    async with stub.forge() as forge:
        assert list(await forge.images(NAME)) == []


async def test_an_outage_is_not_taken_for_no_images() -> None:
    stub = Stub()
    stub.otherwise = lambda _: Say(502, text="<html>")
    async with stub.forge() as forge:
        with pytest.raises(UpstreamUnavailable):
            await forge.images(NAME)


async def test_an_app_asks_for_packages_in_the_name_of_the_owner_and_for_runs_with_a_right_of_their_own() -> None:
    stub = AppStub()
    answer = stub.answer
    stub.otherwise = lambda asked: (
        Say(200, {"total_count": 0, "workflow_runs": []}) if asked.path.endswith("/runs") else answer(asked)
    )
    async with stub.forge(app_id="7", app_key=pem()) as forge:
        await forge.workflow_runs(NAME, SHA)
        with pytest.raises(UpstreamUnavailable):  # the stub answers with a repository
            await forge.images(NAME)
    first, second = (asked.body for asked in stub.minted)
    assert first == {"permissions": {"actions": "read", "metadata": "read"}, "repositories": ["orders"]}
    assert second == {"permissions": {"metadata": "read", "packages": "read"}}


async def test_a_comparison_keeps_githubs_bounds_and_tells_renames() -> None:
    stub = Stub()
    renamed = {"filename": "new.py", "status": "renamed", "previous_filename": "old.py"}
    files = [renamed, {"filename": "a", "status": "in a way of tomorrow"}] + [
        {"filename": "b", "status": "added"}
    ] * 400
    commits = [COMMIT | {"sha": f"{number:040}"} for number in range(300)]
    found = {"ahead_by": 300, "behind_by": 0, "commits": commits, "files": files, "html_url": "u"}
    stub.script = [Say(200, found)]
    async with stub.forge() as forge:
        told = await forge.compare(NAME, "v1", "feature/x")
    assert (len(told.commits), told.commits[-1].sha, len(told.files)) == (250, f"{299:040}", 300)
    assert (told.files[0].status, told.files[0].was) == ("renamed", "old.py")
    assert told.files[1].status == "changed"
    assert stub.asked[0].path == "/repos/acme/orders/compare/v1...feature/x"
    assert stub.asked[0].query == {}, "in pages it would begin with the oldest"


@pytest.mark.parametrize(
    ("given", "read"),
    [({"a": 1}, {"a": 1}), ('{"a": 1}', {"a": 1}), ("deploy", {}), ("[1]", {}), ("", {}), (None, {})],
)
async def test_a_payload_is_an_object_or_a_text_that_holds_one(given: object, read: object) -> None:
    stub = Stub()
    record = {"id": 1, "sha": SHA, "environment": "staging", "payload": given, "created_at": MOMENT}
    stub.script = [Say(200, [record, record | {"environment": "other"}])]
    async with stub.forge() as forge:
        (found,) = await forge.deployment_records(NAME, "staging")
    assert found.payload == read


async def test_a_deployment_merges_nothing_and_waits_for_no_check() -> None:
    stub = Stub()
    stub.script = [Say(201, {"id": 1, "sha": SHA, "environment": "staging", "payload": {}, "created_at": MOMENT})]
    async with stub.forge() as forge:
        await forge.create_deployment(NAME, SHA, "staging", description="x" * 200, payload={"op": "1"})
    body = stub.asked[0].body
    assert (body["auto_merge"], body["required_contexts"], body["payload"]) == (False, [], {"op": "1"})
    assert (len(body["description"]), body["description"][-1]) == (140, "…")


async def test_only_a_success_touches_other_deployments() -> None:
    stub = Stub()
    stub.otherwise = lambda _: Say(201, {"id": 1})
    async with stub.forge() as forge:
        await forge.set_deployment_state(NAME, 1, "success", url="https://orders.example")
        await forge.set_deployment_state(NAME, 1, "inactive")
    success, inactive = (asked.body for asked in stub.asked)
    assert success == {
        "state": "success",
        "description": "",
        "environment_url": "https://orders.example",
        "auto_inactive": True,
    }
    assert inactive == {"state": "inactive", "description": ""}


async def test_a_state_of_tomorrow_is_no_answer_that_we_understand() -> None:
    stub = Stub()
    stub.otherwise = lambda _: Say(200, [{"state": "paused"}])
    async with stub.forge() as forge:
        with pytest.raises(UpstreamUnavailable, match="not what GitHub describes"):
            await forge.deployment_state(NAME, 1)


@pytest.mark.parametrize("lost", [Say(drop=True), Say(500, {"message": "Server Error"})], ids=["dropped", "500"])
async def test_a_deployment_without_an_answer_is_never_asked_for_twice(lost: Say) -> None:
    stub = Stub()
    stub.otherwise = lambda _: lost
    async with stub.forge() as forge:
        with pytest.raises(OutcomeUnknown, match="may or may not have happened"):
            await forge.create_deployment(NAME, SHA, "staging", description="", payload={})
        with pytest.raises(OutcomeUnknown):
            await forge.set_deployment_state(NAME, 1, "success")
    assert [asked.method for asked in stub.asked] == ["POST", "POST"]


# --- effects on the playground's GitHub


async def pushed(rig: Rig) -> str:
    """Return a commit that the playground's CI has built."""
    await rig.as_person.create_repository(NewRepository("acme/parcels", "Parcels"))
    head = await rig.as_person.branch_head("acme/parcels", "main")
    assert head is not None
    files = [File("app.py", b"1")]
    return (await rig.as_person.commit("acme/parcels", "main", files, "First", parent=head.sha)).sha


@pytest.mark.parametrize("who", ["token", "app"])
async def test_a_build_is_awaited_whether_packages_are_shown_or_not(rig: Rig, who: str) -> None:
    sha = await pushed(rig)
    forge = rig.as_person if who == "token" else await rig.as_app()
    image = f"ghcr.io/acme/parcels:{sha}"
    wait = AwaitBuild(id="build", repository="acme/parcels", commit=sha, image=image)
    outcome = await wait.apply(Ports(forge=forge, catalog=FakeCatalog()), run(wait))
    there = f", {image} is there" if who == "token" else ""
    assert (outcome.seen, outcome.outputs) == (f"CI of parcels at {sha[:7]} has passed{there}", {"image": image})


@pytest.mark.parametrize("fault", [{"drop": "before"}, {"drop": "after"}, {"truncate": True}, {"status": 500}], ids=str)
@pytest.mark.parametrize("place", ["deployments", "statuses"])
async def test_a_deployment_is_told_once_whatever_gets_lost(rig: Rig, fault: dict[str, Any], place: str) -> None:
    sha, ports = await pushed(rig), Ports(forge=rig.as_person, catalog=FakeCatalog())
    record = RecordDeployment(id="record", repository="acme/parcels", commit=sha, environment="staging")
    tail = "" if place == "deployments" else "/{id}/statuses"
    await rig.fault(route=f"POST /repos/{{owner}}/{{repo}}/deployments{tail}", **fault)
    with pytest.raises(OutcomeUnknown):
        await record.apply(ports, run(record))
    outcome = await record.apply(ports, run(record, 2))
    (told,) = await rig.as_person.deployment_records("acme/parcels", "staging")
    assert (told.id, told.payload["causeway_operation"]) == (outcome.outputs["deployment"], OPERATION)
    conclude = ConcludeDeployment(
        id="conclude",
        repository="acme/parcels",
        environment="staging",
        deployment=str(told.id),
        url="https://p.example",
    )
    done = await conclude.apply(ports, run(conclude))
    assert await rig.as_person.deployment_state("acme/parcels", told.id) == "success"
    assert (await conclude.undo(ports, run(conclude), done)).how is Undo.UNDONE
    assert (await record.undo(ports, run(record), outcome)).how is Undo.UNDONE
    assert (await record.gone(ports, run(record), outcome)).absent
