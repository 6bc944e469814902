"""Add tables for applications, evidence and mandates; allow a resource to be registered again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("resource", schema=None) as batch_op:
        batch_op.drop_constraint("uq_resource_fingerprint", type_="unique")
        batch_op.create_index(batch_op.f("ix_resource_fingerprint"), ["fingerprint"], unique=False)
    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.drop_constraint("uq_registration_resource_code", type_="unique")
        batch_op.create_index(batch_op.f("ix_registration_resource_code"), ["resource_code"], unique=False)
        batch_op.drop_column("valid_to")
        batch_op.add_column(sa.Column("external_reg_code", sa.String(length=64), nullable=True))
    op.create_table(
        "application",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("asset_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("applicant", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=64), nullable=True),
        sa.Column("document", sa.JSON(), nullable=True),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("near_fingerprint", sa.String(length=64), nullable=False),
        sa.Column("ruleset", sa.String(length=80), nullable=False),
        sa.Column("notice_from", sa.BigInteger(), nullable=True),
        sa.Column("notice_to", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["agent"], ["party.id"], name=op.f("fk_application_agent")),
        sa.ForeignKeyConstraint(["applicant"], ["party.id"], name=op.f("fk_application_applicant")),
        sa.ForeignKeyConstraint(["asset_id"], ["registration.asset_id"], name=op.f("fk_application_asset_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application")),
        sa.UniqueConstraint("asset_id", "number", name=op.f("uq_application_asset_id_number")),
    )
    with op.batch_alter_table("application", schema=None) as batch_op:
        batch_op.create_index("ix_application_near", ["near_fingerprint", "applicant"], unique=False)
        batch_op.create_index(batch_op.f("ix_application_applicant"), ["applicant"], unique=False)
        batch_op.create_index(batch_op.f("ix_application_fingerprint"), ["fingerprint"], unique=False)
    op.create_table(
        "evidence",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("asset_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("sealed_id", sa.String(length=26), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["registration.asset_id"], name=op.f("fk_evidence_asset_id")),
        sa.ForeignKeyConstraint(["by"], ["party.id"], name=op.f("fk_evidence_by")),
        sa.ForeignKeyConstraint(["sealed_id"], ["sealed.id"], name=op.f("fk_evidence_sealed_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_evidence")),
    )
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_evidence_asset_id"), ["asset_id"], unique=False)
    op.create_table(
        "mandate",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("principal", sa.String(length=64), nullable=False),
        sa.Column("broker", sa.String(length=64), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["broker"], ["party.id"], name=op.f("fk_mandate_broker")),
        sa.ForeignKeyConstraint(["principal"], ["party.id"], name=op.f("fk_mandate_principal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandate")),
    )
    with op.batch_alter_table("mandate", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mandate_broker"), ["broker"], unique=False)
        batch_op.create_index(batch_op.f("ix_mandate_principal"), ["principal"], unique=False)


def downgrade() -> None:
    for table in ("mandate", "evidence", "application"):
        op.drop_table(table)
    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.drop_column("external_reg_code")
        batch_op.add_column(sa.Column("valid_to", sa.BigInteger(), nullable=True))
        batch_op.drop_index(batch_op.f("ix_registration_resource_code"))
        batch_op.create_unique_constraint("uq_registration_resource_code", ["resource_code"])
    with op.batch_alter_table("resource", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_resource_fingerprint"))
        batch_op.create_unique_constraint("uq_resource_fingerprint", ["fingerprint"])
