"""`/idp alert silence`: Alertmanager is quiet about an alert for a while, in the person's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, Field

from bot.alerting.asking import GROUP, Facts, alert_plan, called, change, group_said, read_alert, who
from bot.alerting.owning import Owners
from bot.alerting.reading import MOST_LABELS, VALUE
from bot.alerting.scope import labels_of, others_of
from bot.command import Command, Context, FormStart
from bot.deps import Deps
from bot.effects import SilenceAlert
from bot.effects.alerts import MatcherBody
from bot.errors import Conflict, NotFound, UsageError
from bot.forms.model import Form, FormField, Kind, Option, Page
from bot.model.canonical import JSON
from bot.model.duration import Duration, format_duration
from bot.model.late import Late, OutputRef
from bot.model.plan import Plan
from bot.model.principal import Principal
from bot.releases.wording import read
from bot.slack.mrkdwn import escape, local_time

USAGE = "<id> [for 2h] because …"
LONGEST = timedelta(days=7)
USUAL = timedelta(hours=2)
SPANS = ("30m", "1h", "2h", "4h", "8h", "1d", "3d", "7d")
WORDS = {"m": "minutes", "h": "hours", "d": "days"}


class AlertSilence(BaseModel, frozen=True, extra="forbid"):
    """Which one, for how long, and why."""

    group: str = Field(pattern=GROUP.pattern, description="Id of the alert", examples=["ag-0123456789abcdef0123"])
    span: Duration = Field(default=USUAL, gt=timedelta(0), le=LONGEST, description="For how long", examples=["2h"])
    reason: str = Field(min_length=1, max_length=300, description="Why", examples=["The disk is being replaced"])


def parse(words: Sequence[str]) -> AlertSilence:
    """`silence ag-… for 2h because …`; the span may stand alone."""
    said = read(words, most=2, known=("for",), usage=f"/idp alert silence {USAGE}")
    group = group_said(said.plain, f"/idp alert silence {USAGE}")
    if not said.reason:
        raise UsageError("Why? Whoever misses the alert will ask.", hint=f"Try `/idp alert silence {USAGE}`.")
    span = said.after.get("for") or said.at(1)
    wanted = {"group": group, "reason": said.reason, **({"span": span} if span else {})}
    return AlertSilence.model_validate(wanted)


class SilenceForm:
    """Asks for how long and why."""

    def __init__(self, deps: Deps) -> None:
        """Nothing is asked of any system."""

    def start(self, words: Sequence[str], principal: Principal) -> FormStart:
        return self._form({"group": group_said(list(words), f"/idp alert silence {USAGE}")})

    def resume(self, values: Mapping[str, JSON], principal: Principal) -> FormStart:
        return self._form({"group": values.get("group")})

    def request(self, values: Mapping[str, JSON]) -> dict[str, JSON]:
        return {name: values[name] for name in ("group", "span", "reason") if values.get(name)}

    def _form(self, values: dict[str, JSON]) -> FormStart:
        spans = tuple(Option(value=span, label=_spoken(span)) for span in SPANS)
        span = FormField(
            name="span",
            kind=Kind.CHOICE,
            title="For how long",
            required=True,
            options=spans,
            default=format_duration(USUAL),
            help="It ends by itself then, or when the alert is over.",
        )
        reason = FormField(
            name="reason",
            kind=Kind.TEXT,
            title="Why",
            required=True,
            max_length=300,
            help="Shown on the card and in Alertmanager, with your name.",
        )
        page = Page(title="Silence", fields=(span, reason))
        return FormStart(title="Silence an alert", form=Form(pages=(page,)), values=values, submit="Silence")


def _spoken(span: str) -> str:
    number, unit = int(span[:-1]), WORDS[span[-1]]
    return f"{number} {unit if number > 1 else unit[:-1]}"


async def read_facts(request: AlertSilence, context: Context, deps: Deps) -> Facts:
    if deps.alerts is None:
        raise NotFound("This installation has no Alertmanager to silence it in.")
    facts = await read_alert(request.group, context, deps)
    return replace(facts, others=others_of(facts.group, Owners(deps.catalog, deps.platform)))


def plan(request: AlertSilence, facts: Facts) -> Plan:
    group, until = facts.group, facts.now + request.span
    if group.quieted is not None and group.quieted.until > facts.now:
        raise Conflict("It is silenced already.", hint="End that silence first: `/idp alert unsilence`.")
    if facts.others:
        names = ", ".join(called(ref, facts.index) for ref in facts.others)
        raise Conflict(
            f"Alerts of {names} are in this group as well, and a silence would hide those too.",
            hint="Have Alertmanager group by `service`, or silence a part of it on Alertmanager's page.",
        )
    labels = labels_of(group)
    if not labels:
        raise Conflict("This alert has no labels by which it could be silenced alone.", hint="Use Alertmanager's page.")
    if len(labels) >= MOST_LABELS or any(len(value) >= VALUE for value in labels.values()):
        # We keep less of them than Alertmanager has: a silence of these would be about others, or about nothing.
        raise Conflict("Its labels are too long for a silence from here.", hint="Use Alertmanager's page.")
    silence = SilenceAlert(
        id="silence",
        matchers=tuple(MatcherBody(name=name, value=labels[name]) for name in sorted(labels)),
        until=until,
        by=facts.name,
        reason=request.reason,
    )
    made = Late(parts=(OutputRef(effect="silence", output="silence"),)).model_dump(mode="json", by_alias=True)
    quieted: dict[str, Any] = {
        "id": made,
        "by": facts.user,
        "until": until.isoformat().replace("+00:00", "Z"),
        "reason": request.reason,
    }
    line = f"{who(facts.name)} has silenced it until {local_time(until)}: {escape(request.reason)}"
    noted = change(facts, {"quieted": quieted}, line, "Write down who silenced it, until when and why")
    summary = f"Silence {facts.title} for {format_duration(request.span)}: {request.reason}"
    return alert_plan(summary, facts, silence, noted)


COMMAND: Command[AlertSilence, Facts] = Command(
    name="alert.silence",
    summary="Have an alert be quiet for a while",
    usage=USAGE,
    request=AlertSilence,
    facts=read_facts,
    plan=plan,
    owner=lambda _: None,
    form=SilenceForm,
    parse=parse,
    beside=lambda request: request.group,
)
