from __future__ import annotations

import hashlib
import hmac
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.errors import Refused, UsageError
from bot.http.webhooks import KINDS
from bot.model.forge_events import (
    BuildEnded,
    ForgeEvent,
    PullRequestComment,
    PullRequestEvent,
    Push,
    RepositoryEvent,
    UnknownEvent,
    WorkflowRun,
)
from integrations.github.webhooks import parse, verify
from tests.peers.tools import need

SECRET = SecretStr("it-is-a-secret")
BODY = b'{"zen": "Speak like a human."}'


def signature(body: bytes, key: str = "it-is-a-secret") -> str:
    return "sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def test_the_signature_of_the_raw_body_is_accepted() -> None:
    verify(SECRET, BODY, signature(BODY))


def test_githubs_own_example_is_accepted() -> None:
    # The worked example of GitHub's page "Validating webhook deliveries".
    given_there = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    verify(SecretStr("It's a Secret to Everybody"), b"Hello, World!", given_there)


@pytest.mark.parametrize(
    "given_signature",
    [None, "", "sha256=", "sha1=" + "0" * 40, signature(b"other"), signature(BODY, "other"), signature(BODY)[7:], "ü"],
)
def test_any_other_signature_is_refused(given_signature: str | None) -> None:
    with pytest.raises(Refused, match="signature"):
        verify(SECRET, BODY, given_signature)


def test_without_a_secret_everything_is_refused() -> None:
    with pytest.raises(Refused):
        verify(SecretStr(""), BODY, signature(BODY, ""))


def payloads(event: str) -> list[dict[str, Any]]:
    file = need("node_modules") / "@octokit" / "webhooks-examples" / "api.github.com" / "index.json"
    entries = json.loads(Path(file).read_text())
    return [example for entry in entries if event in ("", entry["name"]) for example in entry["examples"]]


def all_payloads() -> list[tuple[str, dict[str, Any]]]:
    file = need("node_modules") / "@octokit" / "webhooks-examples" / "api.github.com" / "index.json"
    return [(entry["name"], example) for entry in json.loads(file.read_text()) for example in entry["examples"]]


def test_all_329_example_payloads_of_octokit_are_taken() -> None:
    examples = all_payloads()
    parsed = [parse(name, f"d-{number}", json.dumps(one).encode()) for number, (name, one) in enumerate(examples)]
    assert len(parsed) == 329
    kinds = Counter(type(event) for event in parsed)
    for kind, event in (
        (Push, "push"),
        (PullRequestEvent, "pull_request"),
        (RepositoryEvent, "repository"),
    ):
        assert kinds[kind] == sum(name == event for name, _ in examples) > 0
    said = [one for name, one in examples if name == "issue_comment"]
    new = sum(one["action"] == "created" and "pull_request" in one["issue"] for one in said)
    assert kinds[PullRequestComment] == new
    runs = [one for name, one in examples if name == "workflow_run"]
    ended = sum(one["action"] == "completed" and one["workflow_run"]["conclusion"] is not None for one in runs)
    assert (kinds[BuildEnded], kinds[WorkflowRun]) == (ended, len(runs) - ended)
    assert min(kinds[BuildEnded], kinds[WorkflowRun]) > 0


def run_of(**fields: Any) -> dict[str, Any]:
    run: dict[str, Any] = {
        "id": 5,
        "name": "CI",
        "head_branch": "main",
        "head_sha": "1" * 40,
        "status": "completed",
        "conclusion": "success",
        "html_url": "https://github.example/acme/orders/actions/runs/5",
        "actor": {"login": "author"},
        "head_repository": {"full_name": "acme/orders"},
    }
    repository = {"full_name": "acme/orders", "default_branch": "main"}
    return {"action": "completed", "repository": repository, "workflow_run": run | fields}


def ended(**fields: Any) -> BuildEnded:
    event = parse("workflow_run", "d", json.dumps(run_of(**fields)).encode())
    assert isinstance(event, BuildEnded)
    return event


def test_the_end_of_a_run_tells_commit_branch_conclusion_and_actor() -> None:
    event = ended(triggering_actor={"login": "teammate"})
    assert (event.repository, event.sha, event.branch, event.is_default_branch) == (
        "acme/orders",
        "1" * 40,
        "main",
        True,
    )
    assert (event.conclusion, event.succeeded, event.actor) == ("success", True, "teammate")
    assert not ended(conclusion="failure").succeeded


@pytest.mark.parametrize(
    "fields",
    [{"head_branch": "feature"}, {"head_branch": None}, {"head_repository": {"full_name": "stranger/orders"}}],
    ids=["another branch", "none", "a fork's branch of the same name"],
)
def test_a_run_elsewhere_is_not_one_of_the_default_branch(fields: dict[str, Any]) -> None:
    assert not ended(**fields).is_default_branch


def test_a_run_that_goes_on_is_not_ended() -> None:
    document = run_of(status="in_progress", conclusion=None) | {"action": "in_progress"}
    event = parse("workflow_run", "d", json.dumps(document).encode())
    assert isinstance(event, WorkflowRun)
    assert event.status == "in_progress"


