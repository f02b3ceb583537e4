"""`/database delete`: what will be lost is told, its name typed, its owner asked; then it goes, with proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, Field

from bot.command import Command, Context, FormStart
from bot.databases.deleting import DeleteFacts, LostFacts, read_deletion
from bot.databases.ending import ending_plan, lost_plan
from bot.databases.finding import database_here
from bot.deps import Deps
from bot.errors import UsageError
from bot.forms.model import Form, FormField, Kind, Option, Page
from bot.model.canonical import JSON
from bot.model.plan import Plan
from bot.model.principal import Principal
from bot.releases.reading import refuse_frozen
from bot.releases.services import first_environment
from bot.releases.wording import read

USAGE = "<name of the database> [in environment]"


class DatabaseDelete(BaseModel, frozen=True, extra="forbid"):
    """Which database: its name is typed in full, so that nobody deletes another by habit."""

    name: str = Field(min_length=1, max_length=200, description="Its full name", examples=["orders-api-db"])
    environment: str = Field(default="", max_length=63, description="Empty: the first one", examples=["staging"])


def parse(words: Sequence[str]) -> DatabaseDelete:
    said = read(words, most=2, known=("in",), usage=f"/database delete {USAGE}")
    if not said.plain:
        raise UsageError("Which database?", hint="Type its full name: `/database delete orders-api-db in staging`.")
    return DatabaseDelete(name=said.at(0), environment=said.after.get("in") or said.at(1))


async def read_facts(request: DatabaseDelete, context: Context, deps: Deps) -> DeleteFacts | LostFacts:
    """Raise `UsageError` where what was typed is not the name, `PlatformError` where it cannot be deleted."""
    here = await database_here(request.name, request.environment, context, deps)
    refuse_frozen(here)
    facts = await read_deletion(here, deps)
    if isinstance(facts, LostFacts):
        return facts
    if request.name != facts.store.name:
        raise UsageError(
            f"`{request.name[:80]}` is not the name of the database. Nothing was deleted.",
            hint=f"Type it in full: `/database delete {facts.store.name} in {here.place.environment}`.",
        )
    return facts


def plan(request: DatabaseDelete, facts: DeleteFacts | LostFacts) -> Plan:
    return lost_plan(facts) if isinstance(facts, LostFacts) else ending_plan(facts)


class DeleteForm:
    """One page: the name, typed, and where."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    def start(self, words: Sequence[str], principal: Principal) -> FormStart:
        return self.resume({}, principal)

    def resume(self, values: Mapping[str, JSON], principal: Principal) -> FormStart:
        environments = tuple(Option(value=name, label=name) for name in self._deps.platform.environments)
        fields = (
            FormField(
                name="name",
                kind=Kind.TEXT,
                title="Type the name of the database",
                help="In full, as /database list shows it. The card then says what is lost, and its owner decides.",
                required=True,
                max_length=200,
                placeholder="orders-api-db",
            ),
            FormField(
                name="environment",
                kind=Kind.CHOICE,
                title="Environment",
                required=True,
                default=first_environment(self._deps),
                options=environments,
            ),
        )
        return FormStart(
            title="Delete a database", form=Form(pages=(Page(title="", fields=fields),)), values=values, submit="Delete"
        )

    def request(self, values: Mapping[str, JSON]) -> dict[str, JSON]:
        return {"name": str(values.get("name") or "").strip(), "environment": values.get("environment") or ""}


COMMAND: Command[DatabaseDelete, DeleteFacts | LostFacts] = Command(
    name="database.delete",
    summary="Delete a database, after a last backup and with proof",
    usage=USAGE,
    request=DatabaseDelete,
    facts=read_facts,
    plan=plan,
    owner=lambda _: None,
    environment=lambda request: request.environment,
    form=DeleteForm,
    parse=parse,
)
