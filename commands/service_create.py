"""`/service create`: a golden path becomes a repository, registered in the catalog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field, model_validator

from bot.catalog import documents
from bot.catalog.catalog import FILE_NAMES
from bot.catalog.documents import Document
from bot.catalog.index import Index
from bot.catalog.options import offered
from bot.command import Command, Context, FormStart
from bot.deps import Deps
from bot.errors import Conflict, Invalid, Mistake, NotFound, Refused, UsageError
from bot.forms.answers import check, complete, flatten, unknown
from bot.forms.model import Form, FormField, Kind, Option, Page
from bot.forms.schema import form_of_pages
from bot.golden_paths.effects import Translation
from bot.golden_paths.library import GoldenPath
from bot.golden_paths.steps import Rendered, Requester
from bot.model.canonical import JSON, sha256
from bot.model.entities import Group, User, full_ref
from bot.model.plan import Detail, Plan, Revision
from bot.model.principal import Principal
from bot.ports import File
from bot.releases.first import FirstDeploy, first_rollout, is_possible, read_first
from bot.releases.services import Service
from bot.releases.versions import DOCUMENT
from bot.rendering.documents import read

MAX_DETAIL = 20_000
"""Characters of one file that the plan shows; the rest is in the repository."""


class ServiceCreate(BaseModel, frozen=True, extra="forbid"):
    """Which golden path, and the answers to its form. Answers may also stand beside `template`."""

    template: str = Field(description="Id of the golden path, such as `python-service`", examples=["python-service"])
    values: dict[str, JSON] = Field(default_factory=dict, description="Answers to the golden path's form")

    @model_validator(mode="before")
    @classmethod
    def _gathered(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not isinstance(given.get("values", {}), dict):
            return given
        beside = {key: value for key, value in given.items() if key not in ("template", "values")}
        return {**{k: given[k] for k in ("template",) if k in given}, "values": {**given.get("values", {}), **beside}}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFacts:
    """What the plan is made from."""

    title: str
    owner: str | None
    rendered: Rendered
    existing: Mapping[str, str]
    """Repository → fingerprint of the touched paths, for those that exist."""
    taken: Mapping[str, str]
    """Entity reference → where it is declared, for those the plan would register."""
    private: bool
    first: FirstDeploy | None = None
    """None where the golden path makes nothing that the platform could run, or the platform runs nothing."""


async def read_facts(request: ServiceCreate, context: Context, deps: Deps) -> ServiceFacts:
    """Check the answers and run the template's reading steps. Raise `PlatformError` for what a person can mend."""
    path = deps.templates.get(request.template)
    answers = checked_answers(form_of_pages(path.template.parameters), request.values)
    index = deps.catalog()
    owner = known_owner(path, answers, index)
    _check_entities(path, answers, index)
    rendered = await deps.runner.run(path, answers, _requester(context.principal, index), operation=context.operation)
    _check_organizations(rendered, deps)
    _check_catalog_file(rendered)
    existing: dict[str, str] = {}
    for action in rendered.actions:
        if action.repository and action.repository not in existing:
            fingerprint = await _fingerprint(deps, action.repository, [file.path for file in action.files])
            if fingerprint is not None:
                existing[action.repository] = fingerprint
    references = [str(action.outputs["entityRef"]) for action in rendered.actions if "entityRef" in action.outputs]
    taken = {reference: found.source for reference in references if (found := index.get(reference))}
    return ServiceFacts(
        title=path.template.title,
        owner=owner,
        rendered=rendered,
        existing=existing,
        taken=taken,
        private=deps.private_repositories,
        first=await _first(rendered, owner, context, deps),
    )


def plan(request: ServiceCreate, facts: ServiceFacts) -> Plan:
    """Return the effects in the template's order. Raise `Conflict` for names that are taken."""
    translation = Translation(private=facts.private)
    translation.add(facts.rendered.actions)
    for repository in translation.creates:
        if repository in facts.existing:
            raise Conflict(f"The repository {repository} exists already.", hint="Choose another name.")
    for repository in translation.pushes:
        if repository not in facts.existing:
            raise NotFound(f"The repository {repository} does not exist, so nothing can be pushed to it.")
    for reference, source in facts.taken.items():
        raise Conflict(f"`{reference}` is in the catalog already, declared by {source}.", hint="Choose another name.")
    if not translation.effects:
        raise UsageError("This golden path changes nothing for these answers.", hint="Look at its steps' conditions.")
    first = first_rollout(facts.first) if facts.first else None
    links = {str(link.title): link.url for link in facts.rendered.links if isinstance(link.url, str)}
    return Plan.of(
        _summary(request, facts, translation),
        [*translation.effects, *(first.effects if first else ())],
        revisions=[*facts.rendered.revisions, *_revisions(facts, translation), *(first.revisions if first else ())],
        owner=facts.owner,
        details=[*(_detail(file) for file in facts.rendered.files), *(first.details if first else ())],
        links={**(first.links if first else {}), **links},
        lane=first.lane if first else "",
        notes=[*facts.rendered.notes, *translation.notes, *_texts(facts.rendered)],
    )


