"""Previews by pull request: made when it is opened, labelled or asked for in a comment, brought up to date when it is
pushed to, ended when it is merged or closed.

Asked in the name of a person of the catalog, through the same policy as if they had typed it. Whoever the catalog does
not know by their login of the forge can ask for nothing: on a public repository anybody may open a pull request, call
themselves as somebody of ours does, and comment.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.deps import Deps
from bot.effects.markdown import code
from bot.errors import PlatformError
from bot.following import LOGIN
from bot.model.canonical import JSON
from bot.model.duration import parse_duration
from bot.model.entities import User
from bot.model.forge_events import PullRequestComment, PullRequestEvent
from bot.model.operation import Asked, Origin
from bot.model.previews import Previews
from bot.model.principal import Door, Principal
from bot.ports import Clock, EnvironmentRecord
from bot.previews.naming import of_pull_request
from bot.previews.reading import read_previews
from bot.previews.sources import shown_in
from bot.pull_request_notes import Place
from bot.releases.services import Service, service_of_repository
from bot.rendering.previews import place_of

log = logging.getLogger(__name__)

WORD = "/preview"
INSIDERS = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
"""What somebody has to be to a repository to be answered: strangers get no answers, lest they make us talk."""
USAGE = "`/preview`, `/preview extend 2d`, `/preview sleep`, `/preview wake` or `/preview down`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A pull request of a service whose previews we may make."""

    service: Service
    number: int
    policy: Previews

    @property
    def name(self) -> str:
        """What its preview is called, unless somebody has chosen another name."""
        return of_pull_request(self.service.repository, self.number)

    @property
    def reference(self) -> str:
        return f"{self.service.repository}#{self.number}"


class PullRequests:
    """Hears of pull requests and asks for their previews. Everything it asks has an id made of the event: hearing of it
    twice, or in two replicas, is asking once."""

    def __init__(
        self,
        deps: Deps,
        ask: Callable[[Asked], Awaitable[object]],
        clock: Clock,
        follow: Callable[[str, Place], None] = lambda _operation, _place: None,
    ) -> None:
        """`follow` has a pull request told of the operation that is about to be asked for in its name."""
        self._deps = deps
        self._ask = ask
        self._clock = clock
        self._follow = follow

    async def changed(self, event: PullRequestEvent) -> None:
        """Something has happened to a pull request."""
        offered = self._offered(event.repository, event.number)
        if offered is None:
            return
        match event.action:
            case "opened" | "ready_for_review" if event.is_open and _by_itself(event, offered.policy):
                await self._up(event, offered)
            case "reopened" if _is_wanted(event, offered.policy):
                await self._up(event, offered)
            case "labeled" if event.is_open and _is_the_label(event, offered.policy):
                await self._up(event, offered)
            case "unlabeled" if _is_the_label(event, offered.policy):
                await self._down(event, offered)
            case "synchronize" if event.is_open:
                await self._pushed(event, offered)
            case "closed":
                await self._down(event, offered)

    async def said(self, event: PullRequestComment) -> None:
        """Somebody has commented. Only a first line that begins with the word asks for anything."""
        first = event.text.lstrip().partition("\n")[0].strip()
        word, _, rest = first.partition(" ")
        if word.lower() != WORD or event.author.endswith("[bot]"):
            return
        offered = self._offered(event.repository, event.number)
        if offered is None:
            return
        by = self._person(event.author)
        if by is None:
            await self._answer(event, offered, _unknown(event.author))
            return
        asked = _read(rest.split(), offered)
        if asked is None:
            await self._answer(event, offered, f"I could not read that. Say {USAGE}.")
        elif not event.is_open and asked[0] != "preview.down":
            await self._answer(event, offered, "This pull request is closed. Open it again, and ask then.")
        else:
            await self._submit(offered, *asked, by, str(event.comment))

    # --- what is asked for

    async def _pushed(self, event: PullRequestEvent, offered: Offered) -> None:
        """Bring up to date what there is; and what the label, or the platform, wants to be there."""
        names = await self._there(offered)
        if not names and _is_wanted(event, offered.policy):
            names = [offered.name]
        for name in names:
            await self._up(event, offered, name)

    async def _up(self, event: PullRequestEvent, offered: Offered, name: str = "") -> None:
        name = name or offered.name
        by = await self._somebody(event, name)
        if by is None:
            log.info("pull_request_of_nobody", extra={"pull_request": offered.reference, "action": event.action})
            return
        line = (await self._standing()).get(name)
        beside = line.operation if line is not None else ""
        await self._submit(offered, "preview.up", _up(offered, name), by, _moment(event), beside=beside)

    async def _down(self, event: PullRequestEvent, offered: Offered) -> None:
        """End what there is. Only that: most pull requests never had a preview."""
        for name in await self._there(offered):
            by = await self._somebody(event, name)
            if by is None:
                log.warning("preview_of_nobody", extra={"preview": name, "pull_request": offered.reference})
                continue
            await self._submit(offered, "preview.down", {"name": name}, by, _moment(event))

    async def _submit(
        self,
        offered: Offered,
        command: str,
        request: dict[str, JSON],
        by: Principal,
        moment: str,
        *,
        beside: str = "",
    ) -> None:
        """`beside`: the operation in whose thread it is told."""
        name = str(request.get("name") or offered.name)
        digest = hashlib.sha256(f"{command}\n{offered.reference}\n{name}\n{moment}".encode()).hexdigest()
        operation = f"op-{digest[:20]}"
        self._follow(operation, Place(offered.service.repository, offered.number, name))
        await self._ask(
            Asked(
                operation=operation,
                command=command,
                request=request,
                principal=by,
                door=Door.FORGE,
                now=self._clock(),
                origin=Origin(beside=beside),
            )
        )

    # --- what there is

    def _offered(self, repository: str | None, number: int) -> Offered | None:
        policy = self._deps.platform.previews
        if policy is None or not repository:
            return None
        service = service_of_repository(self._deps.catalog(), repository)
        return Offered(service=service, number=number, policy=policy) if service is not None else None

    async def _there(self, offered: Offered) -> list[str]:
        """Return the names of the previews that show it: those that stand, and those that are on their way.

        The book and the lanes are ours, so that an event is never lost because something else is away. Only a preview
        whose name somebody has chosen, and of which the book does not say what it shows, is looked up in what stands.
        """
        own, lines = offered.name, await self._standing()
        names = [own] if own in lines or await self._is_on_its_way(own) else []
        shown = {name: shown_in(line.holds) for name, line in lines.items() if name != own}
        names += [name for name, source in shown.items() if source == (offered.service.repository, offered.number)]
        if None in shown.values():
            names += [name for name in await self._chosen(offered) if name != own and name not in names]
        return names

    async def _standing(self) -> dict[str, EnvironmentRecord]:
        book = self._deps.environments
        return {one.name: one for one in await book.standing("preview")} if book is not None else {}

    async def _is_on_its_way(self, name: str) -> bool:
        return bool(await self._deps.in_lane(place_of(self._deps.platform, name, "").lane))

    async def _chosen(self, offered: Offered) -> list[str]:
        try:
            found = await read_previews(self._deps)
        except PlatformError as error:
            log.warning("previews_unread", extra={"problem": error.message})
            return []
        there = (offered.service.repository, offered.number)
        sources = ((one.name, one.terms.source) for one in found.previews)
        return [name for name, source in sources if source is not None and (source.repository, source.number) == there]

    # --- who asks

    async def _somebody(self, event: PullRequestEvent, name: str) -> Principal | None:
        """Return in whose name something is asked: whoever did it, whose pull request it is, whose preview it is; the
        first that the catalog knows."""
        for login in (event.sender, event.author):
            if (found := self._person(login)) is not None:
                return found
        line = (await self._standing()).get(name)
        return self._deps.catalog().principal(line.by) if line is not None else None

    def _person(self, login: str) -> Principal | None:
        """Return who has this login, if the catalog says so: a name that is merely the same proves nothing."""
        index, wanted = self._deps.catalog(), login.lower()
        found = (one.ref for one in index.all(User) if one.metadata.annotations.get(LOGIN, "").lower() == wanted)
        return next(filter(None, map(index.principal, found)), None) if wanted else None

    # --- answers

    async def _answer(self, event: PullRequestComment, offered: Offered, text: str) -> None:
        """Answer below the pull request, once for each comment. Strangers get no answer."""
        if event.association not in INSIDERS:
            log.info("stranger_ignored", extra={"pull_request": offered.reference})
            return
        repository, mark = offered.service.repository, f"<!-- causeway:answer {event.comment} -->"
        there = await self._deps.forge.comments(repository, event.number)
        if not any(one.ours and one.body.startswith(mark) for one in there):
            await self._deps.forge.create_comment(repository, event.number, f"{mark}\n{text}")


