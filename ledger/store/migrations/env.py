"""Alembic's entry: runs the migrations on the engine that the caller gave."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from ledger.store.tables import Base


def _keep_foreign_keys(connection: Connection, kept: str) -> None:
    """SQLite changes a table by making it anew: what refers to it must not notice. Works outside of transactions only,
    which SQLAlchemy would begin."""
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
