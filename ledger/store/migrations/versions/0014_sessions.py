"""Add sessions, machine keys with scope and expiry, enrolment codes and readings; allow a party without a key.

Earlier API keys are deleted: they belonged to no account, never expired and allowed everything.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    _drop_api_keys()
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("party_id", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=42), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("key_digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("key_digest", name=op.f("uq_api_key_key_digest")),
    )
    op.create_index(op.f("ix_api_key_party_id"), "api_key", ["party_id"])
    op.create_index(op.f("ix_api_key_expires_at"), "api_key", ["expires_at"])
    op.create_table(
        "signed_in",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("party_id", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=42), nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("cookie", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signed_in")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_signed_in_token_digest")),
    )
    op.create_index(op.f("ix_signed_in_party_id"), "signed_in", ["party_id"])
    op.create_index(op.f("ix_signed_in_expires_at"), "signed_in", ["expires_at"])
    op.create_table(
        "sign_in_nonce",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("party_id", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sign_in_nonce")),
    )
    op.create_index("ix_sign_in_nonce_source", "sign_in_nonce", ["source", "expires_at"])
    op.create_index(op.f("ix_sign_in_nonce_expires_at"), "sign_in_nonce", ["expires_at"])
    op.create_table(
        "enrolment",
        sa.Column("party_id", sa.String(length=64), nullable=False),
        sa.Column("code_digest", sa.String(length=64), nullable=False),
        sa.Column("issued_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_enrolment_party_id")),
        sa.PrimaryKeyConstraint("party_id", name=op.f("pk_enrolment")),
        sa.UniqueConstraint("code_digest", name=op.f("uq_enrolment_code_digest")),
    )
    op.create_table(
        "reading",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("certificate_no", sa.String(length=32), nullable=True),
        sa.Column("how", sa.String(length=16), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reading")),
    )
    op.create_index("ix_reading_subject", "reading", ["subject", "id"])
    with op.batch_alter_table("party", schema=None) as batch_op:
        batch_op.alter_column("account", existing_type=sa.String(length=42), nullable=True)
        batch_op.alter_column("public_key", existing_type=sa.String(length=71), nullable=True)


def downgrade() -> None:
    # The older schema cannot store a party without a key. Such a party has no statement, number or log entry, so its
    # row is deleted.
    op.execute("DELETE FROM enrolment")
    op.execute("DELETE FROM party WHERE account IS NULL")
    with op.batch_alter_table("party", schema=None) as batch_op:
        batch_op.alter_column("public_key", existing_type=sa.String(length=71), nullable=False)
        batch_op.alter_column("account", existing_type=sa.String(length=42), nullable=False)
    for name in ("reading", "enrolment", "sign_in_nonce", "signed_in", "api_key"):
        op.drop_table(name)
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("party_id", sa.String(length=64), nullable=False),
        sa.Column("key_digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("key_digest", name=op.f("uq_api_key_key_digest")),
    )
    op.create_index(op.f("ix_api_key_party_id"), "api_key", ["party_id"])


def _drop_api_keys() -> None:
    op.drop_index(op.f("ix_api_key_party_id"), table_name="api_key")
    op.drop_table("api_key")
