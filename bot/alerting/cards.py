"""The card of a group of alerts: one message, from firing to resolved. Pure: a group in, a message out.

Every text in it comes from outside: it is escaped, bounded, and shown as it is. Nothing in it calls anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from bot.alerting import actions
from bot.alerting.merging import FLAPS
from bot.alerting.reading import TELLING
from bot.alerting.steps import fingerprint
from bot.model.alerts import Alert, AlertGroup, AlertState, Folded, Severity
from bot.model.canonical import JSON
from bot.slack import blocks, limits
from bot.slack.message import Block, Message
from bot.slack.mrkdwn import code, cut, escape, link, local_time

EVENT = "causeway_alert"
"""Event type of the metadata of alert cards: by it a card is found again after an unknown outcome."""

ALERTS_SHOWN = 5
FOLDED_SHOWN = 8
LABELS_SHOWN = 4
DIGEST_SHOWN = 40

_TITLE, _SUMMARY, _NAME, _LABEL = 120, 600, 80, 60

_SIGNS = {Severity.CRITICAL: "🔴", Severity.WARNING: "🟠", Severity.INFO: "🔵"}
_RESOLVED = "✅"
_WORDS = {Severity.CRITICAL: "Critical", Severity.WARNING: "Warning", Severity.INFO: "Note"}

_SAID_ABOVE = frozenset({"alertname", "severity", "service", "environment", "team"})
"""Labels that the card says in its own words already."""

Names = Callable[[str], str]
"""`(full reference)`: what people call a person or a group, not escaped."""


def card(group: AlertGroup, *, now: datetime, names: Names) -> Message:
    """Return the card of a group as it is at `now`."""
    body = [
        blocks.header(f"{_sign(group)} {_title(group)}"),
        _status(group, now),
        *_summary(group),
        *_alerts(group),
        *_folded(group.folded, group.folded_total),
        *_people(group, now, names),
        *_links(group),
        *_buttons(group),
    ]
    return Message(
        text=sentence(group, now),
        blocks=tuple(blocks.guarded(body, keep_last=2)),
        metadata=_metadata(group.id, group.state.value, group.service),
    )


def digest(
    id: str,  # noqa: A002  # what it is called everywhere
    day: str,
    groups: Sequence[AlertGroup],
    *,
    total: int,
    firing: int,
) -> Message:
    """Return a day's digest: what a channel was not told one by one, since it had had its share.

    `groups` are the newest of them, `total` and `firing` count all.
    """
    text = f"More alerts of {day}: {_count(total, 'group')}, {firing} firing"
    told = [_digest_line(group) for group in groups[:DIGEST_SHOWN]]
    body = [
        blocks.header(cut(text, limits.HEADER)),
        blocks.context(
            "Here stands what is beyond the channel's budget of alert cards for the day (`alerts.budget`), and what "
            "its team wants to hear of in this way (`/idp notifications`). What is critical gets a card of its own."
        ),
        *blocks.lines([*told, f"… and {total - len(told)} more"] if total > len(told) else told),
    ]
    state = AlertState.FIRING if firing else AlertState.RESOLVED
    return Message(text=text, blocks=tuple(blocks.guarded(body)), metadata=_metadata(id, state.value, ""))


def sentence(group: AlertGroup, now: datetime) -> str:
    """Return the group in one line (mrkdwn), for notifications and screen readers."""
    place = f" · {_place(group)}" if group.service or group.environment else ""
    if not group.is_open:
        return cut(f"Resolved{_after(group)}: {escape(_title(group))}{place}", limits.MESSAGE_TEXT)
    silenced = " (silenced)" if group.silenced else ""
    summary = f": {escape(cut(_line(group.summary), _SUMMARY))}" if group.summary else ""
    told = f"{_WORDS[group.severity]}{silenced}: {escape(_title(group))}{place}{summary}"
    return cut(told, limits.MESSAGE_TEXT)


def where(group: AlertGroup) -> str:
    """Return service and environment as people say them (mrkdwn); the group's title where there are none."""
    return _place(group) if group.service or group.environment else escape(_title(group))


# --- What is going on -----------------------------------------------------------------------------------------------


def _sign(group: AlertGroup) -> str:
    return _SIGNS[group.severity] if group.is_open else _RESOLVED


def _title(group: AlertGroup) -> str:
    return cut(_line(group.title), _TITLE) or "An alert without a name"


def _place(group: AlertGroup) -> str:
    parts = [code(cut(group.service, _NAME))] if group.service else []
    parts += [escape(cut(group.environment, _NAME))] if group.environment else []
    return " in ".join(parts)


