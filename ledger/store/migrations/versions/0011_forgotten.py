"""Store idempotency keys as digests, and delete rows with plain keys.

Sealed texts to which no record refers since migration 0006 are deleted too, because no erasure would find them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

SEALED = sa.table(
    "sealed",
    sa.column("id", sa.String),
    sa.column("wrapped_key", sa.LargeBinary),
    sa.column("ciphertext", sa.LargeBinary),
)
REFERRING = ("party", "access_request", "authorization", "provision", "certificate", "evidence")


def upgrade() -> None:
    op.execute("DELETE FROM idempotent_request")
    kept = sa.column("sealed_id", sa.String)
    referred = sa.union_all(
        *(sa.select(kept).select_from(sa.table(name)).where(kept.is_not(None)) for name in REFERRING)
    )
    lost = sa.update(SEALED).where(SEALED.c.id.not_in(referred))
    op.execute(lost.values(wrapped_key=sa.null(), ciphertext=b""))


def downgrade() -> None:
    """Do nothing: deleted rows cannot be restored."""
