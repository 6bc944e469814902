"""Add a table for erasures; delete stored idempotent requests, because their digests were made without a key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "erasure",
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("leaf", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["party.id"], name=op.f("fk_erasure_by")),
        sa.ForeignKeyConstraint(["subject"], ["party.id"], name=op.f("fk_erasure_subject")),
        sa.PrimaryKeyConstraint("target", name=op.f("pk_erasure")),
    )
    with op.batch_alter_table("erasure", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_erasure_subject"), ["subject"], unique=False)
    op.execute("DELETE FROM idempotent_request")


def downgrade() -> None:
    with op.batch_alter_table("erasure", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_erasure_subject"))
    op.drop_table("erasure")
