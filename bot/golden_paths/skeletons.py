"""Where `fetch:*` steps read: beside the template, or in another repository of the forge."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from typing import Protocol
from urllib.parse import unquote, urlsplit

from bot.errors import Invalid, NotFound, PlatformError, UsageError
from bot.golden_paths.library import GoldenPath
from bot.golden_paths.revisions import folder_revision
from bot.model.plan import Revision
from bot.ports import File, Forge

FILES_MAX = 5_000
BYTES_MAX = 50_000_000


class Fetcher(Protocol):
    """Reads folders by an address on the forge."""

    async def fetch(self, url: str) -> tuple[Sequence[File], str]:
        """Return the files below the address (of a file: it alone) and their tree hash."""


class ForgeFetcher:
    """Reads `https://github.com/owner/name/tree/ref/path` (or `blob`) through the `Forge` port."""

    def __init__(self, forge: Forge, web_url: str) -> None:
        self._forge = forge
        self._host = urlsplit(web_url).netloc.casefold()

    async def fetch(self, url: str) -> tuple[Sequence[File], str]:
        parts = urlsplit(url)
        found = re.fullmatch(r"/([^/]+)/([^/]+?)(?:\.git)?(?:/(?:tree|blob)/([^/]+)(?:/(.*))?)?/?", unquote(parts.path))
        if found is None or parts.netloc.casefold() != self._host:
            raise UsageError(
                f"`{url[:200]}` cannot be read.", hint=f"Use `https://{self._host}/owner/name/tree/branch/folder`."
            )
        full_name, ref, path = f"{found[1]}/{found[2]}", found[3], (found[4] or "").strip("/")
        if not ref:
            repository = await self._forge.repository(full_name)
            if repository is None:
                raise NotFound(f"There is no repository `{full_name}`, or it may not be read.")
            ref = repository.default_branch
        tree = await self._forge.tree(full_name, ref, path)
        if tree.files:
            return [_relative(file, path) for file in tree.files], tree.sha
        folder = await self._forge.tree(full_name, ref, posixpath.dirname(path))
        only = [_relative(file, posixpath.dirname(path)) for file in folder.files if file.path.endswith(path)]
        return [file for file in only if file.path == posixpath.basename(path)], folder.sha


def _relative(file: File, folder: str) -> File:
    prefix = folder + "/" if folder else ""
    return File(path=file.path.removeprefix(prefix), content=file.content, mode=file.mode)


class Skeletons:
    """Answers the fetches of one run and remembers what was read from elsewhere."""

    def __init__(self, path: GoldenPath, fetcher: Fetcher | None) -> None:
        self._path = path
        self._fetcher = fetcher
        self.revisions: list[Revision] = []

    async def fetch(self, url: str, *, single: bool) -> Sequence[File]:
        """Return the files at `url`; `single`: exactly one. Raise `PlatformError` when there is none."""
        files = await self._remote(url) if "://" in url else self._local(url)
        if not files:
            raise NotFound(f"There is nothing at `{url[:200]}`.")
        if single and len(files) != 1:
            raise UsageError(f"`{url[:200]}` is not one file.")
        if len(files) > FILES_MAX or sum(len(file.content) for file in files) > BYTES_MAX:
            raise UsageError(f"`{url[:200]}` holds more than {FILES_MAX:,} files or {BYTES_MAX / 1e6:.0f} MB.")
        return files

    async def _remote(self, url: str) -> Sequence[File]:
        if self._fetcher is None:
            raise UsageError(f"`{url[:200]}` cannot be read from here.", hint="Only files beside the template can.")
        try:
            files, revision = await self._fetcher.fetch(url)
        except Invalid:
            raise
        except PlatformError as error:
            raise type(error)(f"`{url[:200]}` cannot be read. {error.message}", hint=error.hint) from error
        self.revisions.append(Revision(of=f"skeleton:{url}", at=revision))
        return files

    def _local(self, url: str) -> Sequence[File]:
        wanted = posixpath.normpath(posixpath.join(self._path.base, unquote(url)))
        if url.startswith("/") or wanted == ".." or wanted.startswith("../"):
            raise UsageError(f"`{url[:200]}` leaves the folder of golden paths.")
        folder = "" if wanted == "." else wanted
        files = [
            _relative(file, folder)
            for path, file in self._path.files.items()
            if not folder or path.startswith(folder + "/")
        ]
        if not files and wanted in self._path.files:
            file = self._path.files[wanted]
            files = [File(path=posixpath.basename(wanted), content=file.content, mode=file.mode)]
        inside = not self._path.base or (folder + "/").startswith(self._path.base + "/")
        if files and not inside:
            self.revisions.append(Revision(of=f"skeleton:{self._path.id}:{url}", at=folder_revision(files)))
        return files
