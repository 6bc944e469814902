"""Add a table for the earlier keys of a party."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "party_key",
        sa.Column("account", sa.String(length=42), nullable=False),
        sa.Column("party_id", sa.String(length=64), nullable=False),
        sa.Column("public_key", sa.String(length=66), nullable=False),
        sa.Column("bound_at", sa.BigInteger(), nullable=True),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.Column("compromised_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_party_key_party_id")),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_party_key")),
    )
    with op.batch_alter_table("party_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_party_key_party_id"), ["party_id"], unique=False)
    op.execute(
        "INSERT INTO party_key (account, party_id, public_key, bound_at) "
        "SELECT account, id, public_key, created_at FROM party"
    )


def downgrade() -> None:
    with op.batch_alter_table("party_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_party_key_party_id"))

    op.drop_table("party_key")
