from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.effects import CommitFiles, CreateRepository, FileBody, GrantTeam, OpenPullRequest, SetVariables
from bot.errors import Conflict, NotFound, OutcomeUnknown, UpstreamUnavailable, UsageError
from bot.model.effect import Effect, Undo
from bot.model.late import Late, OutputRef
from bot.ports import NewRepository
from tests.effects.scenes import (
    CREATE,
    FINISH,
    FIRST,
    FRESH,
    GRANT,
    NEXT,
    OLD,
    PROTECT,
    PULL_REQUEST,
    VARIABLES,
    WEBHOOK,
    World,
    files,
    prepared,
    run,
    world,
)


async def test_a_new_repository_carries_the_operation_from_its_first_moment() -> None:
    made, create = await prepared(CREATE)
    outcome = await create.apply(made.ports, run(create))
    repository = await made.forge.repository(FRESH)
    assert repository is not None
    assert repository.description == "Being set up by Causeway (op_one)"
    assert repository.private
    head = await made.forge.branch_head(FRESH, "main")
    assert head is not None
    assert outcome.outputs == {
        "remoteUrl": f"https://forge.example/{FRESH}.git",
        "repoContentsUrl": f"https://forge.example/{FRESH}/blob/main",
        "fullName": FRESH,
        "defaultBranch": "main",
        "head": head.sha,
    }


async def test_a_name_taken_by_others_is_a_conflict() -> None:
    made = await world()
    await made.forge.create_repository(NewRepository("acme/ORDERS", "Ours since 2019"))
    with pytest.raises(Conflict, match=r"acme/orders exists already.*Choose another name"):
        await CREATE.apply(made.ports, run(CREATE))
    assert (await CREATE.undo(made.ports, run(CREATE), None)).how is Undo.NOTHING
    assert (await CREATE.gone(made.ports, run(CREATE), None)).absent
    assert made.forge.names == {OLD, "acme/ORDERS"}


async def test_a_name_taken_between_look_and_call_is_a_conflict() -> None:
    made = await world()
    made.forge.refuse("create_repository", Conflict("The name acme/orders is taken."))
    with pytest.raises(Conflict, match="taken"):
        await CREATE.apply(made.ports, run(CREATE))


async def test_a_repository_without_a_head_is_waited_for() -> None:
    made = await world()
    created = await made.forge.create_repository(NewRepository(FRESH, "Being set up by Causeway (op_one)"))
    made.forge.change(FRESH, branches={})
    with pytest.raises(UpstreamUnavailable, match="still setting up") as caught:
        await CREATE.apply(made.ports, run(CREATE, attempt=2))
    assert caught.value.retry_after_s == 1.0
    assert created.id > 0


def push_to_main(made: World) -> None:
    made.forge.push(FRESH, {"mine.txt": b"mine"})


def push_a_branch(made: World) -> None:
    made.forge.push(FRESH, {"mine.txt": b"mine"}, branch="feature")


def rename(made: World) -> None:
    made.forge.change(FRESH, full_name="acme/orders-2", former_name=FRESH)


WORK_OF_OTHERS: dict[str, Callable[[World], None]] = {
    "commits on main": push_to_main,
    "branch feature": push_a_branch,
    "tag v1": lambda made: made.forge.change(FRESH, tags=["v1"]),
    "2 issues": lambda made: made.forge.change(FRESH, issues=2),
    "1 fork": lambda made: made.forge.change(FRESH, forks=1),
    "renamed to acme/orders-2": rename,
}


@pytest.mark.parametrize("recorded", [True, False], ids=["recorded", "not recorded"])
@pytest.mark.parametrize("what", WORK_OF_OTHERS)
async def test_a_repository_with_work_of_others_is_kept(what: str, *, recorded: bool) -> None:
    made, create = await prepared(CREATE)
    outcome = await create.apply(made.ports, run(create))
    WORK_OF_OTHERS[what](made)
    undone = await create.undo(made.ports, run(create), outcome if recorded else None)
    assert undone.how is Undo.KEPT
    assert what in undone.seen
    assert undone.command.startswith("gh repo delete acme/orders")
    assert len(made.forge.names) == 2
    assert not (await create.gone(made.ports, run(create), outcome if recorded else None)).absent


