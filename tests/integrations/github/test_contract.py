"""One suite for every forge: what effects rely on holds for the fake and for the adapter alike."""

from __future__ import annotations

import pytest

from bot.errors import Conflict, NotFound
from bot.ports import Commit, File, Forge, NewRepository, Repository, Ruleset
from tests.integrations.github.conftest import Hands

NAME = "acme/parcels"
FILES = (
    File("README.md", "# Pärcels\n".encode()),
    File("bin/run", b"#!/bin/sh\n", "100755"),
    File("docs/logo.png", b"\x89PNG\0\xff"),
    File("docs/index.md", b""),
    File("latest", b"docs/index.md", "120000"),
)


@pytest.fixture
def forge(hands: Hands) -> Forge:
    return hands.forge


async def created(forge: Forge) -> tuple[Repository, Commit]:
    repository = await forge.create_repository(NewRepository(NAME, "Being set up (op_1)"))
    head = await forge.branch_head(NAME, repository.default_branch)
    assert head is not None
    return repository, head


async def test_a_new_repository_has_one_commit_and_its_description(forge: Forge) -> None:
    assert await forge.repository(NAME) is None
    repository, head = await created(forge)
    assert repository.full_name == NAME
    assert repository.description == "Being set up (op_1)"
    assert repository.private
    assert head.parents == ()
    assert await forge.repository(NAME.upper()) == repository
    assert await forge.recent_commits(NAME, "main") == [head]
    assert NAME in {one.full_name for one in await forge.repositories("acme")}


async def test_a_name_is_taken_without_regard_to_case(forge: Forge) -> None:
    await created(forge)
    with pytest.raises(Conflict):
        await forge.create_repository(NewRepository("acme/Parcels", "Mine"))


async def test_a_deleted_repository_is_gone_and_its_name_free_for_another(forge: Forge) -> None:
    first, _ = await created(forge)
    await forge.delete_repository(NAME)
    assert await forge.repository(NAME) is None
    assert await forge.branch_head(NAME, "main") is None
    with pytest.raises(NotFound):
        await forge.delete_repository(NAME)
    second, _ = await created(forge)
    assert second.id != first.id


async def test_a_first_commit_replaces_the_history_and_keeps_bytes_and_modes(forge: Forge) -> None:
    _, before = await created(forge)
    commit = await forge.commit(NAME, "main", FILES, "First\n\nCauseway-Operation: op_1\n", parent=None)
    assert commit.parents == ()
    assert [one.sha for one in await forge.recent_commits(NAME, "main")] == [commit.sha] != [before.sha]
    tree = await forge.tree(NAME, "main")
    assert tree.commit == commit.sha
    assert {(f.path, f.mode, f.content) for f in tree.files} == {(f.path, f.mode, f.content) for f in FILES}
    head = await forge.branch_head(NAME, "main")
    assert head is not None
    assert head.message.rstrip() == "First\n\nCauseway-Operation: op_1"


async def test_a_tree_can_be_read_below_a_folder_and_without_contents(forge: Forge) -> None:
    await created(forge)
    commit = await forge.commit(NAME, "main", FILES, "First", parent=None)
    docs = await forge.tree(NAME, commit.sha, "docs", contents=False)
    assert [file.path for file in docs.files] == ["docs/index.md", "docs/logo.png"]
    assert {file.content for file in docs.files} == {b""}
    assert all(len(file.sha) == 40 for file in docs.files)
    assert docs.sha != "absent"
    assert (await forge.tree(NAME, "main", "nothing")).sha == "absent"
    with pytest.raises(NotFound):
        await forge.tree(NAME, "nowhere")


async def test_a_tree_keeps_its_hash_when_others_change_other_folders(forge: Forge) -> None:
    await created(forge)
    first = await forge.commit(NAME, "main", FILES, "First", parent=None)
    before = (await forge.tree(NAME, "main", "docs", contents=False)).sha
    await forge.commit(NAME, "main", [File("src/a.py", b"1")], "Second", parent=first.sha)
    assert (await forge.tree(NAME, "main", "docs", contents=False)).sha == before


async def test_one_file_can_be_read(forge: Forge) -> None:
    await created(forge)
    await forge.commit(NAME, "main", FILES, "First", parent=None)
    assert await forge.file(NAME, "main", "README.md") == "# Pärcels\n".encode()
    assert await forge.file(NAME, "main", "docs/index.md") == b""
    assert await forge.file(NAME, "main", "nothing.md") is None


