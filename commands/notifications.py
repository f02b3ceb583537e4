"""`/idp notifications`: what a person, or a team's channel, wants to hear of, and when they want to be left alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from bot.command import Command, Context, FormStart
from bot.deps import Deps
from bot.effects import SetNotifications
from bot.errors import Conflict, NotFound, UsageError
from bot.forms.model import Form, FormField, Kind, Option, Page, When
from bot.model.canonical import JSON
from bot.model.entities import full_ref
from bot.model.notifications import WEEKDAYS, News, Personal, PersonalWishes, QuietHours, TeamWishes, Wish
from bot.model.plan import Plan, Revision
from bot.model.principal import Principal

WEEKEND = ("saturday", "sunday")
NEWS: Mapping[News, str] = {
    News.DEPLOYS: "Automatic deploys",
    News.PREVIEWS: "Previews of pull requests",
    News.ENDINGS: "Previews that end soon",
    News.DATABASES: "Databases",
    News.CI: "CI of the main branch",
    News.SYNC: "Deliveries that fail",
    News.ORPHANS: "What was left over",
    News.ALERTS: "Warnings",
}
WISHES: Mapping[Wish, str] = {
    Wish.EACH: "each, as it happens",
    Wish.TROUBLE: "only trouble",
    Wish.DAILY: "trouble, and a summary a day",
    Wish.NOTHING: "nothing but what needs somebody",
}
PERSONAL: Mapping[Personal, str] = {
    Personal.APPROVALS: "Requests that wait for my approval",
    Personal.ENDED: "What I asked for has ended",
    Personal.ENDINGS: "Previews of mine end soon",
    Personal.ASSIGNED: "Alerts that are assigned to me",
}


class Notifications(BaseModel, frozen=True, extra="forbid"):
    """Whose wishes, and all of them: what is left out is as it is for everybody."""

    subject: str = Field(
        min_length=1, max_length=200, description="A person or a group", examples=["group:team-orders"]
    )
    news: dict[News, Wish] = Field(default_factory=dict, description="Of a group: how it hears of each kind")
    told: frozenset[Personal] | None = Field(default=None, description="Of a person: what they are told directly")
    quiet_from: str = Field(default="", max_length=5, description="Empty: never quiet", examples=["20:00"])
    quiet_to: str = Field(default="", max_length=5, examples=["08:00"])
    zone: str = Field(default="UTC", max_length=60, examples=["Europe/Berlin"])
    weekends: bool = Field(default=False, description="Whether Saturday and Sunday are quiet all day")

    @property
    def of_person(self) -> bool:
        return full_ref(self.subject, kind="group").startswith("user:")

    def quiet(self) -> QuietHours | None:
        """Raise `UsageError` for hours that are none."""
        if not (self.quiet_from or self.quiet_to or self.weekends):
            return None
        if bool(self.quiet_from) != bool(self.quiet_to):
            raise UsageError("Quiet hours have a begin and an end.", hint="Fill in both, as `20:00` and `08:00`.")
        begin, end = _hour(self.quiet_from or "00:00"), _hour(self.quiet_to or "00:00")
        days = WEEKDAYS if self.quiet_from else ()
        try:
            return QuietHours(
                begin=begin, end=end, zone=self.zone or "UTC", days=days, whole_days=WEEKEND if self.weekends else ()
            )
        except ValidationError as error:
            told = error.errors(include_url=False, include_input=False)[0]["msg"].removeprefix("Value error, ")
            raise UsageError(f"{told[0].upper()}{told[1:]}.") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    subject: str
    called: str
    kept: TeamWishes | PersonalWishes | None


async def read_facts(request: Notifications, context: Context, deps: Deps) -> Facts:
    """Raise `NotFound` for a group or person that the catalog does not know."""
    subject = full_ref(request.subject, kind="group")
    index = deps.catalog()
    known = index.principal(subject) if subject.startswith("user:") else index.get(subject)
    if known is None:
        raise NotFound(
            f"There is no `{request.subject[:80]}` in the catalog.", hint="Name a group of yours, or yourself."
        )
    if deps.notification_book is None:
        raise NotFound("This installation keeps no wishes about notifications.")
    return Facts(subject=subject, called=subject.rpartition("/")[2], kept=await deps.notification_book.kept(subject))


def plan(request: Notifications, facts: Facts) -> Plan:
    """Replace the wishes; everything that holds afterwards stands on the card."""
    wanted = _wanted(request)
    if wanted == facts.kept:
        raise Conflict("Nothing changes: this is what is written down already.")
    effect = SetNotifications(
        id="wishes",
        subject=facts.subject,
        called=facts.called,
        team=wanted if isinstance(wanted, TeamWishes) else None,
        person=wanted if isinstance(wanted, PersonalWishes) else None,
        team_before=facts.kept if isinstance(facts.kept, TeamWishes) else None,
        person_before=facts.kept if isinstance(facts.kept, PersonalWishes) else None,
    )
    at = facts.kept.model_dump_json() if facts.kept else "absent"
    return Plan.of(
        f"Change what {facts.called} hears of",
        [effect],
        revisions=[Revision(of=f"notifications:{facts.subject}", at=at)],
        owner=facts.subject,
        highlights=list(_told(wanted)),
    )


def _wanted(request: Notifications) -> TeamWishes | PersonalWishes:
    if request.of_person:
        if request.news:
            raise UsageError("These are the wishes of a group.", hint="A person says what they are told directly.")
        told = PersonalWishes().told if request.told is None else request.told
        return PersonalWishes(told=told, quiet=request.quiet())
    if request.told is not None:
        raise UsageError("These are the wishes of a person.", hint="A group says how it hears of each kind.")
    news = {kind: wish for kind, wish in request.news.items() if wish is not Wish.EACH}
    return TeamWishes(news=news, quiet=request.quiet())


def _told(wishes: TeamWishes | PersonalWishes) -> Iterator[str]:
    if isinstance(wishes, PersonalWishes):
        told = [PERSONAL[one] for one in Personal if one in wishes.told]
        yield f"Told directly: {'; '.join(told) or 'nothing'}."
    else:
        yield from (f"{NEWS[kind]}: {WISHES[wishes.news[kind]]}." for kind in News if kind in wishes.news)
        if not wishes.news:
            yield "Everything is told as it happens."
    quiet = wishes.quiet
    if quiet is None:
        yield "No quiet hours."
        return
    if quiet.days:
        yield f"Quiet from {quiet.begin:%H:%M} to {quiet.end:%H:%M}, {quiet.zone}."
    if quiet.whole_days:
        yield f"Quiet all day on {' and '.join(day.capitalize() for day in quiet.whole_days)}, {quiet.zone}."
    yield "Critical alerts, and what waits for a decision, are told at any time."


def _hour(text: str) -> time:
    try:
        return time.fromisoformat(text.strip().zfill(5))
    except ValueError:
        raise UsageError(f"`{text[:20]}` is no time of the day.", hint="Write it as `20:00`.") from None


# --- the form


class NotificationsForm:
    """One page: whose, then what fits them, filled in with what holds now.

    Each of them has fields with names of their own. Otherwise Slack would keep what stands there when another is
    chosen, and save one team's hours as another's.
    """

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    def start(self, words: Sequence[str], principal: Principal) -> FormStart:
        """The person's own, or those of the group that is named. Raise `UsageError` for one that is not theirs."""
        subject = principal.user
        if words and words[0] not in ("me", "mine"):
            subject = full_ref(words[0], kind="group")
            if subject not in _subjects(principal):
                mine = ", ".join(f"`{ref.rpartition('/')[2]}`" for ref in sorted(principal.groups))
                raise UsageError(f"`{words[0][:80]}` is no group of yours.", hint=f"Yours: {mine or 'none'}.")
        return self.resume({"subject": subject}, principal)

    def resume(self, values: Mapping[str, JSON], principal: Principal) -> FormStart:
        subjects = _subjects(principal)
        whose = FormField(
            name="subject",
            kind=Kind.CHOICE,
            title="Whose",
            required=True,
            default=principal.user,
            options=tuple(Option(value=ref, label=label) for ref, label in subjects.items()),
        )
        fields = [field for subject in subjects for field in self._of(subject)]
        form = Form(pages=(Page(title="", fields=(whose, *fields)),))
        return FormStart(title="Notifications", form=form, values=values, submit="Save")

    def request(self, values: Mapping[str, JSON]) -> dict[str, JSON]:
        """Raise `UsageError` for hours that are none, so that the form says so."""
        subject = str(values.get("subject") or "")

        standing = {field.name: field.default for field in self._of(subject)}

        def given(name: str) -> JSON:
            """What was filled in; what the form never showed stays as it stands."""
            named = _named(name, subject)
            return values.get(named, standing.get(named))

        request: dict[str, Any] = {
            "subject": subject,
            "quiet_from": str(given("quiet_from") or "").strip(),
            "quiet_to": str(given("quiet_to") or "").strip(),
            "zone": str(given("zone") or "UTC").strip(),
            "weekends": given("weekends") is True,
        }
        if subject.startswith("user:"):
            request["told"] = given("told") or []
        else:
            request["news"] = {news.value: given(news.value) for news in News if given(news.value)}
        Notifications.model_validate(request).quiet()
        return request

    def _of(self, subject: str) -> Iterator[FormField]:
        book = self._deps.notification_book
        kept = book.remembered(subject) if book else None
        if subject.startswith("user:"):
            yield from _personal(subject, kept if isinstance(kept, PersonalWishes) else PersonalWishes())
        else:
            yield from _of_team(subject, kept if isinstance(kept, TeamWishes) else TeamWishes())
        yield from _hours(subject, kept.quiet if kept else None)


