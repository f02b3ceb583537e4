"""Our webhooks against the examples that octokit has collected: same fields, same types."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from tests.peers.tools import need
from tests.playground.github.running import GitHub, running

EXAMPLES = "@octokit/webhooks-examples/api.github.com/index.json"
SEEN_BY_US_ALONE = {
    "custom_properties",  # of a repository: newer than the examples
    "notification_setting",
    "user_view_type",
    "has_discussions",
    "web_commit_signoff_required",
    "allow_forking",
    "organization",  # of the receiver; few examples come from an organisation
    "referenced_workflows",
    "permissions",  # GitHub sends them in REST answers; harmless here
}
"""Fields that GitHub has added since the examples were collected."""


@pytest.fixture(scope="module")
def examples() -> dict[str, list[dict[str, Any]]]:
    found = json.loads((need("node_modules") / EXAMPLES).read_text())
    return {event["name"]: event["examples"] for event in found}


async def everything(github: GitHub) -> None:
    """Do what sends every kind of webhook that we know."""
    base = "/repos/acme/shop"
    await github.repository("shop", description="A shop")
    hook = {"name": "web", "events": ["*"], "config": {"url": f"{github.hook_url}/hook", "content_type": "json"}}
    await github.made("POST", f"{base}/hooks", hook)
    sha = await github.commit("shop", {"a.txt": "1\n"})
    await github.made("POST", f"{base}/git/refs", {"ref": "refs/tags/v1", "sha": sha})
    await github.pull("shop", {"b.txt": "2\n"})
    await github.commit("shop", {"c.txt": "3\n"}, branch="feature")
    await github.made("POST", f"{base}/issues/1/labels", {"labels": ["preview"]})
    await github.made("DELETE", f"{base}/issues/1/labels/preview")
    await github.made("POST", f"{base}/forks", {"name": "shop-of-mine"})
    changed = {"message": "Mine", "content": "eA==", "branch": "main"}
    await github.made("PUT", "/repos/causeway/shop-of-mine/contents/mine.txt", changed)
    await github.made("POST", f"{base}/pulls", {"title": "Mine", "head": "causeway:main", "base": "main"})
    await github.made("PUT", f"{base}/pulls/1/merge", {})
    await github.made("DELETE", f"{base}/git/refs/heads/feature")
    await github.made("POST", f"{base}/issues", {"title": "It breaks"})
    said = await github.made("POST", f"{base}/issues/3/comments", {"body": "Seen"})
    await github.made("PATCH", f"{base}/issues/comments/{said['id']}", {"body": "Seen twice"})
    await github.made("DELETE", f"{base}/issues/comments/{said['id']}")
    await github.made("POST", f"{base}/issues/3/labels", {"labels": ["bug"]})
    deployment = await github.made("POST", f"{base}/deployments", {"ref": "main"})
    await github.made("POST", f"{base}/deployments/{deployment['id']}/statuses", {"state": "success"})
    await github.made("POST", f"{base}/releases", {"tag_name": "v2"})
    await github.made("POST", f"{base}/statuses/{sha}", {"state": "success"})
    await github.made("DELETE", base)
    await github.peer.delivered()


async def test_our_payloads_have_only_fields_and_types_of_the_examples(
    tmp_path: Path, examples: dict[str, list[dict[str, Any]]]
) -> None:
    async with running(tmp_path / "github") as github:
        await everything(github)
        sent = {(hook.event, hook.payload.get("action", "")): hook.payload for hook in github.hooks}
    assert {event for event, _ in sent} >= {
        "create", "delete", "deployment", "deployment_status", "issue_comment", "issues", "ping", "pull_request",
        "push", "release", "repository", "status", "workflow_run", "check_run", "fork",
    }  # fmt: skip
    problems = [
        f"{event}.{action} {problem}"
        for (event, action), payload in sorted(sent.items())
        for problem in differences(payload, merged(examples[event]), "")
    ]
    assert not problems, "\n".join(problems)


async def test_every_required_field_of_a_push_and_a_pull_request_is_sent(
    tmp_path: Path, examples: dict[str, list[dict[str, Any]]]
) -> None:
    async with running(tmp_path / "github") as github:
        await everything(github)
        sent = {hook.event: hook.payload for hook in github.hooks}
    for event, part in (("push", ""), ("pull_request", "pull_request"), ("workflow_run", "workflow_run")):
        of_examples = [example[part] if part else example for example in examples[event]]
        always = functools.reduce(lambda known, example: known & example.keys(), of_examples, set(of_examples[0]))
        ours = sent[event][part] if part else sent[event]
        assert always - ours.keys() == set(), event


def test_the_comparison_notices_a_foreign_field_and_a_foreign_type() -> None:
    known = merged([{"a": 1, "b": {"c": "x"}}])
    assert differences({"a": "1"}, known, "") == ["/a is str, not int"]
    assert differences({"b": {"d": 1}}, known, "") == ["/b/d is not in any example"]


def merged(values: list[Any]) -> dict[str, Any]:
    """Return what the examples know of one place: its types, and for objects and lists what is inside."""
    known: dict[str, Any] = {"types": {type(value).__name__ for value in values}, "fields": {}, "items": None}
    fields: dict[str, list[Any]] = {}
    items: list[Any] = []
    for value in values:
        if isinstance(value, dict):
            for name, inner in value.items():
                fields.setdefault(name, []).append(inner)
        elif isinstance(value, list):
            items += value
    known["fields"] = {name: merged(inner) for name, inner in fields.items()}
    known["items"] = merged(items) if items else None
    return known


def differences(value: Any, known: dict[str, Any], place: str) -> list[str]:
    """Return where `value` has a field or a type that no example has. An unknown or null place proves nothing."""
    kind = type(value).__name__
    if kind not in known["types"]:
        nothing_known = known["types"] == {"NoneType"} or value is None
        return [] if nothing_known else [f"{place} is {kind}, not {' or '.join(sorted(known['types']))}"]
    problems: list[str] = []
    if isinstance(value, dict) and known["fields"]:
        for name, inner in value.items():
            if name in known["fields"]:
                problems += differences(inner, known["fields"][name], f"{place}/{name}")
            elif name not in SEEN_BY_US_ALONE:
                problems.append(f"{place}/{name} is not in any example")
    elif isinstance(value, list) and known["items"]:
        problems += [problem for inner in value for problem in differences(inner, known["items"], f"{place}[]")]
    return problems
