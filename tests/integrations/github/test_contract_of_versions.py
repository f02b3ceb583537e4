"""One suite for every forge: versions, builds, deployments and commits in somebody's name."""

from __future__ import annotations

import pytest

from bot.errors import Conflict, NotFound
from bot.ports import Author, Commit, File, Forge, NewRepository
from tests.integrations.github.conftest import Hands

NAME = "acme/parcels"
AUTHOR = Author("Sample Author", "author@acme.example")


async def history(forge: Forge) -> list[Commit]:
    """Make a repository with three commits, oldest first."""
    await forge.create_repository(NewRepository(NAME, "Parcels"))
    first = await forge.branch_head(NAME, "main")
    assert first is not None
    files = [File("a.txt", b"1"), File("b.txt", b"1")]
    second = await forge.commit(NAME, "main", files, "Second", parent=first.sha)
    changed = [File("a.txt", b"2"), File("c.txt", b"1")]
    third = await forge.commit(NAME, "main", changed, "Third", parent=second.sha, deleted=["b.txt"])
    return [first, second, third]


async def test_a_comparison_tells_commits_from_the_oldest_on_and_changed_files(hands: Hands) -> None:
    first, second, third = await history(hands.forge)
    found = await hands.forge.compare(NAME, second.sha, "main")
    assert (found.ahead, found.behind) == (1, 0)
    assert [commit.sha for commit in found.commits] == [third.sha]
    assert found.commits[0].message == "Third"
    assert [(one.path, one.status) for one in found.files] == [
        ("a.txt", "modified"),
        ("b.txt", "removed"),
        ("c.txt", "added"),
    ]
    whole = await hands.forge.compare(NAME, first.sha, third.sha)
    assert [commit.sha for commit in whole.commits] == [second.sha, third.sha]
    back = await hands.forge.compare(NAME, third.sha, first.sha)
    assert (back.ahead, back.behind, back.commits, back.files) == (0, 2, (), ())
    assert back.web_url.endswith(f"/{NAME}/compare/{third.sha}...{first.sha}")


async def test_a_comparison_of_branches_that_have_parted_tells_both_sides(hands: Hands) -> None:
    _, second, third = await history(hands.forge)
    other = await hands.forge.commit(NAME, "feature/x", [File("x.txt", b"x")], "Other", parent=second.sha)
    found = await hands.forge.compare(NAME, "main", "feature/x")
    assert (found.ahead, found.behind) == (1, 1)
    assert [commit.sha for commit in found.commits] == [other.sha]
    assert [(one.path, one.status) for one in found.files] == [("x.txt", "added")], "against what both grew from"
    assert third.sha not in {commit.sha for commit in found.commits}


@pytest.mark.parametrize(("base", "head"), [("none", "main"), ("main", "none"), ("main", "0" * 40)])
async def test_what_does_not_exist_is_not_compared(hands: Hands, base: str, head: str) -> None:
    await history(hands.forge)
    with pytest.raises(NotFound):
        await hands.forge.compare(NAME, base, head)


async def test_histories_without_a_common_commit_are_not_compared(hands: Hands) -> None:
    *_, third = await history(hands.forge)
    await hands.forge.commit(NAME, "other", [File("x", b"x")], "Another beginning", parent=None)
    with pytest.raises(NotFound):
        await hands.forge.compare(NAME, third.sha, "other")


async def test_tags_name_their_commits(hands: Hands) -> None:
    first, _, third = await history(hands.forge)
    assert list(await hands.forge.tags(NAME)) == []
    await hands.tag(NAME, "v1", first.sha)
    await hands.tag(NAME, "v2", third.sha)
    assert {tag.name: tag.sha for tag in await hands.forge.tags(NAME)} == {"v1": first.sha, "v2": third.sha}


async def test_releases_come_newest_first(hands: Hands) -> None:
    await history(hands.forge)
    assert list(await hands.forge.releases(NAME)) == []
    await hands.release(NAME, "v1", "First")
    await hands.release(NAME, "v2", "Second", prerelease=True)
    found = await hands.forge.releases(NAME)
    assert {(one.tag, one.name, one.prerelease) for one in found} == {("v1", "First", False), ("v2", "Second", True)}
    assert found[0].published_at >= found[1].published_at
    assert found[0].published_at.tzinfo is not None