def _subjects(principal: Principal) -> dict[str, str]:
    groups = {ref: f"The channel of {ref.rpartition('/')[2]}"[:75] for ref in sorted(principal.groups)[:99]}
    return {principal.user: "Mine: what I am told directly", **groups}


def _named(name: str, subject: str) -> str:
    return f"{name}@{subject}"


def _field(name: str, subject: str, kind: Kind, title: str, **more: Any) -> FormField:
    when = (When(field="subject", one_of=(subject,)),)
    return FormField(name=_named(name, subject), kind=kind, title=title, when=when, **more)


def _hour_field(name: str, subject: str, title: str, default: str | None, **more: Any) -> FormField:
    return _field(name, subject, Kind.TEXT, title, default=default, max_length=5, **more)


def _personal(subject: str, wishes: PersonalWishes) -> Iterator[FormField]:
    yield _field(
        "told",
        subject,
        Kind.CHOICES,
        "Tell me directly",
        help="Beside what stands in your channels.",
        default=[one.value for one in Personal if one in wishes.told],
        options=tuple(Option(value=one.value, label=label) for one, label in PERSONAL.items()),
        widget="checkboxes",
    )


def _of_team(subject: str, wishes: TeamWishes) -> Iterator[FormField]:
    options = tuple(Option(value=wish.value, label=label) for wish, label in WISHES.items())
    for news, label in NEWS.items():
        default = wishes.wish(news).value
        yield _field(news.value, subject, Kind.CHOICE, label, required=True, default=default, options=options)


def _hours(subject: str, quiet: QuietHours | None) -> Iterator[FormField]:
    hours = quiet is not None and bool(quiet.days)
    begin = f"{quiet.begin:%H:%M}" if quiet is not None and hours else None
    end = f"{quiet.end:%H:%M}" if quiet is not None and hours else None
    told = "Left empty: never. Critical alerts, and what waits for a decision, come at any time."
    yield _hour_field("quiet_from", subject, "Quiet from", begin, placeholder="20:00", help=told)
    yield _hour_field("quiet_to", subject, "Quiet to", end, placeholder="08:00")
    zone = quiet.zone if quiet is not None else "UTC"
    yield _field("zone", subject, Kind.TEXT, "Time zone", default=zone, placeholder="Europe/Berlin", max_length=60)
    weekend = quiet is not None and bool(quiet.whole_days)
    yield _field("weekends", subject, Kind.BOOLEAN, "Quiet on weekends", default=weekend)


COMMAND: Command[Notifications, Facts] = Command(
    name="notifications",
    summary="Choose what you, or your team's channel, hear of",
    usage="[me | group]",
    request=Notifications,
    facts=read_facts,
    plan=plan,
    owner=lambda request: full_ref(request.subject, kind="group"),
    form=NotificationsForm,
)
