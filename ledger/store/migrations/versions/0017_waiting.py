"""Add indexes that contain only what waits: open and authorised requests, and closed batches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

# For each index: the index's name, the table, the column, and the SQL condition for the rows that the index contains.
WAITING = (
    ("ix_access_request_authorised", "access_request", "id", "state = 'authorised'"),
    ("ix_access_request_open", "access_request", "expires_at", "state IN ('seen', 'sent')"),
    ("ix_batch_closed", "batch", "number", "state = 'closed'"),
)


def upgrade() -> None:
    for name, table, column, rows in WAITING:
        op.create_index(name, table, [column], sqlite_where=sa.text(rows), postgresql_where=sa.text(rows))


def downgrade() -> None:
    for name, table, _, _ in reversed(WAITING):
        op.drop_index(name, table_name=table)
