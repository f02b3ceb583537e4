"""Waits that people end, lanes, and the agenda."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agenda",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agenda")),
    )
    with op.batch_alter_table("agenda", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_agenda_due_at"), ["due_at"], unique=False)

    with op.batch_alter_table("operations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("keep_by", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("patience", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("lane", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("behind", sa.Text(), nullable=True))
        batch_op.create_index(
            "ix_operations_lane",
            ["lane"],
            unique=False,
            sqlite_where=sa.text("lane IS NOT NULL"),
            postgresql_where=sa.text("lane IS NOT NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("operations", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_operations_lane", sqlite_where=sa.text("lane IS NOT NULL"), postgresql_where=sa.text("lane IS NOT NULL")
        )
        batch_op.drop_column("behind")
        batch_op.drop_column("lane")
        batch_op.drop_column("patience")
        batch_op.drop_column("keep_by")

    with op.batch_alter_table("agenda", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_agenda_due_at"))

    op.drop_table("agenda")
