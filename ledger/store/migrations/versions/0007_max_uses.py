"""Add a column for the number of uses that a certificate allows."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

CERTIFICATE = sa.table(
    "certificate",
    sa.column("certificate_no", sa.String),
    sa.column("class", sa.String),
    sa.column("leaf", sa.String),
    sa.column("max_uses", sa.BigInteger),
)
ENTRY = sa.table("entry", sa.column("leaf", sa.String), sa.column("body", sa.LargeBinary))


def upgrade() -> None:
    with op.batch_alter_table("certificate", schema=None) as batch_op:
        batch_op.add_column(sa.Column("max_uses", sa.BigInteger(), nullable=True))
    connection = op.get_bind()
    issued = sa.select(CERTIFICATE.c.certificate_no, ENTRY.c.body).join_from(
        CERTIFICATE, ENTRY, ENTRY.c.leaf == CERTIFICATE.c.leaf
    )
    rows = connection.execute(issued.where(CERTIFICATE.c["class"] == "usage")).all()
    for number, body in rows:
        values = {"max_uses": json.loads(body)["max_uses"]}
        connection.execute(sa.update(CERTIFICATE).where(CERTIFICATE.c.certificate_no == number).values(values))


def downgrade() -> None:
    with op.batch_alter_table("certificate", schema=None) as batch_op:
        batch_op.drop_column("max_uses")