async def _first(rendered: Rendered, owner: str | None, context: Context, deps: Deps) -> FirstDeploy | None:
    """Return what the first deploy is planned from, where a new repository holds a platform document."""
    if owner is None or not is_possible(deps):
        return None
    for action in rendered.actions:
        document = next((file for file in action.files if file.path == DOCUMENT), None)
        if action.action != "publish:github" or document is None or action.repository is None:
            continue
        found = read(document.content, source=DOCUMENT)[0]
        service = Service(name=found.metadata.name, owner=owner, repository=action.repository)
        return await read_first(service, found, action.id, context, deps)
    return None


def checked_answers(form: Form, values: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return complete answers. Raise `Invalid` that names every wrong, missing or unknown one."""
    flat = flatten(form, values)
    wrong = [*unknown(form, flat), *check(form.fields(), flat)]
    if wrong:
        mistakes = [Mistake(error.field, error.message) for error in wrong]
        told = " ".join(str(mistake) for mistake in mistakes)
        raise Invalid("Some answers cannot be taken.", mistakes, hint=told)
    return complete(form, flat)


def known_owner(path: GoldenPath, answers: Mapping[str, JSON], index: Index) -> str | None:
    """Return the group that will own the service: the answer to the first owner picker, if it is in the catalog."""
    form = form_of_pages(path.template.parameters)
    picker = next((field for field in form.fields() if field.kind is Kind.OWNER), None)
    given = answers.get(picker.name) if picker else answers.get("owner")
    if not isinstance(given, str) or not given:
        return None
    owner = full_ref(given, kind="group")
    found = index.get(owner)
    if found is None or not isinstance(found.entity, Group | User):
        raise UsageError(f"There is no group `{given[:80]}` in the catalog.", hint="Pick one of its groups as owner.")
    if picker and not offered(picker, found.entity):
        raise UsageError(f"`{given[:80]}` cannot be the owner here.", hint="Pick one from the form's list.")
    return owner


def _check_organizations(rendered: Rendered, deps: Deps) -> None:
    """Raise `Refused` for a repository outside the organisations that this installation serves."""
    for action in rendered.actions:
        owner = (action.repository or "").partition("/")[0]
        if owner and deps.organizations and owner.lower() not in deps.organizations:
            raise Refused(
                f"`{owner}` is not an organisation that Causeway works in here.",
                hint=f"It works in {', '.join(sorted(deps.organizations))}.",
            )


def _check_catalog_file(rendered: Rendered) -> None:
    """Raise `Invalid` for a `catalog-info.yaml` that the catalog would refuse: better now than after an approval."""
    if not any(action.action == "catalog:register" for action in rendered.actions):
        return
    for file in rendered.files:
        if file.path in FILE_NAMES:
            found = documents.read(Document(file.path, "", file.content.decode(errors="replace")))
            if found.mistakes:
                told = f"{found.mistakes[0]}."
                raise Invalid("With these answers the catalog could not read the service.", found.mistakes, hint=told)


def _check_entities(path: GoldenPath, answers: Mapping[str, JSON], index: Index) -> None:
    """Raise `Invalid` for an entity that is not in the catalog, except where the template takes any text."""
    pickers = [
        field
        for field in form_of_pages(path.template.parameters).fields()
        if field.kind is Kind.ENTITY and field.picker.get("allowArbitraryValues") is not True
    ]
    mistakes = [
        Mistake(field.name, f"`{one[:80]}` is not in the catalog; pick what is.")
        for field in pickers
        for one in _texts_in(answers.get(field.name))
        if index.get(full_ref(one, kind=_default_kind(field))) is None
    ]
    if mistakes:
        raise Invalid("Some answers cannot be taken.", mistakes, hint=" ".join(map(str, mistakes)))


def _texts_in(given: JSON) -> list[str]:
    listed = given if isinstance(given, list) else [given]
    return [one for one in listed if isinstance(one, str) and one]


def _default_kind(field: FormField) -> str:
    """The kind that a short reference means: the picker's own word, else the first kind its filter names."""
    named = field.picker.get("defaultKind")
    if isinstance(named, str):
        return named
    clauses = field.catalog_filter if isinstance(field.catalog_filter, list) else [field.catalog_filter]
    kinds = [clause.get("kind") for clause in clauses if isinstance(clause, dict)]
    first = kinds[0][0] if kinds and isinstance(kinds[0], list) and kinds[0] else kinds[0] if kinds else None
    return first if isinstance(first, str) else "component"


def requested_owner(request: ServiceCreate) -> str | None:
    """The owner as far as the answers alone tell."""
    given = request.values.get("owner")
    return full_ref(given, kind="group") if isinstance(given, str) and given else None


class ServiceForm:
    """The form: a choice of golden path where none was named, then that path's own pages."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    def start(self, words: Sequence[str], principal: Principal) -> FormStart:
        paths = self._deps.templates.list()
        if not paths:
            raise UsageError("There is no golden path to create a service from.", hint="Ask the platform team for one.")
        if words:
            return self._pages(self._deps.templates.get(words[0]), {"direct": True}, principal)
        if len(paths) == 1:
            return self._pages(paths[0], {"direct": True}, principal)
        return FormStart(title="New service", form=Form(pages=(self._choice(),)), submit="Next")

    def resume(self, values: Mapping[str, JSON], principal: Principal) -> FormStart:
        chosen = values.get("template")
        if not isinstance(chosen, str) or not chosen:
            return self.start([], principal)
        return self._pages(self._deps.templates.get(chosen), values, principal)

    def request(self, values: Mapping[str, JSON]) -> dict[str, JSON]:
        path = self._deps.templates.get(str(values.get("template")))
        form = form_of_pages(path.template.parameters)
        names = {field.name for field in form.fields()}
        answers = {name: value for name, value in values.items() if name in names}
        return {"template": path.id, "values": complete(form, answers)}

    def _pages(self, path: GoldenPath, values: Mapping[str, JSON], principal: Principal) -> FormStart:
        form = form_of_pages(path.template.parameters)
        pages = form.pages if values.get("direct") else (self._choice(), *form.pages)
        filled = {"template": path.id, **_own_group(form, principal), **values}
        return FormStart(title=path.template.title[:24], form=Form(pages=pages), values=filled)

    def _choice(self) -> Page:
        options = tuple(
            Option(value=path.id, label=path.template.title[:75], description=path.template.description[:75])
            for path in self._deps.templates.list()[:100]
        )
        choice = FormField(name="template", kind=Kind.CHOICE, title="Golden path", required=True, options=options)
        return Page(title="What shall it be?", fields=(choice,))


def _own_group(form: Form, principal: Principal) -> dict[str, JSON]:
    """Fill the owner in for people who belong to one group only."""
    pickers = [field.name for field in form.fields() if field.kind is Kind.OWNER]
    groups = sorted(principal.groups)
    return {pickers[0]: groups[0]} if pickers and len(groups) == 1 else {}


def _requester(principal: Principal, index: Index) -> Requester:
    found = index.get(principal.user)
    entity: dict[str, JSON] = found.entity.model_dump(mode="json") if found else {}
    return Requester(ref=principal.user, entity=entity)


async def _fingerprint(deps: Deps, repository: str, paths: Sequence[str]) -> str | None:
    """Hash the touched paths of an existing repository, so that unrelated commits void nothing."""
    found = await deps.forge.repository(repository)
    if found is None:
        return None
    head = await deps.forge.branch_head(repository, found.default_branch)
    if head is None:
        return "empty"
    tree = await deps.forge.tree(repository, head.sha, contents=False)
    known = {file.path: file.sha for file in tree.files}
    return sha256({path: known.get(path) for path in paths})


def _revisions(facts: ServiceFacts, translation: Translation) -> list[Revision]:
    touched = [*translation.creates, *translation.pushes]
    return [Revision(of=f"github:{name}", at=facts.existing.get(name, "absent")) for name in dict.fromkeys(touched)]


def _summary(request: ServiceCreate, facts: ServiceFacts, translation: Translation) -> str:
    touched = list(dict.fromkeys([*translation.creates, *translation.pushes]))
    name = request.values.get("name")
    what = name if isinstance(name, str) and name else touched[0].rpartition("/")[2] if touched else request.template
    owner = f" for {facts.owner.rpartition('/')[2]}" if facts.owner else ""
    return f"Create {what} from {facts.title}{owner}"


def _detail(file: File) -> Detail:
    try:
        text = file.content.decode()
    except UnicodeDecodeError:
        return Detail(title=file.path, text=f"(binary, {len(file.content):,} bytes)")
    return Detail(title=file.path, text=text if len(text) <= MAX_DETAIL else f"{text[:MAX_DETAIL]}\n… (cut)")


def _texts(rendered: Rendered) -> list[str]:
    texts = ((str(text.title).strip(), str(text.content).strip()) for text in rendered.text)
    return [f"{title}: {content}" if title else content for title, content in texts]


COMMAND: Command[ServiceCreate, ServiceFacts] = Command(
    name="service.create",
    summary="Create a service from a golden path",
    usage="[golden path]",
    request=ServiceCreate,
    facts=read_facts,
    plan=plan,
    owner=requested_owner,
    form=ServiceForm,
)