def _by_itself(event: PullRequestEvent, policy: Previews) -> bool:
    """Whether it gets a preview without anybody asking. One of a fork never does, and a draft not yet."""
    return policy.every_pull_request and not event.fork and not event.draft


def _is_wanted(event: PullRequestEvent, policy: Previews) -> bool:
    return _by_itself(event, policy) or policy.label in event.labels


def _is_the_label(event: PullRequestEvent, policy: Previews) -> bool:
    """Whether it is our label that came or went, and decides: what has a preview by itself has it without."""
    return event.label == policy.label and not _by_itself(event, policy)


def _moment(event: PullRequestEvent) -> str:
    """Return what tells this event from any other of the pull request, and is the same in each of its deliveries."""
    return f"{event.action}\n{event.head_sha}\n{event.at}"


def _up(offered: Offered, name: str = "") -> dict[str, JSON]:
    chosen: dict[str, JSON] = {"name": name} if name and name != offered.name else {}
    return {"pull_request": offered.reference, **chosen}


def _read(words: list[str], offered: Offered) -> tuple[str, dict[str, JSON]] | None:
    """Return command and request; None for what cannot be read."""
    name: dict[str, JSON] = {"name": offered.name}
    match [word.lower() for word in words]:
        case [] | ["up"]:
            return "preview.up", _up(offered)
        case ["down" | "sleep" | "wake" as what]:
            return f"preview.{what}", name
        case ["extend"]:
            return "preview.extend", name
        case ["extend", span] | ["extend", "by" | "for", span] if _is_span(span):
            return "preview.extend", {**name, "by": span}
    return None


def _is_span(word: str) -> bool:
    try:
        parse_duration(word)
    except ValueError:
        return False
    return True


def _unknown(login: str) -> str:
    return (
        f"I do not know who {code(login)} is, so I have done nothing. Have the annotation "
        f"{code(f'{LOGIN}: {login}')} added to your entry in the catalog, then comment again."
    )
