"""Alembic's entry: runs the migrations on the engine that the caller gave."""

from __future__ import annotations

from alembic import context

from ledger.store import catalogue_tables, erasure_tables, registration_tables  # noqa: F401 - their tables are of the same metadata
from ledger.store.tables import Base

engine = context.config.attributes["engine"]
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
