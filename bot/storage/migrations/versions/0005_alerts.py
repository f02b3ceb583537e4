"""Alerts, and the order in which their cards are posted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alert_digests",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_digests")),
    )
    op.create_table(
        "alert_groups",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=500), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("receiver", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("adopted", sa.Boolean(), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("firing", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("fired_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.Column("acknowledged_at", sa.Float(), nullable=True),
        sa.Column("assigned_to", sa.Text(), nullable=True),
        sa.Column("escalated_to", sa.Text(), nullable=True),
        sa.Column("quieted", sa.Text(), nullable=True),
        sa.Column("incident_channel", sa.Text(), nullable=False),
        sa.Column("flapping", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=True),
        sa.Column("carded_at", sa.Float(), nullable=True),
        sa.Column("told_firing", sa.Integer(), nullable=False),
        sa.Column("urged", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_groups")),
        sa.UniqueConstraint("number", name=op.f("uq_alert_groups_number")),
    )
    with op.batch_alter_table("alert_groups", schema=None) as batch_op:
        batch_op.create_index("ix_alert_groups_carded", ["carded_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_alert_groups_cause"), ["cause"], unique=False)
        batch_op.create_index(batch_op.f("ix_alert_groups_digest"), ["digest"], unique=False)
        batch_op.create_index(
            "ix_alert_groups_firing",
            ["key"],
            unique=True,
            sqlite_where=sa.text("state = 'firing'"),
            postgresql_where=sa.text("state = 'firing'"),
        )
        batch_op.create_index("ix_alert_groups_key", ["key", "number"], unique=False)
        batch_op.create_index("ix_alert_groups_service", ["service", "started_at"], unique=False)

    op.create_table(
        "alert_intake",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_intake")),
    )
    with op.batch_alter_table("alert_intake", schema=None) as batch_op:
        batch_op.create_index(
            "ix_alert_intake_waiting",
            ["id"],
            unique=False,
            sqlite_where=sa.text("NOT failed"),
            postgresql_where=sa.text("NOT failed"),
        )

    op.create_table(
        "alert_members",
        sa.Column("group", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("starts_at", sa.Float(), nullable=False),
        sa.Column("ends_at", sa.Float(), nullable=True),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("annotations", sa.Text(), nullable=False),
        sa.Column("silenced", sa.Boolean(), nullable=False),
        sa.Column("unheard", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("group", "fingerprint", name=op.f("pk_alert_members")),
    )
    op.create_table(
        "alert_told",
        sa.Column("group", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("group", "key", name=op.f("pk_alert_told")),
    )
    with op.batch_alter_table("slack_cards", schema=None) as batch_op:
        batch_op.add_column(sa.Column("lane", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("turn", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True))
        batch_op.create_index(
            "ix_slack_cards_lane",
            ["lane", "turn"],
            unique=False,
            sqlite_where=sa.text("ts IS NULL AND lane IS NOT NULL"),
            postgresql_where=sa.text("ts IS NULL AND lane IS NOT NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("slack_cards", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_slack_cards_lane",
            sqlite_where=sa.text("ts IS NULL AND lane IS NOT NULL"),
            postgresql_where=sa.text("ts IS NULL AND lane IS NOT NULL"),
        )
        batch_op.drop_column("turn")
        batch_op.drop_column("lane")

    op.drop_table("alert_told")
    op.drop_table("alert_members")
    with op.batch_alter_table("alert_intake", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_alert_intake_waiting", sqlite_where=sa.text("NOT failed"), postgresql_where=sa.text("NOT failed")
        )

    op.drop_table("alert_intake")
    with op.batch_alter_table("alert_groups", schema=None) as batch_op:
        batch_op.drop_index("ix_alert_groups_service")
        batch_op.drop_index("ix_alert_groups_key")
        batch_op.drop_index(
            "ix_alert_groups_firing",
            sqlite_where=sa.text("state = 'firing'"),
            postgresql_where=sa.text("state = 'firing'"),
        )
        batch_op.drop_index(batch_op.f("ix_alert_groups_digest"))
        batch_op.drop_index(batch_op.f("ix_alert_groups_cause"))
        batch_op.drop_index("ix_alert_groups_carded")

    op.drop_table("alert_groups")
    op.drop_table("alert_digests")
