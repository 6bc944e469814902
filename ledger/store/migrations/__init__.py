"""Schema migrations with Alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError

from ledger.errors import Misconfigured


def upgrade(engine: Engine) -> None:
    """Apply the missing migrations; a current database is not changed.

    Raises ``Misconfigured``: ``DATABASE_UNREACHABLE``, or ``DATABASE_NEWER`` if a newer program wrote the database.
    """
    try:
        command.upgrade(configuration(engine), "head")
    except CommandError as error:
        raise Misconfigured(
            "DATABASE_NEWER",
            "The database was written by a newer version of this program.",
            where=engine.url.render_as_string(hide_password=True),
            hint="Use the newer version of the program: a database cannot be changed back.",
        ) from error
    except DatabaseError as error:
        raise Misconfigured(
            "DATABASE_UNREACHABLE",
            "The database cannot be opened.",
            where=engine.url.render_as_string(hide_password=True),
            hint="Check PINGZHENG_DATABASE_URL, the folder's permissions and the free space on the disk.",
        ) from error


def newest(engine: Engine) -> str | None:
    """Return the version of the schema that this program uses."""
    return ScriptDirectory.from_config(configuration(engine)).get_current_head()


def configuration(engine: Engine) -> Config:
    """Return Alembic's configuration for these migrations on ``engine``."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["engine"] = engine
    return config
