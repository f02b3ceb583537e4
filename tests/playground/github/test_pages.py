"""The pages behind the links that people follow."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from playground import sample
from tests.playground.github.running import GitHub

HOSTILE = "<script>alert(1)</script>"


async def page(github: GitHub, path: str, status: int = 200) -> str:
    answer = await github.call("GET", path, token=None)
    assert (answer.status, answer.headers["Content-Type"].split(";")[0]) == (status, "text/html")
    return str(answer.body)


async def test_a_repository_shows_files_readme_and_how_to_clone(github: GitHub) -> None:
    text = await page(github, "/acme/orders-api")
    assert "app.py" in text
    assert f"git clone {github.url}/acme/orders-api.git" in text
    assert "Takes and keeps orders" in text


async def test_every_link_of_the_pages_leads_somewhere(github: GitHub) -> None:
    await github.repository("shop")
    await github.pull("shop", {"dir/a b#c.txt": "1\n"})
    await github.made("PUT", "/repos/acme/shop/pulls/1/merge", {})
    seen, waiting = set[str](), ["/"]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        waiting += re.findall(r'href="(/[^"]*)"', await page(github, path))
    assert "/acme/shop/blob/main/dir/a%20b%23c.txt" in seen
    assert "/acme/shop/pull/1" in seen


async def test_hostile_text_stays_text(github: GitHub) -> None:
    await github.repository("shop", description=HOSTILE)
    await github.commit("shop", {"x.html": HOSTILE, f"{HOSTILE.replace('/', '')}.txt": "x"}, message=HOSTILE)
    await github.made("POST", "/repos/acme/shop/issues", {"title": HOSTILE, "body": HOSTILE})
    for path in ("/acme/shop", "/acme/shop/commits", "/acme/shop/blob/main/x.html", "/acme/shop/issues/1", "/"):
        assert "<script" not in await page(github, path)
    raw = await github.call("GET", "/acme/shop/raw/main/x.html", token=None)
    assert raw.headers["Content-Type"].startswith("text/plain")


async def test_what_is_not_there_is_a_friendly_404(github: GitHub) -> None:
    for path in ("/acme/none", "/nobody", "/acme/catalog/blob/main/none", "/acme/catalog/pull/9", "/acme/none/pulls"):
        assert "There is nothing here" in await page(github, path, 404)


async def test_the_catalog_tells_the_story_of_the_sample_company(github: GitHub) -> None:
    answer = await github.call("GET", "/acme/catalog/raw/main/catalog-info.yaml", token=None)
    entities = list(yaml.safe_load_all(answer.body))
    users = {e["metadata"]["name"]: e for e in entities if e["kind"] == "User"}
    assert users.keys() == {person.handle for person in sample.PEOPLE if person.in_catalog}
    assert users["author"]["spec"]["profile"]["email"] == "author@acme.example"
    assert users["author"]["spec"]["memberOf"] == ["team-orders"]
    groups = {e["metadata"]["name"]: e["metadata"]["annotations"] for e in entities if e["kind"] == "Group"}
    assert groups["team-orders"]["causeway.io/slack-channel"] == "team-orders"


async def test_the_sample_repositories_are_seeded(github: GitHub) -> None:
    names = [repo["name"] for repo in await github.made("GET", "/orgs/acme/repos?sort=full_name")]
    assert names == ["catalog", "checkout-web", "gitops", "orders-api"]
    found = await github.made("GET", "/repos/acme/gitops/contents/apps")
    assert [entry["name"] for entry in found] == ["README.md"]
    component = await github.call("GET", "/acme/checkout-web/raw/main/catalog-info.yaml", token=None)
    assert yaml.safe_load(component.body)["spec"]["owner"] == "group:default/team-checkout"
    assert github.peer.pullable("ghcr.io/acme/orders-api:main")
    teams = await github.made("GET", "/repos/acme/orders-api/teams")
    assert [(team["slug"], team["permission"]) for team in teams] == [("team-orders", "maintain")]


async def test_the_sample_service_passes_its_own_test(github: GitHub, tmp_path: Path) -> None:
    for name in ("app.py", "test_app.py"):
        answer = await github.call("GET", f"/acme/orders-api/raw/main/{name}", token=None)
        (tmp_path / name).write_text(answer.body)
    namespace: dict[str, object] = {}
    exec(compile((tmp_path / "app.py").read_text(), "app.py", "exec"), namespace)  # noqa: S102 - our own sample
    answer_of = namespace["answer"]
    assert callable(answer_of)
    assert answer_of("/healthz") == (200, {"status": "ok"})
