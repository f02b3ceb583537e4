"""The page of a pull request: what it changes, what is said, what it carries; and what people do there."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from urllib.parse import quote

from aiohttp import web

from playground.github import conversations, pages_style, protection, pull_requests
from playground.github.call import Actor
from playground.github.errors import ApiError
from playground.github.hub import Hub
from playground.github.markdown import html_of
from playground.github.merging import changed_files
from playground.github.pages_parts import badge, differences, state_of
from playground.github.store import Document

LABEL = "preview"
Page = Callable[[str, str, Document | None], web.Response]
"""`(title, body, repository)`: the whole page."""


class PullPages:
    def __init__(self, hub: Hub, find: Callable[[web.Request], Document], page: Page) -> None:
        """`find` returns the repository of the path, or answers 404."""
        self._hub = hub
        self._find = find
        self._page = page

    def add_to(self, router: web.UrlDispatcher, owner: str) -> None:
        router.add_get(owner + "/{repo}/pulls", self._list)
        router.add_get(owner + "/{repo}/pull/new/{branch:.+}", self._new)
        router.add_post(owner + "/{repo}/pull/new/{branch:.+}", self._open)
        router.add_get(owner + "/{repo}/{kind:pull|issues}/{number}", self._show)
        router.add_post(owner + "/{repo}/pull/{number}", self._act)

    async def _list(self, request: web.Request) -> web.Response:
        repo = self._find(request)
        rows = "".join(
            f'<li><a href="{_base(repo)}/pull/{p["number"]}"><b>{escape(p["title"])}</b>'
            f"</a><p>#{p['number']} by {escape(p['author'])} {badge(state_of(p))} {_labels(p)}</p></li>"
            for p in reversed(self._hub.store.all("pulls", repo["id"]))
        )
        return self._page("Pull requests", f'<ul class="list">{rows}</ul>' if rows else "<p>None yet.</p>", repo)

    async def _show(self, request: web.Request, problem: str = "") -> web.Response:
        repo, number = self._find(request), request.match_info["number"]
        found = conversations.find(self._hub, repo, number)
        if found is None:
            raise missing()
        kind, record = found
        text = html_of(record["body"]) if record["body"] else ""
        body = (
            f"<h1>{escape(record['title'])} <small>#{escape(number)}</small></h1><p>{badge(state_of(record))} "
            f"by {escape(record['author'])}, {record['created_at']} {_labels(record)}</p>{text}"
        )
        if kind == "pulls":
            head = record["head"] if record.get("source") is None else f"{record['source_owner']}:{record['head']}"
            body += f"<p><code>{escape(head)}</code> into <code>{escape(record['base'])}</code></p>"
        body += "".join(map(_comment, conversations.comments(self._hub, repo, record["number"])))
        if kind == "pulls":
            body += f'<p class="problem">{escape(problem)}</p>' if problem else ""
            body += self._controls(record)
            base, sha = record["facts"]["merge_base"], record["head_sha"]
            body += differences(await self._hub.git(repo, lambda git: changed_files(git, base, sha)))
        return self._page(record["title"], body, repo)

    def _controls(self, record: Document) -> str:
        carries = LABEL in record["labels"]
        buttons = [("comment", "Comment"), ("label", f"{'Take off' if carries else 'Put on'} the label {LABEL}")]
        if record["state"] == "open":
            buttons += [("merge", "Merge"), ("close", "Close")]
        elif not record["merged_at"]:
            buttons.append(("reopen", "Open again"))
        shown = "".join(f'<button name="action" value="{name}">{label}</button> ' for name, label in buttons)
        text = '<textarea name="text" rows="3" aria-label="Comment" placeholder="/preview"></textarea>'
        return f'<form method="post">{text}<p>as {self._people()} {shown}</p></form>'

    def _people(self) -> str:
        logins = [str(one["login"]) for one in self._hub.store.all("accounts") if one["type"] == "User"]
        options = "".join(f"<option{' selected' if one == 'author' else ''}>{escape(one)}</option>" for one in logins)
        return f'<select name="user" aria-label="Who acts">{options}</select>'

    async def _new(self, request: web.Request, problem: str = "") -> web.Response:
        """The page to which `git push` sends people."""
        repo, branch = self._find(request), request.match_info["branch"]
        told = f'<p class="problem">{escape(problem)}</p>' if problem else ""
        title = f'<input name="title" aria-label="Title" value="{escape(branch)}" required>'
        form = f'<form method="post"><p>{title} as {self._people()} <button>Open pull request</button></p></form>'
        into = f"<code>{escape(branch)}</code> into <code>{escape(repo['default_branch'])}</code>"
        return self._page("Open a pull request", f"<h1>Open a pull request</h1><p>{into}</p>{told}{form}", repo)

    # --- what people do

    async def _open(self, request: web.Request) -> web.Response:
        repo, given = self._find(request), await request.post()
        target, source = self._hub.parent_of(repo), repo
        asked = {"title": str(given.get("title") or "A change"), "body": None}
        try:
            record = await pull_requests.open_pull(
                self._hub,
                target or repo,
                asked,
                head=request.match_info["branch"],
                base=(target or repo)["default_branch"],
                actor=self._person(given.get("user")).login,
                source=source if target else None,
            )
        except ApiError as error:
            return await self._new(request, _told(error))
        raise web.HTTPSeeOther(f"{_base(target or repo)}/pull/{record['number']}")

    async def _act(self, request: web.Request) -> web.Response:
        repo, given = self._find(request), await request.post()
        record = self._hub.store.get("pulls", repo["id"], request.match_info["number"])
        if record is None:
            raise missing()
        try:
            who = self._person(given.get("user"))
            await self._do(repo, record, str(given.get("action")), str(given.get("text") or "").strip(), who)
        except ApiError as error:
            return await self._show(request, _told(error))
        raise web.HTTPSeeOther(f"{_base(repo)}/pull/{record['number']}")

    async def _do(self, repo: Document, record: Document, action: str, text: str, actor: Actor) -> None:
        hub, is_open = self._hub, record["state"] == "open"
        if action == "comment" and text:
            conversations.say(hub, repo, record["number"], text, actor)
            return
        if actor.outside and record["author"] != actor.login:
            raise ApiError(403, "Must have admin rights to Repository.")
        if action == "label" and not actor.outside:
            others = [name for name in record["labels"] if name != LABEL]
            wanted = others if LABEL in record["labels"] else [*others, LABEL]
            conversations.relabel(hub, repo, record, wanted, actor.login)
        elif action == "merge" and not actor.outside:
            protection.check_merge(hub, repo, record, actor)
            await pull_requests.merge_pull(hub, repo, record, actor.login)
        elif action == "close" and is_open:
            pull_requests.close(hub, repo, record, actor.login)
        elif action == "reopen" and not is_open and not record["merged_at"]:
            pull_requests.reopen(hub, repo, record, actor.login)

    def _person(self, name: object) -> Actor:
        person = self._hub.access.person(str(name or ""))
        if person is None:
            raise ApiError(404, "There is nobody of that name.")
        return person


def missing() -> web.HTTPNotFound:
    return web.HTTPNotFound(text=pages_style.MISSING, content_type="text/html")


def _base(repo: Document) -> str:
    return f"/{quote(repo['owner'])}/{quote(repo['name'])}"


def _labels(record: Document) -> str:
    return " ".join(f'<span class="badge label">{escape(name)}</span>' for name in record["labels"])


def _comment(record: Document) -> str:
    edited = ", edited" if record["updated_at"] != record["created_at"] else ""
    about = f"<h3>{escape(record['author'])} <small>{record['created_at']}{edited}</small></h3>"
    return f'<section class="comment">{about}{html_of(record["body"])}</section>'


def _told(error: ApiError) -> str:
    details = [str(one["message"]) for one in error.errors if one.get("message")]
    return "; ".join((error.message, *details))