async def test_somebodys_pull_request_keeps_the_repository_but_an_apps_does_not() -> None:
    made, create = await prepared(CREATE)
    outcome = await create.apply(made.ports, run(create))
    sha = made.forge.push(FRESH, {"deps.txt": b"2"}, branch="dependabot/pip")
    request = {
        "number": 1,
        "head": "dependabot/pip",
        "head_sha": sha,
        "base": "main",
        "title": "Bump",
        "body": "",
        "state": "open",
        "merged": False,
        "author": "dependabot[bot]",
    }
    made.forge.change(FRESH, pull_requests=[request | {"author": "teammate"}])
    kept = await create.undo(made.ports, run(create), outcome)
    assert (kept.how, "1 pull request" in kept.seen) == (Undo.KEPT, True)
    made.forge.change(FRESH, pull_requests=[request])
    assert (await create.undo(made.ports, run(create), outcome)).how is Undo.UNDONE
    assert made.forge.names == {OLD}


async def test_a_repository_made_anew_under_the_same_name_is_not_ours() -> None:
    made, create = await prepared(CREATE)
    outcome = await create.apply(made.ports, run(create))
    await made.forge.delete_repository(FRESH)
    await made.forge.create_repository(NewRepository(FRESH, "Being set up by Causeway (op_one)"))
    assert (await create.undo(made.ports, run(create), outcome)).how is Undo.NOTHING
    assert FRESH in made.forge.names


async def test_a_description_is_one_line_that_github_takes() -> None:
    made, finish = await prepared(FINISH)
    before = made.look()
    wordy = finish.model_copy(update={"description": "Orders\n of  everybody " + "x" * 400})
    await wordy.apply(made.ports, run(wordy))
    repository = await made.forge.repository(FRESH)
    assert repository is not None
    assert repository.description.startswith("Orders of everybody xx")
    assert len(repository.description) == 350
    await wordy.undo(made.ports, run(wordy), None)
    assert made.look() == before


async def test_a_description_that_somebody_wrote_meanwhile_stays() -> None:
    made, finish = await prepared(FINISH)
    made.forge.change(FRESH, description="Written by hand")
    await finish.apply(made.ports, run(finish))
    await finish.undo(made.ports, run(finish), None)
    repository = await made.forge.repository(FRESH)
    assert repository is not None
    assert (repository.description, repository.homepage) == ("Written by hand", "")


@pytest.mark.parametrize(
    "name",
    ["orders", "acme/../x", "acme/..", "acme/a b", "acme/" + "x" * 101, "acme/\u202eo", "a/b/c", "-a/b", ""],
)
def test_a_name_that_no_forge_takes_is_refused_when_planned(name: str) -> None:
    with pytest.raises(UsageError, match="is not the name of a repository"):
        CreateRepository(id="create", repository=name)


async def test_a_late_name_is_checked_when_it_is_bound() -> None:
    late = CreateRepository(id="create", repository=Late(parts=("acme/", OutputRef(effect="ask", output="name"))))
    assert late.bound({"ask": {"name": "orders"}}).repository == "acme/orders"
    with pytest.raises(UsageError):
        late.bound({"ask": {"name": "../orders"}})
    with pytest.raises(Conflict, match="no earlier step has yielded"):
        await late.apply((await world()).ports, run(late))


async def test_the_first_commit_is_the_only_one_and_names_the_human_the_operation_and_the_step() -> None:
    made, first = await prepared(FIRST)
    outcome = await first.apply(made.ports, run(first))
    commits = await made.forge.recent_commits(FRESH, "main")
    assert [commit.sha for commit in commits] == [outcome.outputs["commitHash"]]
    assert commits[0].message == (
        "First version\n\nRequested-by: Sample Author <author@acme.example>\n"
        "Causeway-Operation: op_one\nCauseway-Step: first\n"
    )
    assert made.forge.files(FRESH) == {
        "README.md": b"# Orders\n",
        "bin/run": b"#!/bin/sh\n",
        "logo.png": b"\x89PNG",
    }


async def test_the_first_commit_never_replaces_somebodys_push() -> None:
    made, first = await prepared(FIRST)
    made.forge.push(FRESH, {"mine.txt": b"mine"})
    with pytest.raises(Conflict, match="Somebody else has pushed"):
        await first.apply(made.ports, run(first))
    assert "mine.txt" in made.forge.files(FRESH)


async def test_the_first_commit_stays_when_others_built_on_it() -> None:
    made, first = await prepared(FIRST)
    outcome = await first.apply(made.ports, run(first))
    made.forge.push(FRESH, {"mine.txt": b"mine"})
    undone = await first.undo(made.ports, run(first), outcome)
    assert (undone.how, undone.command) == (Undo.KEPT, f"git revert {outcome.outputs['commitHash']}")
    assert "mine.txt" in made.forge.files(FRESH)


