"""Git's smart HTTP protocol: `git clone` and `git push` at `<github>/<owner>/<name>.git`."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any, cast
from urllib.parse import quote

from aiohttp import web
from dulwich.errors import GitProtocolError, HangupException
from dulwich.objects import ObjectID
from dulwich.protocol import CAPABILITY_SIDE_BAND_64K, SIDE_BAND_CHANNEL_PROGRESS, ReceivableProtocol
from dulwich.refs import Ref
from dulwich.server import DictBackend, PackHandler, ReceivePackHandler, UploadPackHandler

from playground.github import protection
from playground.github.access import Access, credentials
from playground.github.call import Actor
from playground.github.errors import ApiError
from playground.github.faults import Faults
from playground.github.gitrepo import ZERO, GitRepository, Move
from playground.github.hub import Hub
from playground.github.rest import Log, cut, refuse
from playground.github.store import Document

NO_CACHE = {"Cache-Control": "no-cache, max-age=0, must-revalidate", "Pragma": "no-cache"}
ANYBODY = "developer"
"""Who pushes without a token."""
Moved = list[tuple[str, str, str]]
"""Refs that a push moved: name, before, after."""


class GuardedReceivePack(ReceivePackHandler):
    """Asks the rulesets about each pushed ref; GitHub's refusal is shown by `git push`."""

    allow: Callable[[str, str, str], str]

    def _on_update(self, ref_name: bytes, old_sha: bytes, new_sha: bytes) -> bytes | None:
        refusal = self.allow(ref_name.decode(), old_sha.decode(), new_sha.decode())
        return refusal.replace("\n", " ").encode() or None

    invite: Callable[[str], str]

    def _on_post_receive(self, client_refs: list[tuple[ObjectID, ObjectID, Ref]]) -> None:
        """Say where a pull request for a new branch is opened, as GitHub does: Git itself knows none."""
        for old_sha, _, ref_name in client_refs:
            place = self.invite(ref_name.decode()) if old_sha.decode() == ZERO else ""
            if place and self.has_capability(CAPABILITY_SIDE_BAND_64K):
                branch = ref_name.decode().removeprefix("refs/heads/")
                told = f"\nCreate a pull request for '{branch}' on GitHub by visiting:\n     {place}\n\n"
                self.proto.write_sideband(SIDE_BAND_CHANNEL_PROGRESS, told.encode())


