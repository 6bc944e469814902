"""The script that Alembic runs: it applies the migrations on the caller's engine."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from ledger.store.tables import Base


def _keep_foreign_keys(connection: Connection, kept: str) -> None:
    """Set the check of foreign keys to ``kept`` (OFF or ON). It must be off while SQLite changes a table, because a
    migration deletes the table and creates it again.

    The pragma works only outside a transaction, and SQLAlchemy would begin a transaction, so the driver is used
    directly.
    """
    driver = connection.connection.dbapi_connection
    if connection.dialect.name == "sqlite" and driver is not None:
        driver.cursor().execute(f"PRAGMA foreign_keys={kept}")


engine = context.config.attributes["engine"]
with engine.connect() as connection:
    _keep_foreign_keys(connection, "OFF")
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
    _keep_foreign_keys(connection, "ON")