async def test_a_commit_on_top_that_changes_no_file_is_somebodys_work_too() -> None:
    made, first = await prepared(FIRST)
    outcome = await first.apply(made.ports, run(first))
    theirs = made.forge.push(FRESH, {"README.md": b"# Orders\n"}, message="Run the workflow")
    assert (await first.undo(made.ports, run(first), outcome)).how is Undo.KEPT
    head = await made.forge.branch_head(FRESH, "main")
    assert head is not None
    assert head.sha == theirs


async def test_a_commit_on_a_branch_keeps_what_is_there_and_reads_the_new_head_when_it_moved() -> None:
    made = await world()
    made.forge.refuse("commit", Conflict("The branch main of acme/gitops has moved."), times=2)
    await NEXT.apply(made.ports, run(NEXT))
    assert made.forge.files(OLD) == {
        "README.md": b"acme/gitops",
        "apps/old.yaml": b"replicas: 2\n",
        "orders.txt": b"one",
    }
    made.forge.refuse("commit", Conflict("moved"), times=9)
    other = NEXT.model_copy(update={"id": "other", "files": files(more="x")})
    with pytest.raises(UpstreamUnavailable, match="keeps moving"):
        await other.apply(made.ports, run(other))


async def test_a_commit_is_taken_back_below_other_peoples_commits_to_other_files() -> None:
    made = await world()
    outcome = await NEXT.apply(made.ports, run(NEXT))
    made.forge.push(OLD, {"theirs.yaml": b"x"})
    assert (await NEXT.undo(made.ports, run(NEXT), outcome)).how is Undo.UNDONE
    assert made.forge.files(OLD) == {
        "README.md": b"acme/gitops",
        "apps/old.yaml": b"replicas: 1\n",
        "run.sh": b"#!/bin/sh\n",
        "theirs.yaml": b"x",
    }
    tree = await made.forge.tree(OLD, "main")
    assert {file.path: file.mode for file in tree.files}["run.sh"] == "100755"


async def test_a_file_that_is_missing_already_needs_no_deleting() -> None:
    made = await world()
    before = made.look()
    for effect in (NEXT, PULL_REQUEST):
        twice = effect.model_copy(update={"deleted": ("run.sh", "nothing.txt")})
        outcome = await twice.apply(made.ports, run(twice))
        assert (await twice.undo(made.ports, run(twice), outcome)).how is Undo.UNDONE
    assert made.look() == before


async def test_two_steps_on_the_same_file_are_taken_back_in_turn() -> None:
    made = await world()
    before = made.look()
    later = NEXT.model_copy(update={"id": "later", "files": files(orders="two")})
    outcomes = [(effect, await effect.apply(made.ports, run(effect))) for effect in (NEXT, later)]
    for effect, outcome in reversed(outcomes):
        assert (await effect.undo(made.ports, run(effect), outcome)).how is Undo.UNDONE
    assert made.look() == before


async def test_a_step_that_was_taken_back_can_be_done_again() -> None:
    made = await world()
    first = await NEXT.apply(made.ports, run(NEXT))
    await NEXT.undo(made.ports, run(NEXT), first)
    second = await NEXT.apply(made.ports, run(NEXT))
    assert second.outputs != first.outputs
    assert made.forge.files(OLD)["orders.txt"] == b"one"


@pytest.mark.parametrize("first", [True, False], ids=["first commit", "next commit"])
async def test_a_commit_far_below_the_head_is_still_found(*, first: bool) -> None:
    made, effect = await prepared(FIRST if first else NEXT)
    assert isinstance(effect, CommitFiles)
    outcome = await effect.apply(made.ports, run(effect))
    name = FRESH if first else OLD
    for number in range(60):
        made.forge.push(name, {"theirs.txt": str(number).encode()})
    undone = await effect.undo(made.ports, run(effect), outcome)
    assert undone.how is (Undo.KEPT if first else Undo.UNDONE)
    assert (await effect.gone(made.ports, run(effect), outcome)).absent is not first
    assert "theirs.txt" in made.forge.files(name)


async def test_a_commit_whose_files_others_changed_stays() -> None:
    made = await world()
    outcome = await NEXT.apply(made.ports, run(NEXT))
    made.forge.push(OLD, {"orders.txt": b"two"})
    before = made.look()
    undone = await NEXT.undo(made.ports, run(NEXT), outcome)
    assert undone.how is Undo.KEPT
    assert "Others have changed" in undone.seen
    assert made.look() == before


