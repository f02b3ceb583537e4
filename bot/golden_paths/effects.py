"""From the actions that a template plans to the effects that make them so.

A step's id becomes the id of the effect that yields its outputs; the effects around it are named after it
(`publish:repository`, `publish:team-1`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol

from bot.effects import (
    CommitFiles,
    CreateRepository,
    CreateWebhook,
    FileBody,
    FinishRepository,
    GrantTeam,
    Note,
    OpenPullRequest,
    ProtectBranch,
    RegisterInCatalog,
    SetVariables,
)
from bot.errors import Invalid, Mistake, Refused
from bot.model.canonical import JSON
from bot.model.effect import Effect
from bot.model.late import Late, OutputRef
from bot.ports import File

BRANCH = "main"
"""The branch that new repositories start on."""

PERMISSIONS = {"read": "pull", "write": "push", "pull": "pull", "push": "push", "triage": "triage"} | {
    "maintain": "maintain",
    "admin": "admin",
}

QUIET = frozenset(
    {
        "repoUrl",
        "defaultBranch",
        "sourcePath",
        "targetPath",
        "gitAuthorName",
        "gitAuthorEmail",
        "token",
        "repoVisibility",
    }
    | {"description", "homepage", "access", "collaborators", "topics", "repoVariables", "gitCommitMessage"}
    | {"protectDefaultBranch", "requiredApprovingReviewCount", "requireCodeOwnerReviews", "requiredStatusCheckContexts"}
    | {"branchName", "title", "targetBranchName", "commitMessage", "update", "draft"}
    | {"webhookUrl", "events", "active", "contentType", "repoContentsUrl", "catalogInfoUrl", "catalogInfoPath"}
    | {"optional", "message", "listWorkspace"}
)
"""Inputs that are followed, or that make no difference here. Any other one is told as not followed."""


class PlannedAction(Protocol):
    """One action as the template's rendering yields it."""

    @property
    def id(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def repository(self) -> str | None: ...
    @property
    def inputs(self) -> Mapping[str, JSON]: ...
    @property
    def outputs(self) -> Mapping[str, JSON]: ...
    @property
    def files(self) -> Sequence[File]: ...


@dataclass(slots=True)
class Translation:
    """What the actions came to."""

    private: bool = True
    """Visibility of new repositories whose template says none."""
    effects: list[Effect] = field(default_factory=list)
    creates: dict[str, str] = field(default_factory=dict)
    """New repository → id of the effect that creates it."""
    pushes: list[str] = field(default_factory=list)
    """Existing repositories that are changed."""
    notes: list[str] = field(default_factory=list)

    def add(self, actions: Iterable[PlannedAction]) -> None:
        """Raise `Invalid` for an input that cannot be followed and must not be passed over."""
        for action in actions:
            _TRANSLATORS[action.action](self, action)
            for name in sorted(set(action.inputs) - QUIET):
                self.notes.append(f"`{name}` of step `{action.id}` has no effect here.")


def _publish(to: Translation, action: PlannedAction) -> None:
    _create(to, action)
    _commit(to, action)
    _settings(to, action)


def _create_only(to: Translation, action: PlannedAction) -> None:
    _create(to, action)
    _settings(to, action)


def _create(to: Translation, action: PlannedAction) -> None:
    given = action.inputs.get("defaultBranch")
    if given not in (None, BRANCH):
        _refuse(action, "defaultBranch", f"new repositories start on `{BRANCH}`; leave it out")
    if action.inputs.get("secrets"):
        _refuse(action, "secrets", "secrets never pass through a plan; set them in GitHub")
    visibility = action.inputs.get("repoVisibility")
    private = to.private if visibility is None else visibility != "public"
    effect = CreateRepository(id=f"{action.id}:repository", repository=_repository(action), private=private)
    to.effects.append(effect)
    to.creates[_repository(action)] = effect.id


def _commit(to: Translation, action: PlannedAction) -> None:
    repository = _repository(action)
    made_by = to.creates.get(repository)
    if made_by is None:
        # Whoever asks chooses the name, and their own team approves: an existing repository is somebody else's.
        raise Refused(
            f"A golden path does not push to a repository that it has not made ({repository}).",
            hint="Change existing repositories by pull request: `publish:github:pull-request`.",
        )
    to.effects.append(
        CommitFiles(
            id=action.id,
            repository=repository,
            branch=BRANCH,
            files=tuple(FileBody.of(file) for file in action.files),
            message=_text(action, "gitCommitMessage", "Start from the golden path"),
            replaces=Late(parts=(OutputRef(effect=made_by, output="head"),)),
        )
    )


def _settings(to: Translation, action: PlannedAction) -> None:
    repository, inputs = _repository(action), action.inputs
    variables = inputs.get("repoVariables")
    if isinstance(variables, dict) and variables:
        texts = {name: str(value) for name, value in variables.items()}
        to.effects.append(SetVariables(id=f"{action.id}:variables", repository=repository, variables=texts))
    for number, (team, permission) in enumerate(_teams(to, action), start=1):
        to.effects.append(
            GrantTeam.model_validate(
                {"id": f"{action.id}:team-{number}", "repository": repository, "team": team, "permission": permission}
            )
        )
    to.effects.append(
        FinishRepository(
            id=f"{action.id}:settings",
            repository=repository,
            description=_text(action, "description", ""),
            homepage=_text(action, "homepage", ""),
            topics=tuple(str(topic).lower() for topic in _list(inputs.get("topics"))),
        )
    )
    if inputs.get("protectDefaultBranch", True) is not False:
        checks = tuple(str(check) for check in _list(inputs.get("requiredStatusCheckContexts")))
        to.effects.append(
            ProtectBranch(
                id=f"{action.id}:protection",
                repository=repository,
                required_approvals=_count(inputs.get("requiredApprovingReviewCount"), 1),
                require_code_owners=inputs.get("requireCodeOwnerReviews") is True,
                required_checks=checks,
            )
        )


def _teams(to: Translation, action: PlannedAction) -> list[tuple[str, str]]:
    """`access` (a team gets admin) and `collaborators`; people are told as not followed: access goes by team."""
    teams: dict[str, str] = {}
    access = action.inputs.get("access")
    owner = _repository(action).partition("/")[0]
    if isinstance(access, str) and "/" in access:
        if access.partition("/")[0].lower() != owner.lower():
            _refuse(action, "access", f"`{access[:80]}` is not a team of `{owner}`")
        teams[access.rpartition("/")[2]] = "admin"
    elif access:
        to.notes.append(f"`access` of step `{action.id}` names a person; access is given to teams only.")
    for collaborator in _list(action.inputs.get("collaborators")):
        if not isinstance(collaborator, dict):
            continue
        if team := collaborator.get("team"):
            wanted = str(collaborator.get("access") or "push")
            if wanted not in PERMISSIONS:
                _refuse(action, "collaborators", f"`{wanted}` is not one of {', '.join(PERMISSIONS)}")
            teams[str(team).rpartition("/")[2]] = PERMISSIONS[wanted]
        else:
            to.notes.append(f"A collaborator of step `{action.id}` is a person; access is given to teams only.")
    return list(teams.items())


def _pull_request(to: Translation, action: PlannedAction) -> None:
    repository = _repository(action)
    to.pushes.append(repository)
    to.effects.append(
        OpenPullRequest(
            id=action.id,
            repository=repository,
            branch=_text(action, "branchName", ""),
            base=_text(action, "targetBranchName", BRANCH),
            title=_text(action, "title", ""),
            body=_text(action, "description", ""),
            files=tuple(FileBody.of(file) for file in action.files),
            message=_text(action, "commitMessage", ""),
        )
    )


def _register(to: Translation, action: PlannedAction) -> None:
    location = action.outputs.get("catalogInfoUrl") or action.inputs.get("catalogInfoUrl")
    to.effects.append(RegisterInCatalog(id=action.id, location=_read(location)))


def _webhook(to: Translation, action: PlannedAction) -> None:
    if action.inputs.get("webhookSecret"):
        _refuse(action, "webhookSecret", "leave it out: the platform's own webhook secret is used, by name")
    events = tuple(str(event) for event in _list(action.inputs.get("events"))) or ("push",)
    to.effects.append(
        CreateWebhook(
            id=action.id,
            repository=_repository(action),
            url=_text(action, "webhookUrl", ""),
            events=events,
            secret_name="github_webhook",  # noqa: S106  # the secret's name, not the secret
        )
    )


def _note(to: Translation, action: PlannedAction) -> None:
    to.effects.append(Note(id=action.id, message=_text(action, "message", "(nothing to say)")))


_TRANSLATORS: Mapping[str, Callable[[Translation, PlannedAction], None]] = {
    "publish:github": _publish,
    "github:repo:create": _create_only,
    "github:repo:push": _commit,
    "publish:github:pull-request": _pull_request,
    "catalog:register": _register,
    "github:webhook": _webhook,
    "debug:log": _note,
}


def _repository(action: PlannedAction) -> str:
    if action.repository is None:
        _refuse(action, "repoUrl", "is missing")
    return str(action.repository)


def _text(action: PlannedAction, name: str, default: str) -> str | Late:
    value = action.inputs.get(name)
    return default if value in (None, "") else _read(value)


def _read(value: JSON) -> str | Late:
    return Late.model_validate(value) if isinstance(value, dict) and "$late" in value else str(value)


def _list(value: JSON) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _count(value: JSON, default: int) -> int:
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else default


def _refuse(action: PlannedAction, name: str, mend: str) -> NoReturn:
    mistake = Mistake(f"steps.{action.id}.input.{name}", mend)
    raise Invalid(f"Step `{action.id}` of the template cannot be followed.", [mistake], hint=f"{mistake}.")
