"""Rulesets and branch protection as they decide: may this caller move this ref, may this pull request be merged?"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from playground.github.call import Actor
from playground.github.errors import ApiError, unprocessable
from playground.github.gitrepo import GitRepository, Move
from playground.github.store import Document

if TYPE_CHECKING:
    from playground.github.hub import Hub

PERSON = Actor("person")


def rulesets(hub: Hub, repo: Document, ref: str) -> Iterator[Document]:
    """Yield the active rulesets of the repository and its organisation that cover `ref`."""
    owner = repo["owner"].lower()
    for ruleset in [*hub.store.all("rulesets", repo["id"]), *hub.store.all("rulesets", owner)]:
        if ruleset["enforcement"] == "active" and _covers(ruleset, repo, ref):
            yield ruleset


def _covers(ruleset: Document, repo: Document, ref: str) -> bool:
    kind = "refs/tags/" if ruleset["target"] == "tag" else "refs/heads/"
    conditions = ruleset.get("conditions") or {}
    return ref.startswith(kind) and _covers_ref(conditions, repo, ref) and _covers_repository(conditions, repo)


def _covers_ref(conditions: Document, repo: Document, ref: str) -> bool:
    names = conditions.get("ref_name") or {"include": ["~ALL"], "exclude": []}

    def match(pattern: str) -> bool:
        if pattern == "~ALL":
            return True
        if pattern == "~DEFAULT_BRANCH":
            return ref == f"refs/heads/{repo['default_branch']}"
        return fnmatchcase(ref, pattern)

    return any(map(match, names.get("include", []))) and not any(map(match, names.get("exclude", [])))


def _covers_repository(conditions: Document, repo: Document) -> bool:
    names = conditions.get("repository_name")
    if names and not any(p == "~ALL" or fnmatchcase(repo["name"], p) for p in names.get("include", [])):
        return False
    wanted = (conditions.get("repository_property") or {}).get("include", [])
    return all(repo["custom_properties"].get(w["name"]) in w["property_values"] for w in wanted)


def _bypasses(ruleset: Document, actor: Actor) -> bool:
    for entry in ruleset.get("bypass_actors") or []:
        if entry["actor_type"] == "Integration" and actor.app_id is not None and entry["actor_id"] == actor.app_id:
            return True
        if entry["actor_type"] in {"OrganizationAdmin", "RepositoryRole"} and actor.app_id is None and actor != PERSON:
            return True
    return False


def check(hub: Hub, repo: Document, git: GitRepository, move: Move, actor: Actor) -> None:
    """Raise GitHub's 422 when a rule forbids to move the ref directly."""
    broken = [
        sentence
        for ruleset in rulesets(hub, repo, move.ref)
        if not _bypasses(ruleset, actor)
        for rule in ruleset["rules"]
        if (sentence := _broken(rule, git, move))
    ]
    if broken:
        raise unprocessable("Repository rule violations found\n\n" + "\n".join(broken))


def _broken(rule: Document, git: GitRepository, move: Move) -> str:
    moved = not move.creates and not move.deletes
    kind = rule["type"]
    if kind == "deletion" and move.deletes:
        return "Cannot delete this branch"
    if kind == "creation" and move.creates:
        return "Cannot create ref due to creations being restricted."
    if kind == "update" and moved:
        return "Cannot update this protected ref."
    if kind == "non_fast_forward" and moved and not git.is_ancestor(move.before, move.after):
        return "Cannot force-push to this branch"
    if kind == "pull_request" and moved:
        return "Changes must be made through a pull request."
    if kind == "required_status_checks" and moved:
        names = [check["context"] for check in rule["parameters"]["required_status_checks"]]
        return f"Required status check {', '.join(repr(name) for name in names)} is expected."
    return ""


def check_merge(hub: Hub, repo: Document, record: Document, actor: Actor) -> None:
    """Raise GitHub's 405 when the pull request's base branch asks for more than it has."""
    ref = f"refs/heads/{record['base']}"
    for ruleset in rulesets(hub, repo, ref):
        if not _bypasses(ruleset, actor):
            for rule in ruleset["rules"]:
                _check_merge_rule(hub, repo, record, rule)
    protected = hub.store.get("protection", repo["id"], record["base"])
    reviews = (protected or {}).get("required_pull_request_reviews") or {}
    _check_approvals(record, reviews.get("required_approving_review_count", 0) if reviews else 0)


def _check_merge_rule(hub: Hub, repo: Document, record: Document, rule: Document) -> None:
    parameters = rule.get("parameters") or {}
    if rule["type"] == "pull_request":
        _check_approvals(record, parameters.get("required_approving_review_count", 0))
    if rule["type"] == "required_status_checks":
        passed = {s["context"] for s in hub.store.all("statuses", repo["id"]) if _passed(s, record)}
        passed |= {c["name"] for c in hub.store.all("check_runs", repo["id"]) if _passed(c, record)}
        for check_needed in parameters.get("required_status_checks", []):
            if check_needed["context"] not in passed:
                text = f'Required status check "{check_needed["context"]}" is expected.'
                raise ApiError(405, f"Repository rule violations found\n\n{text}")


def _passed(result: Document, record: Document) -> bool:
    sha = result.get("head_sha") or result.get("sha")
    return sha == record["head_sha"] and "success" in {result.get("conclusion"), result.get("state")}


def _check_approvals(record: Document, needed: int) -> None:
    latest = {review["user"]: review["state"] for review in record["reviews"]}
    if sum(state == "APPROVED" for state in latest.values()) < needed:
        noun = "review is" if needed == 1 else "reviews are"
        raise ApiError(405, f"At least {needed} approving {noun} required by reviewers with write access.")