def _status(group: AlertGroup, now: datetime) -> Block:
    place = f" · {_place(group)}" if group.service or group.environment else ""
    if not group.is_open:
        text = f"*Resolved*{_after(group)}{place}"
        if group.ended_at:
            text += f"\nFrom {local_time(group.started_at)} until {local_time(group.ended_at)}."
    else:
        word = _WORDS[group.severity]
        since = f"since {local_time(group.started_at)}, {span(now - group.started_at)}"
        text = f"*{word}*{place}\n{_firing(group)} {since}."
    if group.flapping >= FLAPS:
        text += f"\n🔁 It flaps: it has come back {group.flapping} times, so it is not told anew each time."
    return blocks.section(text)


def _firing(group: AlertGroup) -> str:
    count = group.firing + group.left_out
    told = f"{_count(count, 'alert')} firing" if group.firing == group.total else f"{count} of {group.total} firing"
    return told + (f" ({group.left_out} of them not sent by Alertmanager)" if group.left_out else "")


def _after(group: AlertGroup) -> str:
    return f" after {span(group.ended_at - group.started_at)}" if group.ended_at else ""


def _summary(group: AlertGroup) -> list[Block]:
    texts = [escape(cut(_line(text), _SUMMARY)) for text in (group.summary, group.description) if text.strip()]
    return blocks.lines(list(dict.fromkeys(texts)))


def _alerts(group: AlertGroup) -> list[Block]:
    """The alerts with what tells them apart; one alone is told by its labels."""
    shown = [alert for alert in group.alerts if alert.state is AlertState.FIRING] if group.is_open else group.alerts
    if not shown:
        return []
    common = _common(shown) if len(shown) > 1 else {}
    lines = [line for alert in shown[:ALERTS_SHOWN] if (line := _alert(alert, common))]
    more = (group.firing + group.left_out if group.is_open else group.total) - len(shown[:ALERTS_SHOWN])
    if more > 0 and lines:
        lines.append(f"… and {more} more")
    shared = _labels({name: text for name, text in common.items() if name not in _SAID_ABOVE})
    return blocks.lines([*([shared] if shared else []), *lines])


def _alert(alert: Alert, common: Mapping[str, str]) -> str:
    own = {name: text for name, text in alert.labels.items() if name not in _SAID_ABOVE and common.get(name) != text}
    labels = _labels(own)
    silenced = " (silenced)" if alert.silenced else ""
    return f"• {labels}{silenced}" if labels else ""


def _labels(labels: Mapping[str, str]) -> str:
    """The most telling labels, as code: whatever stands in them stays what it is."""
    order = sorted(labels, key=lambda name: (TELLING.index(name) if name in TELLING else len(TELLING), name))
    texts = [code(f"{cut(name, _LABEL)}={cut(labels[name], _LABEL)}") for name in order[:LABELS_SHOWN]]
    return " ".join(text for text in texts if text)


def _common(alerts: Sequence[Alert]) -> dict[str, str]:
    first, *others = alerts
    return {
        name: text for name, text in first.labels.items() if all(other.labels.get(name) == text for other in others)
    }


def _folded(folded: Sequence[Folded], total: int) -> list[Block]:
    if not folded:
        return []
    lines = [
        f"• {_RESOLVED + ' ' if one.state is AlertState.RESOLVED else ''}{escape(cut(_line(one.title), _TITLE))}"
        f"{' · ' + code(cut(one.service, _NAME)) if one.service else ''}"
        for one in folded[:FOLDED_SHOWN]
    ]
    if total > len(lines):
        lines.append(f"… and {total - len(lines)} more")
    fire = "fires" if total == 1 else "fire"
    return blocks.lines([f"*{_count(total, 'further group')} {fire} with it, probably for the same cause:*", *lines])


