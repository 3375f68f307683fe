"""Bring a database to the newest tables; safe when several processes do it at once."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import psycopg
import sqlalchemy
from alembic import command, op
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy.pool import NullPool

from runledger.sinks.errors import MigrationError

_LOCK = 5_902_317_460
"""Key of the advisory lock; any number no other program uses in this database."""


def migrate(postgres_uri: str, revision: str = "head") -> None:
    """Apply every migration that is missing, in one transaction.

    A second process waits for the first one's transaction and then finds nothing to do.

    Args:
        postgres_uri: connection URI or conninfo of the database, which must exist.
        revision: go no further than this one.

    Raises:
        MigrationError: the database cannot be reached, refuses a statement, or is newer than this code.
    """
    config = _config()
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(postgres_uri), poolclass=NullPool
    )
    try:
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    except (sqlalchemy.exc.SQLAlchemyError, psycopg.Error, CommandError) as error:
        raise MigrationError(f"the tables could not be made: {_words_of(error)}") from error


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def _words_of(error: Exception) -> str:
    """Say in one line what went wrong, without the URI that a client's error would quote."""
    cause = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) and error.orig is not None else error
    if isinstance(cause, psycopg.ProgrammingError) and cause.sqlstate is None:
        return "the connection URI cannot be read"
    return " ".join(str(cause).split())


def run_file(name: str) -> None:
    """Run one numbered SQL file inside the current migration; revisions call this."""
    sql = files("runledger.sinks.migrations").joinpath(name).read_text(encoding="utf-8")
    driver = op.get_bind().connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError(f"migrations run on psycopg, not on {type(driver).__name__}")
    driver.execute(sql)