async def test_a_commit_builds_on_its_parent_and_deletes(forge: Forge) -> None:
    await created(forge)
    first = await forge.commit(NAME, "main", FILES, "First", parent=None)
    files = [File("new.txt", b"new"), File("README.md", b"other")]
    second = await forge.commit(NAME, "main", files, "Second", parent=first.sha, deleted=["bin/run"])
    assert second.parents == (first.sha,)
    held = {file.path: file.content for file in (await forge.tree(NAME, "main")).files}
    assert held["README.md"] == b"other"
    assert held["new.txt"] == b"new"
    assert "bin/run" not in held
    assert "latest" in held


async def test_a_file_read_without_its_content_can_be_put_back(forge: Forge) -> None:
    await created(forge)
    first = await forge.commit(NAME, "main", FILES, "First", parent=None)
    kept = next(f for f in (await forge.tree(NAME, "main", contents=False)).files if f.path == "docs/logo.png")
    second = await forge.commit(NAME, "main", [], "Second", parent=first.sha, deleted=["docs/logo.png"])
    await forge.commit(NAME, "main", [kept], "Third", parent=second.sha)
    assert await forge.file(NAME, "main", "docs/logo.png") == b"\x89PNG\0\xff"


async def test_a_branch_that_moved_refuses_a_commit(forge: Forge) -> None:
    _, head = await created(forge)
    await forge.commit(NAME, "main", [File("a", b"1")], "Theirs", parent=head.sha)
    with pytest.raises(Conflict):
        await forge.commit(NAME, "main", [File("a", b"2")], "Ours", parent=head.sha)
    assert await forge.file(NAME, "main", "a") == b"1"


async def test_a_branch_is_made_moved_and_deleted(forge: Forge) -> None:
    _, head = await created(forge)
    commit = await forge.commit(NAME, "feature/one", [File("a", b"1")], "One", parent=head.sha)
    assert (await forge.activity(NAME)).heads == {"main": head.sha, "feature/one": commit.sha}
    with pytest.raises(Conflict):
        await forge.move_branch(NAME, "feature/one", to=head.sha, expected=head.sha)
    await forge.move_branch(NAME, "feature/one", to=head.sha, expected=commit.sha)
    moved = await forge.branch_head(NAME, "feature/one")
    assert moved is not None
    assert moved.sha == head.sha
    await forge.delete_branch(NAME, "feature/one")
    assert await forge.branch_head(NAME, "feature/one") is None
    assert await forge.recent_commits(NAME, "feature/one") in ([], ())
    with pytest.raises(NotFound):
        await forge.delete_branch(NAME, "feature/one")


async def conversation(forge: Forge) -> int:
    """Return the number of a pull request of NAME."""
    _, head = await created(forge)
    await forge.commit(NAME, "change", FILES, "Change", parent=head.sha)
    return (await forge.create_pull_request(NAME, head="change", base="main", title="One", body="Please")).number


async def test_a_pull_request_is_read_by_its_number(forge: Forge) -> None:
    assert await forge.pull_request(NAME, 1) is None
    number = await conversation(forge)
    found = await forge.pull_request(NAME, number)
    assert found is not None
    assert found == await forge.pull_request_for(NAME, "change")
    assert (found.head_repository, found.fork, found.labels, found.draft) == (NAME, False, (), False)
    assert await forge.pull_request(NAME, number + 1) is None


async def test_a_pull_request_from_a_fork_says_so(hands: Hands) -> None:
    await created(hands.forge)
    number = await hands.offer_from_fork(NAME)
    found = await hands.forge.pull_request(NAME, number)
    assert found is not None
    assert (found.fork, found.head_repository) == (True, "author/parcels")


async def test_a_pull_request_carries_labels(hands: Hands) -> None:
    number = await conversation(hands.forge)
    await hands.label(NAME, number, "preview")
    found = await hands.forge.pull_request(NAME, number)
    assert found is not None
    assert found.labels == ("preview",)


async def test_what_others_say_is_not_ours_whatever_they_copy(hands: Hands) -> None:
    number = await conversation(hands.forge)
    ours = await hands.forge.create_comment(NAME, number, "<!-- a mark -->")
    await hands.say(NAME, number, "<!-- a mark -->")
    found = await hands.forge.comments(NAME, number)
    assert [(one.body, one.ours) for one in found] == [("<!-- a mark -->", True), ("<!-- a mark -->", False)]
    assert found[0] == ours
    assert found[1].author == "author"


