"""Runs a golden path for given answers: what its files will be, and which actions are to follow, in order.

Nothing is changed anywhere: this is reading, and its result is facts from which a command makes its plan.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from pydantic import TypeAdapter

from bot.errors import Conflict, NotFound, UsageError
from bot.golden_paths.library import GoldenPath
from bot.golden_paths.provenance import PROVENANCE, provenance_file
from bot.golden_paths.sandbox import Sandbox
from bot.golden_paths.skeletons import Fetcher, Skeletons
from bot.golden_paths.template import steps_as_written
from bot.golden_paths.tree import Entry
from bot.golden_paths.wire import Contents, Message, entries
from bot.model.canonical import JSON
from bot.model.late import Late, Text
from bot.model.plan import Revision
from bot.ports import File

ANSWERS_MAX = 1_000_000
"""The most that all answers together may hold, in bytes of JSON."""

CREATES = frozenset({"publish:github", "github:repo:push"})
"""Actions whose files become a new repository, which then remembers its template."""

_TEXT: TypeAdapter[Text] = TypeAdapter(Text)


class EntityReader(Protocol):
    """Where `catalog:fetch` looks."""

    async def entity(self, reference: str) -> Mapping[str, JSON] | None:
        """Return the entity (Backstage's JSON form) of a full reference in lower case, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgeNames:
    """How repositories of this installation are called."""

    owner: str
    """The organisation of a `repoUrl` that names none."""
    host: str = "github.com"
    """What stands in front of the `?` in a `repoUrl`."""
    web_url: str = "https://github.com"
    """Where repositories are seen in a browser; without a final slash."""
    default_branch: str = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester:
    """Who asks, as `${{ user.ref }}` and `${{ user.entity }}` see it."""

    ref: str
    entity: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAction:
    """One step that becomes an effect."""

    id: str
    """Unique in the run: the step's id, with a number behind it for a step with `each`. The effect must have this id,
    for late values name it."""
    step: str
    name: str
    action: str
    """One of `bot.golden_paths.actions.ACTIONS` that runs later: `publish:github`, `catalog:register`, …"""
    inputs: Mapping[str, JSON]
    """Evaluated; late values stand as `{"$late": […]}`, which `bot.model.late.Late` reads."""
    outputs: Mapping[str, JSON] = field(default_factory=dict)
    """What is known of its outputs already: `remoteUrl`, `repoContentsUrl`, `catalogInfoUrl`, `entityRef`."""
    repository: str | None = None
    """`owner/name` of its `repoUrl`, checked."""
    files: tuple[File, ...] = ()
    """For actions that carry files away: the workspace as it was at this step, paths as in the repository."""

    def text(self, name: str, default: str = "") -> Text:
        """Return an input that is a text, maybe a late one. Raise `UsageError` for any other value."""
        return as_text(self.inputs.get(name, default), f"{self.id}.{name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputLink:
    title: Text
    url: Text | None = None
    entity_ref: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputText:
    title: Text
    content: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What one run of a golden path comes to."""

    files: tuple[File, ...]
    """The workspace after the last step, in order of paths."""
    actions: tuple[PlannedAction, ...]
    links: tuple[OutputLink, ...] = ()
    text: tuple[OutputText, ...] = ()
    notes: tuple[str, ...] = ()
    """Sentences: which steps were skipped."""
    revisions: tuple[Revision, ...] = ()
    """Everything that was read: the template and skeletons from elsewhere."""


def as_text(value: JSON, where: str) -> Text:
    """Return a text or late text. Numbers and booleans are printed; raise `UsageError` for lists and objects."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case str() | {"$late": _}:
            return _TEXT.validate_python(value)
        case _:
            raise UsageError(f"`{where}` of the golden path must be a text.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """Runs golden paths; everything it may reach is given here."""

    sandbox: Sandbox
    forge: ForgeNames
    entities: EntityReader | None = None
    fetcher: Fetcher | None = None

    async def run(
        self, path: GoldenPath, answers: Mapping[str, JSON], requester: Requester, *, operation: str = ""
    ) -> Rendered:
        """Evaluate all steps. Raise `Invalid` with the mistake of the template or of a value, naming its place."""
        answers = path.template.with_defaults(answers)
        _check_answers(answers)
        job = {
            "job": "run", "steps": steps_as_written(path.template), "output": path.template.output,
            "parameters": answers, "user": {"ref": requester.ref, "entity": dict(requester.entity)},
            "context": {"task": {"id": operation}},
            "forge": {
                "owner": self.forge.owner, "host": self.forge.host, "web_url": self.forge.web_url.rstrip("/"),
                "default_branch": self.forge.default_branch,
            },
            "limits": {"max_files": self.sandbox.limits.max_files, "max_bytes": self.sandbox.limits.max_bytes},
        }  # fmt: skip
        answering = _Answering(Skeletons(path, self.fetcher), self.entities)
        message, contents = await self.sandbox.run(Contents().frame(job), answering)
        kept = provenance_file(path, answers)
        files = (*_files(message["files"], contents), kept)
        return Rendered(
            files=tuple(sorted(files, key=lambda file: file.path)),
            actions=tuple(_planned(raw, contents, kept) for raw in message["actions"]),
            links=tuple(_links(message["output"])),
            text=tuple(_texts(message["output"])),
            notes=tuple(message["notes"]),
            revisions=(path.as_revision(), *answering.skeletons.revisions),
        )


def _check_answers(answers: Mapping[str, JSON]) -> None:
    try:
        size = len(json.dumps(answers, ensure_ascii=False, allow_nan=False).encode())
    except (ValueError, TypeError, RecursionError):
        raise UsageError("An answer holds something that cannot be stored as text or number.") from None
    if size > ANSWERS_MAX:
        raise UsageError(f"The answers hold more than {ANSWERS_MAX:,} bytes together.", hint="Give shorter ones.")


class _Answering:
    """Answers what the child asks while it runs the steps."""

    def __init__(self, skeletons: Skeletons, catalog: EntityReader | None) -> None:
        self.skeletons = skeletons
        self._catalog = catalog

    async def __call__(self, question: Message) -> bytes:
        contents = Contents()
        if question["ask"] == "entities":
            return contents.frame({"entities": [await self._entity(ref, question) for ref in question["references"]]})
        files = await self.skeletons.fetch(str(question["url"]), single=bool(question["single"]))
        return contents.frame({"files": contents.files({f.path: Entry(f.mode, f.content) for f in files})})

    async def _entity(self, reference: str, question: Message) -> Any:
        if self._catalog is None:
            raise Conflict("There is no catalog here from which `catalog:fetch` could read.")
        kind, colon, rest = reference.rpartition(":")
        namespace, slash, name = rest.rpartition("/")
        kind = kind if colon else str(question.get("defaultKind") or "component")
        namespace = namespace if slash else str(question.get("defaultNamespace") or "default")
        try:
            return await self._catalog.entity(f"{kind}:{namespace}/{name}".lower())
        except NotFound:
            return None


def _files(listed: Sequence[Sequence[Any]], contents: list[bytes]) -> list[File]:
    found = entries([list(item) for item in listed], contents)
    return [File(path=path, content=entry.content, mode=entry.mode) for path, entry in found.items()]


def _planned(raw: Message, contents: list[bytes], kept: File) -> PlannedAction:
    files = _files(raw.get("files", []), contents)
    action = PlannedAction(
        id=raw["id"], step=raw["step"], name=raw["name"], action=raw["action"], inputs=raw["inputs"],
        outputs=raw["outputs"], repository=raw.get("repository"), files=tuple(files),
    )  # fmt: skip
    if action.action not in CREATES:
        return action
    return replace(action, files=tuple(sorted([*files, kept], key=lambda file: file.path)))


def _links(output: Mapping[str, Any]) -> list[OutputLink]:
    found = []
    for number, item in enumerate(_shown(output, "links")):
        where = f"output.links[{number}]"
        url, entity = item.get("url"), item.get("entityRef")
        title = item.get("title") or (entity if isinstance(entity, str) else "") or "Link"
        found.append(
            OutputLink(
                title=as_text(title, f"{where}.title"),
                url=_address(url, where) if url else None,
                entity_ref=as_text(entity, f"{where}.entityRef") if entity else None,
            )
        )
    return [link for link in found if link.url or link.entity_ref]


def _address(url: JSON, where: str) -> Text:
    address = as_text(url, f"{where}.url")
    first = address if isinstance(address, str) else address.parts[0] if address.parts else ""
    if isinstance(first, str) and not first.startswith(("https://", "http://")):
        raise UsageError(f"`{where}.url` of the golden path must be an `https://` address.")
    return address


def _texts(output: Mapping[str, Any]) -> list[OutputText]:
    found = []
    for number, item in enumerate(_shown(output, "text")):
        where = f"output.text[{number}]"
        content = as_text(item.get("content"), f"{where}.content")
        found.append(OutputText(title=as_text(item.get("title"), f"{where}.title"), content=content))
    return [text for text in found if isinstance(text.content, Late) or text.content.strip()]


def _shown(output: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    items = output.get(name) or []
    if not isinstance(items, list):
        raise UsageError(f"`output.{name}` of the golden path must be a list.")
    return [item for item in items if isinstance(item, dict)]


__all__ = [
    "PROVENANCE", "EntityReader", "ForgeNames", "OutputLink", "OutputText", "PlannedAction", "Rendered", "Requester",
    "Runner", "as_text",
]  # fmt: skip
