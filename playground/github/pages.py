"""Plain pages for people who follow a link: a repository, its files, its commits, its pull requests."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from urllib.parse import quote

from aiohttp import web

from playground.github import pages_style
from playground.github.gitrepo import Entry, GitRepository, MissingObject
from playground.github.hub import Hub
from playground.github.merging import changed_files
from playground.github.pages_parts import badge, differences
from playground.github.pages_pulls import PullPages
from playground.github.shapes_git import signature
from playground.github.store import Document

MAX_SHOWN = 400_000
"""Longest file that is shown, in bytes."""
MAX_COMMITS = 100


class Pages:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def add_to(self, router: web.UrlDispatcher) -> None:
        owner = "/{owner:(?!api$|sim$|repos$|orgs$|users$|app$)[^/]+}"
        router.add_get("/", self._front)
        router.add_get("/avatars/{login}.svg", self._avatar)
        router.add_get(owner, self._owner)
        router.add_get(owner + "/{repo}", self._repository)
        router.add_get(owner + "/{repo}/{kind:tree|blob|raw}/{ref}{path:(/.*)?}", self._file)
        router.add_get(owner + "/{repo}/commits{ref:(/.*)?}", self._commits)
        router.add_get(owner + "/{repo}/commit/{sha}", self._commit)
        PullPages(self._hub, self._find, self._page).add_to(router, owner)
        router.add_get(owner + "/{repo}/actions", self._runs)
        router.add_get(owner + "/{repo}/actions/runs/{id}", self._runs)

    # --- places

    async def _front(self, request: web.Request) -> web.Response:
        return self._page("Repositories", self._list(self._hub.repositories()))

    async def _owner(self, request: web.Request) -> web.Response:
        account = self._hub.account(request.match_info["owner"])
        if account is None:
            return missing()
        found = self._hub.repositories(account["login"])
        return self._page(account["name"], f"<h1>{escape(account['name'])}</h1>{self._list(found)}")

    def _list(self, repositories: Iterable[Document]) -> str:
        rows = "".join(
            f'<li><a href="/{quote(r["owner"])}/{quote(r["name"])}"><b>{escape(r["owner"])}/{escape(r["name"])}</b></a>'
            f"<p>{escape(r['description'] or '')}</p></li>"
            for r in sorted(repositories, key=lambda r: str(r["name"]).lower())
        )
        return f'<ul class="list">{rows}</ul>'

    async def _avatar(self, request: web.Request) -> web.Response:
        letter = escape(request.match_info["login"][:1].upper())
        return web.Response(text=pages_style.AVATAR.format(letter=letter), content_type="image/svg+xml")

    def _find(self, request: web.Request) -> Document:
        found = self._hub.repository(request.match_info["owner"], request.match_info["repo"].removesuffix(".git"))
        if found is None:
            raise web.HTTPNotFound(text=pages_style.MISSING, content_type="text/html")
        return found

    async def _repository(self, request: web.Request) -> web.Response:
        repo = self._find(request)
        return await self._folder(repo, repo["default_branch"], "")

    async def _file(self, request: web.Request) -> web.Response:
        repo, ref, path = self._find(request), request.match_info["ref"], request.match_info["path"].strip("/")
        if request.match_info["kind"] == "tree":
            return await self._folder(repo, ref, path)
        try:
            content = await self._hub.git(repo, lambda git: read(git, ref, path))
        except MissingObject:
            return missing()
        if request.match_info["kind"] == "raw":
            headers = {"X-Content-Type-Options": "nosniff"}
            return web.Response(body=content, content_type="text/plain", charset="utf-8", headers=headers)
        return self._page(path, crumbs(repo, ref, path) + numbered(content), repo)

    async def _folder(self, repo: Document, ref: str, path: str) -> web.Response:
        def work(git: GitRepository) -> tuple[list[Entry], str]:
            if git.is_empty():
                return [], ""
            entry = git.entry(git.resolve(ref), path)
            entries = git.tree(entry.sha) if entry else []
            readme = next((e for e in entries if e.path.lower() == "readme.md"), None)
            return entries, git.blob(readme.sha).decode(errors="replace") if readme else ""

        try:
            entries, readme = await self._hub.git(repo, work)
        except MissingObject:
            return missing()
        clone = f"{self._hub.base_url}/{repo['owner']}/{repo['name']}.git"
        top = crumbs(repo, ref, path) if path else f"<p>{escape(repo['description'] or '')}</p>"
        command = f"<pre>git clone {escape(clone)}</pre>" if not path else ""
        shown = f'<article class="readme"><pre>{escape(readme)}</pre></article>' if readme else ""
        body = listing(repo, ref, path, entries) or '<p class="empty">This repository is empty.</p>'
        return self._page(repo["name"], top + command + body + shown, repo)

    # --- history

    async def _commits(self, request: web.Request) -> web.Response:
        repo = self._find(request)
        ref = request.match_info["ref"].strip("/") or repo["default_branch"]

        def work(git: GitRepository) -> list[str]:
            if git.is_empty():
                return []
            return [line(repo, git, sha) for sha in git.history(git.resolve(ref), limit=MAX_COMMITS)]

        try:
            rows = await self._hub.git(repo, work)
        except MissingObject:
            return missing()
        return self._page("Commits", f'<ul class="list">{"".join(rows)}</ul>', repo)

    async def _commit(self, request: web.Request) -> web.Response:
        repo = self._find(request)

        def work(git: GitRepository) -> str:
            sha = git.resolve(request.match_info["sha"])
            commit = git.commit(sha)
            parent = commit.parents[0].decode() if commit.parents else None
            heading = f"<h2><pre>{escape(commit.message.decode(errors='replace'))}</pre></h2>"
            who = signature(commit.author, commit.author_time)
            about = f"<p><code>{sha}</code> by {escape(who['name'])}, {who['date']}</p>"
            return heading + about + differences(changed_files(git, parent, sha))

        try:
            return self._page("Commit", await self._hub.git(repo, work), repo)
        except MissingObject:
            return missing()

    # --- work

    async def _runs(self, request: web.Request) -> web.Response:
        repo = self._find(request)
        wanted = request.match_info.get("id")
        rows = "".join(
            f"<li><b>{escape(r['title'])}</b><p>{escape(r['name'])} #{r['run_number']} on "
            f"<code>{escape(r['head_branch'])}</code> {badge(r['conclusion'] or r['status'])}</p></li>"
            for r in reversed(self._hub.store.all("runs", repo["id"]))
            if wanted in {None, str(r["id"])}
        )
        return self._page("Actions", f'<ul class="list">{rows}</ul>' if rows else "<p>None yet.</p>", repo)

    def _page(self, title: str, body: str, repo: Document | None = None) -> web.Response:
        text = pages_style.page(escape(title), header(repo) if repo else "", body)
        headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'"}
        return web.Response(text=text, content_type="text/html", headers=headers)


def missing() -> web.Response:
    return web.Response(status=404, text=pages_style.MISSING, content_type="text/html")


def header(repo: Document) -> str:
    base = f"/{quote(repo['owner'])}/{quote(repo['name'])}"
    links = "".join(
        f'<a href="{base}{path}">{name}</a>'
        for name, path in (("Code", ""), ("Commits", "/commits"), ("Pull requests", "/pulls"), ("Actions", "/actions"))
    )
    owner = f'<a href="/{quote(repo["owner"])}">{escape(repo["owner"])}</a>'
    return f'<h1>{owner} / <a href="{base}">{escape(repo["name"])}</a></h1><nav>{links}</nav>'


def crumbs(repo: Document, ref: str, path: str) -> str:
    base = f"/{quote(repo['owner'])}/{quote(repo['name'])}/tree/{quote(ref)}"
    parts, links = path.split("/"), [f'<a href="{base}">{escape(repo["name"])}</a>']
    for place, part in enumerate(parts, start=1):
        links.append(f'<a href="{base}/{quote("/".join(parts[:place]))}">{escape(part)}</a>')
    return f'<p class="crumbs">{" / ".join(links[:-1])} / {escape(parts[-1])}</p>'


def listing(repo: Document, ref: str, path: str, entries: list[Entry]) -> str:
    if not entries:
        return ""
    base = f"/{quote(repo['owner'])}/{quote(repo['name'])}"
    rows = []
    for entry in sorted(entries, key=lambda e: (e.kind != "tree", e.path)):
        kind, mark = ("tree", "/") if entry.kind == "tree" else ("blob", "")
        place = quote(f"{path}/{entry.path}".strip("/"))
        rows.append(f'<li><a href="{base}/{kind}/{quote(ref)}/{place}">{escape(entry.path)}{mark}</a></li>')
    return f'<ul class="list files">{"".join(rows)}</ul>'


def read(git: GitRepository, ref: str, path: str) -> bytes:
    entry = git.entry(git.resolve(ref), path)
    if entry is None or entry.kind != "blob":
        raise MissingObject(path)
    return git.blob(entry.sha)


def numbered(content: bytes) -> str:
    if b"\0" in content or len(content) > MAX_SHOWN:
        return f'<p class="empty">{len(content)} bytes, not shown.</p>'
    lines = content.decode(errors="replace").splitlines()
    rows = "".join(f"<tr><td>{n}</td><td>{escape(text)}</td></tr>" for n, text in enumerate(lines, start=1))
    return f'<table class="code">{rows}</table>'


def line(repo: Document, git: GitRepository, sha: str) -> str:
    commit = git.commit(sha)
    who = signature(commit.author, commit.author_time)
    title = commit.message.decode(errors="replace").partition("\n")[0]
    link = f"/{quote(repo['owner'])}/{quote(repo['name'])}/commit/{sha}"
    return (
        f'<li><a href="{link}"><b>{escape(title)}</b></a>'
        f"<p><code>{sha[:7]}</code> {escape(who['name'])}, {who['date']}</p></li>"
    )