async def test_a_comment_is_written_edited_and_deleted(forge: Forge) -> None:
    number = await conversation(forge)
    assert await forge.comments(NAME, number) == []
    made = await forge.create_comment(NAME, number, "One <!-- hidden -->\n\n| a | b |")
    assert made.ours
    assert await forge.comments(NAME, number) == [made]
    await forge.update_comment(NAME, made.id, "Two")
    (edited,) = await forge.comments(NAME, number)
    assert (edited.id, edited.body, edited.ours) == (made.id, "Two", True)
    await forge.delete_comment(NAME, made.id)
    assert await forge.comments(NAME, number) == []
    for again in (forge.update_comment(NAME, made.id, "Three"), forge.delete_comment(NAME, made.id)):
        with pytest.raises(NotFound):
            await again
    for elsewhere in (forge.comments(NAME, 99), forge.create_comment(NAME, 99, "Hello")):
        with pytest.raises(NotFound):
            await elsewhere


async def test_a_pull_request_is_found_open_and_closed(forge: Forge) -> None:
    _, head = await created(forge)
    commit = await forge.commit(NAME, "change", [File("a", b"1")], "One", parent=head.sha)
    assert await forge.pull_request_for(NAME, "change") is None
    made = await forge.create_pull_request(NAME, head="change", base="main", title="One", body="Please\n\nmark: 1")
    assert (made.state, made.merged, made.head_sha, made.base) == ("open", False, commit.sha, "main")
    found = await forge.pull_request_for(NAME, "change")
    assert found is not None
    assert (found.number, found.body, found.title) == (made.number, "Please\n\nmark: 1", "One")
    with pytest.raises(Conflict):
        await forge.create_pull_request(NAME, head="change", base="main", title="Again", body="")
    await forge.close_pull_request(NAME, made.number)
    closed = await forge.pull_request_for(NAME, "change")
    assert closed is not None
    assert (closed.number, closed.state, closed.merged) == (made.number, "closed", False)
    activity = await forge.activity(NAME)
    assert [one.number for one in activity.pull_requests] == [made.number]
    assert (activity.issues, activity.tags, activity.forks) == (0, (), 0)


async def test_description_and_topics_are_set_and_cleared(forge: Forge) -> None:
    await created(forge)
    await forge.update_repository(NAME, description="Parcels", homepage="https://parcels.example")
    changed = await forge.update_repository(NAME, homepage="")
    assert (changed.description, changed.homepage) == ("Parcels", "")
    await forge.replace_topics(NAME, ["api", "python"])
    assert sorted(await forge.topics(NAME)) == ["api", "python"]
    await forge.replace_topics(NAME, [])
    assert await forge.topics(NAME) == ()


@pytest.mark.parametrize("permission", ["pull", "triage", "push", "maintain", "admin"])
async def test_a_team_gets_and_loses_access(forge: Forge, permission: str) -> None:
    await created(forge)
    assert await forge.team_permission(NAME, "team-orders") is None
    await forge.grant_team(NAME, "team-orders", permission)
    assert await forge.team_permission(NAME, "team-orders") == permission
    await forge.revoke_team(NAME, "team-orders")
    assert await forge.team_permission(NAME, "team-orders") is None


async def test_a_variable_is_set_changed_and_deleted(forge: Forge) -> None:
    await created(forge)
    assert await forge.variable(NAME, "REGION") is None
    await forge.set_variable(NAME, "REGION", "eu-1")
    await forge.set_variable(NAME, "REGION", "eu-2")
    assert await forge.variable(NAME, "REGION") == "eu-2"
    await forge.delete_variable(NAME, "REGION")
    assert await forge.variable(NAME, "REGION") is None
    with pytest.raises(NotFound):
        await forge.delete_variable(NAME, "REGION")


async def test_a_ruleset_is_found_by_its_name(forge: Forge) -> None:
    await created(forge)
    number = await forge.create_ruleset(NAME, Ruleset("Causeway (op_1)", required_checks=("test",)))
    assert await forge.ruleset(NAME, "Causeway (op_1)") == number
    assert await forge.ruleset(NAME, "Causeway (op_2)") is None
    await forge.delete_ruleset(NAME, number)
    assert await forge.ruleset(NAME, "Causeway (op_1)") is None


async def test_a_webhook_is_made_with_a_named_secret_and_deleted(forge: Forge) -> None:
    await created(forge)
    made = await forge.create_webhook(NAME, "https://bot.example/hook", ["push"], secret_name="webhook")
    assert [(hook.id, hook.url) for hook in await forge.webhooks(NAME)] == [(made.id, "https://bot.example/hook")]
    with pytest.raises(NotFound):
        await forge.create_webhook(NAME, "https://bot.example/other", ["push"], secret_name="unknown")
    await forge.delete_webhook(NAME, made.id)
    assert list(await forge.webhooks(NAME)) == []
