"""Add tables for disclosures in cases, and for drafts of scenarios with their approvals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "disclosure",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("certificate_no", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("case", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["party.id"], name=op.f("fk_disclosure_by")),
        sa.ForeignKeyConstraint(
            ["certificate_no"], ["certificate.certificate_no"], name=op.f("fk_disclosure_certificate_no")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disclosure")),
    )
    with op.batch_alter_table("disclosure", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_disclosure_certificate_no"), ["certificate_no"], unique=False)
    op.create_table(
        "scenario_draft",
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("drafted_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["drafted_by"], ["party.id"], name=op.f("fk_scenario_draft_drafted_by")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_scenario_draft")),
    )
    op.create_table(
        "scenario_approval",
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("office", sa.String(length=16), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["party.id"], name=op.f("fk_scenario_approval_by")),
        sa.ForeignKeyConstraint(["digest"], ["scenario_draft.digest"], name=op.f("fk_scenario_approval_digest")),
        sa.PrimaryKeyConstraint("digest", "office", name=op.f("pk_scenario_approval")),
    )


def downgrade() -> None:
    op.drop_table("scenario_approval")
    op.drop_table("scenario_draft")
    with op.batch_alter_table("disclosure", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_disclosure_certificate_no"))
    op.drop_table("disclosure")
