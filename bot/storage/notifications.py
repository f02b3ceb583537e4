"""Tables of who wants to hear of what, and of what is held until they do.

Times are seconds since 1970 as floating point numbers, by the clock that the process was given. JSON is stored as text.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, Integer, String, Table, Text

from bot.storage.database import metadata

notification_wishes = Table(
    "notification_wishes",
    metadata,
    Column("subject", Text, primary_key=True),  # full reference of a group or a user
    Column("wishes", Text, nullable=False),  # JSON of `TeamWishes` or `PersonalWishes`
)

held_news = Table(
    "held_news",
    metadata,
    Column("id", String(64), primary_key=True),  # of the card, or made of what is told
    Column("subject", Text, nullable=False),  # full reference of the group whose channel it is
    Column("news", String(16), nullable=False),
    Column("how", String(16), nullable=False),  # `later` or `summary`
    Column("due_at", Float, nullable=False),
    Column("noted_at", Float, nullable=False),
    Column("line", Text, nullable=False),  # for the summary, as mrkdwn that is escaped already
    Index("ix_held_news_due", "due_at"),
)
"""What is told later, or in the summary; deleted once told."""

news_cards = Table(
    "news_cards",
    metadata,
    Column("id", String(64), primary_key=True),  # of the card
    Column("key", String(300), nullable=False),  # what it is about: a repository's CI, an application
    Column("news", String(16), nullable=False),
    Column("subject", Text, nullable=False),  # full reference of the group whose channel it is
    Column("facts", Text, nullable=False),  # JSON: what the card says
    Column("is_open", Boolean, nullable=False),
    Column("began_at", Float, nullable=False),
    Column("ended_at", Float),
    Column("revision", Integer, nullable=False),
    Index("ix_news_cards_key", "key", "began_at"),
)
"""One row for each time that something went wrong until it was well again, kept for ever as cards are."""