async def test_a_built_commit_has_a_run_and_an_image_with_its_hash(hands: Hands) -> None:
    _, second, third = await history(hands.forge)
    for commit in (second, third):
        await hands.build(NAME, commit.sha)
    (run,) = await hands.forge.workflow_runs(NAME, third.sha)
    assert (run.name, run.sha, run.branch, run.status, run.conclusion) == (
        "CI",
        third.sha,
        "main",
        "completed",
        "success",
    )
    assert run.web_url.endswith(f"/{NAME}/actions/runs/{run.id}")
    assert list(await hands.forge.workflow_runs(NAME, "0" * 40)) == []
    images = await hands.forge.images(NAME)
    if not hands.shows_packages:
        assert list(images) == []
        return
    newest, older = images[:2]
    assert {third.sha, "main"} <= set(newest.tags)
    assert second.sha in older.tags
    assert "main" not in older.tags
    assert newest.digest.startswith("sha256:")
    assert newest.digest != older.digest


async def test_a_repository_that_was_never_built_has_no_images(hands: Hands) -> None:
    await hands.forge.create_repository(NewRepository(NAME, "Parcels"))
    assert list(await hands.forge.images(NAME)) == []


async def test_a_deployment_is_recorded_and_followed(hands: Hands) -> None:
    _, second, third = await history(hands.forge)
    first = await hands.forge.create_deployment(
        NAME, second.sha, "staging", description="Parcels 1", payload={"causeway_operation": "op_1", "number": 1}
    )
    assert (first.sha, first.environment, first.payload) == (
        second.sha,
        "staging",
        {"causeway_operation": "op_1", "number": 1},
    )
    assert await hands.forge.deployment_state(NAME, first.id) is None
    await hands.forge.set_deployment_state(NAME, first.id, "success", url="https://parcels.example")
    later = await hands.forge.create_deployment(NAME, third.sha, "staging", description="2", payload={})
    elsewhere = await hands.forge.create_deployment(NAME, third.sha, "production", description="3", payload={})
    assert list(await hands.forge.deployment_records(NAME, "staging")) == [later, first]
    assert list(await hands.forge.deployment_records(NAME, "production")) == [elsewhere]
    await hands.forge.set_deployment_state(NAME, later.id, "in_progress", description="x" * 200)
    assert await hands.forge.deployment_state(NAME, first.id) == "success"
    await hands.forge.set_deployment_state(NAME, later.id, "success")
    assert await hands.forge.deployment_state(NAME, first.id) == "inactive"
    assert await hands.forge.deployment_state(NAME, later.id) == "success"


async def test_of_what_does_not_exist_nothing_is_recorded(hands: Hands) -> None:
    await history(hands.forge)
    with pytest.raises(Conflict):
        await hands.forge.create_deployment(NAME, "0" * 40, "staging", description="", payload={})
    with pytest.raises(NotFound):
        await hands.forge.deployment_state(NAME, 4711)
    with pytest.raises(NotFound):
        await hands.forge.set_deployment_state(NAME, 4711, "success")
    for call in (hands.forge.tags, hands.forge.releases):
        with pytest.raises(NotFound):
            await call("acme/none")
    with pytest.raises(NotFound):
        await hands.forge.workflow_runs("acme/none", "0" * 40)
    with pytest.raises(NotFound):
        await hands.forge.deployment_records("acme/none", "staging")


async def test_a_commit_carries_the_name_it_is_given(hands: Hands) -> None:
    *_, third = await history(hands.forge)
    plain = await hands.forge.commit(NAME, "main", [File("d", b"1")], "Ours", parent=third.sha)
    theirs = await hands.forge.commit(NAME, "main", [File("d", b"2")], "Theirs", parent=plain.sha, author=AUTHOR)
    assert theirs.author == "Sample Author"
    assert plain.author != "Sample Author"
    assert [one.author for one in await hands.forge.recent_commits(NAME, "main")][:2] == [theirs.author, plain.author]
    if hands.rig is not None:
        git = await hands.rig.by_hand("GET", f"/repos/{NAME}/git/commits/{theirs.sha}")
        ours = await hands.rig.by_hand("GET", f"/repos/{NAME}/git/commits/{plain.sha}")
        assert git["author"].items() >= {"name": AUTHOR.name, "email": AUTHOR.email}.items()
        assert (git["committer"]["name"], git["committer"]["email"]) == (
            ours["author"]["name"],
            ours["author"]["email"],
        )


async def test_who_we_are_is_asked_once_for_all_repositories_of_an_owner(hands: Hands) -> None:
    *_, head = await history(hands.forge)
    for number in range(3):
        head = await hands.forge.commit(NAME, "main", [File("d", b"%d" % number)], "On", parent=head.sha, author=AUTHOR)
    if hands.rig is not None:
        made = [body for method, path, body in hands.rig.requests if method == "POST" and path.endswith("/git/commits")]
        named = [body for body in made if "author" in body]
        assert (len(named), len(made)) == (3, 2 + 3 + 1)
