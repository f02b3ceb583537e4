"""What people do about an alert, as effects in a world where an alert fires."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.effects import AddPeople, ChangeAlert, EndSilence, OpenRoom, SayInRoom, SilenceAlert, TellPeople
from bot.effects.alerts import MatcherBody
from bot.model.alerts import Alert, AlertGroup, AlertState, Severity
from bot.model.late import Late, OutputRef
from bot.ports import Matcher, Silence

FIRED = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
GROUP = AlertGroup(
    id="ag-0123456789abcdef0123",
    key="LatencyHigh",
    labels={"alertname": "LatencyHigh", "service": "orders"},
    state=AlertState.FIRING,
    title="LatencyHigh",
    severity=Severity.CRITICAL,
    service="orders",
    environment="production",
    owner="group:default/team-orders",
    channel="C0TEAMORDER",
    alerts=(Alert(fingerprint="a", name="LatencyHigh", state=AlertState.FIRING, starts_at=FIRED),),
    firing=1,
    total=1,
    started_at=FIRED,
)
"""In the book before the operation."""
OTHER = Silence(
    matchers=(Matcher("service", "other"),),
    starts_at=FIRED,
    ends_at=datetime(2200, 1, 1, tzinfo=UTC),
    by="Somebody",
    comment="of another operation",
)
"""In Alertmanager before it."""
UNTIL = datetime(2199, 1, 1, tzinfo=UTC)

ACKNOWLEDGE = ChangeAlert(
    id="acknowledge",
    group=GROUP.id,
    changes={"acknowledged_by": "user:default/author", "acknowledged_at": "2026-03-02T09:00:00Z"},
    before={"acknowledged_by": None, "acknowledged_at": None},
    line="*Sample Author* is on it.",
    what="Write down that Sample Author is on it",
)
SILENCE = SilenceAlert(
    id="silence",
    matchers=(MatcherBody(name="service", value="orders"),),
    until=UNTIL,
    by="Sample Author",
    reason="The disk is replaced",
)
QUIET = ChangeAlert(
    id="quiet",
    group=GROUP.id,
    changes={
        "quieted": {
            "id": Late(parts=(OutputRef(effect="silence", output="silence"),)).model_dump(mode="json", by_alias=True),
            "by": "user:default/author",
            "until": "2199-01-01T00:00:00Z",
            "reason": "The disk is replaced",
        }
    },
    before={"quieted": None},
    line="*Sample Author* has silenced it.",
    what="Write down who silenced it",
)
OPEN = OpenRoom(id="room", name="inc-2026-03-02-orders-0123", topic="LatencyHigh of orders")
ROOM = Late(parts=(OutputRef(effect="room", output="room"),))
ADD = AddPeople(id="people", room=ROOM, people=("user:default/author", "user:default/nobody"))
SAY = SayInRoom(id="say", room=ROOM, text="It is about LatencyHigh.", card=GROUP.id)
TELL = TellPeople(id="tell", people=("user:default/author",), text="Look at it.", card=GROUP.id)
END = EndSilence(id="unsilence", silence="silence-1")
