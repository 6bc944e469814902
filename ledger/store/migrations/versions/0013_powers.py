"""Add lists of parties proposed for registration, proofs of possession, and the times at which keys were reported."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "party_list",
        sa.Column("act", sa.String(length=64), nullable=False),
        sa.Column("registrations", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("act", name=op.f("pk_party_list")),
    )
    with op.batch_alter_table("party", schema=None) as batch_op:
        batch_op.add_column(sa.Column("listed", sa.String(length=64), nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_party_listed"), "party_list", ["listed"], ["act"])
        batch_op.create_index(batch_op.f("ix_party_listed"), ["listed"], unique=False)
    with op.batch_alter_table("party_key", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reported_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("proof", sa.String(length=256), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("party_key", schema=None) as batch_op:
        batch_op.drop_column("proof")
        batch_op.drop_column("reported_at")
    with op.batch_alter_table("party", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_party_listed"))
        batch_op.drop_constraint(batch_op.f("fk_party_listed"), type_="foreignkey")
        batch_op.drop_column("listed")
    op.drop_table("party_list")
