"""Tables of alerts: bodies that were taken in, groups with their alerts, what was told of them, digests.

Times are seconds since 1970 as floating point numbers, by the clock that the process was given. JSON is stored as text.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text, text

from bot.storage.database import metadata

_Id = BigInteger().with_variant(Integer, "sqlite")

alert_intake = Table(
    "alert_intake",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("body", Text, nullable=False),
    Column("received_at", Float, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("failed", Boolean, nullable=False, default=False),
    Index("ix_alert_intake_waiting", "id", sqlite_where=text("NOT failed"), postgresql_where=text("NOT failed")),
)
"""What the webhook took, as it came; deleted once it was taken apart. Failed rows stay a while to be seen."""

alert_groups = Table(
    "alert_groups",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("key", String(500), nullable=False),
    Column("number", _Id, nullable=False, unique=True),  # the order in which groups began
    Column("receiver", Text, nullable=False),  # of Alertmanager; empty where only a poll has told of it
    Column("labels", Text, nullable=False),  # JSON object: what it is grouped by
    Column("state", String(16), nullable=False),
    Column("title", Text, nullable=False),
    Column("severity", String(16), nullable=False),
    Column("service", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("owner", Text),
    Column("adopted", Boolean, nullable=False),  # people have decided the owner; it holds for later episodes too
    Column("channel", String(64), nullable=False),
    Column("firing", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("left_out", Integer, nullable=False),  # alerts that Alertmanager did not send, for length
    Column("started_at", Float, nullable=False),
    Column("fired_at", Float, nullable=False),  # when it began to fire the last time, of an episode that flaps
    Column("ended_at", Float),
    Column("acknowledged_by", Text),
    Column("acknowledged_at", Float),
    Column("assigned_to", Text),
    Column("escalated_to", Text),
    Column("quieted", Text),  # JSON of `Quieted`
    Column("incident_channel", Text, nullable=False),
    Column("flapping", Integer, nullable=False),
    Column("cause", String(64), nullable=False, index=True),
    Column("digest", String(64), nullable=False, index=True),
    Column("due_at", Float),  # when it is decided where it is told; null: that is decided
    Column("carded_at", Float),  # when it was given a card of its own
    Column("told_firing", Integer, nullable=False),  # how many fired when the thread was told last
    Column("urged", Boolean, nullable=False),  # the platform's channel was told as well, since the card could not be
    Column("revision", Integer, nullable=False),
)
Index(
    "ix_alert_groups_firing",
    alert_groups.c.key,
    unique=True,
    sqlite_where=text("state = 'firing'"),
    postgresql_where=text("state = 'firing'"),
)
Index("ix_alert_groups_key", alert_groups.c.key, alert_groups.c.number)
Index("ix_alert_groups_service", alert_groups.c.service, alert_groups.c.started_at)
Index("ix_alert_groups_carded", alert_groups.c.carded_at)

alert_members = Table(
    "alert_members",
    metadata,
    Column("group", String(64), primary_key=True),
    Column("fingerprint", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("severity", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("starts_at", Float, nullable=False),
    Column("ends_at", Float),
    Column("labels", Text, nullable=False),  # JSON object
    Column("annotations", Text, nullable=False),  # JSON object
    Column("silenced", Boolean, nullable=False),
    Column("unheard", Integer, nullable=False),  # polls of Alertmanager in a row that did not name it
    Column("changed_at", Float, nullable=False),  # when we last heard that it began or ended
)

alert_told = Table(
    "alert_told",
    metadata,
    Column("group", String(64), primary_key=True),
    Column("key", String(64), primary_key=True),  # the same event has the same key, whoever tells of it
    Column("at", Float, nullable=False),
    Column("text", Text, nullable=False),  # mrkdwn, escaped
)

alert_digests = Table(
    "alert_digests",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("channel", String(64), nullable=False),
    Column("day", String(10), nullable=False),
    Column("revision", Integer, nullable=False),
)
"""One card for a channel and a day: it holds what is beyond the channel's budget."""
