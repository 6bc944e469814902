"""Add the tables of the data catalogue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "catalogue_resource",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("published_version", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["provider"], ["party.id"], name=op.f("fk_catalogue_resource_provider")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_catalogue_resource")),
    )
    with op.batch_alter_table("catalogue_resource", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_catalogue_resource_provider"), ["provider"], unique=False)
        batch_op.create_index(batch_op.f("ix_catalogue_resource_state"), ["state"], unique=False)

    op.create_table(
        "cdo_appointment",
        sa.Column("department", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("cdo", sa.String(length=64), nullable=False),
        sa.Column("appointed_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["appointed_by"], ["party.id"], name=op.f("fk_cdo_appointment_appointed_by")),
        sa.ForeignKeyConstraint(["cdo"], ["party.id"], name=op.f("fk_cdo_appointment_cdo")),
        sa.ForeignKeyConstraint(["department"], ["party.id"], name=op.f("fk_cdo_appointment_department")),
        sa.PrimaryKeyConstraint("department", "number", name=op.f("pk_cdo_appointment")),
    )
    op.create_table(
        "important_data_entry",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("grade", sa.String(length=16), nullable=False),
        sa.Column("pattern", sa.String(length=200), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["party.id"], name=op.f("fk_important_data_entry_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_important_data_entry")),
    )
    op.create_table(
        "info_system",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("protection_level", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["owner"], ["party.id"], name=op.f("fk_info_system_owner")),
        sa.PrimaryKeyConstraint("code", "version", name=op.f("pk_info_system")),
    )
    with op.batch_alter_table("info_system", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_info_system_owner"), ["owner"], unique=False)

    op.create_table(
        "demand",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("requester", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("purpose", sa.String(length=400), nullable=False),
        sa.Column("domain", sa.String(length=64), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("legal_basis", sa.String(length=400), nullable=False),
        sa.Column("wanted_by", sa.String(length=10), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["code"], ["catalogue_resource.code"], name=op.f("fk_demand_code")),
        sa.ForeignKeyConstraint(["requester"], ["party.id"], name=op.f("fk_demand_requester")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_demand")),
    )
    with op.batch_alter_table("demand", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_demand_code"), ["code"], unique=False)
        batch_op.create_index(batch_op.f("ix_demand_requester"), ["requester"], unique=False)
        batch_op.create_index(batch_op.f("ix_demand_state"), ["state"], unique=False)

    op.create_table(
        "open_item",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("open_type", sa.String(length=16), nullable=False),
        sa.Column("conditions", sa.String(length=400), nullable=False),
        sa.Column("licence", sa.String(length=64), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["code"], ["catalogue_resource.code"], name=op.f("fk_open_item_code")),
        sa.ForeignKeyConstraint(["created_by"], ["party.id"], name=op.f("fk_open_item_created_by")),
        sa.PrimaryKeyConstraint("code", "number", name=op.f("pk_open_item")),
    )
    op.create_table(
        "resource_event",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("move", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["party.id"], name=op.f("fk_resource_event_by")),
        sa.ForeignKeyConstraint(["code"], ["catalogue_resource.code"], name=op.f("fk_resource_event_code")),
        sa.PrimaryKeyConstraint("code", "number", name=op.f("pk_resource_event")),
    )
    op.create_table(
        "resource_version",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("document_digest", sa.String(length=80), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["code"], ["catalogue_resource.code"], name=op.f("fk_resource_version_code")),
        sa.ForeignKeyConstraint(["created_by"], ["party.id"], name=op.f("fk_resource_version_created_by")),
        sa.PrimaryKeyConstraint("code", "version", name=op.f("pk_resource_version")),
    )
    op.create_table(
        "share_duty",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("department", sa.String(length=64), nullable=False),
        sa.Column("sla_days", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["code"], ["catalogue_resource.code"], name=op.f("fk_share_duty_code")),
        sa.ForeignKeyConstraint(["created_by"], ["party.id"], name=op.f("fk_share_duty_created_by")),
        sa.ForeignKeyConstraint(["department"], ["party.id"], name=op.f("fk_share_duty_department")),
        sa.PrimaryKeyConstraint("code", "number", name=op.f("pk_share_duty")),
    )
    with op.batch_alter_table("share_duty", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_share_duty_department"), ["department"], unique=False)

    op.create_table(
        "demand_event",
        sa.Column("demand_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("move", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["party.id"], name=op.f("fk_demand_event_by")),
        sa.ForeignKeyConstraint(["demand_id"], ["demand.id"], name=op.f("fk_demand_event_demand_id")),
        sa.PrimaryKeyConstraint("demand_id", "number", name=op.f("pk_demand_event")),
    )
    op.create_table(
        "publication",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("cdo", sa.String(length=64), nullable=False),
        sa.Column("leaf", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["cdo"], ["party.id"], name=op.f("fk_publication_cdo")),
        sa.ForeignKeyConstraint(
            ["code", "version"],
            ["resource_version.code", "resource_version.version"],
            name=op.f("fk_publication_code_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publication")),
        sa.UniqueConstraint("leaf", name=op.f("uq_publication_leaf")),
    )
    with op.batch_alter_table("publication", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_publication_code"), ["code"], unique=False)

    op.create_table(
        "resource_review",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reviewer", sa.String(length=64), nullable=False),
        sa.Column("report_digest", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["code", "version"],
            ["resource_version.code", "resource_version.version"],
            name=op.f("fk_resource_review_code_version"),
        ),
        sa.ForeignKeyConstraint(["reviewer"], ["party.id"], name=op.f("fk_resource_review_reviewer")),
        sa.PrimaryKeyConstraint("code", "version", name=op.f("pk_resource_review")),
    )


def downgrade() -> None:
    op.drop_table("resource_review")
    with op.batch_alter_table("publication", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_publication_code"))

    op.drop_table("publication")
    op.drop_table("demand_event")
    with op.batch_alter_table("share_duty", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_share_duty_department"))

    op.drop_table("share_duty")
    op.drop_table("resource_version")
    op.drop_table("resource_event")
    op.drop_table("open_item")
    with op.batch_alter_table("demand", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_demand_state"))
        batch_op.drop_index(batch_op.f("ix_demand_requester"))
        batch_op.drop_index(batch_op.f("ix_demand_code"))

    op.drop_table("demand")
    with op.batch_alter_table("info_system", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_info_system_owner"))

    op.drop_table("info_system")
    op.drop_table("important_data_entry")
    op.drop_table("cdo_appointment")
    with op.batch_alter_table("catalogue_resource", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_catalogue_resource_state"))
        batch_op.drop_index(batch_op.f("ix_catalogue_resource_provider"))

    op.drop_table("catalogue_resource")
