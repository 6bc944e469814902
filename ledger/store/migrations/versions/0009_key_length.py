"""key length: a party's key may be an SM2 key, whose text begins with the suite

Revision: 0009, after: 0008.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


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
