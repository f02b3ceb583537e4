"""The form of `/database request`: what each size holds and costs stands there before anything is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.command import FormStart
from bot.databases.asking import engines_in
from bot.databases.wording import engine_name, holds
from bot.deps import Deps
from bot.errors import UsageError
from bot.forms.model import Form, FormField, Kind, Option, Page, When
from bot.model.canonical import JSON
from bot.model.databases import Engine
from bot.model.principal import Principal
from bot.releases.services import first_environment

SERVICE, ALONE = "service", "alone"
NAME = r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"
NAME_HELP = "Lower-case letters, digits and dashes, at most 40, beginning with a letter."


class RequestForm:
    """One page. Whose it is and where it stands decide what else is asked: choosing either draws it anew."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    def start(self, words: Sequence[str], principal: Principal) -> FormStart:
        groups = sorted(principal.groups)
        return self.resume({"owner": groups[0]} if len(groups) == 1 else {}, principal)

    def resume(self, values: Mapping[str, JSON], principal: Principal) -> FormStart:
        environment = self._environment(values)
        if not engines_in(self._deps.platform, environment) and len(self._deps.platform.environments) == 1:
            raise UsageError(
                "Nobody makes databases here.", hint="The platform team says in causeway.yaml who makes them."
            )
        form = Form(pages=(Page(title="", fields=(*self._whose(), *self._what(environment))),))
        filled = {name: value for name, value in values.items() if self._still_holds(name, value, environment)}
        return FormStart(title="New database", form=form, values=filled, submit="Request")

    def request(self, values: Mapping[str, JSON]) -> dict[str, JSON]:
        alone = values.get("whose") == ALONE
        service = str(values.get("service") or "").rpartition("/")[2]
        return {
            **({"name": values.get("name"), "owner": values.get("owner")} if alone else {"service": service}),
            "engine": values.get("engine") or "postgresql",
            "size": values.get("size") or "",
            "environment": self._environment(values),
            "retention_days": values.get("retention_days") or 7,
            "seed_from": values.get("seed_from") or "",
        }

    def _environment(self, values: Mapping[str, JSON]) -> str:
        chosen = values.get("environment")
        known = self._deps.platform.environments
        return chosen if isinstance(chosen, str) and chosen in known else first_environment(self._deps)

    def _still_holds(self, name: str, value: JSON, environment: str) -> bool:
        """Another environment may not have the engine, and fills nothing from itself."""
        if name == "engine":
            return value in engines_in(self._deps.platform, environment)
        return not (name == "seed_from" and value == environment)

    def _whose(self) -> tuple[FormField, ...]:
        of_service, stands_alone = When(field="whose", one_of=(SERVICE,)), When(field="whose", one_of=(ALONE,))
        return (
            FormField(
                name="whose",
                kind=Kind.CHOICE,
                title="Whose is it?",
                required=True,
                default=SERVICE,
                widget="radio",
                options=(
                    Option(value=SERVICE, label="A service's", description="It is bound to it: no password to copy"),
                    Option(value=ALONE, label="It stands alone", description="It has a name, and a team owns it"),
                ),
            ),
            FormField(
                name="service",
                kind=Kind.ENTITY,
                title="Service",
                required=True,
                when=(of_service,),
                catalog_filter={"kind": ["Component"]},
            ),
            FormField(
                name="name",
                kind=Kind.TEXT,
                title="Name",
                required=True,
                when=(stands_alone,),
                pattern=NAME,
                pattern_help=NAME_HELP,
                max_length=40,
                placeholder="reports",
            ),
            FormField(
                name="owner",
                kind=Kind.OWNER,
                title="Team",
                required=True,
                when=(stands_alone,),
                catalog_filter={"kind": ["Group"]},
            ),
        )

    def _what(self, environment: str) -> tuple[FormField, ...]:
        platform = self._deps.platform
        engines = engines_in(platform, environment)
        chosen = When(field="environment", present=True)
        return (
            FormField(
                name="environment",
                kind=Kind.CHOICE,
                title="Environment",
                required=True,
                default=environment,
                options=tuple(Option(value=name, label=name) for name in platform.environments),
            ),
            FormField(
                name="engine",
                kind=Kind.CHOICE,
                title="Engine",
                required=True,
                default=engines[0] if engines else None,
                options=tuple(Option(value=engine, label=engine_name(engine)) for engine in engines),
                help=f"What somebody makes in {environment}.",
                when=(chosen,),
            ),
            FormField(
                name="size",
                kind=Kind.CHOICE,
                title="Size",
                required=True,
                widget="radio",
                default=next(iter(platform.database_sizes), None),
                options=tuple(
                    Option(value=name, label=name, description=holds(size, platform.currency))
                    for name, size in platform.database_sizes.items()
                ),
            ),
            FormField(
                name="retention_days",
                kind=Kind.INTEGER,
                title="Days for which backups are kept",
                default=7,
                minimum=1,
                maximum=365,
            ),
            *self._seed(environment, engines),
        )

    def _seed(self, environment: str, engines: Sequence[Engine]) -> tuple[FormField, ...]:
        """Only from where the platform team lets data go, and only where there is such a place."""
        others = [
            name
            for name, there in self._deps.platform.environments.items()
            if name != environment
            and not there.personal_data
            and any((made := there.provider(engine)) is not None and made.seeding is not None for engine in engines)
        ]
        if not others:
            return ()
        return (
            FormField(
                name="seed_from",
                kind=Kind.CHOICE,
                title="Fill it from",
                help="Its database of the same name there is copied once. Leave it empty for an empty one.",
                options=tuple(Option(value=name, label=name) for name in others),
            ),
        )
