"""The form of `/preview up`. Built from memory: Slack waits for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.command import FormStart
from bot.deps import Deps
from bot.errors import UsageError
from bot.forms.model import Form, FormField, Kind, Option, Page
from bot.model.canonical import JSON
from bot.model.duration import format_duration
from bot.model.environment import LONGEST_NAME
from bot.model.principal import Principal
from bot.previews.asking import EMPTY
from bot.previews.terms import choices
from bot.rendering.previews import previews_of

USUAL = "usual"
"""Value of the choice that leaves it to the platform; a form's choice has no empty value."""


class UpForm:
    """What is shown, for how long, and what its databases begin with."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    def start(self, words: Sequence[str], principal: Principal) -> FormStart:
        """Raise `UsageError` for words: they are read without a form."""
        if words:
            raise UsageError("Words are read without a form.", hint="Type `/preview up` alone to get the form.")
        return self._page({}, principal)

    def resume(self, values: Mapping[str, JSON], principal: Principal) -> FormStart:
        return self._page(values, principal)

    def request(self, values: Mapping[str, JSON]) -> dict[str, JSON]:
        services = values.get("services")
        seed = values.get("seed")
        return {
            "name": values.get("name") or "",
            "services": services or [],
            "pull_request": values.get("pull_request") or "",
            "ttl": values.get("ttl") or None,
            "seed": "" if seed in (None, USUAL) else seed,
        }

    def _page(self, values: Mapping[str, JSON], principal: Principal) -> FormStart:
        policy = previews_of(self._deps.platform)
        spans = [Option(value=value, label=label) for value, label in choices(policy).items()]
        filled: dict[str, JSON] = {
            "ttl": format_duration(policy.ttl),
            "seed": USUAL,
            **self._own(principal),
            **values,
        }
        page = Page(
            title="A preview",
            description="It gets a namespace of its own, an address for each service, and an end.",
            fields=(
                FormField(
                    name="services",
                    kind=Kind.LINES,
                    title="Services, one a line",
                    help="`orders-api` runs as in the base environment, `orders-api@branch` from a branch, tag or "
                    "commit, `orders-api=image:tag` from that image.",
                    max_items=50,
                ),
                FormField(
                    name="pull_request",
                    kind=Kind.TEXT,
                    title="Or a pull request",
                    placeholder="acme/orders-api#12",
                    max_length=300,
                ),
                FormField(
                    name="name",
                    kind=Kind.TEXT,
                    title="Name",
                    help="A part of its addresses. Empty: one is made up.",
                    pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
                    pattern_help="Small letters, digits and dashes.",
                    max_length=LONGEST_NAME,
                ),
                FormField(name="ttl", kind=Kind.CHOICE, title="How long it lives", required=True, options=tuple(spans)),
                FormField(
                    name="seed", kind=Kind.CHOICE, title="Databases begin", required=True, options=tuple(self._seeds())
                ),
            ),
        )
        return FormStart(title="Preview", form=Form(pages=(page,)), values=filled, submit="Make it")

    def _seeds(self) -> list[Option]:
        of_environments = [
            Option(value=name, label=f"as a copy of {name}"[:75])
            for name in list(self._deps.platform.environments)[:99]
        ]
        usual = previews_of(self._deps.platform).seed
        label = f"as usual: as a copy of {usual}, where there is one"[:75] if usual else "as usual: empty"
        empty = [Option(value=EMPTY, label="empty")] if usual else []
        return [Option(value=USUAL, label=label), *empty, *of_environments]

    def _own(self, principal: Principal) -> dict[str, JSON]:
        """Fill in the service of people whose groups have only one."""
        index = self._deps.catalog()
        mine = [found.label for group in sorted(principal.groups) for found in index.components(group)]
        own: list[JSON] = [*mine]
        return {"services": own} if len(mine) == 1 else {}