def _people(group: AlertGroup, now: datetime, names: Names) -> Iterator[Block]:
    """Who is on it, and what they have decided."""
    told: list[str] = []
    if group.owner is None:
        told.append("Nobody's: the catalog has no owner for it")
    else:
        told.append(f"Owner: {_name(group.owner, names)}")
    if group.acknowledged_by:
        at = f", {local_time(group.acknowledged_at)}" if group.acknowledged_at else ""
        told.append(f"Acknowledged by {_name(group.acknowledged_by, names)}{at}")
    if group.assigned_to:
        told.append(f"Assigned to {_name(group.assigned_to, names)}")
    if group.escalated_to:
        told.append(f"Escalated to {_name(group.escalated_to, names)}")
    if group.quieted and group.quieted.until > now and group.is_open:
        why = f": {escape(cut(_line(group.quieted.reason), 150))}" if group.quieted.reason.strip() else ""
        until = local_time(group.quieted.until)
        told.append(f"🔇 Silenced until {until} by {_name(group.quieted.by, names)}{why}")
    elif group.silenced and group.is_open:
        told.append("🔇 Silenced in Alertmanager")
    if group.incident_channel:
        told.append(
            f"Incident: <#{group.incident_channel}>" if _is_channel(group.incident_channel) else "Incident open"
        )
    yield blocks.context(*told)


def _links(group: AlertGroup) -> list[Block]:
    named = (("Runbook", group.runbook_url), ("Dashboard", group.dashboard_url), ("Source", group.source_url))
    links = [link(url, label) for label, url in named if url]
    return [blocks.section(" · ".join(links))] if links else []


def _buttons(group: AlertGroup) -> list[Block]:
    made = [_button(action, label, group, style) for action, label, style in _offered(group)]
    return [blocks.actions(made, block_id="alert")] if made else []


def _offered(group: AlertGroup) -> Iterator[tuple[str, str, blocks.Style]]:
    """The buttons that mean something now; whether the person may is asked when one is pressed."""
    if not group.is_open:
        if group.service:
            yield actions.WHY, "Why?", None
        return
    if group.acknowledged_by is None:
        yield actions.ACKNOWLEDGE, "Acknowledge", "primary"
    if group.service:
        yield actions.WHY, "Why?", None
    if group.runbook_step:
        yield actions.RUNBOOK, cut(f"Run {group.runbook_step}", limits.BUTTON_TEXT), None
    if group.service and group.environment:
        yield actions.ROLLBACK, "Roll back", "danger"
    if not group.silenced:
        yield actions.SILENCE, "Silence", None
    yield actions.ASSIGN, "Assign", None
    yield actions.ESCALATE, "Escalate", None
    if not group.incident_channel:
        yield actions.INCIDENT, "Open incident", None
    if group.owner is None:
        yield actions.ADOPT, "Adopt", None


def _button(action: str, label: str, group: AlertGroup, style: blocks.Style) -> Block:
    spoken = cut(f"{label}: {_title(group)}", 75)
    value = f"{group.id}.{fingerprint(group.runbook_step)}" if action == actions.RUNBOOK else group.id
    return blocks.button(label, action, value, style=style, confirm=_confirm(action, group), spoken=spoken)


def _confirm(action: str, group: AlertGroup) -> Block | None:
    """What is asked back before something runs because of one press: exactly what that is."""
    place = f"{group.service} in {group.environment}"
    match action:
        case actions.RUNBOOK:
            text = f"In your name, as if you had typed it: {group.runbook_step}"
            return blocks.confirm("Run the runbook's step?", text, yes="Run it", style="primary")
        case actions.ROLLBACK:
            text = f"{cut(place, _TITLE)} goes back to the version that ran before, and is held there for 7 days."
            return blocks.confirm("Roll back?", text, yes="Roll back", style="danger")
    return None


# --- Shared ---------------------------------------------------------------------------------------------------------


def _digest_line(group: AlertGroup) -> str:
    sign = _sign(group)
    place = f" · {_place(group)}" if group.service or group.environment else ""
    ended = f", resolved{_after(group)}" if not group.is_open else ""
    return f"{sign} {escape(_title(group))}{place}, {local_time(group.started_at)}{ended}"


def _name(ref: str, names: Names) -> str:
    return escape(cut(_line(names(ref)), _NAME))


def _is_channel(text: str) -> bool:
    return text[:1] in ("C", "G") and text.isascii() and text.isalnum() and text.isupper()


def _line(text: str) -> str:
    return " ".join(text.split())


def span(time: timedelta) -> str:
    """Return a span of time as people say it."""
    minutes = max(0, int(time.total_seconds() // 60))
    if minutes < 1:
        return "less than a minute"
    if minutes < 120:
        return _count(minutes, "minute")
    hours = minutes // 60
    return _count(hours, "hour") if hours < 48 else _count(hours // 24, "day")


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _metadata(group: str, state: str, service: str) -> dict[str, JSON]:
    payload: dict[str, JSON] = {"group": group, "state": state, "service": cut(service, _NAME)}
    return {"event_type": EVENT, "event_payload": payload}
