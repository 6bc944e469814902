"""Store verifications of certificates that other services issued; store for each verification its use (1, 2, …)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

# Number the uses in older rows: the first valid verification of a certificate was use 1, the second was use 2, and so
# on.
ORDINALS = """
UPDATE presentation SET ordinal = (
    SELECT count(*) FROM presentation AS earlier
    WHERE earlier.certificate_no = presentation.certificate_no
      AND earlier.result = 'valid' AND earlier.id <= presentation.id
) WHERE result = 'valid'
"""


def upgrade() -> None:
    with op.batch_alter_table("presentation", schema=None) as batch_op:
        batch_op.drop_constraint("fk_presentation_certificate_no", type_="foreignkey")
        batch_op.alter_column("nonce_digest", existing_type=sa.String(length=80), nullable=True)
        batch_op.add_column(sa.Column("presented", sa.String(length=80), nullable=True))
        batch_op.add_column(sa.Column("fields", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("batch", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("index", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("ordinal", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("tx_hash", sa.String(length=64), nullable=True))
        batch_op.create_index(batch_op.f("ix_presentation_result"), ["result"], unique=False)
    with op.batch_alter_table("presentation", schema=None) as batch_op:
        batch_op.alter_column("fields", existing_type=sa.JSON(), server_default=None)
    op.execute(ORDINALS)
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.drop_constraint("fk_api_key_party_id", type_="foreignkey")


def downgrade() -> None:
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.create_foreign_key("fk_api_key_party_id", "party", ["party_id"], ["id"])
    op.execute("DELETE FROM presentation WHERE nonce_digest IS NULL")
    with op.batch_alter_table("presentation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_presentation_result"))
        for name in ("tx_hash", "ordinal", "index", "batch", "fields", "presented"):
            batch_op.drop_column(name)
        batch_op.alter_column("nonce_digest", existing_type=sa.String(length=80), nullable=False)
        batch_op.create_foreign_key(
            "fk_presentation_certificate_no", "certificate", ["certificate_no"], ["certificate_no"]
        )
