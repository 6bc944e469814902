"""Allow longer keys: an SM2 key begins with the name of its suite."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    with op.batch_alter_table("party_key", schema=None) as batch_op:
        batch_op.alter_column(
            "public_key", existing_type=sa.String(length=66), type_=sa.String(length=70), existing_nullable=False
        )


def downgrade() -> None:
    with op.batch_alter_table("party_key", schema=None) as batch_op:
        batch_op.alter_column(
            "public_key", existing_type=sa.String(length=70), type_=sa.String(length=66), existing_nullable=False
        )
