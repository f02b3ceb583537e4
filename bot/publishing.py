"""Where the ledger's signed heads go besides a file: a channel that people read, a file in a Git repository."""

from __future__ import annotations

from bot.errors import Conflict, NotFound
from bot.operations.seal import Head
from bot.ports import File, Forge
from bot.slack.channels import Channels
from bot.slack.outbox import Outbox

TRIES = 5


class ChannelPublisher:
    """Posts heads where everybody can read them."""

    def __init__(self, channels: Channels, outbox: Outbox, channel: str) -> None:
        self._channels = channels
        self._outbox = outbox
        self._channel = channel

    async def publish(self, head: Head) -> None:
        channel = await self._channels.find(self._channel) or self._channel
        text = f"Ledger sealed up to entry {head.number}: `{head.model_dump_json()}`"
        await self._outbox.message(channel=channel, text=text, key=f"ledger:{head.number}")


class GitPublisher:
    """Appends heads to a file of a repository, one JSON object a line: its history is a second witness."""

    def __init__(self, forge: Forge, repository: str, path: str) -> None:
        self._forge = forge
        self._repository = repository
        self._path = path

    async def publish(self, head: Head) -> None:
        """Commit the head on top of what is there. Raise `PlatformError` when that cannot be: it is tried again."""
        for _ in range(TRIES):
            try:
                await self._append(head)
            except Conflict:
                continue  # somebody else has pushed meanwhile: build on that
            else:
                return
        raise Conflict(f"{self._repository} keeps moving, so the ledger's head could not be written there.")

    async def heads(self) -> tuple[Head, ...]:
        """Return what is published. Raise `ValueError` for a line that is no head."""
        text, _, _ = await self._read()
        return tuple(Head.model_validate_json(line) for line in text.splitlines() if line)

    async def _append(self, head: Head) -> None:
        text, branch, parent = await self._read()
        line = head.model_dump_json()
        if line in text.splitlines():
            return
        file = File(self._path, f"{text}{line}\n".encode())
        message = f"Seal the ledger up to entry {head.number}"
        await self._forge.commit(self._repository, branch, [file], message, parent=parent)

    async def _read(self) -> tuple[str, str, str]:
        """Return the file's text, the default branch and its head."""
        repository = await self._forge.repository(self._repository)
        if repository is None:
            raise NotFound(f"There is no repository {self._repository} for the ledger's heads.")
        head = await self._forge.branch_head(self._repository, repository.default_branch)
        if head is None:
            raise NotFound(f"{self._repository} has no commit yet; the ledger's heads need a branch to stand on.")
        content = await self._forge.file(self._repository, head.sha, self._path)
        return (content or b"").decode(), repository.default_branch, head.sha