def test_every_kind_of_event_can_be_stored_and_read_back() -> None:
    assert set(KINDS.values()) == set(ForgeEvent.__subclasses__())
    event = ended()
    assert KINDS[type(event).__name__].model_validate_json(event.model_dump_json()) == event


def test_a_push_tells_branch_and_paths() -> None:
    pushes = [parse("push", "d", json.dumps(one).encode()) for one in payloads("push")]
    for one, push in zip(payloads("push"), pushes, strict=True):
        assert isinstance(push, Push)
        assert push.repository == one["repository"]["full_name"]
        assert push.deleted == one["deleted"]
        assert (push.branch is None) == one["ref"].startswith("refs/tags/")
        assert push.paths == {
            path for commit in one["commits"] for path in commit["added"] + commit["modified"] + commit["removed"]
        }


def test_a_pull_request_tells_whose_branch_it_is_and_what_it_carries() -> None:
    for one in payloads("pull_request"):
        event = parse("pull_request", "d", json.dumps(one).encode())
        assert isinstance(event, PullRequestEvent)
        assert event.fork == (one["pull_request"]["head"]["repo"]["full_name"] != one["repository"]["full_name"])
        assert event.labels == tuple(label["name"] for label in one["pull_request"]["labels"])
        assert event.label == (one["label"]["name"] if one["action"] in ("labeled", "unlabeled") else "")
        assert (event.sender, event.at) == (one["sender"]["login"], one["pull_request"]["updated_at"])
        assert event.draft == one["pull_request"]["draft"]


@pytest.mark.parametrize("source", [None, {"full_name": "stranger/orders"}], ids=["gone", "a fork"])
def test_a_branch_elsewhere_is_a_forks(source: dict[str, str] | None) -> None:
    (document, *_) = payloads("pull_request")
    document["pull_request"]["head"]["repo"] = source
    event = parse("pull_request", "d", json.dumps(document).encode())
    assert isinstance(event, PullRequestEvent)
    assert event.fork
    assert event.head_repository == (source or {}).get("full_name", "")


def comment_on(**issue: Any) -> dict[str, Any]:
    return {
        "action": "created",
        "repository": {"full_name": "acme/orders"},
        "issue": {"number": 7, "state": "open", "pull_request": {"url": "…"}} | issue,
        "comment": {"id": 5, "body": "/preview", "user": {"login": "author"}, "author_association": "MEMBER"},
    }


def test_a_comment_on_a_pull_request_tells_who_said_what() -> None:
    event = parse("issue_comment", "d", json.dumps(comment_on()).encode())
    assert event == PullRequestComment(
        delivery="d",
        repository="acme/orders",
        number=7,
        comment=5,
        author="author",
        association="MEMBER",
        text="/preview",
    )


@pytest.mark.parametrize("other", [{"action": "edited"}, {"action": "deleted"}, {"issue": {"number": 1}}])
def test_what_was_edited_or_said_elsewhere_asks_nothing(other: dict[str, Any]) -> None:
    event = parse("issue_comment", "d", json.dumps(comment_on() | other).encode())
    assert event == UnknownEvent(delivery="d", repository="acme/orders", event="issue_comment", action=event.action)  # type: ignore[attr-defined]  # it has one


def test_a_renamed_repository_tells_its_former_name() -> None:
    document = {
        "action": "renamed",
        "changes": {"repository": {"name": {"from": "old"}}},
        "repository": {"id": 7, "full_name": "acme/new"},
    }
    event = parse("repository", "d", json.dumps(document).encode())
    assert event == RepositoryEvent(delivery="d", repository="acme/new", action="renamed", id=7, former_name="acme/old")


def test_a_transferred_repository_tells_its_former_owner() -> None:
    document = {
        "action": "transferred",
        "changes": {"owner": {"from": {"organization": {"login": "old"}}}},
        "repository": {"id": 7, "full_name": "acme/orders"},
    }
    event = parse("repository", "d", json.dumps(document).encode())
    assert isinstance(event, RepositoryEvent)
    assert event.former_name == "old/orders"


def test_a_form_encoded_delivery_is_read_too() -> None:
    event = parse("ping", "d", b"payload=%7B%22zen%22%3A%20%22x%22%7D", "application/x-www-form-urlencoded")
    assert event == UnknownEvent(delivery="d", event="ping")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_said(body: bytes) -> None:
    with pytest.raises(UsageError, match="JSON"):
        parse("push", "d", body)


leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
documents = st.dictionaries(
    st.sampled_from(
        ["ref", "before", "after", "commits", "repository", "action", "changes", "pull_request", "issue", "comment"]
    ),
    st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["full_name", "id"]), inner)),
)


@given(
    event=st.sampled_from(["push", "pull_request", "issue_comment", "workflow_run", "repository", "x"]),
    document=documents,
)
def test_no_shape_of_json_raises(event: str, document: dict[str, Any]) -> None:
    assert parse(event, "d", json.dumps(document).encode()).delivery == "d"
