"""The scaffolder actions that run here: what they need, what they yield, and when.

Imported by the child process: the standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Runs(StrEnum):
    """When an action runs."""

    READING = "reading"
    """While facts are read, in the child process: it yields files or answers."""
    LATER = "later"
    """As an effect of the plan."""


@dataclass(frozen=True, slots=True)
class Action:
    runs: Runs
    needs: tuple[tuple[str, ...], ...] = ()
    """Inputs that must be given; of each group, one."""
    foretold: frozenset[str] = frozenset()
    """Outputs whose values are computed while planning."""
    late: frozenset[str] = frozenset()
    """Outputs that exist only after the effect has run."""

    @property
    def outputs(self) -> frozenset[str]:
        return self.foretold | self.late


def _reading(*needs: str, yields: tuple[str, ...] = ()) -> Action:
    return Action(Runs.READING, tuple((name,) for name in needs), frozenset(yields))


_REPOSITORY = frozenset({"remoteUrl", "repoContentsUrl"})

ACTIONS: dict[str, Action] = {
    "fetch:template": _reading("url"),
    "fetch:plain": _reading("url"),
    "fetch:plain:file": _reading("url", "targetPath"),
    "fs:rename": _reading("files"),
    "fs:delete": _reading("files"),
    "roadiehq:utils:fs:write": _reading("path", "content", yields=("path",)),
    "catalog:write": _reading("entity"),
    "catalog:fetch": Action(
        Runs.READING, (("entityRef", "entityRefs"),), foretold=frozenset({"entity", "entities"})
    ),
    "publish:github": Action(Runs.LATER, (("repoUrl",),), _REPOSITORY, frozenset({"commitHash"})),
    "publish:github:pull-request": Action(
        Runs.LATER, (("repoUrl",), ("branchName",), ("title",)),
        late=frozenset({"remoteUrl", "pullRequestNumber", "targetBranchName"}),
    ),
    "github:repo:create": Action(Runs.LATER, (("repoUrl",),), _REPOSITORY),
    "github:repo:push": Action(Runs.LATER, (("repoUrl",),), _REPOSITORY, frozenset({"commitHash"})),
    "github:webhook": Action(Runs.LATER, (("repoUrl",), ("webhookUrl",))),
    "catalog:register": Action(
        Runs.LATER, (("repoContentsUrl", "catalogInfoUrl"),), frozenset({"entityRef", "catalogInfoUrl"})
    ),
    "debug:log": Action(Runs.LATER),
}  # fmt: skip
"""Every known action by name. `entityRef` of `catalog:register` is foretold when the file is one that the template
makes; else it is late."""

FILES_OF = frozenset({"publish:github", "publish:github:pull-request", "github:repo:push"})
"""Actions that carry the workspace's files away."""
