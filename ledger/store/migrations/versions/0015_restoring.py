"""Add a table for entries that holders bring back after a restore, and an index on the age of archived rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

DATED = ("application", "evidence", "mandate", "party", "party_list", "registration", "resource")


def upgrade() -> None:
    op.create_table(
        "adopted_entry",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("proof", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["entry.seq"], name=op.f("fk_adopted_entry_seq")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_adopted_entry")),
    )
    for table in DATED:
        op.create_index(op.f(f"ix_{table}_created_at"), table, ["created_at"])
    op.create_index(op.f("ix_party_key_bound_at"), "party_key", ["bound_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_party_key_bound_at"), "party_key")
    for table in DATED:
        op.drop_index(op.f(f"ix_{table}_created_at"), table)
    op.drop_table("adopted_entry")
