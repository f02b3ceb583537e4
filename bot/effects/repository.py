"""Create a repository, and finish it once it holds everything."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from pydantic import Field

from bot.effects.marks import RepositoryName, is_of_operation, known, setup_description
from bot.errors import Conflict, UpstreamUnavailable
from bot.model.effect import Effect, Outcome, Proof, Run, Undo, Undone
from bot.model.late import Text
from bot.ports import Activity, Forge, NewRepository, Ports, Repository

T = TypeVar("T")
LONGEST_DESCRIPTION = 350


class CreateRepository(Effect):
    """A repository with one empty first commit, marked in the call that makes it.

    Outputs: `remoteUrl`, `repoContentsUrl`, `fullName`, `defaultBranch`, and `head`, the hash of that first commit.
    """

    kind: ClassVar[str] = "forge.create_repository"

    repository: RepositoryName
    """`owner/name`."""
    private: bool = True

    def describe(self) -> str:
        return f"Create the {'private' if self.private else 'public'} repository {self.repository}"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        name = known(self.repository)
        repository = await ports.forge.repository(name)
        if repository is None:
            new = NewRepository(name, setup_description(run), self.private)
            try:
                repository = await ports.forge.create_repository(new)
            except Conflict:
                # The name was taken since we looked, perhaps by our own call whose answer was lost.
                repository = await ports.forge.repository(name)
                if repository is None:
                    raise
        if repository.description != setup_description(run):
            raise Conflict(
                f"The repository {name} exists already and was not made by this operation.",
                hint="Choose another name, or ask its owners.",
            )
        head = await ports.forge.branch_head(name, repository.default_branch)
        if head is None:
            raise UpstreamUnavailable(f"GitHub is still setting up {name}.", retry_after_s=1.0)
        return _created(repository, head.sha)

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        name = known(self.repository)
        repository = await ports.forge.repository(name)
        if repository is None:
            return Undone(how=Undo.UNDONE, seen=f"{name} does not exist")
        if not self._made_here(repository, run, outcome):
            return Undone(how=Undo.NOTHING, seen=f"{name} is not this operation's repository")
        if repository.full_name.lower() != name.lower():
            return self._kept(repository.full_name, f"{name} was renamed to {repository.full_name} by somebody else")
        others = await _work_of_others(ports.forge, repository, run, outcome)
        if others:
            return self._kept(name, f"{name} holds work of others: {', '.join(others)}")
        await ports.forge.delete_repository(name)
        return Undone(how=Undo.UNDONE, seen=f"deleted {name}")

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        name = known(self.repository)
        repository = await ports.forge.repository(name)
        if repository is None:
            return Proof(absent=True, seen=f"repository {name}: not found")
        absent = not self._made_here(repository, run, outcome)
        return Proof(absent=absent, seen=f"repository {name}: {'of somebody else' if absent else 'still there'}")

    def manual(self) -> str:
        return f"gh repo delete {self.repository} --yes"

    def _made_here(self, repository: Repository, run: Run, outcome: Outcome | None) -> bool:
        if outcome is not None:
            return outcome.made.get("id") == repository.id
        return repository.description == setup_description(run)

    def _kept(self, full_name: str, why: str) -> Undone:
        return Undone(how=Undo.KEPT, seen=f"{why}, so it stays.", command=f"gh repo delete {full_name} --yes")


def _created(repository: Repository, head: str) -> Outcome:
    branch = repository.default_branch
    visibility = "private" if repository.private else "public"
    return Outcome(
        seen=f"repository {repository.full_name}, {visibility}, {branch} at {head[:7]}",
        outputs={
            "remoteUrl": repository.clone_url,
            "repoContentsUrl": f"{repository.web_url}/blob/{branch}",
            "fullName": repository.full_name,
            "defaultBranch": branch,
            "head": head,
        },
        made={"id": repository.id, "head": head},
        links={"Repository": repository.web_url},
    )


async def _work_of_others(forge: Forge, repository: Repository, run: Run, outcome: Outcome | None) -> list[str]:
    """Return what in the repository this operation did not make, in words; nothing when it is all ours.

    Apps that wake up with a new repository (dependency updates) do not count as people.
    """
    name = repository.full_name
    activity = await forge.activity(name)
    head = await forge.branch_head(name, repository.default_branch)
    if head is None:
        untouched = outcome is None
    elif is_of_operation(head.message, run):
        untouched = True  # our own commit, which its step has left where it is
    elif outcome is not None:
        untouched = head.sha == outcome.made.get("head")
    else:
        untouched = not head.parents
    others = [] if untouched else [f"commits on {repository.default_branch}"]
    return others + beside_the_default_branch(activity, repository.default_branch, run)


def beside_the_default_branch(activity: Activity, default_branch: str, run: Run) -> list[str]:
    """Return branches, tags, pull requests, issues and forks that other people made, in words."""
    ignored = [pr for pr in activity.pull_requests if pr.author.endswith("[bot]") or is_of_operation(pr.body, run)]
    explained = {(pr.head, pr.head_sha) for pr in ignored}
    branches = [b for b, sha in activity.heads.items() if b != default_branch and (b, sha) not in explained]
    pull_requests = len(activity.pull_requests) - len(ignored)
    found = [f"branch {branch}" for branch in branches] + [f"tag {tag}" for tag in activity.tags]
    for count, noun in ((pull_requests, "pull request"), (activity.issues, "issue"), (activity.forks, "fork")):
        if count:
            found.append(f"{count} {noun}{'s' if count > 1 else ''}")
    return found


class FinishRepository(Effect):
    """Replace the set-up mark by the real description, and set homepage and topics.

    Each of the three is changed only from the state in which this operation made the repository; what somebody else
    has set in the meantime stays.
    """

    kind: ClassVar[str] = "forge.finish_repository"

    repository: RepositoryName
    description: Text = ""
    homepage: Text = ""
    topics: tuple[str, ...] = Field(default=())

    def describe(self) -> str:
        return f"Set description and topics of {self.repository}" if self.topics else f"Describe {self.repository}"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        name = known(self.repository)
        await self._move(ports.forge, run, forward=True)
        return Outcome(seen=f"{name} is described" + (f", topics {', '.join(self.topics)}" if self.topics else ""))

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        name = known(self.repository)
        if await ports.forge.repository(name) is None:
            return Undone(how=Undo.UNDONE, seen=f"{name} does not exist")
        changed = await self._move(ports.forge, run, forward=False)
        return Undone(how=Undo.UNDONE if changed else Undo.NOTHING, seen=f"description and topics of {name} as before")

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        name = known(self.repository)
        repository = await ports.forge.repository(name)
        if repository is None:
            return Proof(absent=True, seen=f"repository {name}: not found")
        topics = await ports.forge.topics(name)
        left = repository.description == self._description() or bool(self.topics and topics == self._topics())
        return Proof(absent=not left, seen=f"{name}: description “{repository.description}”, topics {len(topics)}")

    def _description(self) -> str:
        """Return the description as GitHub takes it: one line of a limited length."""
        return " ".join(known(self.description).split())[:LONGEST_DESCRIPTION]

    def _topics(self) -> tuple[str, ...]:
        return tuple(sorted(self.topics))

    async def _move(self, forge: Forge, run: Run, *, forward: bool) -> bool:
        """Go from the set-up state to the finished one, or back; return whether anything was changed."""
        name = known(self.repository)
        repository = await forge.repository(name)
        topics = tuple(sorted(await forge.topics(name)))
        if repository is None:
            raise Conflict(f"The repository {name} does not exist.")
        description = _step(repository.description, setup_description(run), self._description(), forward=forward)
        homepage = _step(repository.homepage, "", known(self.homepage), forward=forward)
        if description is not None or homepage is not None:
            await forge.update_repository(name, description=description, homepage=homepage)
        target = _step(topics, (), self._topics(), forward=forward)
        if target is not None:
            await forge.replace_topics(name, target)
        return not (description is None and homepage is None and target is None)


def _step(now: T, first: T, last: T, *, forward: bool) -> T | None:
    """Return the value to set, or None where it stands already or somebody else has set another one."""
    here, there = (first, last) if forward else (last, first)
    return there if now == here != there else None