async def test_a_commit_of_what_is_there_already_is_not_made_and_not_undone() -> None:
    made = await world()
    same = CommitFiles(
        id="same", repository=OLD, files=(FileBody(path="apps/old.yaml", text="replicas: 1\n"),), message="Again"
    )
    before = made.look()
    outcome = await same.apply(made.ports, run(same))
    assert not outcome.changed
    assert (await same.undo(made.ports, run(same), outcome)).how is Undo.NOTHING
    assert (await same.gone(made.ports, run(same), outcome)).absent
    assert made.look() == before


@pytest.mark.parametrize("effect", [NEXT, PULL_REQUEST], ids=["commit", "pull request"])
async def test_a_missing_branch_is_said_by_name(effect: CommitFiles | OpenPullRequest) -> None:
    made = await world()
    field = "branch" if isinstance(effect, CommitFiles) else "base"
    lost = effect.model_copy(update={field: "nowhere"})
    with pytest.raises(NotFound, match="no branch nowhere"):
        await lost.apply(made.ports, run(lost))


async def test_somebodys_branch_of_the_same_name_is_not_taken() -> None:
    made = await world()
    made.forge.push(OLD, {"theirs.txt": b"x"}, branch="causeway/orders")
    before = made.look()
    with pytest.raises(Conflict, match="has a branch causeway/orders already"):
        await PULL_REQUEST.apply(made.ports, run(PULL_REQUEST))
    assert (await PULL_REQUEST.undo(made.ports, run(PULL_REQUEST), None)).how is Undo.NOTHING
    assert made.look() == before


async def test_a_merged_pull_request_stays_with_the_command_that_reverts_it() -> None:
    made = await world()
    outcome = await PULL_REQUEST.apply(made.ports, run(PULL_REQUEST))
    made.forge.merge(OLD, 1)
    undone = await PULL_REQUEST.undo(made.ports, run(PULL_REQUEST), outcome)
    assert (undone.how, undone.command) == (Undo.KEPT, "gh pr revert 1 --repo acme/gitops")


async def test_a_pull_request_that_others_pushed_to_stays_open() -> None:
    made = await world()
    outcome = await PULL_REQUEST.apply(made.ports, run(PULL_REQUEST))
    made.forge.push(OLD, {"theirs.txt": b"x"}, branch="causeway/orders")
    before = made.look()
    assert (await PULL_REQUEST.undo(made.ports, run(PULL_REQUEST), outcome)).how is Undo.KEPT
    assert made.look() == before


async def test_access_that_a_team_had_before_comes_back() -> None:
    made = await world()
    await made.forge.grant_team(OLD, "team-orders", "pull")
    grant = GrantTeam(id="grant", repository=OLD, team="team-orders", permission="push", before="pull")
    await grant.apply(made.ports, run(grant))
    assert (await grant.undo(made.ports, run(grant), None)).how is Undo.UNDONE
    assert await made.forge.team_permission(OLD, "team-orders") == "pull"


async def test_access_that_stood_before_is_neither_changed_nor_undone() -> None:
    made = await world()
    await made.forge.grant_team(OLD, "team-orders", "push")
    grant = GrantTeam(id="grant", repository=OLD, team="team-orders", permission="push", before="push")
    assert not (await grant.apply(made.ports, run(grant))).changed
    await grant.undo(made.ports, run(grant), None)
    assert await made.forge.team_permission(OLD, "team-orders") == "push"
    assert (await grant.gone(made.ports, run(grant), None)).absent


async def test_access_changed_by_somebody_else_stays() -> None:
    made, grant = await prepared(GRANT)
    outcome = await grant.apply(made.ports, run(grant))
    await made.forge.grant_team(FRESH, "team-orders", "admin")
    undone = await grant.undo(made.ports, run(grant), outcome)
    assert undone.how is Undo.KEPT
    assert undone.command == "gh api --method DELETE orgs/acme/teams/team-orders/repos/acme/orders"
    await made.forge.grant_team(FRESH, "team-orders", "admin")
    with pytest.raises(Conflict, match="while this was running"):
        await grant.apply(made.ports, run(grant))