class GitDoor:
    def __init__(self, hub: Hub, access: Access, faults: Faults, log: Log) -> None:
        self._hub = hub
        self._access = access
        self._faults = faults
        self._log = log

    def add_to(self, router: web.UrlDispatcher) -> None:
        repository = "/{owner}/{repo:[^/]+?}{suffix:(?:\\.git)?}"
        router.add_get(repository + "/info/refs", self._advertise)
        router.add_post(repository + "/{service:git-(?:upload|receive)-pack}", self._exchange)

    async def _advertise(self, request: web.Request) -> web.StreamResponse:
        service = request.query.get("service", "")
        if service not in {"git-upload-pack", "git-receive-pack"}:
            return web.Response(status=403, text="Please upgrade your git client.\n")
        return await self._answer(request, service, advertise=True)

    async def _exchange(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, request.match_info["service"], advertise=False)

    async def _answer(self, request: web.Request, service: str, *, advertise: bool) -> web.StreamResponse:
        fault = self._faults.next_for(request.method, request.path)
        actor = Actor("anonymous")
        try:
            actor = self._actor(request)
            if fault:
                refuse(fault, self._hub, {})
            if fault and fault.drop == "before":
                response = web.Response(status=500)
            else:
                response = await self._serve(request, service, actor, advertise=advertise)
        except ApiError as error:
            headers = {"WWW-Authenticate": 'Basic realm="GitHub"'} if error.status == 401 else {}
            response = web.Response(status=error.status, text=f"{error.message}\n", headers=headers)
        self._log.add(request, response.status, actor.login, uuid.uuid4().hex[:24].upper())
        return await cut(request, response, fault) if fault else response

    def _actor(self, request: web.Request) -> Actor:
        """Return who clones or pushes: the token's owner, or in the playground anybody, without a token."""
        header = request.headers.get("Authorization", "")
        if not header or not credentials(header):
            return Actor(ANYBODY)
        return self._access.actor(header) or Actor(ANYBODY)

    async def _serve(self, request: web.Request, service: str, actor: Actor, *, advertise: bool) -> web.Response:
        repo = self._hub.repository(request.match_info["owner"], request.match_info["repo"])
        if repo is None or not actor.sees(repo):
            raise ApiError(404, "Repository not found.")
        needs = "contents:write" if service == "git-receive-pack" else "contents:read"
        if not actor.may(needs) and not actor.owns(repo):
            raise ApiError(403, "Write access to repository not granted.")
        if repo["archived"] and service == "git-receive-pack":
            raise ApiError(403, "This repository was archived so it is read-only.")
        body = await request.read()  # aiohttp has undone gzip and chunks already

        def work(git: GitRepository) -> tuple[bytes, Moved]:
            before = git.refs()
            answer = self._talk(git, repo, service, body, actor, advertise=advertise)
            return answer, moved(before, git.refs()) if service == "git-receive-pack" and not advertise else []

        answer, changes = await self._hub.git(repo, work)
        # In a repository of a person's own nobody else pushes.
        login = repo["owner"] if actor.login == ANYBODY and repo.get("parent") else actor.login
        for ref, old, new in changes:
            await self._hub.ref_changed(repo, Move(ref, old, new), login)
        kind = "advertisement" if advertise else "result"
        return web.Response(body=answer, content_type=f"application/x-{service}-{kind}", headers=NO_CACHE)

    def _talk(
        self, git: GitRepository, repo: Document, service: str, body: bytes, actor: Actor, *, advertise: bool
    ) -> bytes:
        answer = BytesIO()
        if service == "git-upload-pack" and not advertise:
            body = without_shallow_history(body)
        protocol = ReceivableProtocol(BytesIO(body).read, answer.write)
        backend = DictBackend({"/": cast("Any", git.dulwich)})  # its Protocol names fewer methods than it calls
        kind: type[PackHandler] = UploadPackHandler if service == "git-upload-pack" else GuardedReceivePack
        handler = cast("Any", kind)(backend, ["/"], protocol, stateless_rpc=True, advertise_refs=advertise)
        if isinstance(handler, GuardedReceivePack):
            handler.allow = lambda ref, old, new: self._refusal(git, repo, (ref, old, new), actor)
            handler.invite = lambda ref: self._invitation(repo, ref)
        if advertise:
            protocol.write_pkt_line(b"# service=" + service.encode() + b"\n")
            protocol.write_pkt_line(None)
        try:
            handler.handle()
        except (GitProtocolError, HangupException) as error:
            raise ApiError(400, str(error)) from error
        return answer.getvalue()

    def _invitation(self, repo: Document, ref: str) -> str:
        branch = ref.removeprefix("refs/heads/")
        if branch in {ref, repo["default_branch"]}:
            return ""
        return f"{self._hub.base_url}/{repo['owner']}/{repo['name']}/pull/new/{quote(branch)}"

    def _refusal(self, git: GitRepository, repo: Document, move: tuple[str, str, str], actor: Actor) -> str:
        ref, old, new = move
        if new == ZERO and ref == f"refs/heads/{repo['default_branch']}":
            return f"refusing to delete the current branch: {ref}"
        try:
            protection.check(self._hub, repo, git, Move(ref, old, new), actor)
        except ApiError as error:
            return error.message
        return ""


def moved(before: dict[str, str], after: dict[str, str]) -> Moved:
    names = sorted(before.keys() | after.keys())
    changes = [(name, before.get(name, ZERO), after.get(name, ZERO)) for name in names]
    return [change for change in changes if change[1] != change[2]]


def without_shallow_history(request: bytes) -> bytes:
    """Return what a shallow client asks for as a client without any history would ask.

    dulwich waits for a `deepen` after `shallow` lines, but a plain fetch into a shallow clone has none. The client then
    gets more objects than it needs, never fewer: what it has said to have may lack the history below.
    """
    lines = list(packet_lines(request))
    words = {line[4:].split(b" ", 1)[0] for line in lines}
    if b"shallow" not in words or b"deepen" in words:
        return request
    return b"".join(line for line in lines if not line[4:].startswith((b"shallow ", b"have ")))


def packet_lines(data: bytes) -> Iterator[bytes]:
    """Cut Git's length-prefixed lines apart, each with its prefix. Raise 400 for a prefix that is none."""
    place = 0
    while place < len(data):
        try:
            length = max(int(data[place : place + 4], 16), 4)
        except ValueError as error:
            raise ApiError(400, "This is not Git's protocol.") from error
        yield data[place : place + length]
        place += length
