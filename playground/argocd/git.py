"""The playground's own Git, as Argo CD's repo server reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from playground.argocd.sources import SUFFIXES, CommitInfo, SourceError
from playground.github.gitrepo import GitRepository, MissingObject, parse_signature
from playground.github.hub import Hub
from playground.github.store import Document


class PlaygroundRepositories:
    """Repositories by their clone address, `<github>/<owner>/<name>.git`. On other hosts there are none."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def _repository(self, url: str) -> Document:
        wanted, here = urlsplit(url), urlsplit(self._hub.base_url)
        owner, _, name = wanted.path.strip("/").removesuffix(".git").partition("/")
        found = self._hub.repository(owner, name) if wanted.netloc == here.netloc else None
        if found is None:
            text = "authentication required: Repository not found."
            raise SourceError(f"rpc error: code = Unknown desc = failed to list refs: {text}")
        return found

    async def resolve(self, url: str, revision: str) -> str:
        repository = self._repository(url)
        if re.fullmatch(r"[0-9a-f]{40}", revision):
            return revision
        name = repository["default_branch"] if revision == "HEAD" else revision
        try:
            return await self._hub.git(repository, lambda git: git.resolve(name))
        except MissingObject as error:
            text = f"unable to resolve '{revision}' to a commit SHA"
            raise SourceError(f"rpc error: code = Unknown desc = {text}") from error

    async def files(self, url: str, commit: str) -> Mapping[str, bytes]:
        def work(git: GitRepository) -> dict[str, bytes]:
            return {
                path: git.blob(sha) if path.endswith(SUFFIXES) else b"" for path, (_, sha) in git.files(commit).items()
            }

        try:
            return await self._hub.git(self._repository(url), work)
        except MissingObject as error:
            text = f"failed to checkout revision {commit}: fatal: unable to read tree ({commit})"
            raise SourceError(f"rpc error: code = Internal desc = {text}") from error

    async def commit(self, url: str, commit: str) -> CommitInfo:
        def work(git: GitRepository) -> CommitInfo:
            found = git.commit(commit)
            author = parse_signature(found.author, found.author_time)
            tags = [name.removeprefix("refs/tags/") for name in git.refs("refs/tags/") if git.resolve(name) == commit]
            message = found.message.decode(errors="replace").strip()
            return CommitInfo(
                f"{author.name} <{author.email}>", author.when.strftime("%Y-%m-%dT%H:%M:%SZ"), message, tuple(tags)
            )

        try:
            return await self._hub.git(self._repository(url), work)
        except MissingObject as error:
            raise SourceError(f"rpc error: code = Unknown desc = fatal: bad object {commit}") from error
