"""Which file declared an entity first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "catalog_holders",
        sa.Column("ref", sa.String(length=400), nullable=False, comment="full reference of an entity"),
        sa.Column(
            "source",
            sa.String(length=500),
            nullable=False,
            comment="the file that declared it first, and so stands",
        ),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("ref", name=op.f("pk_catalog_holders")),
    )


def downgrade() -> None:
    op.drop_table("catalog_holders")
