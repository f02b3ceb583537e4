"""The witness itself: it knows good requests from bad ones."""

from __future__ import annotations

from typing import Any

import pytest

from tests.peers.github.openapi import check_request

TREE = {"path": "bin/run", "mode": "100755", "type": "blob", "content": "#!/bin/sh\n"}
GOOD: list[tuple[str, str, Any]] = [
    ("POST", "/orgs/acme/repos", {"name": "shop", "auto_init": True, "private": True, "team_id": 7}),
    ("POST", "/repos/acme/shop/git/trees", {"tree": [TREE]}),
    ("POST", "/repos/acme/shop/git/commits", {"message": "Start", "tree": "a" * 40, "parents": []}),
    ("PATCH", "/repos/acme/shop/git/refs/heads/feature/x", {"sha": "a" * 40, "force": True}),
    ("GET", "/repos/acme/shop/contents/docs/index.md?ref=main", None),
    ("PUT", "/repos/acme/shop/topics", {"names": ["python"]}),
]
BAD: list[tuple[str, str, Any, str]] = [
    ("POST", "/repos/acme/shop/git/trees", {"tree": [{**TREE, "mode": "100777"}]}, "100777"),
    ("POST", "/orgs/acme/repos", {"description": "no name"}, "name"),
    ("POST", "/repos/acme/shop/rulesets", {"name": "main", "enforcement": "always"}, "always"),
    ("POST", "/repos/acme/shop/nonsense", {}, "no operation"),
    ("GET", "/repos/acme/shop/pulls?state=merged", None, "merged"),
    ("POST", "/repos/acme/shop/git/commits", None, "needs a body"),
]


@pytest.mark.parametrize(("method", "path", "body"), GOOD)
def test_a_request_that_github_takes_passes(method: str, path: str, body: Any) -> None:
    assert check_request(method, path, body) == []


@pytest.mark.parametrize(("method", "path", "body", "complaint"), BAD)
def test_a_request_that_github_refuses_is_named(method: str, path: str, body: Any, complaint: str) -> None:
    assert complaint in " ".join(check_request(method, path, body))
