"""Let an operation record the progress of a batch, and add a table for the items of a batch."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

ADDED = ("mode", "stage", "total", "handled", "refused", "refusal")


def upgrade() -> None:
    with op.batch_alter_table("operation") as table:
        table.add_column(sa.Column("mode", sa.String(length=16), nullable=True))
        table.add_column(sa.Column("stage", sa.String(length=16), nullable=True))
        for name in ("total", "handled", "refused"):
            table.add_column(sa.Column(name, sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("refusal", sa.JSON(), nullable=True))
    op.create_index(op.f("ix_operation_stage"), "operation", ["stage"])
    op.create_table(
        "operation_item",
        sa.Column("operation_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("party_id", sa.String(length=64), nullable=True),
        sa.Column("sealed_id", sa.String(length=26), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("records", sa.JSON(), nullable=True),
        sa.Column("refusal", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["operation_id"], ["operation.id"], name=op.f("fk_operation_item_operation_id")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_operation_item_party_id")),
        sa.ForeignKeyConstraint(["sealed_id"], ["sealed.id"], name=op.f("fk_operation_item_sealed_id")),
        sa.PrimaryKeyConstraint("operation_id", "number", name=op.f("pk_operation_item")),
    )
    op.create_index(op.f("ix_operation_item_party_id"), "operation_item", ["party_id"])


def downgrade() -> None:
    # Erase the texts of items that are not handled yet, because after the removal of the table no erasure could find
    # them.
    op.execute(
        "UPDATE sealed SET wrapped_key = NULL, ciphertext = '' WHERE id IN "
        "(SELECT sealed_id FROM operation_item WHERE sealed_id IS NOT NULL)"
    )
    op.drop_index(op.f("ix_operation_item_party_id"), "operation_item")
    op.drop_table("operation_item")
    op.drop_index(op.f("ix_operation_stage"), "operation")
    with op.batch_alter_table("operation") as table:
        for name in ADDED:
            table.drop_column(name)
