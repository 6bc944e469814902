"""Schema migrations (Alembic). ``upgrade`` brings a database to this version's schema."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine


def upgrade(engine: Engine) -> None:
    """Apply what is missing; does nothing on a current database."""
    command.upgrade(configuration(engine), "head")


def configuration(engine: Engine) -> Config:
    """Alembic's configuration for this package's migrations on ``engine``."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["engine"] = engine
    return config
