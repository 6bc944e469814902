"""Add the columns of protocol 2: digests of statements, and the issuer of the log for batches and positions.

A database with entries or verifications of protocol 1 is refused, because these are invalid under protocol 2.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ledger.errors import Misconfigured

revision = "0012"
down_revision = "0011"

RENAMED = ("access_request", "authorization", "provision", "certificate", "publication")
KEYS = {"party": 66, "party_key": 70}


def upgrade() -> None:
    _require_empty("1")
    op.create_table(
        "ledger_identity",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_ledger_identity")),
    )
    op.create_table(
        "seen_claim",
        sa.Column("digest", sa.String(length=43), nullable=False),
        sa.Column("request_id", sa.String(length=26), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["access_request.id"], name=op.f("fk_seen_claim_request_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_seen_claim")),
    )
    with op.batch_alter_table("seen_claim", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_seen_claim_request_id"), ["request_id"], unique=False)
    with op.batch_alter_table("entry", schema=None) as batch_op:
        batch_op.add_column(sa.Column("digest", sa.String(length=64), nullable=False))
        batch_op.add_column(sa.Column("about", sa.String(length=64), nullable=True))
        batch_op.create_unique_constraint(batch_op.f("uq_entry_digest"), ["digest"])
        batch_op.create_index(batch_op.f("ix_entry_about"), ["about"], unique=False)
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.alter_column("by", new_column_name="issuer", existing_type=sa.BigInteger(), existing_nullable=True)
    with op.batch_alter_table("presentation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("issuer", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("request", sa.String(length=64), nullable=True))
        batch_op.drop_constraint("uq_presentation_nonce_digest", type_="unique")
        batch_op.create_unique_constraint("uq_presentation_consumer_nonce_digest", ["consumer", "nonce_digest"])
    for table in RENAMED:
        _rename(table, "leaf", "digest")
    with op.batch_alter_table("certificate", schema=None) as batch_op:
        batch_op.add_column(sa.Column("seq", sa.BigInteger(), nullable=False))
        batch_op.create_unique_constraint(batch_op.f("uq_certificate_seq"), ["seq"])
    with op.batch_alter_table("erasure", schema=None) as batch_op:
        batch_op.alter_column("leaf", new_column_name="digest", existing_type=sa.String(64), existing_nullable=False)
    for table, length in KEYS.items():
        _resize(table, length, 71)


def downgrade() -> None:
    _require_empty("2")
    for table, length in KEYS.items():
        _resize(table, 71, length)
    with op.batch_alter_table("erasure", schema=None) as batch_op:
        batch_op.alter_column("digest", new_column_name="leaf", existing_type=sa.String(64), existing_nullable=False)
    with op.batch_alter_table("certificate", schema=None) as batch_op:
        batch_op.drop_constraint("uq_certificate_seq", type_="unique")
        batch_op.drop_column("seq")
    for table in RENAMED:
        _rename(table, "digest", "leaf")
    with op.batch_alter_table("presentation", schema=None) as batch_op:
        batch_op.drop_constraint("uq_presentation_consumer_nonce_digest", type_="unique")
        batch_op.create_unique_constraint("uq_presentation_nonce_digest", ["nonce_digest"])
        batch_op.drop_column("request")
        batch_op.drop_column("issuer")
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.alter_column("issuer", new_column_name="by", existing_type=sa.BigInteger(), existing_nullable=True)
    with op.batch_alter_table("entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_entry_about"))
        batch_op.drop_constraint("uq_entry_digest", type_="unique")
        batch_op.drop_column("about")
        batch_op.drop_column("digest")
    op.drop_table("seen_claim")
    op.drop_table("ledger_identity")


def _require_empty(protocol: str) -> None:
    connection = op.get_bind()
    for table in ("entry", "presentation"):
        if connection.execute(sa.select(sa.literal(1)).select_from(sa.table(table)).limit(1)).first() is not None:
            raise Misconfigured(
                "PROTOCOL_UNSUPPORTED",
                f"The database contains data of protocol {protocol}; this version of the program cannot read it.",
                where=f"table {table}",
                hint="Begin with an empty folder and an empty database, and issue the certificates again.",
            )


def _rename(table: str, old: str, new: str) -> None:
    with op.batch_alter_table(table, schema=None) as batch_op:
        batch_op.drop_constraint(f"uq_{table}_{old}", type_="unique")
        batch_op.alter_column(old, new_column_name=new, existing_type=sa.String(length=64), existing_nullable=False)
    with op.batch_alter_table(table, schema=None) as batch_op:
        batch_op.create_unique_constraint(f"uq_{table}_{new}", [new])


def _resize(table: str, old: int, new: int) -> None:
    with op.batch_alter_table(table, schema=None) as batch_op:
        batch_op.alter_column(
            "public_key", existing_type=sa.String(length=old), type_=sa.String(length=new), existing_nullable=False
        )