async def test_variables_go_back_to_what_they_held_and_foreign_changes_stay() -> None:
    made = await world()
    await made.forge.set_variable(OLD, "REGION", "us-1")
    change = SetVariables(
        id="v", repository=OLD, variables={"REGION": "eu-1", "TIER": "gold"}, before={"REGION": "us-1"}
    )
    await change.apply(made.ports, run(change))
    await made.forge.set_variable(OLD, "TIER", "silver")
    undone = await change.undo(made.ports, run(change), None)
    assert (undone.how, undone.command) == (Undo.KEPT, "gh variable delete TIER --repo acme/gitops")
    assert await made.forge.variable(OLD, "REGION") == "us-1"
    assert await made.forge.variable(OLD, "TIER") == "silver"
    with pytest.raises(Conflict, match="TIER of acme/gitops was changed"):
        await change.apply(made.ports, run(change))


async def test_a_half_set_list_of_variables_is_finished_or_undone() -> None:
    made, variables = await prepared(VARIABLES)
    made.forge.lose_call_before("set_variable", skip=1)
    with pytest.raises(OutcomeUnknown):
        await variables.apply(made.ports, run(variables))
    assert (await variables.undo(made.ports, run(variables), None)).how is Undo.UNDONE
    assert await made.forge.variable(FRESH, "OWNER") is None


async def test_a_webhooks_secret_is_only_named() -> None:
    made, hook = await prepared(WEBHOOK)
    nameless = hook.model_copy(update={"secret_name": "missing"})
    with pytest.raises(NotFound, match="No secret is configured under the name missing"):
        await nameless.apply(made.ports, run(nameless))
    assert "secret_name" in hook.model_dump()
    assert "secret" not in hook.model_dump()


async def test_a_webhook_that_was_there_before_stays() -> None:
    made, hook = await prepared(WEBHOOK)
    await hook.apply(made.ports, run(hook))
    later = hook.model_copy(update={"existed": True})
    before = made.look()
    assert not (await later.apply(made.ports, run(later))).changed
    assert (await later.undo(made.ports, run(later), None)).how is Undo.NOTHING
    assert made.look() == before


async def test_a_webhook_made_anew_by_somebody_else_stays() -> None:
    made, hook = await prepared(WEBHOOK)
    outcome = await hook.apply(made.ports, run(hook))
    stale = outcome.model_copy(update={"made": {"id": 999}})
    assert (await hook.undo(made.ports, run(hook), stale)).how is Undo.NOTHING
    assert (await hook.gone(made.ports, run(hook), stale)).absent
    assert len(await made.forge.webhooks(FRESH)) == 1


async def test_a_rulesets_name_tells_the_operation() -> None:
    made, protect = await prepared(PROTECT)
    await protect.apply(made.ports, run(protect))
    assert await made.forge.ruleset(FRESH, "Causeway (op_one)") is not None


@pytest.mark.parametrize("effect", [FIRST, GRANT, VARIABLES, WEBHOOK, PROTECT], ids=lambda effect: effect.id)
async def test_a_repository_that_is_gone_is_an_undo_that_is_done(effect: Effect) -> None:
    made, bound = await prepared(effect)
    outcome = await bound.apply(made.ports, run(bound))
    await made.forge.delete_repository(FRESH)
    assert (await bound.undo(made.ports, run(bound), outcome)).how is Undo.UNDONE
    assert (await bound.gone(made.ports, run(bound), outcome)).absent


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../x", "a/../b", "a//b", ".git/config", "a/.GIT/x", "a\\b", "a\0b"]
)
def test_a_path_that_leaves_the_repository_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"not a path inside|Git's own folder"):
        FileBody(path=path, text="")


def test_a_file_has_one_content_that_can_be_read() -> None:
    with pytest.raises(ValueError, match="either text or base64"):
        FileBody(path="a")
    with pytest.raises(ValueError, match="cannot be read"):
        FileBody(path="a", base64="*")
    with pytest.raises(ValueError, match="cannot be read"):
        FileBody(path="a", text="\ud800")


@pytest.mark.parametrize(
    ("effect", "command"),
    [
        (CREATE, "gh repo delete acme/orders --yes"),
        (PULL_REQUEST, "gh pr close causeway/orders --repo acme/gitops --delete-branch"),
        (
            CommitFiles(id="x", repository=OLD, branch="a b;rm", files=files(a="1"), message="m"),
            "git log -1 --format=%H --grep='Causeway-Step: x' 'origin/a b;rm' | xargs git revert",
        ),
    ],
    ids=["create", "pull request", "commit"],
)
def test_the_manual_command_can_be_pasted(effect: Effect, command: str) -> None:
    assert effect.manual() == command
