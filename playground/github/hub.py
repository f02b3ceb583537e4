"""The state behind the routes: accounts, repositories, their Git folders, and what follows from a changed ref."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from playground.github import events
from playground.github.call import Links
from playground.github.deliveries import Deliveries
from playground.github.errors import not_found
from playground.github.gitrepo import GitRepository, Move, Signature
from playground.github.shapes import stamp
from playground.github.store import Document, Store

if TYPE_CHECKING:
    from playground.github.access import Access

T = TypeVar("T")
FIRST_REPOSITORY = 700_000_001
SETTINGS = {
    "has_issues": True,
    "has_projects": False,
    "has_downloads": False,
    "has_wiki": False,
    "has_pages": False,
    "has_discussions": False,
    "allow_squash_merge": True,
    "allow_merge_commit": True,
    "allow_rebase_merge": True,
    "allow_auto_merge": False,
    "delete_branch_on_merge": False,
    "allow_update_branch": False,
}


class Hub:
    """Documents are read and changed on the event loop; Git folders in threads, one job per repository at a time."""

    def __init__(self, data_dir: Path, base_url: str, clock: Callable[[], datetime], deliveries: Deliveries) -> None:
        self.base_url = base_url.rstrip("/")
        self.clock = clock
        self.deliveries = deliveries
        self.registry = "ghcr.io"
        self.access: Access
        self.webhook_urls: list[str] = []
        self.webhook_secret = ""
        self.on_ref_change: list[Callable[[Document, Move], None]] = []
        """Told of each ref that moved, once everything that follows from it is under way."""
        self._data_dir = data_dir
        self.store = Store(data_dir / "github.sqlite")
        self._names = {self._name(repo): repo for repo in self.store.all("repositories")}
        self._open: dict[int, GitRepository] = {}
        self._locks: dict[int, asyncio.Lock] = {}
        self._threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="github-git")

    def close(self) -> None:
        self._threads.shutdown(wait=True)
        for repository in self._open.values():
            repository.close()
        self._open.clear()
        self.store.close()

    @property
    def links(self) -> Links:
        """Links for what no caller's host shapes: webhooks and pages."""
        return Links(f"{self.base_url}/api/v3", self.base_url)

    def now(self) -> str:
        return stamp(self.clock())

    @staticmethod
    def api_path(path: str) -> str:
        """Return the path without the prefix that GitHub Enterprise Server has."""
        return path.removeprefix("/api/v3") or "/"

    def pullable(self, image: str) -> bool:
        """Say whether an image exists; a name without a registry means ours."""
        names = (image, f"{self.registry}/{image}")
        return any(self.store.get("images", "", name) is not None for name in names)

    # --- accounts

    def account(self, login: str) -> Document | None:
        return self.store.get("accounts", "", login.lower())

    def account_by_email(self, email: str) -> Document | None:
        return next((a for a in self.store.all("accounts") if email and a.get("email") == email), None)

    def add_account(
        self, login: str, name: str, kind: str = "User", email: str | None = None, *, member: bool = True
    ) -> Document:
        """`member` says whether a person belongs to the organisation."""
        document = {
            "id": self.store.next_id("account", 1001),
            "login": login,
            "name": name,
            "type": kind,
            "email": email,
            "member": member,
            "created_at": self.now(),
        }
        return self.store.put("accounts", "", login.lower(), document)

    def owner(self) -> Document:
        """Return the organisation that the App is installed in."""
        return next(account for account in self.store.all("accounts") if account["type"] == "Organization")

    def add_team(
        self, org: str, slug: str, name: str, description: str, members: list[str], *, lead: str = ""
    ) -> Document:
        document = {
            "id": self.store.next_id("team", 2001),
            "org": org,
            "slug": slug,
            "name": name,
            "description": description,
            "privacy": "closed",
            "members": members,
            "lead": lead,
            "repos": {},
            "created_at": self.now(),
        }
        return self.store.put("teams", org.lower(), slug, document)

    def signature(self, login: str) -> Signature:
        account = self.account(login) or {"name": login}
        email = account.get("email") or f"{login}@users.noreply.github.com"
        return Signature(str(account["name"]), email, self.clock())

    # --- repositories

    @staticmethod
    def _name(repo: Document) -> str:
        return f"{repo['owner']}/{repo['name']}".lower()

    def repository(self, owner: str, name: str) -> Document | None:
        return self._names.get(f"{owner}/{name}".lower())

    def repositories(self, owner: str | None = None) -> list[Document]:
        found = self.store.all("repositories")
        return [repo for repo in found if owner is None or repo["owner"].lower() == owner.lower()]

    def save(self, repo: Document) -> Document:
        repo["updated_at"] = self.now()
        return self.store.put("repositories", "", repo["id"], repo)

    def rename(self, repo: Document, name: str) -> None:
        del self._names[self._name(repo)]
        repo["name"] = name
        self._names[self._name(repo)] = repo

    def add_repository(self, owner: str, name: str, given: Mapping[str, object]) -> Document:
        now = self.now()
        repo: Document = {
            "id": self.store.next_id("repository", FIRST_REPOSITORY),
            "owner": owner,
            "name": name,
            "description": given.get("description"),
            "homepage": given.get("homepage"),
            "private": bool(given.get("private", False)) or given.get("visibility") == "private",
            "archived": False,
            "topics": [],
            "default_branch": "main",
            "custom_properties": given.get("custom_properties") or {},
            "collaborators": {},
            "settings": {k: bool(given[k]) if given.get(k) is not None else v for k, v in SETTINGS.items()},
            "open_issues": 0,
            "next_number": 1,
            "created_at": now,
            "updated_at": now,
            "pushed_at": now,
        }
        self._names[self._name(repo)] = repo
        return self.store.put("repositories", "", repo["id"], repo)

    async def remove_repository(self, repo: Document) -> None:
        async with self._lock(repo):
            del self._names[self._name(repo)]
            self.store.delete("repositories", "", repo["id"])
            self.store.drop(repo["id"])
            for team in self.store.all("teams", repo["owner"].lower()):
                if team["repos"].pop(str(repo["id"]), None) is not None:
                    self.store.put("teams", team["org"].lower(), team["slug"], team)
            opened = self._open.pop(repo["id"], None)
            if opened:
                opened.close()
            await asyncio.to_thread(shutil.rmtree, self._folder(repo), ignore_errors=True)

    async def fork(self, parent: Document, owner: str, name: str, *, default_branch_only: bool) -> Document:
        """Make a copy of a repository in another account: branches and tags, no issues and no pull requests."""
        given = {"description": parent["description"], "private": parent["private"]}
        made = self.add_repository(owner, name, given)
        made |= {"default_branch": parent["default_branch"], "parent": parent["id"], "topics": list(parent["topics"])}
        default = f"refs/heads/{parent['default_branch']}"

        def work(source: GitRepository, target: GitRepository) -> None:
            refs = {**source.refs("refs/heads/"), **source.refs("refs/tags/")}
            kept = {ref: sha for ref, sha in refs.items() if ref == default or not default_branch_only}
            target.take(source, kept.values())
            for ref, sha in kept.items():
                target.set_ref(ref, sha)

        await self.between(parent, made, work)
        parent["forks"] = parent.get("forks", 0) + 1
        self.save(parent)
        return self.save(made)

    def parent_of(self, repo: Document) -> Document | None:
        """Return what a repository was forked from, if it was and that still exists."""
        return self.store.get("repositories", "", repo["parent"]) if repo.get("parent") else None

    def next_number(self, repo: Document) -> int:
        """Return the next number of the sequence that issues and pull requests share."""
        number = int(repo["next_number"])
        repo["next_number"] = number + 1
        self.save(repo)
        return number

    # --- Git

    def _folder(self, repo: Document) -> Path:
        return self._data_dir / "git" / f"{repo['id']}.git"

    def _lock(self, repo: Document) -> asyncio.Lock:
        return self._locks.setdefault(repo["id"], asyncio.Lock())

    async def git(self, repo: Document, work: Callable[[GitRepository], T]) -> T:
        """Run blocking work on the repository's Git folder in a thread, alone on that repository."""
        async with self._lock(repo):
            if self.store.get("repositories", "", repo["id"]) is None:
                raise not_found()  # deleted while this call waited
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._work, repo, work)

    async def between(self, source: Document, target: Document, work: Callable[[GitRepository, GitRepository], T]) -> T:
        """Run blocking work on the Git folders of two repositories, alone on both."""
        first, second = sorted((source, target), key=lambda repo: int(repo["id"]))
        async with self._lock(first), self._lock(second):
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, lambda: work(self._opened(source), self._opened(target)))

    def _work(self, repo: Document, work: Callable[[GitRepository], T]) -> T:
        return work(self._opened(repo))

    def _opened(self, repo: Document) -> GitRepository:
        found = self._open.get(repo["id"])
        if found is None:
            folder = self._folder(repo)
            folder.parent.mkdir(parents=True, exist_ok=True)
            found = self._open[repo["id"]] = GitRepository(folder, repo["default_branch"])
        return found

    async def ref_changed(self, repo: Document, move: Move, actor: str, *, runs_workflow: bool = True) -> None:
        """Tell everybody of a ref that moved."""
        repo["pushed_at"] = self.now()
        self.save(repo)
        await events.ref_changed(self, repo, move, actor, runs_workflow=runs_workflow)
        for told in self.on_ref_change:
            told(repo, move)
