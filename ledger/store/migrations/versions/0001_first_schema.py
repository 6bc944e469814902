"""Create the first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "batch",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=True),
        sa.Column("by", sa.BigInteger(), nullable=True),
        sa.Column("tx_hash", sa.String(length=64), nullable=True),
        sa.Column("block_number", sa.BigInteger(), nullable=True),
        sa.Column("gas_used", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_batch")),
        sa.UniqueConstraint("first_seq", name=op.f("uq_batch_first_seq")),
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counter")),
    )
    op.create_table(
        "idempotent_request",
        sa.Column("party_id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("request_digest", sa.String(length=80), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("response", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("party_id", "key", name=op.f("pk_idempotent_request")),
    )
    op.create_table(
        "operation",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("party_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operation")),
    )
    op.create_table(
        "sealed",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sealed")),
    )
    op.create_table(
        "entry",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("leaf", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["batch"], ["batch.number"], name=op.f("fk_entry_batch")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_entry")),
        sa.UniqueConstraint("leaf", name=op.f("uq_entry_leaf")),
    )
    with op.batch_alter_table("entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_entry_batch"), ["batch"], unique=False)

    op.create_table(
        "party",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("no", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("region", sa.String(length=16), nullable=False),
        sa.Column("account", sa.String(length=42), nullable=False),
        sa.Column("public_key", sa.String(length=66), nullable=False),
        sa.Column("lookup", sa.String(length=64), nullable=False),
        sa.Column("sealed_id", sa.String(length=26), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["sealed_id"], ["sealed.id"], name=op.f("fk_party_sealed_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_party")),
        sa.UniqueConstraint("account", name=op.f("uq_party_account")),
        sa.UniqueConstraint("lookup", name=op.f("uq_party_lookup")),
        sa.UniqueConstraint("no", name=op.f("uq_party_no")),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("party_id", sa.String(length=64), nullable=False),
        sa.Column("key_digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_api_key_party_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("key_digest", name=op.f("uq_api_key_key_digest")),
    )
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_key_party_id"), ["party_id"], unique=False)

    op.create_table(
        "authorization",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("leaf", sa.String(length=64), nullable=False),
        sa.Column("scenario", sa.String(length=8), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("consumer", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["consumer"], ["party.id"], name=op.f("fk_authorization_consumer")),
        sa.ForeignKeyConstraint(["subject"], ["party.id"], name=op.f("fk_authorization_subject")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authorization")),
        sa.UniqueConstraint("leaf", name=op.f("uq_authorization_leaf")),
    )
    with op.batch_alter_table("authorization", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_authorization_consumer"), ["consumer"], unique=False)
        batch_op.create_index(batch_op.f("ix_authorization_subject"), ["subject"], unique=False)

    op.create_table(
        "resource",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=400), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("content_digest", sa.String(length=80), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["provider"], ["party.id"], name=op.f("fk_resource_provider")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_resource")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_resource_fingerprint")),
    )
    with op.batch_alter_table("resource", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_resource_provider"), ["provider"], unique=False)

    op.create_table(
        "provision",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("authorization_id", sa.String(length=26), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("leaf", sa.String(length=64), nullable=False),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("sealed_id", sa.String(length=26), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["authorization_id"], ["authorization.id"], name=op.f("fk_provision_authorization_id")),
        sa.ForeignKeyConstraint(["provider"], ["party.id"], name=op.f("fk_provision_provider")),
        sa.ForeignKeyConstraint(["sealed_id"], ["sealed.id"], name=op.f("fk_provision_sealed_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provision")),
        sa.UniqueConstraint("authorization_id", "provider", name=op.f("uq_provision_authorization_id_provider")),
        sa.UniqueConstraint("leaf", name=op.f("uq_provision_leaf")),
    )
    op.create_table(
        "registration",
        sa.Column("asset_id", sa.String(length=64), nullable=False),
        sa.Column("resource_code", sa.String(length=64), nullable=False),
        sa.Column("applicant", sa.String(length=64), nullable=False),
        sa.Column("reg_no", sa.String(length=64), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["applicant"], ["party.id"], name=op.f("fk_registration_applicant")),
        sa.ForeignKeyConstraint(["resource_code"], ["resource.code"], name=op.f("fk_registration_resource_code")),
        sa.PrimaryKeyConstraint("asset_id", name=op.f("pk_registration")),
        sa.UniqueConstraint("reg_no", name=op.f("uq_registration_reg_no")),
        sa.UniqueConstraint("resource_code", name=op.f("uq_registration_resource_code")),
    )
    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_registration_applicant"), ["applicant"], unique=False)

    op.create_table(
        "certificate",
        sa.Column("certificate_no", sa.String(length=32), nullable=False),
        sa.Column("class", sa.String(length=16), nullable=False),
        sa.Column("leaf", sa.String(length=64), nullable=False),
        sa.Column("scenario", sa.String(length=8), nullable=False),
        sa.Column("issuer", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("consumer", sa.String(length=64), nullable=True),
        sa.Column("authorization_id", sa.String(length=26), nullable=True),
        sa.Column("asset_id", sa.String(length=64), nullable=True),
        sa.Column("supersedes", sa.String(length=32), nullable=True),
        sa.Column("exp", sa.BigInteger(), nullable=False),
        sa.Column("sealed_id", sa.String(length=26), nullable=True),
        sa.Column("token", sa.String(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["registration.asset_id"], name=op.f("fk_certificate_asset_id")),
        sa.ForeignKeyConstraint(
            ["authorization_id"], ["authorization.id"], name=op.f("fk_certificate_authorization_id")
        ),
        sa.ForeignKeyConstraint(["sealed_id"], ["sealed.id"], name=op.f("fk_certificate_sealed_id")),
        sa.PrimaryKeyConstraint("certificate_no", name=op.f("pk_certificate")),
        sa.UniqueConstraint("authorization_id", name=op.f("uq_certificate_authorization_id")),
        sa.UniqueConstraint("leaf", name=op.f("uq_certificate_leaf")),
        sa.UniqueConstraint("supersedes", name=op.f("uq_certificate_supersedes")),
    )
    with op.batch_alter_table("certificate", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_certificate_asset_id"), ["asset_id"], unique=False)
        batch_op.create_index("ix_certificate_consumer_no", ["consumer", "certificate_no"], unique=False)
        batch_op.create_index("ix_certificate_subject_no", ["subject", "certificate_no"], unique=False)

    op.create_table(
        "presentation",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("certificate_no", sa.String(length=32), nullable=False),
        sa.Column("consumer", sa.String(length=64), nullable=False),
        sa.Column("nonce_digest", sa.String(length=80), nullable=False),
        sa.Column("result", sa.String(length=48), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["certificate_no"], ["certificate.certificate_no"], name=op.f("fk_presentation_certificate_no")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_presentation")),
        sa.UniqueConstraint("nonce_digest", name=op.f("uq_presentation_nonce_digest")),
    )
    with op.batch_alter_table("presentation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_presentation_certificate_no"), ["certificate_no"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("presentation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_presentation_certificate_no"))

    op.drop_table("presentation")
    with op.batch_alter_table("certificate", schema=None) as batch_op:
        batch_op.drop_index("ix_certificate_subject_no")
        batch_op.drop_index("ix_certificate_consumer_no")
        batch_op.drop_index(batch_op.f("ix_certificate_asset_id"))

    op.drop_table("certificate")
    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_registration_applicant"))

    op.drop_table("registration")
    op.drop_table("provision")
    with op.batch_alter_table("resource", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_resource_provider"))

    op.drop_table("resource")
    with op.batch_alter_table("authorization", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_authorization_subject"))
        batch_op.drop_index(batch_op.f("ix_authorization_consumer"))

    op.drop_table("authorization")
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_key_party_id"))

    op.drop_table("api_key")
    op.drop_table("party")
    with op.batch_alter_table("entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_entry_batch"))

    op.drop_table("entry")
    op.drop_table("sealed")
    op.drop_table("operation")
    op.drop_table("idempotent_request")
    op.drop_table("counter")
    op.drop_table("batch")
