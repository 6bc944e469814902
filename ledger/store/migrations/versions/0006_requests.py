"""Add consumers' requests, one authorization for each source, numbered answers of providers, and corrections.

The rows of earlier authorizations and provisions are deleted; their entries stay in the log.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    with op.batch_alter_table("certificate", schema=None) as batch_op:
        batch_op.drop_constraint("uq_certificate_authorization_id", type_="unique")
        batch_op.drop_constraint("fk_certificate_authorization_id", type_="foreignkey")
        batch_op.drop_column("authorization_id")
    op.drop_table("provision")
    op.drop_table("authorization")
    _create_request()
    _create_authorization()
    _create_provision()
    with op.batch_alter_table("certificate", schema=None) as batch_op:
        batch_op.add_column(sa.Column("request_id", sa.String(length=26), nullable=True))
        batch_op.add_column(sa.Column("version", sa.BigInteger(), nullable=False, server_default="1"))
        batch_op.create_foreign_key(batch_op.f("fk_certificate_request_id"), "access_request", ["request_id"], ["id"])
        batch_op.create_unique_constraint(batch_op.f("uq_certificate_request_id_version"), ["request_id", "version"])


def _create_request() -> None:
    op.create_table(
        "access_request",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("leaf", sa.String(length=64), nullable=False),
        sa.Column("scenario", sa.String(length=8), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("consumer", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("sealed_id", sa.String(length=26), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["subject"], ["party.id"], name=op.f("fk_access_request_subject")),
        sa.ForeignKeyConstraint(["consumer"], ["party.id"], name=op.f("fk_access_request_consumer")),
        sa.ForeignKeyConstraint(["sealed_id"], ["sealed.id"], name=op.f("fk_access_request_sealed_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_request")),
        sa.UniqueConstraint("leaf", name=op.f("uq_access_request_leaf")),
    )
    with op.batch_alter_table("access_request", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_access_request_subject"), ["subject"], unique=False)
        batch_op.create_index(batch_op.f("ix_access_request_consumer"), ["consumer"], unique=False)


def _create_authorization() -> None:
    op.create_table(
        "authorization",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("leaf", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=26), nullable=False),
        sa.Column("scenario", sa.String(length=8), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("consumer", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("sealed_id", sa.String(length=26), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["access_request.id"], name=op.f("fk_authorization_request_id")),
        sa.ForeignKeyConstraint(["subject"], ["party.id"], name=op.f("fk_authorization_subject")),
        sa.ForeignKeyConstraint(["consumer"], ["party.id"], name=op.f("fk_authorization_consumer")),
        sa.ForeignKeyConstraint(["provider"], ["party.id"], name=op.f("fk_authorization_provider")),
        sa.ForeignKeyConstraint(["sealed_id"], ["sealed.id"], name=op.f("fk_authorization_sealed_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authorization")),
        sa.UniqueConstraint("leaf", name=op.f("uq_authorization_leaf")),
        sa.UniqueConstraint("request_id", "source", name=op.f("uq_authorization_request_id_source")),
    )
    with op.batch_alter_table("authorization", schema=None) as batch_op:
        for column in ("subject", "consumer", "provider"):
            batch_op.create_index(batch_op.f(f"ix_authorization_{column}"), [column], unique=False)


def _create_provision() -> None:
    op.create_table(
        "provision",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("authorization_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("leaf", sa.String(length=64), nullable=False),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("sealed_id", sa.String(length=26), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["authorization_id"], ["authorization.id"], name=op.f("fk_provision_authorization_id")),
        sa.ForeignKeyConstraint(["provider"], ["party.id"], name=op.f("fk_provision_provider")),
        sa.ForeignKeyConstraint(["sealed_id"], ["sealed.id"], name=op.f("fk_provision_sealed_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provision")),
        sa.UniqueConstraint("leaf", name=op.f("uq_provision_leaf")),
        sa.UniqueConstraint("authorization_id", "number", name=op.f("uq_provision_authorization_id_number")),
    )
    with op.batch_alter_table("provision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_provision_provider"), ["provider"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("This migration cannot be undone: certificates need requests.")
